//! `pipe report`

use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use pipe_stdlib::core::{World, save};

use super::{
    FileArg,
    load::{self, complain},
    recorded::{self, Recorded},
    runtime,
};
use crate::{
    exit,
    graph::{self, Graph},
    program::Program,
    record::Ledger,
    report::{html, junit, traces, trail::Trail},
    run::plain,
    trace::Trace,
};

/// Write a report of a run
#[derive(clap::Args)]
pub(super) struct Args {
    /// The run, or the beginning or end of its id [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    #[command(flatten)]
    file: FileArg,

    /// What to write
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    format: Format,

    /// Where to write it, `-` for the standard output [default: beside the records of the run]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page for the browser, complete in itself
    Html,
    /// JUnit's XML, for CI servers
    Junit,
}

pub(super) fn main(args: &Args) -> u8 {
    match write(args) {
        Ok(status) | Err(status) => status,
    }
}

fn write(args: &Args) -> Result<u8, u8> {
    let recorded = recorded::find(&args.file, args.run.as_deref())?;
    let folder = &recorded.found.folder;
    let mut trail = Trail::of(&recorded.ledger);
    trail.summary.run.clone_from(&recorded.found.run);
    let graph = graph(&recorded, &trail);
    let write = |out: &mut dyn Write| match args.format {
        Format::Html => html::html(&trail, folder, graph.as_deref(), &mut BufWriter::new(out)),
        Format::Junit => out.write_all(junit::junit(&trail, folder).as_bytes()),
    };
    if args.output.as_deref() == Some(Path::new("-")) {
        let written = write(&mut std::io::stdout());
        return Ok(if written.is_ok() { exit::SUCCESS } else { exit::FAILED });
    }
    let name = match args.format {
        Format::Html => "report.html",
        Format::Junit => "junit.xml",
    };
    let file = args.output.clone().unwrap_or_else(|| folder.join(name));
    put(&file, write)?;
    let here = std::env::current_dir().unwrap_or_default();
    let shown = file.strip_prefix(here).unwrap_or(&file);
    let _ = writeln!(std::io::stdout(), "{}", shown.display());
    Ok(exit::SUCCESS)
}

/// The stages of a run as a drawing. None when the file is another one by now.
fn graph(recorded: &Recorded, trail: &Trail) -> Option<String> {
    let name = Path::new(&trail.summary.file).file_name()?;
    let file = recorded.root.join(name);
    let loaded = file.is_file().then(|| load::load(Some(&file)))?.ok()?;
    let names = |program: &Program| -> Vec<String> {
        program.file.stages().map(|stage| stage.name.text.to_string()).collect()
    };
    let same = !loaded.program.has_errors() && names(&loaded.program) == trail.declared;
    same.then(|| graph::svg(&Graph::of(&loaded.program, &loaded.folder())))
}

/// Writes a file whole or not at all. An error has been told; it is the exit status.
fn put(file: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), u8> {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    save(&path, false, |out| write(out)).map_err(|error| {
        complain(&format!("pipe: `{}` can't be written: {}", file.display(), plain(&error)));
        exit::INFRASTRUCTURE
    })
}

/// Takes the report of an earlier run away: nobody is to take it for the one of this run. An error
/// has been told; it is the exit status.
pub(super) fn forget_junit(file: Option<&PathBuf>) -> Result<(), u8> {
    let Some(file) = file else { return Ok(()) };
    match std::fs::remove_file(file) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            let why = plain(&error);
            complain(&format!("pipe: `{}` can't be removed: {why}", file.display()));
            Err(exit::WRONG_INPUT)
        }
    }
}

/// Writes the JUnit report of a run that has ended, however it did.
pub(super) fn write_junit(file: &Path, folder: &Path) {
    match Ledger::read(folder) {
        Ok(ledger) => {
            let text = junit::junit(&Trail::of(&ledger), folder);
            let _ = put(file, |out| out.write_all(text.as_bytes()));
        }
        Err(error) => {
            let why = plain(&error);
            complain(&format!("pipe: `{}` can't be written: {why}", file.display()));
        }
    }
}

/// Sends the traces of a run that has ended, if the environment asks for it.
pub(super) fn send_traces(world: &World, run: &str, folder: &Path) {
    let Some(trace) = Trace::of(world, run) else { return };
    let told = runtime().map_or_else(
        |error| Some(plain(&error)),
        |all| all.block_on(traces::send(world, &trace, folder)),
    );
    if let Some(why) = told {
        complain(&format!("pipe: {why}"));
    }
}
