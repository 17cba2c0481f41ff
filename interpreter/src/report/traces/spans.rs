//! The spans of a run, with the names of OpenTelemetry's conventions for CI/CD:
//! <https://opentelemetry.io/docs/specs/semconv/cicd/>.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::{
    event::{Event, EventKind, Outcome, StepKind},
    exit,
    record::Ledger,
    trace::Trace,
};

/// A name is cut behind so many characters.
const LONGEST_NAME: usize = 120;

/// A span.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) name: String,
    /// Nanoseconds since 1970.
    pub(super) start: i128,
    pub(super) end: i128,
    pub(super) attributes: Vec<(&'static str, Json)>,
    /// Why it failed, if it did.
    pub(super) error: Option<String>,
    /// Failures: when, code, message.
    pub(super) failures: Vec<(i128, String, String)>,
}

/// The spans of the last part of a run: what went before was sent then. The first is that of the run.
pub(super) fn of(ledger: &Ledger, trace: &Trace) -> Vec<Span> {
    let begins = |event: &Event| {
        matches!(event.kind, EventKind::RunStarted { .. } | EventKind::RunResumed { .. })
    };
    let Some(first) = ledger.events.iter().rposition(begins) else { return Vec::new() };
    let mut part = Part { trace, spans: Vec::new(), stages: HashMap::new(), steps: HashMap::new() };
    let file = ledger.events.iter().find_map(|event| match &event.kind {
        EventKind::RunStarted { file, .. } => Some(file.as_str()),
        _ => None,
    });
    let mut last = 0;
    for event in &ledger.events[first..] {
        last = nanos(&event.at).unwrap_or(last);
        part.event(event, last, file.unwrap_or(""));
    }
    for span in &mut part.spans {
        // What never ended was under way until the last that is known.
        if span.end < span.start {
            span.end = last;
        }
    }
    part.spans
}

fn nanos(at: &str) -> Option<i128> {
    at.parse().ok().map(Timestamp::as_nanosecond)
}

struct Part<'a> {
    trace: &'a Trace,
    spans: Vec<Span>,
    stages: HashMap<String, usize>,
    steps: HashMap<usize, usize>,
}

impl Part<'_> {
    fn event(&mut self, event: &Event, at: i128, file: &str) {
        match &event.kind {
            EventKind::RunStarted { run, pipeline, version: _, .. }
            | EventKind::RunResumed { run, pipeline, version: _, .. } => {
                let id = self.trace.span(&format!("run/{}", event.n));
                let attributes = vec![
                    ("cicd.pipeline.name", json!(pipeline)),
                    ("cicd.pipeline.run.id", json!(run)),
                    ("cicd.pipeline.action.name", json!("RUN")),
                ];
                let parent = self.trace.parent.clone();
                self.start(id, parent, &format!("RUN {pipeline}"), at, attributes);
            }
            EventKind::StageStarted { stage, title, .. } => {
                let number = self.stage(stage, event.n, at);
                if let Some(title) = title {
                    self.spans[number].attributes.push(("pipe.stage.title", json!(title)));
                }
            }
            EventKind::StageFinished { stage, outcome, .. } => {
                let result = ("cicd.pipeline.task.run.result", json!(result(*outcome)));
                if let Some(number) = self.stages.remove(stage) {
                    let span = &mut self.spans[number];
                    span.end = at;
                    span.attributes.push(result);
                    if *outcome == Outcome::Failed && span.error.is_none() {
                        span.error = Some(String::new());
                    }
                }
            }
            EventKind::StepStarted { stage, step, within, kind, text, line, .. } => {
                let parent = match within.and_then(|outer| self.steps.get(&outer)) {
                    Some(outer) => *outer,
                    None => self.stage(stage, event.n, at),
                };
                let parent = self.spans.get(parent).map(|span| span.id.clone());
                let attributes = vec![
                    ("pipe.step.kind", json!(kind_name(*kind))),
                    ("code.file.path", json!(file)),
                    ("code.line.number", json!(line)),
                ];
                let number =
                    self.start(self.trace.step(*step), parent, &name(text), at, attributes);
                if matches!(kind, StepKind::Command | StepKind::Capture) {
                    self.spans[number].attributes.push(("pipe.command", json!(text)));
                }
                self.steps.insert(*step, number);
            }
            EventKind::StepFinished { step, outcome, .. } => {
                if let Some(number) = self.steps.remove(step) {
                    let span = &mut self.spans[number];
                    span.end = at;
                    span.attributes.push(("pipe.step.result", json!(result(*outcome))));
                    if *outcome == Outcome::Failed {
                        span.error = Some(String::new());
                    }
                }
            }
            EventKind::Failure { stage, code, message, .. } => {
                let number = self.stages.get(stage).copied().unwrap_or(0);
                if let Some(span) = self.spans.get_mut(number) {
                    span.error.get_or_insert_with(|| message.clone());
                    span.failures.push((at, code.clone(), message.clone()));
                }
            }
            EventKind::RunFinished { outcome, status, .. } => {
                // The handlers behind the last stage end with the run.
                if let Some(number) = self.stages.remove("") {
                    self.spans[number].end = at;
                }
                let Some(span) = self.spans.first_mut() else { return };
                span.end = at;
                let result = match *status {
                    exit::TIMED_OUT => "timeout",
                    exit::INFRASTRUCTURE => "error",
                    _ => result(*outcome),
                };
                span.attributes.push(("cicd.pipeline.result", json!(result)));
                span.attributes.push(("process.exit.code", json!(status)));
                if *outcome == Outcome::Failed && span.error.is_none() {
                    span.error = Some(String::new());
                }
            }
            _ => {}
        }
    }

    /// The span of a stage, begun now if it is new: the handlers behind the last have no beginning.
    fn stage(&mut self, stage: &str, n: u64, at: i128) -> usize {
        if let Some(number) = self.stages.get(stage) {
            return *number;
        }
        let name = if stage.is_empty() { "handlers" } else { stage };
        let id = self.trace.span(&format!("stage/{n}"));
        let run = self.spans.first().map(|span| span.id.clone());
        let attributes = vec![
            ("cicd.pipeline.task.name", json!(name)),
            ("cicd.pipeline.task.run.id", json!(id)),
        ];
        let number = self.start(id, run, name, at, attributes);
        self.stages.insert(stage.to_owned(), number);
        number
    }

    fn start(
        &mut self,
        id: String,
        parent: Option<String>,
        name: &str,
        start: i128,
        attributes: Vec<(&'static str, Json)>,
    ) -> usize {
        let (name, end) = (name.to_owned(), start - 1);
        let (error, failures) = (None, Vec::new());
        self.spans.push(Span { id, parent, name, start, end, attributes, error, failures });
        self.spans.len() - 1
    }
}

/// A name for what a step does: its first line.
fn name(text: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim();
    line.strip_prefix("$ ").unwrap_or(line).chars().take(LONGEST_NAME).collect()
}

fn kind_name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Group => "step",
        StepKind::Command | StepKind::Capture => "command",
        StepKind::Builtin | StepKind::Once => "builtin",
        StepKind::Place => "place",
    }
}

/// How something ended, by the names of the conventions.
fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Failed => "failure",
        Outcome::Cancelled => "cancellation",
        Outcome::Skipped => "skip",
        // Of our own: the conventions have none for it.
        Outcome::Unstable => "unstable",
        Outcome::Waiting => "waiting",
    }
}
