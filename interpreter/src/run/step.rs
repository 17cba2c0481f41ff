//! A step of a built-in.

use std::path::Path;

use pipe_grammar::{Span, tree::ExprId};
use pipe_stdlib::core::{
    Arguments, Call, Failure, FailureKind, HeldValue, Implementation, Intent, Report, Stream,
    TestResult, Value, write_value,
};

use serde_json::Value as Json;

use super::{Piece, RunHost, host::Begins};
use crate::{
    eval::{Frame, HeldCall, StepCall, Stop},
    event::{EventKind, StepKind},
};

/// A call longer than this is cut where it is shown.
const LONGEST_TEXT: usize = 160;

/// Runs a step of a built-in to its end.
pub(super) async fn run(host: &RunHost, frame: &Frame, call: StepCall<'_>) -> Result<Value, Stop> {
    if frame.cancel.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    // A line of the log is itself what there is to see.
    let quiet = call.builtin.module.is_empty() && call.builtin.name == "log";
    let (path, text) = (frame.call(), shown(&call));
    if let Some(value) = host.done_before(frame, &path, &text, call.result) {
        return Ok(value);
    }
    let kind = if call.builtin.once { StepKind::Once } else { StepKind::Builtin };
    let begins = Begins { kind, path: &path, text: &text, span: call.span };
    let step = (!quiet).then(|| host.start_step(frame, begins));
    if let Err(failure) = host.events.is_whole() {
        let stop = placed(host, frame, &failure, call.span, call.places);
        if let Some(step) = step {
            host.finish_step(frame, step, Err(&stop));
        }
        return Err(stop);
    }
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step };
    let seen = seen(host, frame, &report, &run_folder);
    let seen = Call { connection: call.connection.map(|name| &**name), ..seen };
    let result = match call.builtin.implementation {
        Implementation::Step(body) => body(seen, call.arguments.clone()).await,
        Implementation::Held(body) => {
            let made = body(seen, call.arguments.clone()).await;
            made.map(|held| Value::Held(HeldValue(held)))
        }
        _ => return Err(Stop::evaluation(call.span, "this is no step")),
    };
    let result = result.map_err(|failure| placed(host, frame, &failure, call.span, call.places));
    if let Some(step) = step {
        host.finish_step(frame, step, result.as_ref().map(to_keep));
    }
    result
}

/// What is kept of a value, for a resumed run: not of one that is secret, or held.
fn to_keep(value: &Value) -> Option<Json> {
    (!value.holds_secret() && !matches!(value, Value::Held(_))).then(|| value.to_json())
}

/// Calls a method of a held value.
pub(super) async fn method(
    host: &RunHost,
    frame: &Frame,
    call: HeldCall<'_>,
) -> Result<Value, Stop> {
    if frame.cancel.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    let text = with_arguments(&call.shown, &call.arguments, call.places);
    let path = frame.call();
    let begins = Begins { kind: StepKind::Once, path: &path, text: &text, span: call.span };
    let step = host.start_step(frame, begins);
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step: Some(step) };
    let seen = seen(host, frame, &report, &run_folder);
    let result = call.held.0.call(seen, call.method, call.arguments.clone()).await;
    let result = result.map_err(|failure| placed(host, frame, &failure, call.span, call.places));
    host.finish_step(frame, step, result.as_ref().map(|_| None));
    result
}

/// Undoes a held value; there is a row for it only when it says something.
pub(super) async fn undo(
    host: &RunHost,
    frame: &Frame,
    held: &HeldValue,
    span: Span,
) -> Result<(), Stop> {
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step: frame.step };
    let result = held.0.undo(seen(host, frame, &report, &run_folder)).await;
    result.map_err(|failure| placed(host, frame, &failure, span, &[]))
}

/// What a built-in sees.
pub(super) fn seen<'a>(
    host: &'a RunHost,
    frame: &'a Frame,
    report: &'a StepReport<'a>,
    run_folder: &'a Path,
) -> Call<'a> {
    Call {
        world: host.world_of(frame),
        connections: &host.plan.connections,
        connection: None,
        dir: &frame.dir,
        report,
        cancel: &frame.cancel,
        run: host.plan.facts.run(),
        run_folder,
        stage: report.stage,
        session: frame.session.as_deref(),
    }
}

/// Gives a failure its place.
pub(super) fn placed(
    host: &RunHost,
    frame: &Frame,
    failure: &Failure,
    span: Span,
    places: &[(String, ExprId)],
) -> Stop {
    if failure.kind == FailureKind::Cancelled || frame.cancel.is_cancelled() {
        // What a cancelled built-in could not undo it has said itself.
        return Stop::Cancelled;
    }
    match crate::eval::placed(&host.plan.program, &frame.dir, span, failure, places) {
        Stop::Failed(mut failed) => {
            failed.step = frame.steps.last().cloned();
            Stop::Failed(failed)
        }
        other => other,
    }
}

/// The call with the values of what stands in it.
fn shown(call: &StepCall<'_>) -> String {
    let name = match call.connection {
        Some(connection) => format!("{connection}.{}", call.builtin.name),
        None => call.builtin.full_name(),
    };
    with_arguments(&name, &call.arguments, call.places)
}

fn with_arguments(name: &str, arguments: &Arguments, places: &[(String, ExprId)]) -> String {
    let mut shown: Vec<String> = Vec::new();
    for (number, (name, _)) in places.iter().enumerate() {
        let value = write_value(arguments.value(name));
        shown.push(if number == 0 { value } else { format!("{name}: {value}") });
    }
    let text = format!("{name}({})", shown.join(", "));
    if text.chars().count() <= LONGEST_TEXT {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_TEXT).collect();
    format!("{cut}…")
}

/// Passes on what a built-in says.
pub(super) struct StepReport<'a> {
    pub(super) host: &'a RunHost,
    pub(super) stage: &'a str,
    pub(super) step: Option<usize>,
}

impl Report for StepReport<'_> {
    fn say(&self, text: &str) {
        let events = &self.host.events;
        events.emit(EventKind::Said {
            stage: self.stage.to_owned(),
            step: self.step,
            text: events.mask.text(text).into_owned(),
        });
    }

    fn unstable(&self, message: &str) {
        self.host.mark_unstable(self.stage, message, None);
    }

    fn tests(&self, results: Vec<TestResult>) {
        let events = &self.host.events;
        let masked = |text: String| match events.mask.text(&text) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(text) => text,
        };
        let results = results.into_iter().map(|test| TestResult {
            suite: masked(test.suite),
            class: masked(test.class),
            name: masked(test.name),
            message: masked(test.message),
            text: masked(test.text),
            ..test
        });
        events.emit(EventKind::Tests {
            stage: self.stage.to_owned(),
            step: self.step,
            results: results.collect(),
        });
    }

    fn output(&self, stream: Stream, line: &str) {
        let step = self.step.unwrap_or(0);
        let bytes = line.as_bytes();
        self.host.events.output(Piece { stage: self.stage, step, stream, bytes, complete: true });
    }

    fn intend(&self, intent: Intent) -> Result<(), Failure> {
        self.host.events.intend(EventKind::Intent { stage: self.stage.to_owned(), intent })
    }

    fn intended(&self) -> Vec<Intent> {
        self.host.events.intended()
    }
}
