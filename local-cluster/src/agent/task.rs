//! A task that runs: orders to its processes, and cleaning up after those of a dead cluster.

use std::{fs, io, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{mpsc, oneshot};

use crate::{files, task::Exit};

/// Gives a task orders.
#[derive(Clone)]
pub(crate) struct TaskHandle(mpsc::UnboundedSender<Command>);

/// What a task is told.
pub(super) enum Command {
    /// End, by TERM and after a while by KILL.
    Kill { grace: Duration },
    /// Run a shell command beside the app and tell how it ended.
    Run { command: String, limit: Duration, ended: oneshot::Sender<Exit> },
}

impl TaskHandle {
    /// A handle, and where its orders arrive.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Ends the task.
    pub(crate) fn kill(&self, grace: Duration) {
        let _ = self.0.send(Command::Kill { grace });
    }

    /// Runs a shell command beside the app; nothing when it takes longer than `limit`.
    pub(crate) async fn run(&self, command: &str, limit: Duration) -> Option<Exit> {
        let (ended, end) = oneshot::channel();
        let _ = self.0.send(Command::Run { command: command.to_owned(), limit, ended });
        end.await.ok()
    }
}

/// The file that says which process runs a task.
const RUNNER: &str = "runner";

/// Remembers which process runs a task, for a cluster that comes after this one.
pub(super) fn remember(runtime: &Path, pid: u32) -> io::Result<()> {
    let started = started(pid).unwrap_or_default();
    files::write(&runtime.join(RUNNER), format!("{pid} {started}").as_bytes())
}

/// When a process was started, in ticks since the machine was: with its number, its name.
pub(crate) fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Ends what a cluster left running that was killed, and removes its files. Usually its tasks have
/// ended with it.
pub(super) fn end_leftovers(roots: &Path) {
    for entry in fs::read_dir(roots).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path().join(RUNNER)).unwrap_or_default();
        let runner = text.split_once(' ').and_then(|(pid, time)| {
            let pid: u32 = pid.parse().ok()?;
            (started(pid) == time.parse().ok()).then_some(pid)
        });
        if let Some(pid) = runner.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // Its init ends with it, and all else with that.
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = files::remove_tree(&entry.path());
    }
}
