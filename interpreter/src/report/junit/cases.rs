//! What is a suite, what is a case, and what became of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use indexmap::IndexMap;
use pipe_stdlib::core::{TestOutcome, TestResult};

use super::name::{of_step, without_tries};
use crate::{
    event::{Outcome, StepKind},
    report::{
        log::StageLog,
        trail::{FailureTrail, StageTrail, StepTrail, Trail},
    },
};

/// So much of the output of a failed step goes into the report.
const MOST_OUTPUT: u64 = 16 << 10;

/// A suite.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) name: String,
    /// What stands before its name: `pipe.shop`.
    pub(super) package: String,
    /// When it began, RFC 3339.
    pub(super) at: Option<String>,
    pub(super) seconds: f64,
    pub(super) cases: Vec<Case>,
}

/// A case.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) seconds: Option<f64>,
    pub(super) end: End,
    /// The tries before the last, each with what it wrote.
    pub(super) tries: Vec<Trouble>,
    /// The last output.
    pub(super) output: String,
}

/// How a case ended.
#[derive(Debug, Default)]
pub(super) enum End {
    #[default]
    Passed,
    Skipped(String),
    Failed(Trouble),
    /// What it needs was not there: no failure of what is tested.
    Error(Trouble),
}

/// What went wrong.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) text: String,
}

/// The suites of a run: its stages, then what tests they collected.
pub(super) fn suites(trail: &Trail, folder: &Path) -> Vec<Suite> {
    let run = Run { trail, folder, package: format!("pipe.{}", one(&trail.summary.pipeline)) };
    let mut suites: Vec<Suite> = trail.stages.iter().filter_map(|stage| run.stage(stage)).collect();
    suites.extend(collected(trail));
    suites
}

/// A part of a class's name: a dot would begin a new one.
fn one(name: &str) -> String {
    name.replace('.', "_")
}

struct Run<'a> {
    trail: &'a Trail,
    folder: &'a Path,
    package: String,
}

impl Run<'_> {
    /// The suite of a stage; none of one that was taken from another run.
    fn stage(&self, stage: &StageTrail) -> Option<Suite> {
        let name = match (&*stage.name, &stage.title) {
            ("", _) => "handlers".to_owned(),
            (name, Some(title)) if !self.trail.declared.iter().any(|known| known == name) => {
                // The number of an instance is another one when the list changes.
                let stage = name.rsplit_once('-').map_or(name, |(stage, _)| stage);
                format!("{stage} [{title}]")
            }
            (name, _) => name.to_owned(),
        };
        let mut failures: Vec<&FailureTrail> = stage.failures.iter().collect();
        let mut suite = self.suite(&name);
        suite.at.clone_from(&stage.at);
        #[allow(clippy::cast_precision_loss)]
        let seconds = |millis: u64| millis as f64 / 1000.0;
        suite.seconds = stage.millis.map_or(0.0, seconds);
        let class = format!("{}.{}", self.package, one(&name));
        let log = StageLog::open(self.folder, &stage.name);
        let mut unstable = stage.unstable.iter();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for tries in cases(stage).values() {
            let Some(last) = tries.last() else { continue };
            let output = |step: &StepTrail| {
                let steps = with_inner(stage, step.number);
                let tail = log.as_ref().and_then(|log| log.tail(&steps, MOST_OUTPUT).ok());
                tail.unwrap_or_default()
            };
            let end = match last.outcome {
                Some(Outcome::Cancelled) => End::Skipped("cancelled".to_owned()),
                None => End::Error(Trouble::of("interrupted", "the run was interrupted in it")),
                Some(Outcome::Failed) => match stage.outcome {
                    Some(Outcome::Unstable) => match unstable.next() {
                        Some(message) => End::Failed(Trouble::of("unstable", message)),
                        None => End::Passed,
                    },
                    // The stage went on without it.
                    Some(Outcome::Success | Outcome::Skipped) => End::Passed,
                    _ => take(&mut failures, last)
                        .map_or_else(|| End::Failed(Trouble::of("failed", "it failed")), told),
                },
                _ => End::Passed,
            };
            let bad = matches!(end, End::Failed(_) | End::Error(_));
            let earlier = &tries[..tries.len() - 1];
            let earlier = earlier.iter().filter(|step| step.outcome == Some(Outcome::Failed));
            let tried = |step: &&StepTrail| Trouble {
                kind: "failed".to_owned(),
                message: "it failed, and was tried again".to_owned(),
                text: output(step),
            };
            let mut name = of_step(&last.text, &self.trail.summary.run);
            let count = names.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                name = format!("{name} ({count})");
            }
            suite.cases.push(Case {
                class: class.clone(),
                name,
                seconds: last.millis.map(seconds),
                end,
                tries: earlier.map(tried).collect(),
                output: if bad { output(last) } else { String::new() },
            });
        }
        let whole = |end: End| Case {
            class: class.clone(),
            name: name.clone(),
            seconds: stage.millis.map(seconds),
            end,
            ..Case::default()
        };
        let note = || {
            let said = stage.said.join("; ");
            // What `skip` says.
            let why = said.strip_prefix("skipped: ").unwrap_or(&said);
            stage.note.clone().unwrap_or_else(|| why.to_owned())
        };
        match stage.outcome {
            // What failed beside its steps: its time, an approval, an output.
            _ if !failures.is_empty() => {
                suite.cases.extend(failures.into_iter().map(|failure| whole(told(failure))));
            }
            Some(Outcome::Skipped) if suite.cases.is_empty() => {
                suite.cases.push(whole(End::Skipped(note())));
            }
            Some(Outcome::Cancelled) if suite.cases.is_empty() => {
                suite.cases.push(whole(End::Skipped("cancelled".to_owned())));
            }
            Some(Outcome::Waiting) => {
                suite.cases.push(whole(End::Skipped("it waits for an answer".to_owned())));
            }
            Some(Outcome::Success) if stage.note.is_some() => {
                suite.cases.push(whole(End::Skipped(note())));
            }
            None if suite.cases.is_empty() && !stage.name.is_empty() => {
                let trouble = Trouble::of("interrupted", "the run was interrupted in it");
                suite.cases.push(whole(End::Error(trouble)));
            }
            _ if suite.cases.is_empty() && !stage.name.is_empty() => {
                suite.cases.push(whole(End::Passed));
            }
            _ => {}
        }
        (!suite.cases.is_empty()).then_some(suite)
    }

    fn suite(&self, name: &str) -> Suite {
        Suite { name: one(name), package: self.package.clone(), ..Suite::default() }
    }
}

impl Trouble {
    fn of(kind: &str, message: &str) -> Self {
        Self { kind: kind.to_owned(), message: message.to_owned(), text: String::new() }
    }
}

/// The outermost steps of a stage, those of the same place together: the tries of one case.
fn cases(stage: &StageTrail) -> IndexMap<String, Vec<&StepTrail>> {
    let mut cases: IndexMap<String, Vec<&StepTrail>> = IndexMap::new();
    let outermost = stage.steps.iter().filter(|step| step.within.is_none());
    for step in outermost.filter(|step| step.kind != StepKind::Place) {
        cases.entry(without_tries(&step.path)).or_default().push(step);
    }
    cases
}

/// The number of a step and of all within it.
fn with_inner(stage: &StageTrail, number: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([number]);
    for step in &stage.steps {
        if step.within.is_some_and(|outer| found.contains(&outer)) {
            found.insert(step.number);
        }
    }
    found
}

/// The failure of a step: by its title, or the first without one.
fn take<'a>(failures: &mut Vec<&'a FailureTrail>, step: &StepTrail) -> Option<&'a FailureTrail> {
    let fits = |failure: &&FailureTrail| match &failure.step {
        Some(title) => step.kind == StepKind::Group && *title == step.text,
        None => step.kind != StepKind::Group && failure.kind != "timeout",
    };
    let inner = |failure: &&FailureTrail| step.kind == StepKind::Group && failure.step.is_some();
    let found = failures.iter().position(fits).or_else(|| failures.iter().position(inner))?;
    Some(failures.remove(found))
}

fn told(failure: &FailureTrail) -> End {
    let trouble = Trouble {
        kind: failure.code.clone(),
        message: failure.message.clone(),
        text: failure.drawn.clone(),
    };
    if failure.kind == "infrastructure" { End::Error(trouble) } else { End::Failed(trouble) }
}

/// The tests that were collected, in the suites of their tools.
fn collected(trail: &Trail) -> Vec<Suite> {
    let mut suites: IndexMap<&str, Suite> = IndexMap::new();
    for stage in &trail.stages {
        for test in &stage.tests {
            let name = if test.suite.is_empty() { &stage.name } else { &test.suite };
            let suite = suites.entry(name).or_insert_with(|| Suite {
                name: name.clone(),
                at: stage.at.clone(),
                ..Suite::default()
            });
            suite.seconds += test.seconds.unwrap_or(0.0);
            suite.cases.push(test_case(test, name));
        }
    }
    suites.into_values().collect()
}

fn test_case(test: &TestResult, suite: &str) -> Case {
    let trouble =
        || Trouble { kind: String::new(), message: test.message.clone(), text: test.text.clone() };
    let (end, tries) = match test.outcome {
        TestOutcome::Passed => (End::Passed, Vec::new()),
        TestOutcome::Flaky => (End::Passed, vec![trouble()]),
        TestOutcome::Failed => (End::Failed(trouble()), Vec::new()),
        TestOutcome::Skipped => (End::Skipped(test.message.clone()), Vec::new()),
    };
    Case {
        class: if test.class.is_empty() { suite.to_owned() } else { test.class.clone() },
        name: test.name.clone(),
        seconds: test.seconds,
        end,
        tries,
        output: String::new(),
    }
}
