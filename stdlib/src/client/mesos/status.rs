//! What is said of a task.
//!
//! Source: `include/mesos/v1/mesos.proto`, `TaskStatus`.

use serde::Deserialize;

use super::{Id, Resource};

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Accepted; the agent fetches files or pulls the image.
    TaskStaging,
    /// The executor is there.
    TaskStarting,
    /// It runs.
    TaskRunning,
    /// It was told to end.
    TaskKilling,
    /// It ended well.
    TaskFinished,
    /// It failed, or was failed.
    TaskFailed,
    /// It was ended.
    TaskKilled,
    /// It was refused.
    TaskError,
    /// For those who are not aware of partitions: one of those below.
    TaskLost,
    /// It never began.
    TaskDropped,
    /// Its agent can't be reached; it may run on.
    TaskUnreachable,
    /// It is not there any more.
    TaskGone,
    /// The operator says that its agent is gone for good.
    TaskGoneByOperator,
    /// The master does not know it.
    TaskUnknown,
    /// A state of a newer Mesos.
    #[serde(other)]
    Other,
}

impl State {
    /// Whether an executor or agent that says so means it: with a `uuid` nothing else follows.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::TaskFinished
                | Self::TaskFailed
                | Self::TaskKilled
                | Self::TaskError
                | Self::TaskDropped
                | Self::TaskGone
                | Self::TaskGoneByOperator
        )
    }

    /// Whether the task exists and is not at its end.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(
            self,
            Self::TaskStaging | Self::TaskStarting | Self::TaskRunning | Self::TaskKilling
        )
    }

    /// `TASK_FAILED`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskStaging => "TASK_STAGING",
            Self::TaskStarting => "TASK_STARTING",
            Self::TaskRunning => "TASK_RUNNING",
            Self::TaskKilling => "TASK_KILLING",
            Self::TaskFinished => "TASK_FINISHED",
            Self::TaskFailed => "TASK_FAILED",
            Self::TaskKilled => "TASK_KILLED",
            Self::TaskError => "TASK_ERROR",
            Self::TaskLost => "TASK_LOST",
            Self::TaskDropped => "TASK_DROPPED",
            Self::TaskUnreachable => "TASK_UNREACHABLE",
            Self::TaskGone => "TASK_GONE",
            Self::TaskGoneByOperator => "TASK_GONE_BY_OPERATOR",
            Self::TaskUnknown => "TASK_UNKNOWN",
            Self::Other => "a state of a newer Mesos",
        }
    }
}

/// What is said of a task. `data` is left out: a Docker task carries 10 KB in it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Status {
    /// The task.
    pub task_id: Id,
    /// Its state.
    pub state: State,
    /// Words; also the only place of an exit status.
    #[serde(default)]
    pub message: String,
    /// `REASON_…`; empty for what happened by itself.
    #[serde(default)]
    pub reason: String,
    /// The agent.
    #[serde(default)]
    pub agent_id: Option<Id>,
    /// Its executor.
    #[serde(default)]
    pub executor_id: Option<Id>,
    /// Base64. Where it is, the update must be acknowledged; where not, it must not be.
    #[serde(default)]
    pub uuid: Option<String>,
    /// What a health check says.
    #[serde(default)]
    pub healthy: Option<bool>,
    /// Which limit was reached.
    #[serde(default)]
    pub limitation: Option<Limitation>,
}

/// Which limit was reached.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Limitation {
    /// How much would have been needed, at least.
    #[serde(default)]
    pub resources: Vec<Resource>,
}
