//! `pipe run`

use std::collections::BTreeSet;

use pipe_grammar::diagnostic::did_you_mean;
use pipe_stdlib::core::LocalCluster;

use super::{
    Colour, cluster,
    engine::{carry_out, lock, new_journal},
    how::How,
    load::complain,
    plan::{InputArgs, prepare},
    report,
};
use crate::{
    exit,
    plan::Plan,
    record::{self, Ledger, Past},
    run::{self, Start},
};

/// Run the pipeline
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,

    /// Run this stage only; outputs of others are taken from an earlier run of the same files
    #[arg(long, value_name = "STAGE")]
    only: Vec<String>,

    /// Run this stage and those behind it
    #[arg(long, value_name = "STAGE")]
    from: Option<String>,

    #[command(flatten)]
    how: How,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    match start(args, colour) {
        Ok(status) | Err(status) => status,
    }
}

fn start(args: &Args, colour: Colour) -> Result<u8, u8> {
    report::forget_junit(args.how.junit.as_ref())?;
    // Everything that can be wrong is told before a cluster is started.
    let mut plan = prepare(&args.inputs, colour, None)?;
    let files = run::files(&plan);
    let mut start = begin(args, &plan, files.clone())?;
    if let Some(name) = args.how.stranger(&plan) {
        return Err(no_stage(&plan, name));
    }
    if args.inputs.local {
        let local: LocalCluster = cluster::ensure()?;
        plan = prepare(&args.inputs, colour, Some(local))?;
        // What connections say is part of what a stage is.
        start = begin(args, &plan, files)?;
    }
    let root = plan.world.root().to_path_buf();
    let _lock = lock(&root, plan.facts.run(), args.how.wait)?;
    record::forget(&root, plan.world.now());
    let journal = new_journal(&plan)?;
    let options = args.how.options(&plan);
    Ok(carry_out(plan, start, journal, &args.how, options, colour))
}

/// What becomes of the stages; `files` is the state of the files that git tracks.
fn begin(args: &Args, plan: &Plan, files: Option<String>) -> Result<Start, u8> {
    let may_lack = args.inputs.may_lack.clone();
    let Some(picks) = picks(args, plan)? else {
        return Ok(Start { files, may_lack, ..Start::default() });
    };
    let pasts = pasts(plan);
    let courses = run::picked(plan, &picks, &pasts, files.as_deref()).map_err(|missing| {
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        complain(&format!("pipe: what the picked stages need is not there: {names}"));
        complain("  no earlier run has succeeded there with these files, definitions and inputs");
        let more = missing.iter().map(|name| format!(" --only {name}")).collect::<String>();
        complain(&format!("  run them too: `pipe run{more} …`, or the whole pipeline"));
        exit::WRONG_INPUT
    })?;
    let names = picks.iter().map(|number| plan.stages[*number].name.to_string()).collect();
    Ok(Start { courses, files, picked: Some(names), may_lack, past: None })
}

/// The numbers of the stages that are to run; none: all.
fn picks(args: &Args, plan: &Plan) -> Result<Option<BTreeSet<usize>>, u8> {
    if args.only.is_empty() && args.from.is_none() {
        return Ok(None);
    }
    let number = |name: &String| {
        let found = plan.stages.iter().position(|stage| *stage.name == **name);
        found.ok_or_else(|| no_stage(plan, name))
    };
    let mut picks = BTreeSet::new();
    for name in &args.only {
        picks.insert(number(name)?);
    }
    if let Some(name) = &args.from {
        let first = number(name)?;
        let mut behind = BTreeSet::from([first]);
        let facts = &plan.program.checked.stages;
        // A stage may stand above one that it waits for.
        loop {
            let more: Vec<usize> = (0..facts.len())
                .filter(|stage| !behind.contains(stage))
                .filter(|stage| facts[*stage].before(*stage).iter().any(|b| behind.contains(b)))
                .collect();
            if more.is_empty() {
                break;
            }
            behind.extend(more);
        }
        picks.extend(behind);
    }
    Ok(Some(picks))
}

fn no_stage(plan: &Plan, name: &str) -> u8 {
    complain(&format!("pipe: the file has no stage `{name}`"));
    let names: Vec<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
    if let Some(help) = did_you_mean(name, names.iter().copied()) {
        complain(&format!("  {help}"));
    }
    complain(&format!("  it has: {}", names.join(", ")));
    exit::WRONG_INPUT
}

/// What is known of the earlier runs, oldest first.
fn pasts(plan: &Plan) -> Vec<Past> {
    let runs = record::runs(plan.world.root()).unwrap_or_default();
    runs.iter()
        .filter_map(|found| Ledger::read(&found.folder).ok())
        .map(|ledger| Past::of(&ledger))
        .collect()
}
