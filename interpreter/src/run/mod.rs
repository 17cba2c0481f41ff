//! Runs a plan: stages in their order, commands and built-ins in them, handlers at the end.

mod approve;
mod command;
mod course;
mod events;
mod explain;
mod host;
mod id;
mod instances;
mod journal;
mod local;
mod lock;
pub mod marked;
mod private;
mod process;
mod script;
mod session;
mod shell;
mod stage;
mod step;
mod tree;
pub mod watchdog;

use std::{sync::Arc, time::Duration};

use futures_util::stream::{FuturesUnordered, StreamExt};
use pipe_grammar::{
    Code,
    tree::{ClauseKind, ItemKind, Outcome as HandlerOutcome},
};
use pipe_stdlib::core::{FailureKind, Record, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    eval::{Eval, Failed, Frame, Stop},
    event::{EventKind, Outcome, SCHEMA},
    exit,
    plan::{self, Decision, Plan},
    record::Past,
};

pub use approve::{somebody_is_there, whoever};
pub use course::{Begin, Course, picked, resumed};
pub use events::{Events, Reporter, plain};
pub use host::RunHost;
pub use id::new_id;
pub use journal::{FOLDER, Journal, Piece, index_name, log_name};
pub(crate) use local::{Machine, run as run_here};
pub use lock::{Lock, Locked};
pub use process::{adopt_orphans, reap_strangers};
pub use shell::Shell;

/// How a run is to be run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// An unstable run ends with status 3.
    pub unstable_is_error: bool,
    /// A stage that fails cancels those beside it.
    pub fail_fast: bool,
    /// How long handlers have after a cancellation.
    pub cancel_grace: Duration,
    /// How many stages, instances and branches of `parallel for` run at once.
    pub jobs: usize,
    /// What was under way when the run was interrupted has been done.
    pub assume_done: bool,
    /// The stages that need not be asked about: `--approve`.
    pub approved: Vec<String>,
    /// Somebody sits at a terminal and can be asked.
    pub interactive: bool,
}

/// Where a run begins.
#[derive(Debug, Default)]
pub struct Start {
    /// What becomes of each stage, in order. Without any, every stage runs.
    pub courses: Vec<Course>,
    /// The state of the files that git tracks; none outside a repository.
    pub files: Option<String>,
    /// The stages that were picked; none: all.
    pub picked: Option<Vec<String>>,
    /// `--may-lack`
    pub may_lack: Vec<String>,
    /// What is known of the run, when it goes on.
    pub past: Option<Past>,
}

/// How a stage ended.
#[derive(Clone, Debug)]
enum Ended {
    Success,
    Skipped,
    /// It failed; `true`: it may.
    Failed(Box<Failed>, bool),
    Cancelled,
    /// It waits for somebody's answer.
    Waiting,
}

/// Runs a plan to its end, and gives the exit status.
pub async fn run(
    plan: Arc<Plan>,
    events: Arc<Events>,
    options: Options,
    start: Start,
    cancel: CancellationToken,
) -> u8 {
    let started = tokio::time::Instant::now();
    for secret in plan.facts.secrets() {
        events.mask.add(&secret);
    }
    let host = RunHost::new(plan.clone(), events.clone(), options.clone(), start.past.as_ref());
    events.emit(beginning(&plan, &events, &start));
    let _private = match private::Private::write(&plan) {
        Ok(private) => private,
        Err(error) => {
            let why = plain(&error);
            let text = format!("the private copy of a secret's file can't be written: {why}");
            events.emit(EventKind::Said { stage: String::new(), step: None, text });
            let (outcome, status) = (Outcome::Failed, exit::INFRASTRUCTURE);
            let files = start.files.clone();
            events.emit(EventKind::RunFinished { outcome, status, millis: 0, files });
            return status;
        }
    };
    let courses = &start.courses;
    let run = Run { plan: &plan, host: &host, options: &options, courses, cancel: &cancel };
    let limit = run.timeout().await;
    let stages = run.stages();
    let (ends, timed_out) = match limit {
        Some(limit) => {
            tokio::pin!(stages);
            tokio::select! {
                ends = &mut stages => (ends, false),
                () = tokio::time::sleep(limit) => {
                    cancel.cancel();
                    (stages.await, true)
                }
            }
        }
        None => (stages.await, false),
    };
    let outcome = run.outcome(&ends);
    let waits = outcome == HandlerOutcome::Success
        && ends.iter().flatten().any(|end| matches!(end, Ended::Waiting));
    let (outcome, status) = if waits {
        // Its handlers run when it has ended.
        (Outcome::Waiting, exit::WAITING)
    } else {
        let handlers_failed = run.handlers(outcome, &ends).await;
        run.status(outcome, &ends, timed_out, handlers_failed)
    };
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let files = files(&plan);
    events.emit(EventKind::RunFinished { outcome, status, millis, files });
    status
}

/// The state of the files that git tracks, without the Pipelinefile: what stages are made of is known
/// better than that.
#[must_use]
pub fn files(plan: &Plan) -> Option<String> {
    let name = plan.program.sources(|s| s.get(plan.program.file.source).name.clone());
    let name = std::path::Path::new(&name).file_name()?.to_str()?;
    pipe_stdlib::git::state(&plan.world, name)
}

/// The event that a run begins with, or goes on with.
fn beginning(plan: &Plan, events: &Events, start: &Start) -> EventKind {
    let (version, files) = (env!("CARGO_PKG_VERSION").to_owned(), start.files.clone());
    if start.past.is_some() {
        let (run, pipeline) = (plan.facts.run().to_owned(), plan.facts.name());
        return EventKind::RunResumed { run, pipeline, version, files };
    }
    let param = |(name, value): (&pipe_grammar::tree::Text, &Value)| {
        (name.to_string(), events.mask.json(&value.to_json()).0)
    };
    EventKind::RunStarted {
        schema: SCHEMA,
        run: plan.facts.run().to_owned(),
        pipeline: plan.facts.name(),
        file: plan.program.sources(|s| s.get(plan.program.file.source).name.clone()),
        version,
        params: plan.params.iter().map(param).collect(),
        files,
        stages: plan.stages.iter().map(|stage| stage.name.to_string()).collect(),
        local: plan.connections.local.is_some(),
        picked: start.picked.clone(),
        may_lack: start.may_lack.clone(),
    }
}

struct Run<'a> {
    plan: &'a Plan,
    host: &'a RunHost,
    options: &'a Options,
    courses: &'a [Course],
    cancel: &'a CancellationToken,
}

impl Run<'_> {
    /// The time that the whole run may take.
    async fn timeout(&self) -> Option<Duration> {
        let clause = self.plan.program.file.items.iter().find_map(|item| match &item.kind {
            ItemKind::Pipeline(pipeline) => pipeline.clauses.iter().find_map(|c| match c.kind {
                ClauseKind::Timeout(time) => Some(time),
                _ => None,
            }),
            _ => None,
        })?;
        let frame = self.plan.facts.frame();
        let eval = Eval { program: &self.plan.program, host: self.host, frame: &frame };
        eval.duration(clause).await.ok()
    }

    /// Starts each stage when those before it are done, until one fails.
    async fn stages(&self) -> Vec<Option<Ended>> {
        let count = self.plan.stages.len();
        let facts = &self.plan.program.checked.stages;
        let before: Vec<_> = (0..count).map(|number| facts[number].before(number)).collect();
        let mut ends: Vec<Option<Ended>> = vec![None; count];
        let mut started = vec![false; count];
        let mut running = FuturesUnordered::new();
        let beside = self.cancel.child_token();
        let mut stopped = false;
        loop {
            stopped |= self.cancel.is_cancelled();
            for number in 0..count {
                let ready = !stopped
                    && !started[number]
                    && before[number]
                        .iter()
                        .all(|stage| !matches!(ends[*stage], None | Some(Ended::Waiting)));
                if !ready {
                    continue;
                }
                started[number] = true;
                let needs = &facts[number].needs;
                let lacking =
                    needs.iter().find(|stage| !matches!(ends[**stage], Some(Ended::Success)));
                let reason = lacking.map(|stage| {
                    let name = &facts[*stage].name;
                    match &ends[*stage] {
                        Some(Ended::Skipped) => format!("it needs `{name}`, which was skipped"),
                        _ => format!("it needs `{name}`, which has failed"),
                    }
                });
                let beside = beside.clone();
                running.push(async move {
                    let ended = match reason {
                        Some(reason) => self.skip(number, reason),
                        None => self.stage(number, beside).await,
                    };
                    (number, ended)
                });
            }
            let Some((number, ended)) = running.next().await else { break };
            if matches!(ended, Ended::Failed(_, false) | Ended::Cancelled) {
                stopped = true;
                if self.options.fail_fast {
                    beside.cancel();
                }
            }
            ends[number] = Some(ended);
        }
        ends
    }

    fn skip(&self, number: usize, reason: String) -> Ended {
        let stage = self.plan.stages[number].name.to_string();
        self.host.events.emit(EventKind::StageSkipped { stage, reason });
        Ended::Skipped
    }

    async fn stage(&self, number: usize, cancel: CancellationToken) -> Ended {
        let first = Course::default();
        let begin = match self.courses.get(number).unwrap_or(&first) {
            Course::LeftOut => return Ended::Skipped,
            Course::Kept { from, outputs, skipped, unstable } => {
                if *skipped {
                    return self.skip(number, "it was skipped before".to_owned());
                }
                self.keep(number, from, outputs);
                for message in unstable {
                    self.host.mark_unstable(&self.plan.stages[number].name, message, None);
                }
                return Ended::Success;
            }
            Course::Run(begin) => begin,
        };
        if let Decision::Skip(reason) = &self.plan.stages[number].decision {
            return self.skip(number, reason.clone());
        }
        stage::run(self.plan, self.host, number, begin, cancel).await
    }

    /// Takes the outputs of a stage over.
    fn keep(&self, number: usize, from: &str, outputs: &Record) {
        let name = &self.plan.stages[number].name;
        self.host.set_outputs(name, outputs.clone());
        self.host.events.emit(EventKind::StageKept {
            stage: name.to_string(),
            from: from.to_owned(),
            key: plan::key(&self.plan.facts, number),
            outputs: stage::shown(self.host, outputs).0,
        });
    }

    fn outcome(&self, ends: &[Option<Ended>]) -> HandlerOutcome {
        let failed = ends.iter().flatten().any(|end| matches!(end, Ended::Failed(_, false)));
        if failed {
            HandlerOutcome::Failure
        } else if self.cancel.is_cancelled() {
            HandlerOutcome::Cancelled
        } else {
            HandlerOutcome::Success
        }
    }

    /// Runs the handlers behind the last stage; what fails in them.
    async fn handlers(
        &self,
        outcome: HandlerOutcome,
        ends: &[Option<Ended>],
    ) -> Option<Box<Failed>> {
        let failure = ends.iter().flatten().find_map(|end| match end {
            Ended::Failed(failed, false) => Some(Arc::new((**failed).clone())),
            _ => None,
        });
        let mut failed = None;
        for wanted in [outcome, HandlerOutcome::Always] {
            for (number, item) in self.plan.program.file.items.iter().enumerate() {
                let ItemKind::Handler(handler) = &item.kind else { continue };
                if handler.outcome != wanted {
                    continue;
                }
                let frame = Frame::new(self.plan.world.root().to_path_buf(), self.cancel.clone());
                let past = self.host.handled.clone();
                let frame = Frame { handler: true, past, ..frame.inner() };
                let frame = frame.at(format_args!("#{number}"));
                let eval = Eval { program: &self.plan.program, host: self.host, frame: &frame };
                let grace = match outcome {
                    HandlerOutcome::Cancelled => self.options.cancel_grace,
                    _ => Duration::from_secs(600),
                };
                let result = eval.handler(&handler.body, failure.clone(), outcome, grace).await;
                if let Err(Stop::Failed(stop)) = result {
                    stage::tell(self.host, "", &stop);
                    failed.get_or_insert(stop);
                }
            }
        }
        failed
    }

    fn status(
        &self,
        outcome: HandlerOutcome,
        ends: &[Option<Ended>],
        timed_out: bool,
        handlers_failed: Option<Box<Failed>>,
    ) -> (Outcome, u8) {
        if timed_out {
            return (Outcome::Cancelled, exit::TIMED_OUT);
        }
        let first = ends.iter().flatten().find_map(|end| match end {
            Ended::Failed(failed, false) => Some(failed),
            _ => None,
        });
        if let Some(failed) = first.or(handlers_failed.as_ref()) {
            let status = match failed.kind {
                FailureKind::Infrastructure => exit::INFRASTRUCTURE,
                FailureKind::Superseded => exit::SUPERSEDED,
                _ if failed.diagnostic.code == Code::DEPLOYMENT_SUPERSEDED => exit::SUPERSEDED,
                _ => exit::FAILED,
            };
            return (Outcome::Failed, status);
        }
        if outcome == HandlerOutcome::Cancelled {
            // The caller knows the signal.
            return (Outcome::Cancelled, exit::INTERRUPTED);
        }
        if self.host.is_unstable() {
            let status =
                if self.options.unstable_is_error { exit::UNSTABLE } else { exit::SUCCESS };
            return (Outcome::Unstable, status);
        }
        (Outcome::Success, exit::SUCCESS)
    }
}
