//! The process beside a run that removes its containers when the run is killed.

use std::path::PathBuf;

use pipe_stdlib::{core::World, docker};

use super::{load::environment, runtime};
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
    let Ok(runtime) = runtime() else { return exit::INFRASTRUCTURE };
    runtime.block_on(docker::watch(World::new(
        PathBuf::from("/"),
        PathBuf::from("/"),
        environment(),
    )));
    exit::SUCCESS
}
