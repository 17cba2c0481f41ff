//! Writes a Pipelinefile, a stage after the other.

use pipe_stdlib::core::quote;

use super::{compose::Draft, docker::registry, survey::Survey};

/// A Pipelinefile that grows.
pub(super) struct Writer<'a> {
    pub(super) survey: &'a Survey,
    stages: Vec<String>,
    /// The names of the stages.
    names: Vec<String>,
    /// Everything between the edition and the stages.
    pub(super) head: String,
    /// What the file does, for its documentation.
    pub(super) verbs: Vec<&'static str>,
    pub(super) draft: Draft,
}

/// Names that the file gives to something else than a stage.
const TAKEN: [&str; 5] = ["image", "services", "image_of", "registry_password", "hub_password"];

impl<'a> Writer<'a> {
    pub(super) fn new(survey: &'a Survey) -> Self {
        Self {
            survey,
            stages: Vec::new(),
            names: Vec::new(),
            head: String::new(),
            verbs: Vec::new(),
            draft: Draft::default(),
        }
    }

    /// The connections that an image needs, and Marathon where there are apps.
    pub(super) fn connect(&mut self, image: &str) {
        let host = registry(image);
        let (secret, variable) = if host == "docker.io" {
            ("hub_password", "DOCKER_HUB")
        } else {
            ("registry_password", "REGISTRY")
        };
        self.head.push_str(&format!("secret {secret} = env(\"{variable}_PASSWORD\")\n\n"));
        self.head.push_str(&format!(
            "connect docker({}, username: env(\"{variable}_USERNAME\"), password: {secret})\n",
            quote(host)
        ));
        let mut variables = vec![format!("{variable}_USERNAME"), format!("{variable}_PASSWORD")];
        let images = self.survey.images.iter().flat_map(|image| &image.apps);
        if self.survey.apps.iter().chain(images).next().is_some() {
            self.head.push_str("connect marathon(env(\"MARATHON_URL\"))\n");
            variables.push("MARATHON_URL".to_owned());
        }
        self.head.push('\n');
        self.variables(&variables);
    }

    pub(super) fn connect_marathon(&mut self) {
        self.head.push_str("connect marathon(env(\"MARATHON_URL\"))\n\n");
        self.variables(&["MARATHON_URL".to_owned()]);
    }

    pub(super) fn variables(&mut self, variables: &[String]) {
        let marathon = variables.iter().any(|variable| variable == "MARATHON_URL");
        let token = if marathon { "; for a token add `token:` to `connect marathon`" } else { "" };
        self.draft
            .next
            .push("`pipe run --local`: all of it on this machine, without a login".to_owned());
        self.draft.next.push(format!("for a real run set {}{token}", variables.join(", ")));
    }

    /// What tells one version from another.
    pub(super) fn version(&self) -> &'static str {
        if self.survey.git.is_some() { "git.short_commit" } else { "pipeline.run" }
    }

    pub(super) fn on_main(&self) -> Vec<String> {
        let git = self.survey.git.as_ref();
        git.map(|git| format!("when git.branch == {}", quote(&git.main))).into_iter().collect()
    }

    pub(super) fn commands(&mut self, name: &str, title: Option<&str>, commands: &[String]) {
        let lines: String =
            commands.iter().map(|command| format!("  $ {}\n", escaped(command))).collect();
        self.stage(name, title, &[], &lines);
    }

    /// Adds a stage, under its name or one that is free; its title as it is written in the file.
    pub(super) fn stage(
        &mut self,
        name: &str,
        title: Option<&str>,
        clauses: &[String],
        body: &str,
    ) -> String {
        let free = |name: &String| !self.names.contains(name) && !TAKEN.contains(&name.as_str());
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(free).unwrap_or_default();
        let title = title.map_or(String::new(), |title| format!(" {title}"));
        let head = if clauses.is_empty() {
            format!("stage {name}{title} {{\n")
        } else {
            let clauses: String = clauses.iter().map(|clause| format!("  {clause}\n")).collect();
            format!("stage {name}{title}\n{clauses}{{\n")
        };
        self.stages.push(format!("{head}{body}}}\n"));
        self.names.push(name.clone());
        name
    }

    pub(super) fn found(&mut self, what: &str, so: String) {
        self.draft.found.push((what.to_owned(), so));
    }

    /// Comment lines above the last stage.
    pub(super) fn document(&mut self, docs: &str) {
        if let Some(stage) = self.stages.last_mut() {
            stage.insert_str(0, docs);
        }
    }

    /// Whether a stage is called so.
    pub(super) fn has_stage(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The file, and what is to be told about it.
    pub(super) fn finish(mut self) -> Draft {
        if self.stages.is_empty() {
            self.stages.push(
                "# TODO: nothing here says how this is built or tested.\nstage build {\n  log(\"nothing to do yet\")\n}\n"
                    .to_owned(),
            );
            self.draft.next.push("write the commands of `build` into Pipelinefile".to_owned());
        }
        let mut verbs: Vec<String> = self.verbs.iter().map(|verb| (*verb).to_owned()).collect();
        if let Some(first) = verbs.first_mut() {
            first[..1].make_ascii_uppercase();
        }
        let name = &self.survey.name;
        let docs = match verbs.as_slice() {
            [] => format!("# {name}.\n"),
            verbs => format!("# {} {name}.\n", pipe_grammar::diagnostic::list_and(verbs)),
        };
        let head = self.head.trim_end();
        let blank = if head.is_empty() { "" } else { "\n\n" };
        self.draft.text = format!("{docs}edition 2026\n\n{head}{blank}{}", self.stages.join("\n"));
        self.draft
    }
}

/// A command in which `#{` stays what it is.
pub(super) fn escaped(command: &str) -> String {
    command.replace("#{", "\\#{")
}
