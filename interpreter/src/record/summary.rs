//! A run in short: what `pipe runs` and `pipe show` tell.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::Ledger;
use crate::event::{EventKind, Outcome};

/// A run in short.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Its id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file.
    pub file: String,
    /// The inputs.
    pub params: Map<String, Json>,
    /// Whether everything went to the local cluster.
    pub local: bool,
    /// When it began, RFC 3339.
    pub started: String,
    /// How it ended; none: it runs, or was interrupted.
    pub outcome: Option<Outcome>,
    /// Its exit status.
    pub status: Option<u8>,
    /// How long it worked, in milliseconds, all parts of it together.
    pub millis: u64,
    /// How often it was resumed.
    pub resumed: usize,
    /// The stages and instances of stages, in the order in which they began.
    pub stages: Vec<StageSummary>,
    /// What failed in its last part, first the cause.
    pub failures: Vec<FailureSummary>,
    /// Questions without an answer.
    pub questions: Vec<Question>,
    /// What it did outside: images pushed, apps deployed.
    pub effects: Vec<pipe_stdlib::core::Intent>,
    /// What of its journal can't be read.
    pub damage: Vec<String>,
}

/// A stage in short.
#[derive(Clone, Debug, Serialize)]
pub struct StageSummary {
    /// Its name.
    pub stage: String,
    /// Its title.
    pub title: Option<String>,
    /// How it ended; none: it runs, or was interrupted.
    pub outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    pub millis: Option<u64>,
    /// The run from which it was taken over.
    pub from: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Its outputs.
    pub outputs: Map<String, Json>,
}

/// A failure in short.
#[derive(Clone, Debug, Serialize)]
pub struct FailureSummary {
    /// The stage.
    pub stage: String,
    /// The code of the message.
    pub code: String,
    /// One line.
    pub message: String,
    /// The whole message.
    #[serde(skip)]
    pub drawn: String,
}

/// A question that waits for an answer.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// The stage.
    pub stage: String,
    /// The question.
    pub question: String,
    /// When an answer comes too late, RFC 3339.
    pub until: Option<String>,
}

impl Summary {
    /// What the events of a journal tell, in short.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let mut summary = Self {
            damage: ledger.damage.iter().map(super::Damage::shown).collect(),
            ..Self::default()
        };
        let mut known = HashMap::new();
        let mut part: Option<(&str, &str)> = None;
        for event in &ledger.events {
            if matches!(event.kind, EventKind::RunStarted { .. } | EventKind::RunResumed { .. }) {
                // What was interrupted has worked until its last record.
                summary.millis += part.map_or(0, |(from, to)| span(from, to));
                part = Some((&event.at, &event.at));
            }
            if let Some((_, last)) = &mut part {
                *last = &event.at;
            }
            if let EventKind::RunFinished { millis, .. } = event.kind {
                summary.millis += millis;
                part = None;
            }
            summary.event(&event.kind, &event.at, &mut known);
        }
        summary.millis += part.map_or(0, |(from, to)| span(from, to));
        summary
    }

    fn event(&mut self, kind: &EventKind, at: &str, known: &mut HashMap<String, usize>) {
        match kind {
            EventKind::RunStarted { run, pipeline, file, params, local, .. } => {
                self.run.clone_from(run);
                self.pipeline.clone_from(pipeline);
                self.file.clone_from(file);
                self.params.clone_from(params);
                self.local = *local;
                at.clone_into(&mut self.started);
            }
            EventKind::RunResumed { .. } => {
                self.resumed += 1;
                self.outcome = None;
                self.status = None;
                self.failures.clear();
            }
            EventKind::StageStarted { stage, title, .. } => {
                let found = self.stage(stage, known);
                found.title.clone_from(title);
                (found.outcome, found.millis, found.reason) = (None, None, None);
            }
            EventKind::StageKept { stage, from, outputs, .. } => {
                let run = self.run.clone();
                let found = self.stage(stage, known);
                found.outcome = Some(Outcome::Success);
                found.outputs.clone_from(outputs);
                found.from = (*from != run).then(|| from.clone());
            }
            EventKind::StageSkipped { stage, reason } => {
                let found = self.stage(stage, known);
                found.outcome = Some(Outcome::Skipped);
                found.reason = Some(reason.clone());
            }
            EventKind::StageFinished { stage, outcome, millis, outputs, .. } => {
                let found = self.stage(stage, known);
                found.outcome = Some(*outcome);
                found.millis = Some(*millis);
                found.outputs.clone_from(outputs);
            }
            EventKind::Failure { stage, code, message, drawn, .. } => {
                let (stage, code) = (stage.clone(), code.clone());
                let (message, drawn) = (message.clone(), drawn.clone());
                self.failures.push(FailureSummary { stage, code, message, drawn });
            }
            EventKind::Asked { stage, question, until } => {
                self.questions.retain(|known| known.stage != *stage);
                let (stage, question) = (stage.clone(), question.clone());
                self.questions.push(Question { stage, question, until: until.clone() });
            }
            EventKind::Answered { stage, .. } => {
                self.questions.retain(|known| known.stage != *stage);
            }
            EventKind::Unstable { stage, .. } => {
                // Of one that was kept; the others say it when they end.
                let found = self.stage(stage, known);
                if found.outcome == Some(Outcome::Success) {
                    found.outcome = Some(Outcome::Unstable);
                }
            }
            EventKind::Intent { intent, .. } => self.effects.push(intent.clone()),
            EventKind::RunFinished { outcome, status, .. } => {
                self.outcome = Some(*outcome);
                self.status = Some(*status);
            }
            EventKind::StepStarted { .. }
            | EventKind::StepFinished { .. }
            | EventKind::FactRead { .. }
            | EventKind::StepKept { .. }
            | EventKind::Said { .. }
            | EventKind::Tests { .. } => {}
        }
    }

    fn stage(&mut self, name: &str, known: &mut HashMap<String, usize>) -> &mut StageSummary {
        let number = *known.entry(name.to_owned()).or_insert_with(|| {
            self.stages.push(StageSummary {
                stage: name.to_owned(),
                title: None,
                outcome: None,
                millis: None,
                from: None,
                reason: None,
                outputs: Map::new(),
            });
            self.stages.len() - 1
        });
        &mut self.stages[number]
    }
}

/// The milliseconds between two times.
fn span(from: &str, to: &str) -> u64 {
    let time = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    match (time(from), time(to)) {
        (Some(from), Some(to)) => u64::try_from(to - from).unwrap_or(0),
        _ => 0,
    }
}
