//! `pipe run`

use std::{io::IsTerminal, sync::Arc, time::Duration};

use clap::ValueEnum;
use pipe_stdlib::core::LocalCluster;
use tokio_util::sync::CancellationToken;

use super::{
    Colour, cluster, load::complain, look::look, plan::InputArgs, plan::prepare, runtime,
    signals::Signals,
};
use crate::{
    exit,
    plan::Plan,
    report::{JsonLines, Plain},
    run::{self, Events, FOLDER, Journal, Lock, Locked, Options, Reporter, plain},
};

/// Run the pipeline
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    inputs: InputArgs,

    /// How to show what happens
    #[arg(long, value_name = "FORMAT", default_value = "plain")]
    output: Output,

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
    wait: bool,

    /// How long handlers have after a cancellation, in seconds [default: 30, inside Jenkins 4]
    #[arg(long, value_name = "SECONDS")]
    cancel_grace: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Whole lines
    Plain,
    /// An object a line
    Json,
}

pub(super) fn main(args: Args, colour: Colour) -> u8 {
    // Everything that can be wrong is told before a cluster is started.
    let mut plan = match prepare(&args.inputs, colour, None) {
        Ok(plan) => plan,
        Err(status) => return status,
    };
    if args.inputs.local {
        let local: LocalCluster = match cluster::ensure() {
            Ok(local) => local,
            Err(status) => return status,
        };
        plan = match prepare(&args.inputs, colour, Some(local)) {
            Ok(plan) => plan,
            Err(status) => return status,
        };
    }
    let root = plan.world.root().to_path_buf();
    let _lock = match lock(&plan, args.wait) {
        Ok(lock) => lock,
        Err(status) => return status,
    };
    let journal = match Journal::create(&root, plan.facts.run()) {
        Ok(journal) => journal,
        Err(error) => {
            let folder = root.join(FOLDER);
            complain(&format!(
                "pipe: the journal in `{}` can't be written: {}",
                folder.display(),
                plain(&error)
            ));
            return exit::INFRASTRUCTURE;
        }
    };
    let look = look(&std::io::stdout(), colour);
    let reporter: Box<dyn Reporter> = match args.output {
        Output::Plain => Box::new(Plain::new(std::io::stdout(), look)),
        Output::Json => Box::new(JsonLines::new(std::io::stdout())),
    };
    let jenkins = plan.world.variable("JENKINS_URL").is_some();
    let grace = args.cancel_grace.unwrap_or(if jenkins { 4 } else { 30 });
    let options = Options {
        unstable_is_error: args.unstable_is_error,
        fail_fast: args.fail_fast,
        cancel_grace: Duration::from_secs(grace),
        jobs: args.jobs.map_or_else(processors, usize::from),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("pipe: can't start: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    run::adopt_orphans();
    let events = Arc::new(Events::new(plan.world.clone(), journal, reporter));
    let status = runtime.block_on(supervise(Arc::new(plan), events.clone(), options, jenkins));
    if let Some(why) = events.broken() {
        complain(&format!("pipe: the journal of this run is not whole: {why}"));
    }
    // Nothing that is still under way may hold the end up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    status
}

/// How many processors there are for us: a limit of the cgroup counts.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs, and listens for signals: the first cancels, the second stops at once (inside Jenkins,
/// which sends TERM twice by itself, the third).
async fn supervise(plan: Arc<Plan>, events: Arc<Events>, options: Options, jenkins: bool) -> u8 {
    let cancel = CancellationToken::new();
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            complain(&format!("pipe: can't listen for signals: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    let run = run::run(plan, events, options, cancel.clone());
    tokio::pin!(run);
    let mut first = None;
    let mut count = 0;
    loop {
        tokio::select! {
            status = &mut run => return match first {
                Some(came) if status == exit::INTERRUPTED => super::signals::Came::status(came),
                _ => status,
            },
            came = signals.next() => {
                count += 1;
                if first.is_none() {
                    first = Some(came);
                    cancel.cancel();
                    if std::io::stderr().is_terminal() {
                        complain("\npipe: cancelling; once more to stop at once");
                    }
                } else if count >= if jenkins { 3 } else { 2 } {
                    // Dropping the run kills what it started.
                    return first.map_or(exit::INTERRUPTED, super::signals::Came::status);
                }
            }
        }
    }
}

/// One run at a time in a folder.
fn lock(plan: &Plan, wait: bool) -> Result<Lock, u8> {
    let folder = plan.world.root().join(FOLDER);
    let file = folder.join("lock");
    let note = format!("run {}, process {}", plan.facts.run(), std::process::id());
    let mut told = false;
    loop {
        match Lock::take(&file, &note) {
            Ok(Locked::Yes(lock)) => return Ok(lock),
            Ok(Locked::By(other)) if !wait => {
                complain(&format!("pipe: another run works in this folder: {other}"));
                complain("  wait for it with `pipe run --wait`");
                return Err(exit::WRONG_INPUT);
            }
            Ok(Locked::By(other)) => {
                if !told {
                    told = true;
                    complain(&format!("pipe: waits for another run in this folder: {other}"));
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(error) => {
                complain(&format!(
                    "pipe: `{}` can't be written: {}",
                    folder.display(),
                    plain(&error)
                ));
                return Err(exit::INFRASTRUCTURE);
            }
        }
    }
}
