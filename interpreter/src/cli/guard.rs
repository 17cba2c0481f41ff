//! The process beside a run that removes its containers when the run is killed.

use std::{collections::BTreeMap, path::PathBuf};

use pipe_stdlib::{core::World, docker};

use super::runtime;
use crate::exit;

/// The word on its command line.
const NAME: &str = "guard-containers";

/// Says that this program guards the containers of the run that begins.
pub(super) fn register() {
    if let Ok(program) = std::env::current_exe() {
        docker::watched_by(program, vec![NAME.to_owned()]);
    }
}

/// Waits for the end of the run, and removes what is left of it.
pub(super) fn main() -> u8 {
    let variables = std::env::vars_os();
    let environment: BTreeMap<String, String> = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let Ok(runtime) = runtime() else { return exit::INFRASTRUCTURE };
    runtime.block_on(docker::watch(World::new(
        PathBuf::from("/"),
        PathBuf::from("/"),
        environment,
    )));
    exit::SUCCESS
}
