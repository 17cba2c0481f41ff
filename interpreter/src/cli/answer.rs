//! `pipe approve`, `pipe refuse`

use super::{
    Colour, FileArg,
    engine::lock,
    how::How,
    load::complain,
    recorded::{self, Recorded},
    resume,
};
use crate::{
    event::EventKind,
    exit,
    run::{Journal, plain, whoever},
};

/// Answer the question of a run that waits, and go on with it
#[derive(clap::Args)]
pub(super) struct Args {
    /// The run, or the beginning or end of its id
    #[arg(value_name = "RUN")]
    run: String,

    /// The stage that asks, where several do
    #[arg(value_name = "STAGE")]
    stage: Option<String>,

    /// Why, in words: it is recorded
    #[arg(long, value_name = "WORDS")]
    because: Option<String>,

    #[command(flatten)]
    file: FileArg,

    #[command(flatten)]
    how: How,
}

pub(super) fn main(args: Args, yes: bool, colour: Colour) -> u8 {
    match answer(args, yes, colour) {
        Ok(status) | Err(status) => status,
    }
}

fn answer(args: Args, yes: bool, colour: Colour) -> Result<u8, u8> {
    let recorded = recorded::find(&args.file, Some(&args.run))?;
    let _lock = lock(&recorded.root, &recorded.found.run, args.how.wait)?;
    let recorded = recorded::find(&args.file, Some(&recorded.found.run))?;
    let stage = asked(&recorded, args.stage.as_deref())?;
    record(&recorded, &stage, yes, args.because)?;
    let recorded = recorded::find(&args.file, Some(&recorded.found.run))?;
    resume::go_on(&recorded, &resume::Args::after_answer(args.file, args.how), colour)
}

/// The stage that is answered.
fn asked(recorded: &Recorded, stage: Option<&str>) -> Result<String, u8> {
    let run = &recorded.found.run;
    let questions = &recorded.past.questions;
    let names: Vec<&str> = questions.iter().map(|(stage, ..)| stage.as_str()).collect();
    let picked = match (stage, names.as_slice()) {
        (None, [only]) => *only,
        (Some(stage), names) if names.contains(&stage) => stage,
        (_, []) => {
            complain(&format!("pipe: run {run} waits for no answer"));
            return Err(exit::WRONG_INPUT);
        }
        (None, _) => {
            complain(&format!("pipe: several stages of run {run} wait for an answer:"));
            for (stage, question, _) in questions {
                complain(&format!("  {stage}: {question}"));
            }
            complain("  name one: `pipe approve RUN STAGE`");
            return Err(exit::WRONG_INPUT);
        }
        (Some(stage), names) => {
            let names = names.join(", ");
            complain(&format!("pipe: the stage `{stage}` of run {run} waits for no answer"));
            complain(&format!("  these do: {names}"));
            return Err(exit::WRONG_INPUT);
        }
    };
    let until = questions.iter().find(|(stage, ..)| stage == picked).and_then(|q| q.2.as_ref());
    if let Some(until) = until
        && until.parse::<jiff::Timestamp>().is_ok_and(|until| jiff::Timestamp::now() > until)
    {
        complain(&format!("pipe: too late: the time for an answer was over at {until}"));
        complain("  run the pipeline again");
        return Err(exit::WRONG_INPUT);
    }
    Ok(picked.to_owned())
}

/// Writes the answer into the journal, where the run finds it.
fn record(recorded: &Recorded, stage: &str, yes: bool, why: Option<String>) -> Result<(), u8> {
    let (folder, ledger) = (recorded.found.folder.clone(), &recorded.ledger);
    let kind = EventKind::Answered { stage: stage.to_owned(), yes, by: whoever(), why };
    let at = jiff::Timestamp::now().to_string();
    let written = Journal::resume(folder, ledger.last, ledger.torn)
        .and_then(|mut journal| journal.write(at, kind));
    written.map(|_| ()).map_err(|error| {
        complain(&format!("pipe: the answer can't be recorded: {}", plain(&error)));
        exit::INFRASTRUCTURE
    })
}
