//! What is said of a cluster to those who use it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A cluster that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where its Marathon answers: `http://127.0.0.1:25080`.
    pub marathon: String,
    /// Where its registry answers: `127.0.0.1:25000`. Names of images begin with it.
    pub registry: String,
    /// When the process was started, in ticks of the kernel: a number that comes again is not it.
    pub(crate) started: u64,
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppOverview {
    /// Its id: `/product/web`.
    pub id: String,
    /// Its image, if it has one.
    pub image: Option<String>,
    /// Its version.
    pub version: String,
    /// How many of it shall run.
    pub instances: u64,
    /// How many run.
    pub running: u64,
    /// How many are healthy; without health checks, nobody knows.
    pub healthy: Option<u64>,
    /// Whether a deployment works on it.
    pub deploying: bool,
    /// What was said of its last task that failed.
    pub last_failure: Option<String>,
    /// Its tasks, the oldest first.
    pub tasks: Vec<TaskOverview>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOverview {
    /// Its id.
    pub id: String,
    /// Its state, by Mesos's names: `TASK_RUNNING`.
    pub state: String,
    /// Whether its health checks say that it is well; before the first result, nothing.
    pub healthy: Option<bool>,
    /// Where it answers: `127.0.0.1:31000`, one for each port.
    pub addresses: Vec<String>,
    /// Its folder, with the files `stdout` and `stderr`.
    pub folder: PathBuf,
}
