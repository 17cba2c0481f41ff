//! What is known of a run by its journal: which stages succeeded, which steps were done.

use std::collections::{BTreeMap, HashMap};

use pipe_stdlib::core::Intent;
use serde_json::{Map, Value as Json};

use super::Ledger;
use crate::event::{Event, EventKind, Outcome, StepKind};

/// What an earlier run, or the earlier part of this one, has left.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Its id.
    pub run: String,
    /// The file, as the person named it.
    pub file: String,
    /// The inputs.
    pub params: Map<String, Json>,
    /// Whether everything went to the local cluster.
    pub local: bool,
    /// The stages that were picked; none: all.
    pub picked: Option<Vec<String>>,
    /// What might be missing.
    pub may_lack: Vec<String>,
    /// When it began, RFC 3339.
    pub started: String,
    /// The state of the files that git tracks, as last seen.
    pub files: Option<String>,
    /// The stages, and instances of stages, by name.
    pub stages: BTreeMap<String, PastStage>,
    /// Answers to questions, by stage; the last one counts.
    pub answers: HashMap<String, Answer>,
    /// Questions without an answer: the stage, the question, and until when.
    pub questions: Vec<(String, String, Option<String>)>,
    /// What was intended, in order.
    pub intents: Vec<Intent>,
    /// The number of the last step.
    pub steps: usize,
    /// How it ended, with its status; none: it runs, or was interrupted.
    pub ended: Option<(Outcome, u8)>,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the stage may run.
    pub yes: bool,
    /// Who says so.
    pub by: String,
    /// Why.
    pub why: Option<String>,
}

/// What is known of a stage.
#[derive(Clone, Debug, Default)]
pub struct PastStage {
    /// The sum of its definition and inputs.
    pub key: Option<String>,
    /// How it ended; none: it was interrupted.
    pub outcome: Option<Outcome>,
    /// Its outputs.
    pub outputs: Map<String, Json>,
    /// Its steps by their place, of its last start.
    pub steps: HashMap<String, PastStep>,
    /// What failed in it that may, or was not as it should be.
    pub unstable: Vec<String>,
    /// It failed itself.
    pub failed: bool,
    /// The run in which it succeeded, when that was another one.
    pub from: Option<String>,
}

/// What is known of a step.
#[derive(Clone, Debug, Default)]
pub struct PastStep {
    /// What it is.
    pub kind: StepKind,
    /// What it does.
    pub text: String,
    /// Its line in the file.
    pub line: usize,
    /// How it ended; none: it was interrupted.
    pub outcome: Option<Outcome>,
    /// What it gave.
    pub value: Option<Json>,
}

impl PastStage {
    /// Whether it came to its end, though something in it may have failed that may.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self.outcome {
            Some(Outcome::Success) => true,
            Some(Outcome::Unstable) => !self.failed,
            _ => false,
        }
    }
}

impl Past {
    /// What the events of a journal tell.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let mut past = Self::default();
        let mut numbers: HashMap<usize, (String, String)> = HashMap::new();
        for event in &ledger.events {
            past.event(event, &mut numbers);
        }
        past
    }

    fn event(&mut self, event: &Event, numbers: &mut HashMap<usize, (String, String)>) {
        match &event.kind {
            EventKind::RunStarted { run, file, params, files, local, picked, may_lack, .. } => {
                self.run.clone_from(run);
                self.file.clone_from(file);
                self.params.clone_from(params);
                self.files.clone_from(files);
                self.local = *local;
                self.picked.clone_from(picked);
                self.may_lack.clone_from(may_lack);
                self.started.clone_from(&event.at);
            }
            EventKind::RunResumed { files, .. } => {
                self.files.clone_from(files);
                self.ended = None;
            }
            EventKind::StageStarted { stage, key, .. } => {
                let stage = self.stages.entry(stage.clone()).or_default();
                // What was done before an interruption counts on, what failed begins anew.
                let goes_on = stage.outcome.is_none() && stage.key == *key;
                let steps = if goes_on { std::mem::take(&mut stage.steps) } else { HashMap::new() };
                *stage = PastStage { key: key.clone(), steps, ..PastStage::default() };
            }
            EventKind::StageKept { stage, from, key, outputs } => {
                let stage = self.stages.entry(stage.clone()).or_default();
                stage.from = Some(from.clone());
                stage.key.clone_from(key);
                stage.outputs.clone_from(outputs);
                stage.outcome = Some(Outcome::Success);
            }
            EventKind::StageSkipped { stage, .. } => {
                self.stages.entry(stage.clone()).or_default().outcome = Some(Outcome::Skipped);
            }
            EventKind::StageFinished { stage, outcome, outputs, hidden, .. } => {
                let stage = self.stages.entry(stage.clone()).or_default();
                stage.outcome = Some(*outcome);
                let whole = outputs.iter().filter(|(name, _)| !hidden.contains(name));
                stage.outputs = whole.map(|(name, value)| (name.clone(), value.clone())).collect();
            }
            EventKind::StepStarted { stage, step, path, kind, text, line, .. } => {
                self.steps = self.steps.max(*step);
                numbers.insert(*step, (stage.clone(), path.clone()));
                let known = &mut self.stages.entry(stage.clone()).or_default().steps;
                let started = PastStep {
                    kind: *kind,
                    text: text.clone(),
                    line: *line,
                    ..PastStep::default()
                };
                known.insert(path.clone(), started);
            }
            EventKind::StepFinished { step, outcome, value, .. } => {
                if let Some((stage, path)) = numbers.remove(step)
                    && let Some(stage) = self.stages.get_mut(&stage)
                    && let Some(step) = stage.steps.get_mut(&path)
                {
                    step.outcome = Some(*outcome);
                    step.value.clone_from(value);
                }
            }
            EventKind::FactRead { stage, path, text, value } => {
                let known = &mut self.stages.entry(stage.clone()).or_default().steps;
                let read = PastStep {
                    kind: StepKind::Builtin,
                    text: text.clone(),
                    outcome: Some(Outcome::Success),
                    value: value.clone(),
                    ..PastStep::default()
                };
                known.insert(path.clone(), read);
            }
            EventKind::Asked { stage, question, until } => {
                self.questions.retain(|(asked, ..)| asked != stage);
                self.questions.push((stage.clone(), question.clone(), until.clone()));
            }
            EventKind::Answered { stage, yes, by, why } => {
                self.questions.retain(|(asked, ..)| asked != stage);
                let answer = Answer { yes: *yes, by: by.clone(), why: why.clone() };
                self.answers.insert(stage.clone(), answer);
            }
            EventKind::Intent { intent, .. } => self.intents.push(intent.clone()),
            EventKind::RunFinished { outcome, status, files, .. } => {
                self.ended = Some((*outcome, *status));
                // The handlers of another end begin anew.
                self.stages.remove("");
                self.files.clone_from(files);
            }
            EventKind::Unstable { stage, path: None, message } => {
                self.stages.entry(stage.clone()).or_default().unstable.push(message.clone());
            }
            EventKind::Unstable { stage, path: Some(path), message } => {
                let part = PastStep {
                    kind: StepKind::Group,
                    text: message.clone(),
                    outcome: Some(Outcome::Unstable),
                    ..PastStep::default()
                };
                let stage = self.stages.entry(stage.clone()).or_default();
                stage.unstable.push(message.clone());
                stage.steps.insert(path.clone(), part);
            }
            EventKind::Failure { stage, .. } => {
                self.stages.entry(stage.clone()).or_default().failed = true;
            }
            EventKind::StepKept { .. } | EventKind::Said { .. } | EventKind::Tests { .. } => {}
        }
    }

    /// The steps of which nobody can know whether they took effect: they were under way when the
    /// run was interrupted, and doing them again makes a difference.
    #[must_use]
    pub fn unknown(&self) -> Vec<(&str, &PastStep)> {
        let mut found: Vec<(&str, &PastStep)> = self
            .stages
            .iter()
            .filter(|(_, stage)| stage.outcome.is_none())
            .flat_map(|(name, stage)| stage.steps.values().map(move |step| (&**name, step)))
            .filter(|(_, step)| step.outcome.is_none() && step.kind.makes_a_difference())
            .collect();
        found.sort_by_key(|(stage, step)| (*stage, step.line));
        found
    }

    /// Whether there is something left to do that `pipe resume` could do.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.ended, Some((Outcome::Success | Outcome::Unstable, _)))
    }
}
