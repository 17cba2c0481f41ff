//! What ends the processes of a run when `pipe` itself is killed: a process of its own that waits for
//! the end of a pipe which only `pipe` holds open.

use std::{
    io::{self, Read},
    process::{Child, Command, Stdio},
};

use super::marked;

/// The hidden command that makes a process the watchdog.
pub const COMMAND: &str = "watchdog";

/// A watchdog that is on its post until this is dropped.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// Starts one for a run. As the first process of a container `pipe` needs none: the kernel ends
    /// all others with it.
    ///
    /// # Errors
    ///
    /// When no process can be started.
    pub fn start(run: &str) -> io::Result<Option<Self>> {
        if std::process::id() == 1 {
            return Ok(None);
        }
        let child = Command::new(std::env::current_exe()?)
            .arg(COMMAND)
            .arg(format!("{run}/{}", std::process::id()))
            // Who hunts processes by their environment, as Jenkins does, must not find it.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Some(Self { child }))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The run has ended, and has cleaned up itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the watchdog of the processes whose mark begins with these parts.
pub fn watch(parts: &str) {
    // The signals of a terminal are not for it.
    let _ = rustix::process::setsid();
    let mut nothing = Vec::new();
    let _ = io::stdin().read_to_end(&mut nothing);
    marked::end(parts);
}
