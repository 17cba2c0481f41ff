//! Stages that check and test.

use pipe_grammar::{SourceId, parse};
use pipe_stdlib::core::quote;

use super::{
    commands::Work,
    name,
    writer::{Writer, escaped},
};
use crate::program::Program;

impl Writer<'_> {
    /// The stages that check and test: as Jenkins does it, else as the Makefile or the tools do.
    pub(super) fn work(&mut self) {
        let survey = self.survey;
        let mut chosen: Vec<(String, String, Vec<String>)> = Vec::new();
        if let Some(jenkins) = &survey.jenkins {
            let mut count = 0;
            for stage in &jenkins.stages {
                let (good, bad): (Vec<_>, Vec<_>) =
                    stage.commands.iter().cloned().partition(|command| is_clean(command));
                count += good.len();
                self.draft.left.extend(bad.iter().map(|command| {
                    format!("Jenkinsfile: `{command}`: it can't stand on a `$` line as it is")
                }));
                if !good.is_empty() {
                    chosen.push((name::identifier(&stage.title), stage.title.clone(), good));
                }
            }
            self.draft.left.extend(jenkins.left());
            let so = match count {
                0 => "nothing in it is a plain command that the built-ins do not do".to_owned(),
                1 => "1 command taken over".to_owned(),
                count => format!("{count} commands taken over"),
            };
            self.found("Jenkinsfile", so);
        }
        if !chosen.is_empty() {
            self.verbs.push("test");
            for (name, title, commands) in chosen {
                let title = (name != title.to_lowercase()).then(|| quote(&title));
                self.commands(&name, title.as_deref(), &commands);
            }
            self.unused(&survey.work);
            return;
        }
        let make =
            survey.work.first().filter(|work| work.file.to_lowercase().ends_with("makefile"));
        let (used, unused) =
            survey.work.split_at(if make.is_some() { 1 } else { survey.work.len() });
        let mut stages: Vec<(&str, Vec<String>)> = Vec::new();
        for work in used {
            for (name, commands) in &work.stages {
                match stages.iter_mut().find(|(known, _)| known == name) {
                    Some((_, all)) => all.extend(commands.iter().cloned()),
                    None => stages.push((name, commands.clone())),
                }
            }
            let names: Vec<String> =
                work.stages.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.found(&work.file, format!("stage {}", names.join(", ")));
        }
        // Whatever the languages, what installs stands first, and what tests behind what is quick.
        stages.sort_by_key(|(name, _)| {
            ["install", "lint", "test", "build"].iter().position(|n| n == name)
        });
        for (name, commands) in stages {
            if name == "test" {
                self.verbs.push("test");
            }
            self.commands(name, None, &commands);
        }
        self.unused(unused);
    }

    fn unused(&mut self, works: &[Work]) {
        for work in works {
            let commands: Vec<&str> =
                work.stages.iter().flat_map(|(_, all)| all).map(String::as_str).collect();
            let left = format!("{}: not used: `{}`", work.file, commands.join("`, `"));
            self.draft.left.push(left);
        }
    }
}

/// Whether a command can stand on a `$` line: it is read as one, and the shell could read it.
fn is_clean(command: &str) -> bool {
    let text = format!("stage x {{\n  $ {}\n}}\n", escaped(command));
    if command.contains('\n') || !parse(SourceId::default(), &text).problems.is_empty() {
        return false;
    }
    let program = Program::new("Pipelinefile", text, &Nothing);
    program.problems.is_empty()
}

/// No files beside.
struct Nothing;

impl crate::check::Files for Nothing {
    fn exists(&self, _: &str) -> bool {
        false
    }

    fn read(&self, _: &str) -> Result<String, String> {
        Err("is not looked at".to_owned())
    }
}
