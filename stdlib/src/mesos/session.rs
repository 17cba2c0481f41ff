//! A task as the place of a stage's commands.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipe_grammar::{Code, shell::Dialect};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    End, Place, Timing,
    life::Life,
    link::{Desk, Done, Hello, Line, Report, Run, Task as Job},
    sandbox::{last_lines, sandbox, will},
    site::{self, Shared, Site},
    start::of_end,
};
use crate::core::{
    Call, Ended, Failure, FailureKind, Holding, Output, Session, ShellCommand, Stream,
};

/// How often it is looked whether the worker still calls.
const LOOK: Duration = Duration::from_secs(1);
/// How long a worker has that was told to end a command: longer than it gives the command itself.
const CANCEL: Duration = Duration::from_secs(8);

/// A task with a worker in it.
pub(super) struct Elsewhere {
    desk: Arc<Desk>,
    life: Life,
    hello: Hello,
    place: Place,
    timing: Timing,
    workspace: PathBuf,
    site: Mutex<Option<Shared>>,
}

/// Why a task does nothing more for us.
pub(super) enum Why {
    Ended(End),
    /// Somebody else has asked for its key.
    Doubted,
    /// Its worker has not called for so long.
    Silent(Duration),
}

impl Elsewhere {
    pub(super) fn new(
        desk: Arc<Desk>,
        life: Life,
        hello: Hello,
        place: Place,
        timing: Timing,
        workspace: &Path,
    ) -> Self {
        let (workspace, site) = (workspace.to_path_buf(), Mutex::default());
        Self { desk, life, hello, place, timing, workspace, site }
    }

    /// Keeps the site as long as there is the session.
    pub(super) fn with(self, site: Shared) -> Self {
        Self { site: Mutex::new(Some(site)), ..self }
    }

    fn site(&self) -> Option<Shared> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the task does nothing more.
    pub(super) async fn gone(&self) -> Why {
        let silent = async {
            let mut clock = tokio::time::interval(LOOK.min(self.timing.silence / 4));
            loop {
                clock.tick().await;
                let silence = self.desk.silence().unwrap_or_default();
                // While Mesos does not see the task either, it says when that has been too long.
                if silence > self.timing.silence && self.life.trouble().is_none() {
                    return silence;
                }
            }
        };
        tokio::select! {
            end = self.life.ended() => Why::Ended(end),
            () = self.desk.doubted() => Why::Doubted,
            silence = silent => Why::Silent(silence),
        }
    }

    /// That as a failure, with what the task has written about it.
    pub(super) async fn failure(&self, why: Why, site: &Site) -> Failure {
        let failure = match why {
            Why::Ended(end) => of_end(&end),
            Why::Doubted => return doubted(),
            Why::Silent(silence) => {
                let (host, seconds) = (&self.place.host, silence.as_secs());
                let what =
                    format!("nothing was heard for {seconds} s of the task on agent `{host}`");
                Failure::infrastructure(Code::TASK_FAILED, what)
                    .label("Mesos says that it runs")
                    .help(format!("does that agent still reach `{}`?", site.url))
            }
        };
        match sandbox(&site.client, &site.framework.id, &self.place) {
            Some(found) => {
                let lines = last_lines(&site.client, &found, "stderr").await;
                failure.evidence("the last lines of the task's stderr:", lines)
            }
            None => failure,
        }
    }

    /// A folder of this machine as one of the task: below the workspace.
    fn below(&self, dir: &Path) -> Result<String, Failure> {
        let below = dir.strip_prefix(&self.workspace).ok().and_then(|below| below.to_str());
        below.map(str::to_owned).ok_or_else(|| {
            let what = format!("the folder `{}` is not in the task", dir.display());
            Failure::new(Code::BAD_PATH, what)
                .help("a task has a copy of the folder of the Pipelinefile and what is below it")
        })
    }

    async fn execute(
        &self,
        command: ShellCommand,
        output: Output<'_>,
        cancel: &CancellationToken,
    ) -> Result<Ended, Failure> {
        let run = Run {
            script: command.script,
            environment: command.environment,
            dir: self.below(&command.dir)?,
            stdin: command.stdin.is_some(),
            interpreter: command.interpreter.map(|found| found.name.to_owned()),
            mark: command.mark,
        };
        let (number, mut reports) = self.desk.order(Job::Run(run), command.stdin, None);
        let open = Open { desk: &self.desk, number };
        let mut deadline = None;
        let why = loop {
            tokio::select! {
                // What has come goes before the news that nothing more will.
                biased;
                report = reports.recv() => match report {
                    Some(Report::Lines(lines)) => lines.iter().for_each(|line| show(output, line)),
                    Some(Report::Done(done)) => {
                        open.closed();
                        return ended(done);
                    }
                    None => return Err(Failure::internal("an order without an answer")),
                },
                () = cancel.cancelled(), if deadline.is_none() => {
                    self.desk.tell(Job::Cancel { order: number });
                    deadline = Some(Instant::now() + CANCEL);
                }
                () = until(deadline) => {
                    // It is not to be had any more, and must not run on.
                    self.life.kill(Duration::ZERO);
                    return Ok(Ended::Cancelled);
                }
                why = self.gone() => break why,
            }
        };
        if deadline.is_some() {
            return Ok(Ended::Cancelled);
        }
        self.rest(why, number, reports, output).await
    }

    /// What a task has left of a command that it can't send any more.
    async fn rest(
        &self,
        why: Why,
        number: u64,
        mut reports: mpsc::Receiver<Report>,
        output: Output<'_>,
    ) -> Result<Ended, Failure> {
        let received = self.desk.received(number);
        self.desk.close(number);
        while let Ok(report) = reports.try_recv() {
            match report {
                Report::Lines(lines) => lines.iter().for_each(|line| show(output, line)),
                Report::Done(done) => return ended(done),
            }
        }
        let Some(shared) = self.site() else { return Err(Failure::internal("no site")) };
        let Some(site) = shared.get() else { return Err(Failure::internal("no site")) };
        if let Some(found) = sandbox(&site.client, &site.framework.id, &self.place) {
            let take = |line: Line| show(output, &line);
            let left = will(&site.client, &found, number, received, take).await;
            // It was not cancelled by us, but by its own loss of contact.
            if let Some(done) = left.filter(|done| *done != Done::Cancelled) {
                return ended(done);
            }
        }
        Err(self.failure(why, site).await)
    }

    async fn fetch(
        &self,
        dir: &Path,
        patterns: &[String],
        to: &Path,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let job = Job::Files { dir: self.below(dir)?, patterns: patterns.to_vec() };
        let (number, mut reports) = self.desk.order(job, None, Some(to.to_path_buf()));
        let open = Open { desk: &self.desk, number };
        let why = tokio::select! {
            biased;
            report = reports.recv() => {
                open.closed();
                return match report {
                    Some(Report::Done(Done::Moved)) => Ok(()),
                    Some(Report::Done(done)) => Err(done_failure(done)),
                    _ => Err(Failure::internal("an order without an answer")),
                };
            }
            () = cancel.cancelled() => return Err(Failure::cancelled()),
            why = self.gone() => why,
        };
        match self.site().as_ref().and_then(|site| site.get()) {
            Some(site) => Err(self.failure(why, site).await),
            None => Err(Failure::internal("no site")),
        }
    }

    async fn finish(&self) {
        self.desk.tell(Job::End);
        let deadline = Instant::now() + self.timing.end;
        let gone = async {
            tokio::select! {
                _ = self.life.ended() => return,
                () = tokio::time::sleep(self.timing.end / 2) => {}
            }
            self.life.kill(Duration::ZERO);
            self.life.ended().await;
        };
        let _ = tokio::time::timeout_at(deadline, gone).await;
        let site = self.site.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(site) = site {
            site::release(site).await;
        }
    }
}

impl Session for Elsewhere {
    fn dialect(&self) -> Dialect {
        if self.hello.bash { Dialect::Bash } else { Dialect::Sh }
    }

    fn shown(&self) -> String {
        format!("{} on agent {}", self.hello.shell, self.place.host)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended> {
        Box::pin(self.execute(command, output, cancel))
    }

    fn bring<'a>(
        &'a self,
        dir: &'a Path,
        patterns: &'a [String],
        to: &'a Path,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, ()> {
        Box::pin(self.fetch(dir, patterns, to, cancel))
    }

    fn end<'a>(&'a self, _: Call<'a>) -> Holding<'a, ()> {
        Box::pin(async {
            self.finish().await;
            Ok(())
        })
    }
}

/// An order that somebody waits for. Dropped before its answer it is called off.
struct Open<'a> {
    desk: &'a Desk,
    number: u64,
}

impl Open<'_> {
    fn closed(self) {
        self.desk.close(self.number);
        std::mem::forget(self);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.desk.close(self.number);
        self.desk.tell(Job::Cancel { order: self.number });
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn show(output: &mut (dyn FnMut(Stream, &[u8], bool) + Send), line: &Line) {
    output(line.stream, &line.bytes, line.complete);
}

fn ended(done: Done) -> Result<Ended, Failure> {
    match done {
        Done::Status { status } => Ok(Ended::Status(status)),
        Done::Signal { signal } => Ok(Ended::Signal(signal)),
        Done::Cancelled => Ok(Ended::Cancelled),
        other => Err(done_failure(other)),
    }
}

/// An order that could not be carried out.
pub(super) fn done_failure(done: Done) -> Failure {
    let Done::Failed { code, message, help, infrastructure } = done else {
        return Failure::internal("an answer to another order");
    };
    let kind = if infrastructure { FailureKind::Infrastructure } else { FailureKind::Step };
    let code = Code::find(&code).unwrap_or(Code::TASK_FAILED);
    let mut failure = Failure::new(code, message).kind(kind);
    failure.help = help;
    failure
}

/// Somebody who read the address of the task has asked for its key.
pub(super) fn doubted() -> Failure {
    let what = "two have called with the token of one task, and only one can be its worker";
    Failure::infrastructure(Code::TASK_FAILED, what)
        .help("nothing was handed to the second one; run it again")
        .help("whoever sees the tasks of the cluster sees the token: who else does?")
}
