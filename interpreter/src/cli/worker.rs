//! `pipe worker`, which people never call: `pipe run` starts it in tasks.

use std::{path::PathBuf, sync::Arc};

use pipe_stdlib::mesos::worker::work;
use tokio_util::sync::CancellationToken;

use super::{
    load::{self, complain},
    runtime,
    signals::Signals,
};
use crate::{
    exit,
    run::{self, plain},
    worker::Here,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where it calls, with the token of the task
    url: String,
}

pub(super) fn main(args: &Args) -> u8 {
    let environment = load::environment();
    // The one variable that every kind of Mesos task has.
    let sandbox = environment.get("MESOS_SANDBOX").map(PathBuf::from);
    let Some(sandbox) = sandbox.or_else(|| std::env::current_dir().ok()) else {
        complain("pipe worker: there is no folder to work in");
        return exit::INFRASTRUCTURE;
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("pipe worker: can't start: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    run::adopt_orphans();
    let done = runtime.block_on(async {
        let cancel = CancellationToken::new();
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return Err(format!("can't listen for signals: {}", plain(&error))),
        };
        let hands = Arc::new(Here::new(&sandbox, environment.clone()));
        let working = work(&args.url, &sandbox, environment, hands, &cancel);
        tokio::pin!(working);
        loop {
            tokio::select! {
                done = &mut working => return done,
                _ = signals.next() => cancel.cancel(),
            }
        }
    });
    runtime.shutdown_background();
    match done {
        Ok(()) => exit::SUCCESS,
        Err(why) => {
            complain(&format!("pipe worker: {why}"));
            exit::INFRASTRUCTURE
        }
    }
}
