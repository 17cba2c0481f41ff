//! `pipe runs`, `pipe show`, `pipe log`: what earlier runs have left.

use std::fs::File;

use clap::ValueEnum;

use super::{
    Colour, FileArg,
    load::complain,
    look::look,
    print::{print, print_json},
    recorded,
};
use crate::{
    exit,
    record::{self, Found, Ledger, Summary},
    report::history,
    run::{log_name, plain},
};

/// List the runs of a Pipelinefile, newest first
#[derive(clap::Args)]
pub(super) struct RunsArgs {
    #[command(flatten)]
    file: FileArg,

    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Show a run: its stages, what failed, what it did outside
#[derive(clap::Args)]
pub(super) struct ShowArgs {
    /// The run, or the beginning or end of its id [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    #[command(flatten)]
    file: FileArg,

    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Show the output of a run, or of one stage of it
#[derive(clap::Args)]
pub(super) struct LogArgs {
    /// The run, or the beginning or end of its id [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    /// The stage; of an instance, `test-1`
    #[arg(value_name = "STAGE")]
    stage: Option<String>,

    #[command(flatten)]
    file: FileArg,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// JSON
    Json,
}

pub(super) fn runs(args: &RunsArgs, colour: Colour) -> u8 {
    match list(args, colour) {
        Ok(status) | Err(status) => status,
    }
}

fn list(args: &RunsArgs, colour: Colour) -> Result<u8, u8> {
    let root = recorded::root(&args.file)?;
    let found = record::runs(&root).map_err(|error| {
        complain(&format!(
            "pipe: the runs in `{}` can't be read: {}",
            root.display(),
            plain(&error)
        ));
        exit::INFRASTRUCTURE
    })?;
    let summaries: Vec<Summary> = found.iter().rev().map(summary).collect();
    let running = recorded::running(&root);
    Ok(match args.format {
        Format::Text => {
            let width = look(&std::io::stdout(), colour).width;
            print(history::runs(&summaries, running.as_deref(), width))
        }
        Format::Json => print_json(&summaries),
    })
}

/// What is known of a run, also of one whose journal can't be read.
fn summary(found: &Found) -> Summary {
    let mut summary = match Ledger::read(&found.folder) {
        Ok(ledger) => Summary::of(&ledger),
        Err(error) => Summary { damage: vec![plain(&error)], ..Summary::default() },
    };
    summary.run.clone_from(&found.run);
    summary
}

pub(super) fn show(args: &ShowArgs, colour: Colour) -> u8 {
    let recorded = match recorded::find(&args.file, args.run.as_deref()) {
        Ok(recorded) => recorded,
        Err(status) => return status,
    };
    let mut summary = Summary::of(&recorded.ledger);
    summary.run.clone_from(&recorded.found.run);
    match args.format {
        Format::Text => {
            let running = recorded::running(&recorded.root).is_some_and(|run| run == summary.run);
            let look = look(&std::io::stdout(), colour);
            print(history::run(&summary, running, look))
        }
        Format::Json => print_json(&summary),
    }
}

pub(super) fn log(args: &LogArgs) -> u8 {
    match logs(args) {
        Ok(status) | Err(status) => status,
    }
}

fn logs(args: &LogArgs) -> Result<u8, u8> {
    let recorded = recorded::find(&args.file, args.run.as_deref())?;
    let folder = &recorded.found.folder;
    let summary = Summary::of(&recorded.ledger);
    let stages: Vec<&str> = summary
        .stages
        .iter()
        .map(|stage| stage.stage.as_str())
        .chain([""])
        .filter(|stage| folder.join(log_name(stage)).is_file())
        .collect();
    if let Some(stage) = &args.stage {
        if !stages.contains(&stage.as_str()) {
            let run = &recorded.found.run;
            complain(&format!("pipe: no output of a stage `{stage}` is recorded in run {run}"));
            let named: Vec<&str> = stages.iter().copied().filter(|s| !s.is_empty()).collect();
            if !named.is_empty() {
                complain(&format!("  there is some of: {}", named.join(", ")));
            }
            return Err(exit::WRONG_INPUT);
        }
        copy(&folder.join(log_name(stage)))?;
        return Ok(exit::SUCCESS);
    }
    for stage in &stages {
        if stages.len() > 1 {
            let name = if stage.is_empty() { "handlers" } else { stage };
            print(format!("== {name}\n"));
        }
        copy(&folder.join(log_name(stage)))?;
    }
    Ok(exit::SUCCESS)
}

/// A reader that has seen enough is no failure.
fn copy(path: &std::path::Path) -> Result<(), u8> {
    let mut out = std::io::stdout().lock();
    match File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut out)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(exit::SUCCESS),
        Err(error) => {
            complain(&format!("pipe: `{}` can't be shown: {}", path.display(), plain(&error)));
            Err(exit::INFRASTRUCTURE)
        }
    }
}
