//! A run with its steps, as the reports of it need them.

use std::collections::HashMap;

use jiff::Timestamp;
use pipe_stdlib::core::TestResult;
use serde_json::Value as Json;

use crate::{
    event::{EventKind, Outcome, StepKind},
    record::{Ledger, Summary},
};

/// A run with its steps.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The run in short.
    pub summary: Summary,
    /// Its stages in the order in which they began; the handlers behind the last have no name.
    pub stages: Vec<StageTrail>,
    /// The stages that the file has, in order.
    pub declared: Vec<String>,
    /// Those of them that were picked; none: all.
    pub picked: Option<Vec<String>>,
    /// Who answered what: the stage, and the answer in words.
    pub answers: Vec<(String, String)>,
    /// How long it worked, in milliseconds: the end of the scale of all times here, which leaves out
    /// the time between an interruption and its resumption.
    pub end: u64,
}

/// A stage, or an instance of one.
#[derive(Clone, Debug, Default)]
pub struct StageTrail {
    /// Its name; empty of the handlers behind the last.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// When it began, RFC 3339; none: it did not run.
    pub at: Option<String>,
    /// When it began, in milliseconds of the run's work.
    pub start: u64,
    /// How long it took, in milliseconds.
    pub millis: Option<u64>,
    /// How it ended; none: it was interrupted, or runs.
    pub outcome: Option<Outcome>,
    /// Why it was skipped, or where it was taken from.
    pub note: Option<String>,
    /// Its steps in the order in which they began.
    pub steps: Vec<StepTrail>,
    /// What it said outside steps.
    pub said: Vec<String>,
    /// What failed, first the cause.
    pub failures: Vec<FailureTrail>,
    /// What failed that may.
    pub unstable: Vec<String>,
    /// The results of tests that were collected in it.
    pub tests: Vec<TestResult>,
    /// Its outputs.
    pub outputs: serde_json::Map<String, Json>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct StepTrail {
    /// Its number in the run.
    pub number: usize,
    /// The number of the step around it.
    pub within: Option<usize>,
    /// Its place in the stage.
    pub path: String,
    /// What it is.
    pub kind: StepKind,
    /// What it does.
    pub text: String,
    /// Its line in the file.
    pub line: usize,
    /// When it began, in milliseconds of the run's work.
    pub start: u64,
    /// How long it took, in milliseconds.
    pub millis: Option<u64>,
    /// How it ended; none: it was interrupted, or runs.
    pub outcome: Option<Outcome>,
    /// What it said.
    pub said: Vec<String>,
    /// What it gave.
    pub value: Option<Json>,
}

/// A failure.
#[derive(Clone, Debug)]
pub struct FailureTrail {
    /// The title of the step around it.
    pub step: Option<String>,
    /// The stable name of the kind of failure.
    pub code: String,
    /// `command`, `step`, `timeout`, `infrastructure`.
    pub kind: String,
    /// One line.
    pub message: String,
    /// The whole message.
    pub drawn: String,
}

/// Counts the milliseconds in which a run worked.
#[derive(Default)]
struct Work {
    began: Option<i64>,
    last: i64,
}

impl Work {
    /// The time of an event; `resumed` says that the run did nothing before it.
    fn at(&mut self, at: &str, resumed: bool) -> u64 {
        let now = at.parse().map_or(self.last, Timestamp::as_millisecond);
        let began = self.began.get_or_insert(now);
        if resumed {
            *began += now - self.last;
        }
        self.last = now;
        u64::try_from(now - *began).unwrap_or(0)
    }
}

impl Trail {
    /// What the events of a journal tell.
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let mut trail = Self { summary: Summary::of(ledger), ..Self::default() };
        let (mut known, mut steps) = (HashMap::new(), HashMap::new());
        let mut work = Work::default();
        for event in &ledger.events {
            let resumed = matches!(event.kind, EventKind::RunResumed { .. });
            trail.end = work.at(&event.at, resumed);
            trail.event(&event.kind, &event.at, &mut known, &mut steps);
        }
        trail.add_unreached();
        trail
    }

    /// Adds the stages that were to run and did not begin.
    fn add_unreached(&mut self) {
        let ended = self.summary.outcome.is_some();
        let why = if ended { "the run ended before it" } else { "it has not begun" };
        for name in std::mem::take(&mut self.declared) {
            let picked = self.picked.as_ref().is_none_or(|picked| picked.contains(&name));
            if picked && !self.stages.iter().any(|stage| is_of(&stage.name, &name)) {
                self.stages.push(StageTrail {
                    name: name.clone(),
                    outcome: Some(Outcome::Skipped),
                    note: Some(why.to_owned()),
                    ..StageTrail::default()
                });
            }
            self.declared.push(name);
        }
    }

    fn event(
        &mut self,
        kind: &EventKind,
        at: &str,
        known: &mut HashMap<String, usize>,
        steps: &mut HashMap<usize, (usize, usize)>,
    ) {
        let now = self.end;
        match kind {
            EventKind::RunStarted { stages, picked, .. } => {
                self.declared.clone_from(stages);
                self.picked.clone_from(picked);
            }
            EventKind::StageStarted { stage, title, .. } => {
                let found = self.stage(stage, known);
                // What was done before an interruption counts on, what ended begins anew.
                if found.outcome.is_some() {
                    let name = std::mem::take(&mut found.name);
                    *found = StageTrail { name, ..StageTrail::default() };
                }
                found.title.clone_from(title);
                if found.at.is_none() {
                    (found.at, found.start) = (Some(at.to_owned()), now);
                }
            }
            EventKind::StageKept { stage, from, outputs, .. } => {
                let own = *from == self.summary.run;
                let found = self.stage(stage, known);
                if !own {
                    found.note = Some(format!("taken from run {from}"));
                }
                found.outputs.clone_from(outputs);
                found.outcome = Some(Outcome::Success);
            }
            EventKind::StageSkipped { stage, reason } => {
                let found = self.stage(stage, known);
                found.note = Some(reason.clone());
                found.outcome = Some(Outcome::Skipped);
            }
            EventKind::StageFinished { stage, outcome, millis, outputs, .. } => {
                let found = self.stage(stage, known);
                found.outcome = Some(*outcome);
                found.millis = Some(*millis);
                found.outputs.clone_from(outputs);
            }
            EventKind::StepStarted { stage, step, within, path, kind, text, line } => {
                self.stage(stage, known);
                let number = known[stage];
                let found = &mut self.stages[number];
                if found.at.is_none() {
                    (found.at, found.start) = (Some(at.to_owned()), now);
                }
                steps.insert(*step, (number, found.steps.len()));
                found.steps.push(StepTrail {
                    number: *step,
                    within: *within,
                    path: path.clone(),
                    kind: *kind,
                    text: text.clone(),
                    line: *line,
                    start: now,
                    millis: None,
                    outcome: None,
                    said: Vec::new(),
                    value: None,
                });
            }
            EventKind::StepFinished { step, outcome, millis, value, .. } => {
                if let Some(step) = self.step(*step, steps) {
                    step.outcome = Some(*outcome);
                    step.millis = Some(*millis);
                    step.value.clone_from(value);
                }
            }
            EventKind::StepKept { stage, text } => {
                self.stage(stage, known).said.push(format!("done before: {text}"));
            }
            EventKind::Said { stage, step, text } => {
                match step.and_then(|step| self.step(step, steps)) {
                    Some(step) => step.said.push(text.clone()),
                    None => self.stage(stage, known).said.push(text.clone()),
                }
            }
            EventKind::Tests { stage, results, .. } => {
                self.stage(stage, known).tests.extend(results.iter().cloned());
            }
            EventKind::Unstable { stage, message, .. } => {
                self.stage(stage, known).unstable.push(message.clone());
            }
            EventKind::Failure { stage, step, code, kind, message, drawn } => {
                let failure = FailureTrail {
                    step: step.clone(),
                    code: code.clone(),
                    kind: kind.clone(),
                    message: message.clone(),
                    drawn: drawn.clone(),
                };
                self.stage(stage, known).failures.push(failure);
            }
            EventKind::Answered { stage, yes, by, why } => {
                let word = if *yes { "approved" } else { "refused" };
                let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                self.answers.push((stage.clone(), format!("{word} by {by}{why}")));
            }
            EventKind::RunResumed { .. }
            | EventKind::Asked { .. }
            | EventKind::Intent { .. }
            | EventKind::FactRead { .. }
            | EventKind::RunFinished { .. } => {}
        }
    }

    fn stage(&mut self, name: &str, known: &mut HashMap<String, usize>) -> &mut StageTrail {
        let number = *known.entry(name.to_owned()).or_insert_with(|| {
            self.stages.push(StageTrail { name: name.to_owned(), ..StageTrail::default() });
            self.stages.len() - 1
        });
        &mut self.stages[number]
    }

    /// A step, unless its stage has begun anew since.
    fn step(
        &mut self,
        number: usize,
        steps: &HashMap<usize, (usize, usize)>,
    ) -> Option<&mut StepTrail> {
        let (stage, place) = steps.get(&number)?;
        let step = self.stages.get_mut(*stage)?.steps.get_mut(*place)?;
        (step.number == number).then_some(step)
    }
}

/// Whether a name is that of a stage, or of an instance of it: `test-2`.
fn is_of(name: &str, stage: &str) -> bool {
    let rest = name.strip_prefix(stage);
    let number = rest.and_then(|rest| rest.strip_prefix('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    rest == Some("") || number.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::event::Event;

    fn ledger(events: &[(&str, &str)]) -> Ledger {
        let event = |(n, (at, json)): (usize, &(&str, &str))| -> Event {
            let whole = format!(r#"{{"n":{},"at":"2026-01-01T00:00:{at}Z",{json}}}"#, n + 1);
            serde_json::from_str(&whole).unwrap()
        };
        Ledger { events: events.iter().enumerate().map(event).collect(), ..Ledger::default() }
    }

    #[test]
    fn a_stage_that_runs_again_leaves_its_old_steps_and_the_pause_out() {
        let step = |n: usize| {
            format!(
                r#""event":"step_started","stage":"a","step":{n},"within":null,"path":"0@0",
                "kind":"command","text":"$ x","line":1"#
            )
        };
        let (one, two) = (step(1), step(2));
        let start = r#""event":"stage_started","stage":"a","title":null,"key":null"#;
        let trail = Trail::of(&ledger(&[
            ("01", start),
            ("02", &one),
            ("03", r#""event":"step_finished","stage":"a","step":1,"outcome":"failed","millis":9"#),
            (
                "03",
                r#""event":"stage_finished","stage":"a","outcome":"failed","millis":9,"outputs":{}"#,
            ),
            ("50", r#""event":"run_resumed","run":"r","pipeline":"p","version":"1","files":null"#),
            ("51", start),
            ("52", &two),
            // Too late: its stage has begun anew.
            ("52", r#""event":"said","stage":"a","step":1,"text":"late""#),
            (
                "53",
                r#""event":"step_finished","stage":"a","step":2,"outcome":"success","millis":9"#,
            ),
        ]));
        let [stage] = &trail.stages[..] else { panic!("{:?}", trail.stages) };
        assert_eq!((stage.outcome, stage.start, stage.steps.len()), (None, 3000, 1));
        assert_eq!((stage.steps[0].number, stage.steps[0].start), (2, 4000));
        assert_eq!(stage.steps[0].outcome, Some(Outcome::Success));
        assert_eq!(trail.end, 5000);
    }
}
