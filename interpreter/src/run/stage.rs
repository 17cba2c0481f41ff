//! A stage: its clauses around its body.

use std::{path::PathBuf, time::Duration};

use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{Clause, ClauseKind, ExprId, ItemKind, Stage},
};
use pipe_stdlib::core::{FailureKind, Record, Value, convert, describe};
use tokio_util::sync::CancellationToken;

use serde_json::{Map, Value as Json};

use super::{
    Begin, Ended, Lock, Locked, RunHost,
    approve::{self, Approval},
    instances, session, step,
    tree::Tree,
};
use crate::{
    eval::{Eval, Failed, Frame, Later, Slot, Stop},
    event::{EventKind, Outcome},
    plan::{self, Plan},
    report::draw::{self, Look},
};

/// Runs a stage that is not skipped by the plan.
pub(super) async fn run(
    plan: &Plan,
    host: &RunHost,
    number: usize,
    begin: &Begin,
    cancel: CancellationToken,
) -> Ended {
    let Some(stage) = plan.program.file.stages().nth(number) else { return Ended::Skipped };
    let name = stage.name.text.to_string();
    let frame = Frame {
        stage: Some(number),
        ..Frame::new(plan.world.root().to_path_buf(), cancel).inner()
    };
    let eval = Eval { program: &plan.program, host, frame: &frame };
    match when(eval, stage).await {
        Ok(None) => {}
        Ok(Some(reason)) => {
            host.events.emit(EventKind::StageSkipped { stage: name, reason });
            return Ended::Skipped;
        }
        Err(stop) => return not_begun(host, &name, stop),
    }
    match approve::ask(plan, host, eval, stage).await {
        Ok(Approval::Given) => {}
        Ok(Approval::Refused(reason)) => {
            host.events.emit(EventKind::StageSkipped { stage: name, reason });
            return Ended::Skipped;
        }
        Ok(Approval::Waits) => return Ended::Waiting,
        Err(stop) => return not_begun(host, &name, stop),
    }
    if let Some(why) = &begin.why {
        host.events.emit(EventKind::Said {
            stage: name.clone(),
            step: None,
            text: format!("{name} runs again: {why}"),
        });
        for message in &begin.unstable {
            host.mark_unstable(&name, message, None);
        }
    }
    let frame = Frame { past: begin.steps.clone(), ..frame.clone() };
    let eval = eval.at(&frame);
    let key = plan::key(&plan.facts, number);
    let clauses = Clauses { plan, host, stage };
    if clauses.has_instances() {
        return instances::run(clauses, eval, begin, key.as_deref()).await;
    }
    let slot = Slot::take(&host.slots, &frame).await.unwrap_or_default();
    let frame = Frame { slot, ..frame.clone() };
    let (ended, outputs) = one(clauses, eval.at(&frame), key).await;
    if matches!(ended, Ended::Success) {
        host.set_outputs(&name, outputs);
    }
    ended
}

/// Runs a stage, or an instance of one, and gives its outputs.
pub(super) async fn one(
    clauses: Clauses<'_>,
    eval: Eval<'_>,
    key: Option<String>,
) -> (Ended, Record) {
    let host = clauses.host;
    let name = host.stage_name(eval.frame);
    let title = match clauses.stage.title {
        Some(title) => match eval.value(title).await {
            Ok(title) => title.as_str().map(|title| host.events.mask.text(title).into_owned()),
            Err(_) => None,
        },
        None => None,
    };
    start(host, &name, title, key);
    let started = tokio::time::Instant::now();
    let result = clauses.around(eval).await;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let may_fail = match &result {
        Err(Stop::Failed(_)) => clauses.may_fail(eval).await,
        _ => false,
    };
    let (result, outputs) = match result {
        Ok(outputs) => (Ok(()), outputs),
        Err(stop) => (Err(stop), Record::new()),
    };
    (finish(host, &name, result, &outputs, millis, may_fail), outputs)
}

/// A stage whose clauses could not be evaluated.
pub(super) fn not_begun(host: &RunHost, name: &str, stop: Stop) -> Ended {
    start(host, name, None, None);
    finish(host, name, Err(stop), &Record::new(), 0, false)
}

fn start(host: &RunHost, name: &str, title: Option<String>, key: Option<String>) {
    host.events.emit(EventKind::StageStarted { stage: name.to_owned(), title, key });
}

/// Decides `when` where the plan could not. A reason: it is skipped.
async fn when(eval: Eval<'_>, stage: &Stage) -> Result<Option<String>, Stop> {
    for clause in &stage.clauses {
        if let ClauseKind::When(condition) = clause.kind
            && !eval.holds(condition).await?
        {
            let text = eval.program.slice(eval.program.file.span(condition));
            let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            return Ok(Some(format!("`{text}` does not hold")));
        }
    }
    Ok(None)
}

fn finish(
    host: &RunHost,
    name: &str,
    result: Result<(), Stop>,
    outputs: &Record,
    millis: u64,
    may_fail: bool,
) -> Ended {
    let (ended, outcome) = match result {
        Ok(()) | Err(Stop::Return(_)) => {
            let unstable = host.is_stage_unstable(name);
            (Ended::Success, if unstable { Outcome::Unstable } else { Outcome::Success })
        }
        Err(Stop::Skip(reason)) => {
            let stage = name.to_owned();
            host.events.emit(EventKind::Said {
                stage,
                step: None,
                text: host.events.mask.text(&format!("skipped: {reason}")).into_owned(),
            });
            (Ended::Skipped, Outcome::Skipped)
        }
        Err(Stop::Cancelled) => (Ended::Cancelled, Outcome::Cancelled),
        Err(Stop::Later(by)) => {
            // The checker lets nothing through that is known later than now.
            let what = format!("a value is not known: it waits for {by}");
            let failed = Failed::new(Diagnostic::error(Code::INTERNAL, Span::default(), what));
            tell(host, name, &failed);
            (Ended::Failed(Box::new(failed), false), Outcome::Failed)
        }
        Err(Stop::Failed(failed)) => {
            if may_fail {
                host.mark_unstable(name, &failed.diagnostic.message, None);
            } else {
                host.note_failure(name, &failed);
            }
            tell(host, name, &failed);
            let outcome = if may_fail { Outcome::Unstable } else { Outcome::Failed };
            (Ended::Failed(failed, may_fail), outcome)
        }
    };
    let (shown, hidden) = shown(host, outputs);
    host.events.emit(EventKind::StageFinished {
        stage: name.to_owned(),
        outcome,
        millis,
        outputs: shown,
        hidden,
    });
    ended
}

/// Outputs as the journal has them, and the names of those in which a secret was hidden.
pub(super) fn shown(host: &RunHost, outputs: &Record) -> (Map<String, Json>, Vec<String>) {
    let mut hidden = Vec::new();
    let shown = outputs.iter().map(|(name, value)| {
        let (json, masked) = host.events.mask.json(&value.to_json());
        if masked {
            hidden.push(name.to_string());
        }
        (name.to_string(), json)
    });
    (shown.collect(), hidden)
}

/// Tells of a failure.
pub(super) fn tell(host: &RunHost, stage: &str, failed: &Failed) {
    let drawn =
        host.plan.program.sources(|sources| draw::one(&failed.diagnostic, sources, Look::PLAIN));
    let mask = &host.events.mask;
    host.events.emit(EventKind::Failure {
        stage: stage.to_owned(),
        step: failed.step.as_ref().map(|step| mask.text(step).into_owned()),
        code: failed.diagnostic.code.to_string(),
        kind: failed.kind_name().to_owned(),
        message: mask.text(&failed.diagnostic.message).into_owned(),
        drawn: mask.text(&drawn).into_owned(),
    });
}

/// A stage with what its clauses, and the pipeline's, say.
#[derive(Clone, Copy)]
pub(super) struct Clauses<'a> {
    pub(super) plan: &'a Plan,
    pub(super) host: &'a RunHost,
    pub(super) stage: &'a Stage,
}

impl<'a> Clauses<'a> {
    /// Whether it has a `for`.
    pub(super) fn has_instances(self) -> bool {
        self.stage.clauses.iter().any(|c| matches!(c.kind, ClauseKind::For { .. }))
    }

    /// The clause of a kind: the stage's own, else the pipeline's.
    pub(super) fn find<T>(self, pick: impl Fn(&'a Clause) -> Option<T>) -> Option<T> {
        let own = self.stage.clauses.iter().find_map(&pick);
        own.or_else(|| {
            self.plan.program.file.items.iter().find_map(|item| match &item.kind {
                // The pipeline's time-out is that of the whole run.
                ItemKind::Pipeline(pipeline) => pipeline
                    .clauses
                    .iter()
                    .filter(|clause| !matches!(clause.kind, ClauseKind::Timeout(_)))
                    .find_map(&pick),
                _ => None,
            })
        })
    }

    /// All clauses, the pipeline's first: the stage's own `env` adds to it.
    fn all(self) -> Vec<&'a Clause> {
        let mut clauses = Vec::new();
        for item in &self.plan.program.file.items {
            if let ItemKind::Pipeline(pipeline) = &item.kind {
                clauses.extend(&pipeline.clauses);
            }
        }
        clauses.extend(&self.stage.clauses);
        clauses
    }

    async fn may_fail(self, eval: Eval<'_>) -> bool {
        let clause = self.find(|clause| match clause.kind {
            ClauseKind::MayFail(condition) => Some(condition),
            _ => None,
        });
        match clause {
            None => false,
            Some(None) => true,
            Some(Some(condition)) => eval.holds(condition).await.unwrap_or(false),
        }
    }

    /// Lock, then time-out, then retries, then folder and environment, then the body.
    async fn around(self, eval: Eval<'_>) -> Result<Record, Stop> {
        let lock = self.find(|clause| match clause.kind {
            ClauseKind::Lock(name) => Some(name),
            _ => None,
        });
        let _lock = match lock {
            Some(name) => Some(self.lock(eval, name).await?),
            None => None,
        };
        let time = self.find(|clause| match clause.kind {
            ClauseKind::Timeout(time) => Some((time, clause.span)),
            _ => None,
        });
        let outputs = std::sync::Mutex::new(Record::new());
        match time {
            Some((time, span)) => {
                let limit = eval.duration(time).await?;
                let (frame, reached) = eval.limited(limit, span);
                let work = self.tries(eval.at(&frame), &outputs);
                eval.timeout(limit, &frame, &reached, work).await?;
            }
            None => self.tries(eval, &outputs).await?,
        }
        Ok(outputs.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    async fn tries(self, eval: Eval<'_>, outputs: &std::sync::Mutex<Record>) -> Result<(), Stop> {
        let retry = self.find(|clause| match clause.kind {
            ClauseKind::Retry(retry) => Some(retry),
            _ => None,
        });
        match retry {
            Some(retry) => {
                eval.retry(retry, move |number| -> Later<'_, _> {
                    Box::pin(async move {
                        let frame = eval.frame.at(format_args!("~{number}"));
                        self.body(eval.at(&frame), outputs).await
                    })
                })
                .await
            }
            None => self.body(eval, outputs).await,
        }
    }

    async fn body(self, eval: Eval<'_>, outputs: &std::sync::Mutex<Record>) -> Result<(), Stop> {
        let mut frame = eval.frame.inner();
        let tree = self.tree(eval).await?;
        if let Some(tree) = &tree {
            frame.dir = tree.world.root().to_path_buf();
            frame.world = Some(tree.world.clone());
        }
        let here = frame.clone();
        let eval = eval.at(&here);
        for clause in self.all() {
            match clause.kind {
                ClauseKind::Env(record) => {
                    let more = eval.environment(record).await?;
                    frame = frame.with_env(more);
                }
                ClauseKind::Cd(dir) => frame.dir = self.folder(eval, dir).await?,
                _ => {}
            }
        }
        let using = self.find(|clause| match clause.kind {
            ClauseKind::Using(runner) => Some(runner),
            _ => None,
        });
        let runner = match using {
            Some(id) => eval.at(&frame).runner(id).await?.map(|runner| (id, runner)),
            None => None,
        };
        let result = match runner {
            Some((id, runner)) => {
                let span = eval.program.file.span(id);
                let (runner, connection) = runner;
                let connection = connection.as_deref();
                let session = session::start(self.host, &frame, &*runner, connection, span).await?;
                frame.session = Some(session.clone());
                let result = eval.at(&frame).statements(&self.stage.body.statements).await;
                session::end(self.host, &frame, &*session, span, result).await
            }
            None => eval.at(&frame).statements(&self.stage.body.statements).await,
        };
        match result {
            Ok(()) | Err(Stop::Return(_)) => {}
            other => return other,
        }
        let mut found = Record::new();
        for (name, ty) in &self.plan.program.checked.stages[frame.stage.unwrap_or(0)].outputs {
            let value = frame.scope.get(name).unwrap_or_default();
            let value = convert(value.clone(), ty).unwrap_or(value);
            found.insert(name.clone(), value);
        }
        *outputs.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = found;
        Ok(())
    }

    /// The tree of its own, where it has one.
    async fn tree(self, eval: Eval<'_>) -> Result<Option<Tree>, Stop> {
        let clause = self.find(|clause| match clause.kind {
            ClauseKind::Workspace(kind) => Some((kind, clause.span)),
            _ => None,
        });
        let Some((kind, span)) = clause else { return Ok(None) };
        let name = self.host.stage_name(eval.frame);
        let folder = self.host.events.folder().join("work").join(name);
        let made = Tree::make(&self.plan.world, folder, kind, &eval.frame.cancel).await;
        made.map(Some).map_err(|failure| step::placed(self.host, eval.frame, &failure, span, &[]))
    }

    async fn folder(self, eval: Eval<'_>, dir: ExprId) -> Result<PathBuf, Stop> {
        let folder = eval.folder(dir).await?;
        if folder.is_dir() {
            return Ok(folder);
        }
        let span = eval.program.file.span(dir);
        let what = format!("the folder `{}` does not exist", self.plan.world.display(&folder));
        Err(Stop::failed(Diagnostic::error(Code::MISSING_FILE, span, what)))
    }

    /// Waits until no other run on this machine holds the lock.
    async fn lock(self, eval: Eval<'_>, name: ExprId) -> Result<Lock, Stop> {
        let value = eval.value(name).await?;
        let text = match &value {
            Value::String(text) => text.to_string(),
            other => describe(other),
        };
        let file: String = text
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("_{b:02x}")
                }
            })
            .collect();
        let path = self.plan.world.state().join("locks").join(file);
        let note = format!("run {} in {}", self.plan.facts.run(), self.plan.world.root().display());
        let mut told = false;
        loop {
            match Lock::take(&path, &note) {
                Ok(Locked::Yes(lock)) => return Ok(lock),
                Ok(Locked::By(other)) => {
                    if !told {
                        told = true;
                        eval.host.say(
                            eval.frame,
                            &format!("waits for the lock \"{text}\", held by {other}"),
                        );
                    }
                }
                Err(error) => {
                    let span = eval.program.file.span(name);
                    let why = super::plain(&error);
                    let what = format!("the lock `{}` can't be taken: {why}", path.display());
                    let mut failed = Failed::new(Diagnostic::error(Code::INTERNAL, span, what));
                    failed.kind = FailureKind::Infrastructure;
                    return Err(Stop::Failed(Box::new(failed)));
                }
            }
            tokio::select! {
                () = eval.frame.cancel.cancelled() => return Err(Stop::Cancelled),
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
    }
}
