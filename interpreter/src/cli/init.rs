//! `pipe init`

use std::{
    fmt::Write as _,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{
    Colour,
    load::{self, complain},
    look::look,
};
use crate::{
    exit,
    init::{Draft, Survey, draft},
    report::draw,
    run::plain,
};

/// Write a first Pipelinefile, from what lies in the repository
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder [default: this one]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    if !folder.is_dir() {
        complain(&format!("pipe: `{}` is no folder", folder.display()));
        return exit::WRONG_INPUT;
    }
    let file = folder.join("Pipelinefile");
    let draft = draft(&Survey::of(&folder));
    if let Err(error) = create(&file, &draft.text) {
        let shown = file.strip_prefix("./").unwrap_or(&file).display();
        if error.kind() == ErrorKind::AlreadyExists {
            complain(&format!("pipe: `{shown}` is there already, and is left as it is"));
            complain("  move it away to write a new one");
        } else {
            complain(&format!("pipe: `{shown}` can't be written: {}", plain(&error)));
        }
        return exit::WRONG_INPUT;
    }
    let mut told = told(&draft);
    // What it found may have mistakes of its own, such as a broken definition of an app.
    let loaded = match load::load(Some(&file)) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    if loaded.program.problems.is_empty() {
        told.push_str("\n`pipe check` finds nothing wrong with it\n");
    }
    let written = std::io::stdout().write_all(told.as_bytes());
    if !loaded.program.problems.is_empty() {
        let look = look(&std::io::stderr(), colour);
        let problems = &loaded.program.problems;
        let drawn = loaded.program.sources(|sources| draw::problems(problems, sources, look));
        complain(&format!("\n`pipe check` says of what was found:\n\n{drawn}"));
    }
    if written.is_ok() { exit::SUCCESS } else { exit::FAILED }
}

/// Writes a file that is not there yet.
fn create(file: &Path, text: &str) -> std::io::Result<()> {
    let mut created = std::fs::OpenOptions::new().write(true).create_new(true).open(file)?;
    created.write_all(text.as_bytes())
}

fn told(draft: &Draft) -> String {
    let mut out = "wrote Pipelinefile\n".to_owned();
    if !draft.found.is_empty() {
        out.push_str("\nfound\n");
        let column = draft.found.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        for (what, so) in &draft.found {
            let _ = writeln!(out, "  {what:column$}  {so}");
        }
    }
    for (title, lines) in [("not taken over", &draft.left), ("next", &draft.next)] {
        if !lines.is_empty() {
            let _ = write!(out, "\n{title}\n");
        }
        for line in lines {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
