//! The processes of a run, by the mark in their environment: found also when nobody is left who has
//! started them. The mark is `RUN/PROCESS/STEP`, with the number of the process of `pipe`: a run that
//! goes on has another one.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::process::MARK;

/// How long processes have between TERM and KILL.
const GRACE: Duration = Duration::from_secs(1);
/// After so long what is still there can't be ended: it waits in the kernel.
const LIMIT: Duration = Duration::from_secs(4);

/// The processes whose mark begins with these parts, but not this one.
#[must_use]
pub fn find(parts: &str) -> Vec<Pid> {
    let mark = format!("{MARK}={parts}/");
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|pid| *pid != rustix::process::getpid())
        .filter(|pid| {
            // Those of other users can't be read, and are not ours.
            fs::read(format!("/proc/{}/environ", pid.as_raw_pid())).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|v| v.starts_with(mark.as_bytes()))
            })
        })
        .collect()
}

/// Ends the processes whose mark begins with these parts: TERM, then KILL. Gives how many there
/// were.
pub fn end(parts: &str) -> usize {
    let first = find(parts);
    let signal = |pids: &[Pid], signal| {
        for pid in pids {
            let _ = kill_process(*pid, signal);
        }
    };
    signal(&first, Signal::TERM);
    let start = Instant::now();
    loop {
        let left = find(parts);
        if left.is_empty() || start.elapsed() > LIMIT {
            return first.len();
        }
        if start.elapsed() > GRACE {
            signal(&left, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(50));
    }
}
