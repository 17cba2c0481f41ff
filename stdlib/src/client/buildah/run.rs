//! Runs the program, and ends it with all that it started.

use std::{collections::VecDeque, process::Stdio, time::Duration};

use pipe_grammar::Code;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use super::{Buildah, Ended};
use crate::core::{Failure, Stream};

/// As many of the last lines are kept.
const KEPT: usize = 20;

/// A longer line is cut.
const LONGEST: usize = 64 << 10;

/// How long it may take to clean up.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(
    buildah: &Buildah,
    arguments: &[String],
    mut said: impl FnMut(Stream, &str),
) -> Result<Ended, Failure> {
    let mut command = Command::new(&buildah.program);
    command
        .args(arguments)
        .env_clear()
        .envs(buildah.environment.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command.spawn().map_err(|e| {
        let message = format!("`buildah` can't be started: {}", pipe_oci::plain(&e));
        Failure::infrastructure(Code::NO_ENGINE, message)
    })?;
    let mut group = Group(Some(child));
    let Some(child) = &mut group.0 else { return Err(Failure::internal("no process")) };
    let (sender, mut lines) = mpsc::channel(64);
    if let Some(out) = child.stdout.take() {
        tokio::spawn(read(out, Stream::Stdout, sender.clone()));
    }
    if let Some(err) = child.stderr.take() {
        tokio::spawn(read(err, Stream::Stderr, sender.clone()));
    }
    drop(sender);
    let mut last = VecDeque::new();
    while let Some((stream, line)) = lines.recv().await {
        said(stream, &line);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(line);
    }
    let status = child.wait().await.map_err(Failure::internal)?;
    group.0 = None;
    Ok(Ended { status: status.code(), last: last.into() })
}

async fn read(from: impl AsyncRead + Unpin, stream: Stream, to: mpsc::Sender<(Stream, String)>) {
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(mut line)) = lines.next_segment().await {
        line.truncate(LONGEST);
        let text = String::from_utf8_lossy(&line);
        // A progress bar overwrites its line; its last state counts.
        let text = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
        if !text.trim().is_empty() && to.send((stream, text.to_owned())).await.is_err() {
            return;
        }
    }
}

/// A process that leads a group.
struct Group(Option<Child>);

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let Some(group) = group else { return };
        // It cleans up when it is asked; nobody waits for that but this.
        let _ = kill_process_group(group, Signal::TERM);
        let end = move || {
            let _ = kill_process_group(group, Signal::KILL);
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    let _ = tokio::time::timeout(PATIENCE, child.wait()).await;
                    end();
                    let _ = child.wait().await;
                });
            }
            Err(_) => end(),
        }
    }
}
