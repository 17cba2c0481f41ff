//! What `pipe` and its worker tell each other.

use serde::{Deserialize, Serialize};

/// The worker begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of the program; both are the same one, unless a person has chosen another.
    pub version: String,
    /// The machine that it runs on, by its own name.
    pub hostname: String,
    /// Whether the shell there is bash.
    pub bash: bool,
    /// The shell, as people write it: `bash -eu -o pipefail`.
    pub shell: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Goes with every further request.
    pub key: String,
    /// Without contact for so long the worker ends by itself.
    pub leash: std::time::Duration,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// They count from 1.
    pub number: u64,
    /// What.
    pub task: Task,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Task {
    /// Fetches the workspace.
    Workspace,
    /// Runs a command.
    Run(Run),
    /// Ends a command, with all that it has started.
    Cancel {
        /// The order that began it.
        order: u64,
    },
    /// Sends files.
    Files {
        /// The folder that the patterns start in, below the workspace.
        dir: String,
        /// Which.
        patterns: Vec<String>,
    },
    /// Ends.
    End,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What the shell reads.
    pub script: String,
    /// Beside the environment of the task.
    pub environment: Vec<(String, String)>,
    /// The folder it starts in, below the workspace.
    pub dir: String,
    /// Whether it reads something; then it is asked for.
    pub stdin: bool,
    /// Another interpreter than the shell.
    pub interpreter: Option<String>,
    /// Tells its processes from others.
    pub mark: String,
}

/// How an order has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Done {
    /// The command ended with a status.
    Status {
        /// Which.
        status: i32,
    },
    /// The command was ended by a signal.
    Signal {
        /// Which.
        signal: i32,
    },
    /// It was cancelled, and is gone.
    Cancelled,
    /// It could not be done.
    Failed {
        /// The name of the kind of failure.
        code: String,
        /// One line for people.
        message: String,
        /// The next action.
        help: Vec<String>,
        /// Whether it is the machine's fault.
        infrastructure: bool,
    },
    /// The files are there.
    Moved,
}
