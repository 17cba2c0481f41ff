//! The host of a run: where the evaluator's effects happen.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipe_grammar::{
    Span,
    tree::{ItemKind, Name},
};
use pipe_stdlib::core::{
    Arguments, Builtin, Failure, HeldValue, Record, Secret, Type, Value, World, literal_value,
    write_value,
};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::{Events, Options, command, journal::log_name, step};
use crate::{
    check::reads_files,
    eval::{CommandDone, CommandRun, Failed, Frame, HeldCall, Host, Later, StepCall, Stop},
    event::{EventKind, Outcome, StepKind},
    plan::Plan,
    record::{Answer, Past, PastStep, restore},
    trace::Trace,
};

/// The longest text of a fact that the journal keeps, in bytes.
const LONGEST_FACT: usize = 64 << 10;

/// A step that begins.
pub(super) struct Begins<'a> {
    /// What it is.
    pub(super) kind: StepKind,
    /// Its place in the stage.
    pub(super) path: &'a str,
    /// What it does.
    pub(super) text: &'a str,
    /// Its place in the file.
    pub(super) span: Span,
}

/// The host of a run.
pub struct RunHost {
    pub(super) plan: Arc<Plan>,
    pub(super) events: Arc<Events>,
    /// The environment of commands: that of `pipe` without what secrets name.
    pub(super) environment: Vec<(String, String)>,
    /// The trace of the run, if it is traced.
    pub(super) trace: Option<Trace>,
    pub(super) options: Options,
    /// What was answered before, by stage.
    pub(super) answers: HashMap<String, Answer>,
    /// What was asked before, and until when.
    pub(super) questions: Vec<(String, String, Option<String>)>,
    /// What was done in the handlers behind the last stage before the run was interrupted.
    pub(super) handled: Option<Arc<HashMap<String, PastStep>>>,
    pub(super) slots: Arc<Semaphore>,
    outputs: Mutex<HashMap<String, Record>>,
    failures: Mutex<Vec<(String, Failed)>>,
    steps: Mutex<HashMap<usize, tokio::time::Instant>>,
    /// The stages that are.
    unstable: Mutex<BTreeSet<String>>,
}

impl RunHost {
    pub(super) fn new(
        plan: Arc<Plan>,
        events: Arc<Events>,
        options: Options,
        past: Option<&Past>,
    ) -> Self {
        let environment = environment(&plan);
        let trace = Trace::of(&plan.world, plan.facts.run());
        let jobs = options.jobs.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            plan,
            events,
            environment,
            trace,
            options,
            answers: past.map(|past| past.answers.clone()).unwrap_or_default(),
            questions: past.map(|past| past.questions.clone()).unwrap_or_default(),
            handled: past
                .and_then(|past| past.stages.get(""))
                .map(|handlers| Arc::new(handlers.steps.clone())),
            slots: Arc::new(Semaphore::new(jobs)),
            outputs: Mutex::default(),
            failures: Mutex::default(),
            steps: Mutex::default(),
            unstable: Mutex::default(),
        }
    }

    /// The name of the stage of a frame; of its first instance `test-1`, which no stage can be
    /// called; empty in the handlers behind the last.
    #[must_use]
    pub fn stage_name(&self, frame: &Frame) -> String {
        let Some(number) = frame.stage else { return String::new() };
        let name = &self.plan.stages[number].name;
        frame
            .instance
            .map_or_else(|| name.to_string(), |instance| format!("{name}-{}", instance + 1))
    }

    /// The machine in the tree of files that a frame works in.
    pub(super) fn world_of<'a>(&'a self, frame: &'a Frame) -> &'a Arc<World> {
        frame.world.as_ref().unwrap_or(&self.plan.world)
    }

    pub(super) fn is_unstable(&self) -> bool {
        !self.unstable.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn is_stage_unstable(&self, stage: &str) -> bool {
        self.unstable.lock().unwrap_or_else(PoisonError::into_inner).contains(stage)
    }

    pub(super) fn mark_unstable(&self, stage: &str, message: &str, path: Option<&str>) {
        self.unstable.lock().unwrap_or_else(PoisonError::into_inner).insert(stage.to_owned());
        let message = self.events.mask.text(message).into_owned();
        let (stage, path) = (stage.to_owned(), path.map(str::to_owned));
        self.events.emit(EventKind::Unstable { stage, path, message });
    }

    pub(super) fn set_outputs(&self, stage: &str, outputs: Record) {
        let mut all = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(stage.to_owned(), outputs);
    }

    pub(super) fn note_failure(&self, stage: &str, failed: &Failed) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((stage.to_owned(), failed.clone()));
    }

    /// A step begins: gives its number.
    pub(super) fn start_step(&self, frame: &Frame, begins: Begins<'_>) -> usize {
        let Begins { kind, path, text, span } = begins;
        let step = self.events.next_step();
        let now = tokio::time::Instant::now();
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).insert(step, now);
        self.events.emit(EventKind::StepStarted {
            stage: self.stage_name(frame),
            step,
            within: frame.step,
            path: path.to_owned(),
            kind,
            text: self.events.mask.text(text).into_owned(),
            line: self.plan.program.line(span),
        });
        step
    }

    /// It ends, with what is kept of its value.
    pub(super) fn finish_step(
        &self,
        frame: &Frame,
        step: usize,
        result: Result<Option<Json>, &Stop>,
    ) {
        let mut value = None;
        let outcome = match result {
            Ok(given) => {
                // What had to be masked is not what it was.
                value = given.filter(|json| !self.events.mask.json(json).1);
                Outcome::Success
            }
            Err(Stop::Return(_) | Stop::Skip(_)) => Outcome::Success,
            Err(Stop::Cancelled) => Outcome::Cancelled,
            Err(_) => Outcome::Failed,
        };
        let started = self.steps.lock().unwrap_or_else(PoisonError::into_inner).remove(&step);
        let millis = started.map_or(0, |at| at.elapsed().as_millis());
        self.events.emit(EventKind::StepFinished {
            stage: self.stage_name(frame),
            step,
            outcome,
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
            value,
        });
    }

    /// What a step gave that was done before the run was interrupted. None: it is to be done.
    pub(super) fn done_before(
        &self,
        frame: &Frame,
        path: &str,
        text: &str,
        ty: &Type,
    ) -> Option<Value> {
        let past = frame.past.as_ref()?.get(path)?;
        if past.text != self.events.mask.text(text) {
            return None;
        }
        let value = match past.outcome {
            Some(Outcome::Success) => restore(past.value.as_ref()?, ty)?,
            None if past.kind.makes_a_difference() && self.options.assume_done => Value::Null,
            _ => return None,
        };
        let stage = self.stage_name(frame);
        self.events.emit(EventKind::StepKept { stage, text: past.text.clone() });
        Some(value)
    }

    fn failure_record(&self, stage: &str, failed: &Failed) -> Value {
        let mask = &self.events.mask;
        let log = self.events.folder().join(log_name(stage));
        Value::record([
            ("stage", stage.into()),
            ("step", failed.step.clone().into()),
            ("message", mask.text(&failed.diagnostic.message).into_owned().into()),
            ("kind", failed.kind_name().into()),
            ("log", Value::Path(log.display().to_string().into())),
        ])
    }
}

/// Whether a fact may be another one a moment later: what reads files, and the time.
fn may_change(plan: &Plan, builtin: &'static Builtin) -> bool {
    let parameters = &plan.program.library.signature(builtin).parameters;
    builtin.module == "time" || parameters.iter().flatten().any(reads_files)
}

fn shown_fact(builtin: &Builtin, arguments: &Arguments) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|(name, value, _)| format!("{name}: {}", write_value(value)))
        .collect();
    format!("{}({})", builtin.full_name(), arguments.join(", "))
}

/// Whether a value is short enough for the journal.
fn is_short(json: &Json) -> bool {
    match json {
        Json::String(text) => text.len() <= LONGEST_FACT,
        Json::Array(_) | Json::Object(_) => json.to_string().len() <= LONGEST_FACT,
        _ => true,
    }
}

/// The environment of `pipe` without the variables that secrets name, and `CI`.
fn environment(plan: &Plan) -> Vec<(String, String)> {
    let file = &plan.program.file;
    let hidden: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Secret(secret) => match &file.expr(secret.value).kind {
                pipe_grammar::tree::ExprKind::Call { arguments, .. } => {
                    literal_value(file, arguments.first()?.value)?.as_str().map(str::to_owned)
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let own = plan.world.environment().iter();
    own.filter(|(name, _)| !hidden.contains(name) && !is_the_shells(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .chain([("CI".to_owned(), "true".to_owned())])
        .collect()
}

/// What changes how a shell reads or what it runs first, and what our own scripts use.
fn is_the_shells(name: &str) -> bool {
    matches!(name, "BASH_ENV" | "ENV" | "SHELLOPTS" | "BASHOPTS" | super::process::MARK)
        || name.starts_with("__pipe_")
        || name.strip_prefix("PIPE_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

impl Host for RunHost {
    fn global(&self, name: &str) -> Result<Value, Stop> {
        let value = self.plan.facts.global(name)?;
        if let Value::Secret(secret) = &value {
            self.events.mask.add(secret);
        }
        Ok(value)
    }

    fn is_set(&self, secret: &str) -> bool {
        self.plan.facts.is_set(secret)
    }

    fn secret_file(&self, secret: &str) -> Value {
        self.plan.facts.secret_file(secret)
    }

    fn special(&self, name: &str, frame: &Frame) -> Option<Value> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match name {
            "failure" => {
                let failed = frame.failure.as_ref()?;
                let stage = failures
                    .iter()
                    .find(|(_, f)| f.diagnostic == failed.diagnostic)
                    .map_or_else(|| self.stage_name(frame), |(stage, _)| stage.clone());
                Some(self.failure_record(&stage, failed))
            }
            "failures" => Some(Value::list(
                failures.iter().map(|(stage, failed)| self.failure_record(stage, failed)),
            )),
            _ => self.plan.facts.special(name, frame),
        }
    }

    fn output(&self, stage: &str, output: &str) -> Result<Value, Stop> {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        // A stage that was skipped or failed has none: who may read it then takes null for it.
        Ok(outputs.get(stage).and_then(|record| record.get(output)).cloned().unwrap_or_default())
    }

    fn fact(
        &self,
        frame: &Frame,
        builtin: &'static Builtin,
        arguments: &Arguments,
    ) -> Result<Value, Failure> {
        if frame.stage.is_none() || !may_change(&self.plan, builtin) {
            return self.plan.facts.fact(frame, builtin, arguments);
        }
        let (path, text) = (frame.call(), shown_fact(builtin, arguments));
        let text = self.events.mask.text(&text).into_owned();
        let ty = &self.plan.program.library.signature(builtin).result;
        let past = frame.past.as_ref().and_then(|past| past.get(&path));
        let known = past.filter(|past| past.text == text).and_then(|past| past.value.as_ref());
        if let Some(value) = known.and_then(|json| restore(json, ty)) {
            return Ok(value);
        }
        let value = self.plan.facts.fact(frame, builtin, arguments)?;
        let json = (!value.holds_secret()).then(|| value.to_json());
        // What is too long to be recorded is read again.
        let json = json.filter(|json| !self.events.mask.json(json).1 && is_short(json));
        if let Some(json) = json {
            let stage = self.stage_name(frame);
            self.events.emit(EventKind::FactRead { stage, path, text, value: Some(json) });
        }
        Ok(value)
    }

    fn step<'a>(&'a self, frame: &'a Frame, call: StepCall<'a>) -> Later<'a, Result<Value, Stop>> {
        Box::pin(step::run(self, frame, call))
    }

    fn command<'a>(
        &'a self,
        frame: &'a Frame,
        run: CommandRun<'a>,
    ) -> Later<'a, Result<CommandDone, Stop>> {
        Box::pin(command::run(self, frame, run))
    }

    fn held_call<'a>(
        &'a self,
        frame: &'a Frame,
        call: HeldCall<'a>,
    ) -> Later<'a, Result<Value, Stop>> {
        Box::pin(step::method(self, frame, call))
    }

    fn undo<'a>(
        &'a self,
        frame: &'a Frame,
        held: &'a HeldValue,
        span: Span,
    ) -> Later<'a, Result<(), Stop>> {
        Box::pin(step::undo(self, frame, held, span))
    }

    fn begin_step(&self, frame: &Frame, title: &str, span: Span) -> Frame {
        let path = frame.call();
        let begins = Begins { kind: StepKind::Group, path: &path, text: title, span };
        let step = self.start_step(frame, begins);
        let mut inner = frame.clone();
        inner.step = Some(step);
        inner.steps.push(title.to_owned());
        inner
    }

    fn end_step(&self, frame: &Frame, result: Result<(), &Stop>) {
        if let Some(step) = frame.step {
            self.finish_step(frame, step, result.map(|()| None));
        }
    }

    fn forgiven(&self, frame: &Frame) -> bool {
        let past = frame.past.as_ref().and_then(|past| past.get(&*frame.path));
        let Some(past) = past.filter(|past| past.outcome == Some(Outcome::Unstable)) else {
            return false;
        };
        self.mark_unstable(&self.stage_name(frame), &past.text, Some(&frame.path));
        true
    }

    fn unstable(&self, frame: &Frame, failed: &Failed) {
        let path = Some(&*frame.path);
        self.mark_unstable(&self.stage_name(frame), &failed.diagnostic.message, path);
    }

    fn say(&self, frame: &Frame, text: &str) {
        self.events.emit(EventKind::Said {
            stage: self.stage_name(frame),
            step: frame.step,
            text: self.events.mask.text(text).into_owned(),
        });
    }

    fn born(&self, name: &Name, secret: &Secret) -> Result<(), Stop> {
        self.plan.facts.born(name, secret)?;
        self.events.mask.add(secret);
        Ok(())
    }

    fn path(&self, frame: &Frame, written: &str) -> Result<PathBuf, Failure> {
        self.world_of(frame).path(&frame.dir, written)
    }

    fn world(&self) -> &World {
        &self.plan.world
    }

    fn slots(&self) -> &Arc<Semaphore> {
        &self.slots
    }

    fn fail_fast(&self) -> bool {
        self.options.fail_fast
    }

    fn cancel_grace(&self) -> Duration {
        self.options.cancel_grace
    }
}
