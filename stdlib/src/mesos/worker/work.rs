//! Orders, and how they are carried out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipe_grammar::Code;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Will,
    contact::{Contact, Gone},
    spool::Spool,
};
use crate::{
    core::{
        Ended, Failure, FailureKind, Holding, Interpreter, Output, ShellCommand, Stream, World,
        entries, find,
    },
    mesos::link::{Done, Frames, Hello, Run, Task, inwards, outwards, pack_some, unpack},
};

/// How long `pipe` is looked for at first.
const FIRST_CONTACT: Duration = Duration::from_secs(60);

/// Runs commands on this machine, as the worker is told to.
pub trait Hands: Send + Sync + 'static {
    /// Whether the shell is bash, and its name with its flags: `bash -eu -o pipefail`.
    fn shell(&self) -> (bool, String);

    /// Runs a command to its end. Its environment is complete.
    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended>;
}

/// What all orders share.
struct Worker {
    contact: Contact,
    hands: Arc<dyn Hands>,
    sandbox: PathBuf,
    workspace: PathBuf,
    environment: BTreeMap<String, String>,
    /// The orders that run.
    running: Mutex<BTreeMap<u64, CancellationToken>>,
}

/// Works until it is told to end, or contact is lost. `url` is what stands in the task, `sandbox`
/// the folder of the task, `environment` that of the task.
///
/// # Errors
///
/// One line for people: nobody is there, or nobody wants this task.
pub async fn work(
    url: &str,
    sandbox: &Path,
    environment: BTreeMap<String, String>,
    hands: Arc<dyn Hands>,
    cancel: &CancellationToken,
) -> Result<(), String> {
    let (bash, shell) = hands.shell();
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let hello = Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: hostname.trim().to_owned(),
        bash,
        shell,
    };
    let contact = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        contact = Contact::open(url, &hello, FIRST_CONTACT) => contact?,
    };
    let worker = Arc::new(Worker {
        contact,
        hands,
        sandbox: sandbox.to_path_buf(),
        workspace: sandbox.join("workspace"),
        environment,
        running: Mutex::default(),
    });
    worker.work(cancel).await
}

impl Worker {
    async fn work(self: &Arc<Self>, cancel: &CancellationToken) -> Result<(), String> {
        let mut orders = tokio::task::JoinSet::new();
        let stop = CancellationToken::new();
        let mut last = 0;
        let result = loop {
            let order = tokio::select! {
                () = cancel.cancelled() => break Ok(()),
                () = self.contact.gone.cancelled() => break Err(gone()),
                order = self.contact.next(last) => match order {
                    Ok(Some(order)) => order,
                    Ok(None) => continue,
                    Err(Gone) => break Err(gone()),
                },
            };
            last = order.number;
            match order.task {
                Task::End => break Ok(()),
                Task::Cancel { order } => {
                    let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(cancel) = running.get(&order) {
                        cancel.cancel();
                    }
                }
                task => {
                    let cancel = stop.child_token();
                    let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                    running.insert(order.number, cancel.clone());
                    drop(running);
                    let worker = self.clone();
                    orders.spawn(async move {
                        worker.carry_out(order.number, task, &cancel).await;
                        worker
                            .running
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .remove(&order.number);
                    });
                }
            }
            while orders.try_join_next().is_some() {}
        };
        stop.cancel();
        while orders.join_next().await.is_some() {}
        result
    }

    async fn carry_out(&self, number: u64, task: Task, cancel: &CancellationToken) {
        let done = match task {
            Task::Run(run) => return self.run(number, run, cancel).await,
            Task::Workspace => self.fetch().await,
            Task::Files { dir, patterns } => self.send(number, &dir, &patterns).await,
            Task::Cancel { .. } | Task::End => return,
        };
        let done = match done {
            Ok(()) => Done::Moved,
            Err(failure) => failed(&failure),
        };
        let _ = self.contact.done(number, &done).await;
    }

    /// Fetches the workspace.
    async fn fetch(&self) -> Result<(), Failure> {
        let broken = |why: &str| {
            let what = format!("the workspace could not be brought into the task: {why}");
            Failure::infrastructure(Code::TASK_FAILED, what)
        };
        let mut answer = self.contact.workspace().await.map_err(|Gone| broken("no contact"))?;
        let folder = self.workspace.clone();
        let (sender, inlet) = inwards();
        let unpacking = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            unpack(inlet, &folder)
        });
        let mut whole = true;
        loop {
            let piece = tokio::select! {
                () = self.contact.gone.cancelled() => break,
                piece = answer.chunk() => piece,
            };
            self.contact.alive();
            let piece = match piece {
                Ok(None) => break,
                Ok(Some(piece)) => Ok(piece),
                Err(error) => {
                    whole = false;
                    Err(std::io::Error::other(error))
                }
            };
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
        match unpacking.await {
            Ok(Ok(())) if whole => Ok(()),
            Ok(Err(error)) if whole => Err(broken(&crate::client::transport::words(&error))
                .help("is the disk of the task big enough? `mesos.task(disk: …)`")),
            _ => Err(broken("a file could not be read, or the connection broke")),
        }
    }

    /// Sends files back.
    async fn send(&self, number: u64, dir: &str, patterns: &[String]) -> Result<(), Failure> {
        let world = World::new(self.workspace.clone(), self.workspace.clone(), BTreeMap::new());
        let start = self.workspace.join(dir);
        let mut below = Vec::new();
        for found in find(&world, &start, patterns)? {
            for entry in entries(&found)? {
                let path = entry.path.strip_prefix(&self.workspace).unwrap_or(&entry.path);
                below.push(path.to_path_buf());
            }
        }
        below.sort();
        below.dedup();
        let (mut outlet, mut pieces) = outwards();
        let folder = self.workspace.clone();
        let packing = tokio::task::spawn_blocking(move || {
            let packed = pack_some(&folder, below.iter().map(PathBuf::as_path), &mut outlet);
            if let Err(error) = packed {
                outlet.fail(error);
            }
        });
        let stream = futures_util::stream::poll_fn(move |context| pieces.poll_recv(context));
        let sent = self.contact.files(number, reqwest::Body::wrap_stream(stream)).await;
        let _ = packing.await;
        sent.map_err(|why| {
            let what = format!("files could not be brought back from the task: {why}");
            Failure::infrastructure(Code::TASK_FAILED, what)
        })
    }

    /// Runs a command and sends what it writes.
    async fn run(&self, number: u64, run: Run, cancel: &CancellationToken) {
        let spool = Mutex::new(Spool::new(&self.sandbox));
        let more = Notify::new();
        let finished = CancellationToken::new();
        let sending = self.send_output(number, &spool, &more, &finished);
        let running = async {
            let ended = self.execute(number, run, &spool, &more, cancel).await;
            finished.cancel();
            ended
        };
        let (unsent, ended) = tokio::join!(sending, running);
        let mut spool = spool.into_inner().unwrap_or_else(PoisonError::into_inner);
        let done = match ended {
            Ok(Ended::Status(status)) => Done::Status { status },
            Ok(Ended::Signal(signal)) => Done::Signal { signal },
            Ok(Ended::Cancelled) => Done::Cancelled,
            Err(failure) => failed(&failure),
        };
        let told = match &unsent {
            Ok(part) => {
                if spool.lost > 0 {
                    let _ = self.confess(number, *part, spool.lost).await;
                }
                self.contact.done(number, &done).await
            }
            Err(_) => Err(Gone),
        };
        if told.is_err() {
            let (sent, rest) = unsent.err().unwrap_or_default();
            let will = Will { order: number, done: &done, sent };
            let _ = will.leave(&self.sandbox, rest, &mut spool);
        }
    }

    /// Says that output is lost: it came faster than it could be sent, and the disk is full.
    async fn confess(&self, number: u64, part: u64, lost: u64) -> Result<(), Gone> {
        let mut frames = Frames::default();
        let text = format!("pipe: {lost} bytes of output are lost: the disk of the task is full");
        frames.push(Stream::Stderr, text.as_bytes(), true);
        self.contact.output(number, part, frames.into_bytes().into()).await
    }

    /// Sends output until there will be no more, and gives the number of the next part. When
    /// contact is lost, how much was sent, and what was being sent.
    async fn send_output(
        &self,
        number: u64,
        spool: &Mutex<Spool>,
        more: &Notify,
        finished: &CancellationToken,
    ) -> Result<u64, (u64, Vec<u8>)> {
        let (mut part, mut sent) = (0, 0);
        loop {
            let over = finished.is_cancelled();
            let bytes = spool.lock().unwrap_or_else(PoisonError::into_inner).take();
            if bytes.is_empty() {
                if over {
                    return Ok(part);
                }
                tokio::select! {
                    () = more.notified() => {}
                    () = finished.cancelled() => {}
                }
                continue;
            }
            let bytes = bytes::Bytes::from(bytes);
            if self.contact.output(number, part, bytes.clone()).await.is_err() {
                // The end of the command is waited for: all of its output belongs together.
                finished.cancelled().await;
                return Err((sent, bytes.into()));
            }
            part += 1;
            sent += bytes.len() as u64;
        }
    }

    async fn execute(
        &self,
        number: u64,
        run: Run,
        spool: &Mutex<Spool>,
        more: &Notify,
        cancel: &CancellationToken,
    ) -> Result<Ended, Failure> {
        let stdin = match run.stdin {
            true => Some(self.contact.stdin(number).await.map_err(|Gone| {
                Failure::infrastructure(Code::TASK_FAILED, "the task has lost contact")
            })?),
            false => None,
        };
        let interpreter = match run.interpreter.as_deref().map(Interpreter::find) {
            Some(None) => return Err(Failure::internal("an interpreter that the worker lacks")),
            Some(found) => found,
            None => None,
        };
        let mut environment = self.environment.clone();
        // Mesos sets none, and many tools need one.
        environment.entry("HOME".to_owned()).or_insert_with(|| self.sandbox.display().to_string());
        environment.extend(run.environment);
        let command = ShellCommand {
            script: run.script,
            environment: environment.into_iter().collect(),
            dir: self.workspace.join(&run.dir),
            stdin,
            interpreter,
            mark: run.mark,
        };
        let mut take = |stream: Stream, bytes: &[u8], complete: bool| {
            spool.lock().unwrap_or_else(PoisonError::into_inner).push(stream, bytes, complete);
            more.notify_one();
        };
        // Contact that is lost for good ends it, too.
        let both = cancel.child_token();
        let ends = both.clone();
        let gone = self.contact.gone.clone();
        let watch = tokio::spawn(async move {
            gone.cancelled().await;
            ends.cancel();
        });
        let ended = self.hands.run(command, &mut take, &both).await;
        watch.abort();
        ended
    }
}

fn gone() -> String {
    "contact with `pipe` is lost".to_owned()
}

fn failed(failure: &Failure) -> Done {
    Done::Failed {
        code: failure.code.name().to_owned(),
        message: failure.message.clone(),
        help: failure.help.clone(),
        infrastructure: failure.kind == FailureKind::Infrastructure,
    }
}
