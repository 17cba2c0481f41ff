//! The binary as a user runs it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    /// The exit status; 128 and its number for a signal.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

/// A call of `pipe`, in a folder, with an environment of its own.
pub struct Pipe {
    command: Command,
}

/// A call that runs.
pub struct Running {
    child: Child,
    started: Instant,
}

/// The binary that cargo has built beside this test, or `$PIPE_BIN`.
fn binary() -> PathBuf {
    if let Some(binary) = std::env::var_os("PIPE_BIN") {
        return binary.into();
    }
    let test = std::env::current_exe().expect("the test has a file");
    let binary = test.ancestors().nth(2).expect("it lies in target/*/deps").join("pipe");
    assert!(binary.is_file(), "no binary at {}: `cargo build` makes it", binary.display());
    binary
}

impl Pipe {
    /// `pipe ARGUMENTS` in a folder. Nothing of the environment gets through but `PATH`, `HOME` is
    /// the folder's own.
    #[must_use]
    pub fn new(folder: &Path, state: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", state)
            .env("XDG_STATE_HOME", state.join("state"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // The toolchain that compiles the demo lies where rustup says.
        for name in ["RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if std::env::var_os("RUSTUP_HOME").is_none()
            && let Some(home) = std::env::var_os("HOME")
        {
            command.env("RUSTUP_HOME", Path::new(&home).join(".rustup"));
        }
        Self { command }
    }

    /// With a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// As another user.
    #[must_use]
    pub fn user(mut self, user: u32) -> Self {
        use std::os::unix::process::CommandExt;
        self.command.uid(user).gid(user);
        self
    }

    /// Runs to the end.
    #[must_use]
    pub fn answer(self) -> Answer {
        self.start().answer()
    }

    /// Starts.
    #[must_use]
    pub fn start(mut self) -> Running {
        Running { child: self.command.spawn().expect("pipe starts"), started: Instant::now() }
    }
}

impl Running {
    /// Sends a signal to `pipe` alone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process number"), signal).expect("it runs");
    }

    /// Waits for the end.
    #[must_use]
    pub fn answer(self) -> Answer {
        use std::os::unix::process::ExitStatusExt;
        let Self { child, started } = self;
        let output = child.wait_with_output().expect("pipe ends");
        let status = output.status;
        Answer {
            status: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: started.elapsed(),
        }
    }
}
