//! How a run is run and shown: what `pipe run` and `pipe resume` have in common.

use std::{path::PathBuf, time::Duration};

use clap::ValueEnum;

use crate::{
    plan::Plan,
    run::{self, Options},
};

/// How a run is run and shown.
#[derive(clap::Args)]
pub(super) struct How {
    /// How to show what happens
    #[arg(long, value_name = "FORMAT", default_value = "plain")]
    pub(super) output: Output,

    /// A stage that fails cancels those beside it
    #[arg(long)]
    fail_fast: bool,

    /// How many stages, instances and branches of `parallel for` run at once [default: the number
    /// of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// An unstable run ends with status 3
    #[arg(long)]
    unstable_is_error: bool,

    /// Wait for another run of this folder, instead of refusing
    #[arg(long)]
    pub(super) wait: bool,

    /// How long handlers have after a cancellation, in seconds [default: 30, inside Jenkins 4]
    #[arg(long, value_name = "SECONDS")]
    cancel_grace: Option<u64>,

    /// Answer yes when this stage asks for an approval
    #[arg(long, value_name = "STAGE")]
    approve: Vec<String>,

    /// Write the results as JUnit's XML too, however the run ends
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

/// How to show what happens.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Whole lines
    Plain,
    /// An object a line
    Json,
}

impl How {
    /// The options of a run.
    pub(super) fn options(&self, plan: &Plan) -> Options {
        let grace = self.cancel_grace.unwrap_or(if is_in_jenkins(plan) { 4 } else { 30 });
        Options {
            unstable_is_error: self.unstable_is_error,
            fail_fast: self.fail_fast,
            cancel_grace: Duration::from_secs(grace),
            jobs: self.jobs.map_or_else(processors, usize::from),
            assume_done: false,
            approved: self.approve.clone(),
            interactive: self.output == Output::Plain && run::somebody_is_there(),
        }
    }

    /// The first of the stages to approve that the file does not have.
    pub(super) fn stranger(&self, plan: &Plan) -> Option<&str> {
        let known = |name: &str| plan.stages.iter().any(|stage| &*stage.name == name);
        self.approve.iter().map(String::as_str).find(|name| !known(name))
    }
}

/// Whether Jenkins has started us.
pub(super) fn is_in_jenkins(plan: &Plan) -> bool {
    plan.world.variable("JENKINS_URL").is_some()
}

/// How many processors there are for us: a limit of the cgroup counts.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
