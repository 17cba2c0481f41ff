//! A process with everything that it starts: ended together, nothing left.
//!
//! The process leads a group of its own. `pipe` is a child subreaper (prctl(2)), so whatever loses
//! its parent becomes a child of `pipe`, also when it has left the group by setsid(2); a mark in
//! the environment tells whose it is.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use pipe_stdlib::core::{Ended, Output, Stream};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use tokio_util::sync::CancellationToken;

/// The variable that marks a process and what it starts.
pub(crate) const MARK: &str = "PIPE_STEP";

/// How long a process has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// How long output is still read after the process has ended: a child may hold the pipe open.
const LAST_OUTPUT: Duration = Duration::from_millis(500);
/// A line longer than this is passed on in pieces.
const LONGEST_LINE: usize = 1 << 20;

/// Makes this process the one that adopts orphans. Once, before the first process is started.
pub fn adopt_orphans() {
    // Without it (an old kernel, a seccomp filter) only the group is ended.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// As the first process of a container, takes away the zombies of those whom it never started.
/// Does not return.
pub async fn reap_strangers() {
    let mut before: Vec<Pid> = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // What we have started ourselves is waited for at once, and not there a second later.
        let zombies: Vec<Pid> = children().into_iter().filter(|pid| is_zombie(*pid)).collect();
        for zombie in zombies.iter().filter(|pid| before.contains(pid)) {
            let _ = waitpid(Some(*zombie), WaitOptions::NOHANG);
        }
        before = zombies;
    }
}

/// Runs a process to its end. Output is passed on line by line as it comes.
///
/// # Errors
///
/// When the process can't be started.
pub(crate) async fn run(
    mut command: Command,
    stdin: Option<Vec<u8>>,
    mark: &str,
    cancel: &CancellationToken,
    output: Output<'_>,
) -> io::Result<Ended> {
    command
        .env(MARK, mark)
        .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let family = Family { group, mark: mark.to_owned() };
    let writer = child.stdin.take().map(|pipe| tokio::spawn(write(pipe, stdin)));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (sender, mut lines) = tokio::sync::mpsc::channel(64);
    let readers = [
        stdout.map(|pipe| tokio::spawn(read(pipe, Stream::Stdout, sender.clone()))),
        stderr.map(|pipe| tokio::spawn(read(pipe, Stream::Stderr, sender.clone()))),
    ];
    drop(sender);

    let mut ended: Option<io::Result<ExitStatus>> = None;
    let mut open = true;
    let mut cancelled = false;
    // Set when the process is gone, or told to go: how long to wait on.
    let mut deadline: Option<tokio::time::Instant> = None;
    let mut killed = false;
    while open || ended.is_none() {
        tokio::select! {
            line = lines.recv(), if open => match line {
                Some(Line { stream, bytes, complete }) => output(stream, &bytes, complete),
                None => open = false,
            },
            status = child.wait(), if ended.is_none() => {
                ended = Some(status);
                // What it has left behind goes with it.
                family.end(Signal::TERM);
                deadline = Some(tokio::time::Instant::now() + LAST_OUTPUT);
            },
            () = cancel.cancelled(), if !cancelled && ended.is_none() => {
                cancelled = true;
                family.end(Signal::TERM);
                deadline = Some(tokio::time::Instant::now() + GRACE);
            },
            () = wait_until(deadline), if deadline.is_some() => {
                family.end(Signal::KILL);
                if killed {
                    break;
                }
                killed = true;
                deadline = Some(tokio::time::Instant::now() + LAST_OUTPUT);
            },
        }
    }
    family.end_all().await;
    for task in readers.into_iter().flatten().chain(writer) {
        task.abort();
    }
    match ended {
        _ if cancelled => Ok(Ended::Cancelled),
        Some(status) => status.map(how),
        None => Ok(Ended::Cancelled),
    }
}

fn how(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Status(code),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Status(-1),
    }
}

/// Hands over what the process reads; whether it reads it is its own affair.
async fn write(mut pipe: tokio::process::ChildStdin, text: Option<Vec<u8>>) {
    let _ = pipe.write_all(&text.unwrap_or_default()).await;
}

async fn wait_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

struct Line {
    stream: Stream,
    bytes: Vec<u8>,
    complete: bool,
}

/// Cuts a stream into lines.
async fn read(
    mut pipe: impl AsyncRead + Unpin,
    stream: Stream,
    lines: tokio::sync::mpsc::Sender<Line>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let count = match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        let mut rest = &buffer[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            pending.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let bytes = std::mem::take(&mut pending);
            if lines.send(Line { stream, bytes, complete: true }).await.is_err() {
                return;
            }
        }
        pending.extend_from_slice(rest);
        if pending.len() >= LONGEST_LINE {
            let bytes = std::mem::take(&mut pending);
            if lines.send(Line { stream, bytes, complete: false }).await.is_err() {
                return;
            }
        }
    }
    if !pending.is_empty() {
        let _ = lines.send(Line { stream, bytes: pending, complete: true }).await;
    }
}

/// A process and all that it started.
struct Family {
    group: Option<Pid>,
    mark: String,
}

impl Family {
    /// Signals the group, and those of the family that have left it.
    fn end(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, signal);
        }
        for orphan in self.orphans() {
            let _ = kill_process(orphan, signal);
        }
    }

    /// Ends what is left, and takes the zombies away. Every round may make new orphans of the
    /// children of those that it ends.
    async fn end_all(&self) {
        for _ in 0..100 {
            let orphans = self.orphans();
            if orphans.is_empty() {
                return;
            }
            for orphan in orphans {
                let _ = kill_process(orphan, Signal::KILL);
                let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Children of `pipe` that bear the mark and are not the process itself: adopted ones.
    fn orphans(&self) -> Vec<Pid> {
        let mark = format!("{MARK}={}", self.mark);
        children()
            .into_iter()
            .filter(|child| Some(*child) != self.group)
            .filter(|child| {
                let environment = std::fs::read(format!("/proc/{}/environ", child.as_raw_pid()));
                match environment {
                    // A zombie has no environment any more; waiting for it is right whoever it was.
                    Ok(bytes) if bytes.is_empty() => is_zombie_of(*child, self.group),
                    Ok(bytes) => bytes.split(|byte| *byte == 0).any(|v| v == mark.as_bytes()),
                    Err(_) => false,
                }
            })
            .collect()
    }
}

/// Dropped in the middle, nothing may stay.
impl Drop for Family {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}

/// The state and the group of a process.
fn state(pid: Pid) -> Option<(char, Option<Pid>)> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    // pid (name) state ppid pgrp …; the name may hold anything but ends with the last `)`.
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1).and_then(|text| text.parse().ok()).and_then(Pid::from_raw);
    Some((state, group))
}

fn is_zombie(pid: Pid) -> bool {
    state(pid).is_some_and(|(state, _)| state == 'Z')
}

/// A zombie that once was in the group of the process.
fn is_zombie_of(child: Pid, group: Option<Pid>) -> bool {
    group.is_some() && state(child) == Some(('Z', group))
}

/// The children of this process, of each of its threads.
fn children() -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| {
            let pids = text.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok());
            pids.filter_map(Pid::from_raw).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    async fn sh(script: &str, cancel: &CancellationToken) -> (Ended, Vec<(Stream, String)>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut said = Vec::new();
        let mut output = |stream: Stream, bytes: &[u8], _: bool| {
            said.push((stream, String::from_utf8_lossy(bytes).into_owned()));
        };
        let mark = format!("test-{}", script.len());
        let stdin = Some(b"from outside".to_vec());
        let ended = run(command, stdin, &mark, cancel, &mut output).await.unwrap();
        (ended, said)
    }

    #[tokio::test]
    async fn it_reads_what_it_is_given() {
        let (ended, said) = sh("cat", &CancellationToken::new()).await;
        assert_eq!(ended, Ended::Status(0));
        assert_eq!(said, [(Stream::Stdout, "from outside".to_owned())]);
        // Nobody has to read it.
        let (ended, _) = sh("exit 3", &CancellationToken::new()).await;
        assert_eq!(ended, Ended::Status(3));
    }

    fn alive(needle: &str) -> usize {
        let own = std::process::id();
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter(|entry| {
                entry.file_name().to_string_lossy().parse::<u32>().is_ok_and(|p| p != own)
            })
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .filter(|line| String::from_utf8_lossy(line).contains(needle))
            .count()
    }

    #[tokio::test]
    async fn lines_come_whole_from_both_streams() {
        let (ended, said) = sh("echo a; echo b >&2; printf c", &CancellationToken::new()).await;
        assert_eq!(ended, Ended::Status(0));
        let mut lines = said;
        lines.sort_by_key(|(_, text)| text.clone());
        let texts: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn cancelled_with_its_grandchildren_and_those_who_left() {
        adopt_orphans();
        let cancel = CancellationToken::new();
        let soon = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            soon.cancel();
        });
        let script = "sleep 98765 & setsid sleep 98765 & (trap '' TERM; sleep 98765) & wait";
        let (ended, _) = sh(script, &cancel).await;
        assert_eq!(ended, Ended::Cancelled);
        assert_eq!(alive("98765"), 0);
    }

    #[tokio::test]
    async fn a_child_that_holds_the_output_open_does_not_hang() {
        adopt_orphans();
        let start = std::time::Instant::now();
        let (ended, said) = sh("setsid sleep 87654 & echo done", &CancellationToken::new()).await;
        assert!(matches!(ended, Ended::Status(_)));
        assert_eq!(said.len(), 1);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(alive("87654"), 0);
    }
}
