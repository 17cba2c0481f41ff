//! What a task consists of, and what the cluster and its init tell each other.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// What a task consists of, worked out by the cluster.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Spec {
    /// The program and its arguments.
    pub(crate) arguments: Vec<String>,
    /// All environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// Where it runs: of the image, or of the machine.
    pub(crate) folder: PathBuf,
    /// Who runs it, `user` or `user:group`, by name or number; empty: root of the image, or
    /// whoever runs the cluster.
    pub(crate) user: String,
    /// The task's folder on the machine.
    pub(crate) sandbox: PathBuf,
    /// The image that it runs in; without one it runs in the machine's own root.
    pub(crate) image: Option<Image>,
    /// Whether it has a network of its own.
    pub(crate) private_network: bool,
    /// The host ports that lead into its network.
    pub(crate) forwards: Vec<Forward>,
}

/// The root of a task.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Image {
    /// The unpacked image, which tasks share and none changes.
    pub(crate) root: PathBuf,
    /// Where what this task changes is kept.
    pub(crate) layer: PathBuf,
    /// The host's name inside.
    pub(crate) hostname: String,
    /// Folders of the machine.
    pub(crate) mounts: Vec<Mount>,
}

/// A folder or file of the machine inside a task's root.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Mount {
    pub(crate) from: PathBuf,
    pub(crate) to: PathBuf,
    pub(crate) read_only: bool,
}

/// A host port and where it leads.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub(crate) struct Forward {
    pub(crate) host: u16,
    pub(crate) container: u16,
}

/// What the cluster tells init.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// End the app: TERM, and after so many milliseconds KILL.
    End { grace: u64 },
    /// Run a shell command beside the app.
    Run { id: u64, command: String },
    /// Stop such a command.
    Abandon { id: u64 },
}

/// What runner and init tell the cluster.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// The app runs.
    Running,
    /// A command beside the app has ended.
    Ran { id: u64, exit: Exit },
    /// The app has ended.
    Ended { exit: Exit },
    /// The app could not be started.
    Failed { message: String },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    Status(i32),
    Signal(i32),
}

impl Spec {
    /// Reads the file that the cluster wrote.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(file).map_err(|error| {
            format!("can't read `{}`: {}", file.display(), pipe_oci::plain(&error))
        })?;
        serde_json::from_slice(&bytes)
            .map_err(|error| format!("`{}` is no task: {error}", file.display()))
    }
}

impl Report {
    /// Tells the cluster. When it is not there any more, nobody misses it.
    pub(super) fn send(&self) {
        let Ok(mut line) = serde_json::to_vec(self) else { return };
        line.push(b'\n');
        if let Ok(mut socket) = socket() {
            let _ = socket.write_all(&line);
        }
    }
}

impl Exit {
    /// In the words of Mesos: `exited with status 1`, `terminated with signal Killed`.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Status(status) => format!("exited with status {status}"),
            Self::Signal(signal) => format!("terminated with signal {}", signal_name(signal)),
        }
    }

    /// The status that a shell or Docker gives it.
    pub(crate) fn status(self) -> i32 {
        match self {
            Self::Status(status) => status,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// What `strsignal` calls a signal.
fn signal_name(signal: i32) -> String {
    const NAMES: [&str; 15] = [
        "Hangup",
        "Interrupt",
        "Quit",
        "Illegal instruction",
        "Trace/breakpoint trap",
        "Aborted",
        "Bus error",
        "Floating point exception",
        "Killed",
        "User defined signal 1",
        "Segmentation fault",
        "User defined signal 2",
        "Broken pipe",
        "Alarm clock",
        "Terminated",
    ];
    let index = usize::try_from(signal - 1).unwrap_or(usize::MAX);
    NAMES.get(index).map_or_else(|| format!("{signal}"), |name| (*name).to_owned())
}

/// The socket to the cluster, which is standard input of runner and init.
pub(super) fn socket() -> io::Result<impl Read + Write> {
    use std::os::fd::AsFd as _;
    let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(std::os::unix::net::UnixStream::from(descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_in_mesos_words() {
        assert_eq!(Exit::Status(1).words(), "exited with status 1");
        assert_eq!(Exit::Signal(9).words(), "terminated with signal Killed");
        assert_eq!(Exit::Signal(15).words(), "terminated with signal Terminated");
        assert_eq!(Exit::Signal(11).words(), "terminated with signal Segmentation fault");
        assert_eq!(Exit::Signal(9).status(), 137);
    }
}
