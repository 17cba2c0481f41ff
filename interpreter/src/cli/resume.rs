//! `pipe resume`

use std::sync::Arc;

use super::{
    Colour, FileArg, cluster,
    engine::{carry_out, lock, unwritable},
    how::How,
    load::{self, complain},
    recorded::{self, Recorded},
    report,
};
use crate::{
    exit,
    plan::{self, Inputs},
    record::Damage,
    run::{self, Journal, Start},
};

/// Go on with a run: what succeeded in it is kept, the rest runs
#[derive(clap::Args)]
pub(super) struct Args {
    /// The run, or the beginning or end of its id [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    #[command(flatten)]
    file: FileArg,

    /// What was under way when the run was interrupted took effect: don't do it again
    #[arg(long, conflicts_with = "assume_not_done")]
    assume_done: bool,

    /// What was under way when the run was interrupted took no effect: do it again
    #[arg(long)]
    assume_not_done: bool,

    /// Keep stages that succeeded although files have changed since
    #[arg(long)]
    despite_changes: bool,

    #[command(flatten)]
    how: How,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    match start(args, colour) {
        Ok(status) | Err(status) => status,
    }
}

fn start(args: &Args, colour: Colour) -> Result<u8, u8> {
    let recorded = recorded::find(&args.file, args.run.as_deref())?;
    let _lock = lock(&recorded.root, &recorded.found.run, args.how.wait)?;
    // It may have gone on until we had the lock.
    let recorded = recorded::find(&args.file, Some(&recorded.found.run))?;
    go_on(&recorded, args, colour)
}

/// Goes on with a run whose lock is held.
pub(super) fn go_on(recorded: &Recorded, args: &Args, colour: Colour) -> Result<u8, u8> {
    report::forget_junit(args.how.junit.as_ref())?;
    let past = &recorded.past;
    for damage in &recorded.ledger.damage {
        complain(&format!("pipe: the journal of run {}: {}", recorded.found.run, damage.shown()));
    }
    if recorded.ledger.damage.iter().any(|damage| matches!(damage, Damage::Newer(_))) {
        return Err(exit::WRONG_INPUT);
    }
    if past.run.is_empty() {
        complain("pipe: its beginning can't be read: it can't go on");
        complain("  run the pipeline again");
        return Err(exit::WRONG_INPUT);
    }
    if !past.is_open() {
        complain(&format!("pipe: run {} has succeeded: nothing is left to do", past.run));
        return Ok(exit::SUCCESS);
    }
    if !args.assume_done && !args.assume_not_done {
        ask_about_unknown(recorded)?;
    }
    // What was started before is not to work beside what is started now.
    run::marked::end(&past.run);
    // The file that was run stands beside its records.
    let name = std::path::Path::new(&past.file).file_name().unwrap_or_default();
    let file = args.file.file.clone().filter(|file| file.is_file());
    let file = file.unwrap_or_else(|| recorded.root.join(name));
    let shown = std::env::current_dir()
        .ok()
        .and_then(|here| Some(file.strip_prefix(here).ok()?.to_path_buf()));
    let loaded = load::load_clean(Some(&shown.unwrap_or(file)), colour)?;
    let local = if past.local { Some(cluster::ensure()?) } else { None };
    let given = plan::Recorded { params: past.params.clone(), started: past.started.clone() };
    let inputs = Inputs {
        local,
        may_lack: past.may_lack.clone(),
        run: past.run.clone(),
        recorded: Some(given),
        ..Inputs::default()
    };
    let plan = plan::plan(loaded.program.clone(), Arc::clone(&loaded.world), &inputs)
        .map_err(|problems| super::plan::tell(&loaded.program, &problems, colour))?;
    let files = run::files(&plan);
    let changed = past.files != files && !args.despite_changes;
    if changed {
        complain("pipe: files that git tracks have changed since: every stage runs again");
        complain("  `pipe resume --despite-changes` keeps what has succeeded");
    }
    let courses = run::resumed(&plan, past, changed);
    let journal =
        Journal::resume(recorded.found.folder.clone(), recorded.ledger.last, recorded.ledger.torn)
            .map_err(|error| unwritable(&plan, &error))?;
    let mut options = args.how.options(&plan);
    options.assume_done = args.assume_done;
    let start = Start {
        courses,
        files,
        picked: past.picked.clone(),
        may_lack: past.may_lack.clone(),
        past: Some(past.clone()),
    };
    Ok(carry_out(plan, start, journal, &args.how, options, colour))
}

/// Whether a step took effect that was under way is not ours to guess.
fn ask_about_unknown(recorded: &Recorded) -> Result<(), u8> {
    let unknown = recorded.past.unknown();
    if unknown.is_empty() {
        return Ok(());
    }
    complain("pipe: nobody can know whether this took effect when the run was interrupted:");
    for (stage, step) in &unknown {
        let text = step.text.lines().next().unwrap_or("");
        complain(&format!("  {stage}, line {}: {text}", step.line));
    }
    let run = &recorded.found.run;
    complain("  look, then go on:");
    complain(&format!("    pipe resume {run} --assume-done      it did: don't do it again"));
    complain(&format!("    pipe resume {run} --assume-not-done  it did not: do it again"));
    Err(exit::WRONG_INPUT)
}

impl Args {
    /// Goes on with what was answered.
    pub(super) fn after_answer(file: FileArg, how: How) -> Self {
        Self {
            run: None,
            file,
            assume_done: false,
            assume_not_done: false,
            despite_changes: false,
            how,
        }
    }
}
