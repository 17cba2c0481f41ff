//! The processes of one task.
//!
//! ```text
//! cluster            owns a socket to each task; when it dies, the socket says so
//! └─ runner          takes the host ports, makes the namespaces, waits
//!    ├─ init         first process of the task: makes the root, starts the app, ends everything
//!    │  └─ app       what the definition says
//!    └─ forwarder    one for each mapped port: from the host's port to the container's
//! ```
//!
//! All of them are this program, started anew: namespaces can only be entered by a process
//! without threads, and a new one is the simplest of those. Init is the first process of its PID
//! namespace where the kernel allows one, so that nothing of a task outlives it; elsewhere it
//! adopts the orphans below it and ends them one by one.

mod app;
mod forward;
mod identity;
mod init;
mod network;
mod root;
mod runner;
mod spec;
mod sweep;
mod unsafe_calls;

use std::{path::Path, process::ExitCode};

pub(crate) use spec::{Exit, Forward, Image, Mount, Order, Report, Spec};
pub(crate) use unsafe_calls::in_own_session;

/// Tells a process of a task which of them it is.
const STAGE: &str = "PIPE_CLUSTER_TASK_STAGE";

/// A process of a task: what `pipe cluster task SPEC` runs. The cluster starts it; nobody else
/// has a use for it.
#[must_use]
pub fn task_main(spec: &Path) -> ExitCode {
    let stage = std::env::var(STAGE).unwrap_or_default();
    let result = match stage.split_once(':').unwrap_or((&stage, "")) {
        ("", _) => runner::run(spec),
        ("init", _) => init::run(spec),
        ("forward", port) => forward::run(port),
        _ => Err(format!("`{stage}` is no process of a task")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            note(&message);
            ExitCode::FAILURE
        }
    }
}

/// Writes a line into the task's `stderr`.
fn note(message: &str) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(format!("local cluster: {message}\n").as_bytes());
}

/// This program again, as another process of the same task.
fn again(stage: &str) -> std::process::Command {
    let mut command = std::process::Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1)).env(STAGE, stage);
    command
}
