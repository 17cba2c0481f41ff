//! `pipe` as the worker in a task of a cluster: it runs commands there as a run does on its own
//! machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use pipe_stdlib::{
    core::{Ended, Holding, Output, ShellCommand, World},
    mesos::worker::Hands,
};
use tokio_util::sync::CancellationToken;

use crate::run::{Machine, Shell, run_here};

/// The machine that the worker is on.
pub(crate) struct Here {
    shell: Shell,
    world: World,
    scratch: PathBuf,
}

impl Here {
    /// The machine as a task sees it: by the task's folder and environment.
    #[must_use]
    pub(crate) fn new(sandbox: &Path, environment: BTreeMap<String, String>) -> Self {
        let workspace = sandbox.join("workspace");
        let world = World::new(workspace.clone(), workspace, environment);
        Self { shell: Shell::find(&world), world, scratch: sandbox.to_path_buf() }
    }
}

impl Hands for Here {
    fn shell(&self) -> (bool, String) {
        (self.shell.bash, self.shell.shown())
    }

    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended> {
        let machine = Machine { shell: &self.shell, world: &self.world, scratch: &self.scratch };
        Box::pin(run_here(machine, command, output, cancel))
    }
}
