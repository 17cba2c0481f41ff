//! What becomes of each stage when an earlier run, or the earlier part of this one, has done some
//! of them: run, run again, or kept as it was.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use pipe_grammar::{
    Span,
    tree::{Clause, ClauseKind, ItemKind, Stage},
};
use pipe_stdlib::core::{Kind, Record, Value};

use crate::{
    check::Target,
    event::Outcome,
    plan::{self, Plan},
    record::{Past, PastStage, PastStep, restore},
};

/// What becomes of a stage.
#[derive(Clone, Debug)]
pub enum Course {
    /// It runs, if the plan and what goes before let it.
    Run(Begin),
    /// It succeeded before, and nothing of it has changed.
    Kept {
        /// The run in which it succeeded.
        from: String,
        /// Its outputs; of a stage with `for` lists.
        outputs: Record,
        /// It was skipped by a `skip` in it.
        skipped: bool,
        /// What failed in it that may.
        unstable: Vec<String>,
    },
    /// It was not picked, and nothing of it is needed.
    LeftOut,
}

impl Default for Course {
    fn default() -> Self {
        Self::Run(Begin::default())
    }
}

/// How a stage begins.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// Why it runs again.
    pub why: Option<String>,
    /// What was done in it before the run was interrupted.
    pub steps: Option<Arc<HashMap<String, PastStep>>>,
    /// What was not as it should be in what was done.
    pub unstable: Vec<String>,
    /// Instances, by their key: what is known of them.
    pub instances: HashMap<String, PastStage>,
    /// Whether an instance that was interrupted may go on in its middle.
    pub goes_on: bool,
}

/// What becomes of the stages of a run that goes on; `changed` says that files have changed since.
#[must_use]
pub fn resumed(plan: &Plan, past: &Past, changed: bool) -> Vec<Course> {
    let mut courses = Vec::new();
    let mut again = BTreeSet::new();
    for (number, stage) in plan.program.file.stages().enumerate() {
        let facts = &plan.program.checked.stages[number];
        let name = &*stage.name.text;
        let above = facts.before(number).into_iter().find(|above| again.contains(above));
        let known = known(past, name, facts.instances);
        let why = match (changed, above) {
            (true, _) => Some("files have changed since".to_owned()),
            (_, Some(above)) => {
                Some(format!("`{}` above runs again", plan.program.checked.stages[above].name))
            }
            (false, None) => None,
        };
        let left_out = past.picked.as_ref().is_some_and(|picked| !picked.iter().any(|p| p == name));
        let course = match (why, known.is_empty()) {
            (_, true) if left_out => Course::LeftOut,
            // It has not run yet.
            (_, true) => Course::default(),
            // What was taken from another run stays what it is.
            (_, false) if left_out => single(plan, past, number, stage, known[0].1),
            (Some(why), false) => run_again(why),
            (None, false) if facts.instances => instances(plan, number, &known),
            (None, false) => single(plan, past, number, stage, known[0].1),
        };
        if matches!(&course, Course::Run(begin) if begin.why.is_some()) {
            again.insert(number);
        }
        courses.push(course);
    }
    courses
}

fn run_again(why: impl Into<String>) -> Course {
    Course::Run(Begin { why: Some(why.into()), ..Begin::default() })
}

/// What is known of a stage, or of its instances in their order.
fn known<'a>(past: &'a Past, name: &str, instances: bool) -> Vec<(usize, &'a PastStage)> {
    let mut known: Vec<(usize, &PastStage)> = past
        .stages
        .iter()
        .filter_map(|(found, stage)| match found.strip_prefix(name)? {
            "" => (!instances || stage.from.is_some()).then_some((0, stage)),
            rest if instances => Some((rest.strip_prefix('-')?.parse().ok()?, stage)),
            _ => None,
        })
        // What was decided before it began has no key.
        .filter(|(_, stage)| stage.key.is_some() || stage.outcome.is_none())
        .collect();
    known.sort_by_key(|(number, _)| *number);
    known
}

fn single(plan: &Plan, past: &Past, number: usize, stage: &Stage, known: &PastStage) -> Course {
    let key = plan::key(&plan.facts, number);
    if key.is_none() {
        return run_again("what it reads can't be told");
    }
    if known.key != key {
        return run_again("its definition or an input has changed");
    }
    match known.outcome {
        Some(outcome) if known.is_done() || outcome == Outcome::Skipped => {
            match outputs(plan, number, &[known]) {
                Some(outputs) => Course::Kept {
                    from: known.from.clone().unwrap_or_else(|| past.run.clone()),
                    outputs,
                    skipped: outcome == Outcome::Skipped,
                    unstable: known.unstable.clone(),
                },
                None => run_again("its outputs were not kept: a secret was hidden in them"),
            }
        }
        Some(Outcome::Failed) => run_again("it failed"),
        Some(Outcome::Unstable) => run_again("it failed, which it may"),
        Some(Outcome::Cancelled) => run_again("it was cancelled"),
        // The others are done, and kept.
        Some(Outcome::Waiting | Outcome::Success | Outcome::Skipped) => Course::default(),
        None if can_go_on(plan, number, stage) => Course::Run(Begin {
            why: Some("it was interrupted".to_owned()),
            steps: Some(Arc::new(known.steps.clone())),
            unstable: known.unstable.clone(),
            ..Begin::default()
        }),
        None => run_again("it was interrupted, and what it held is gone"),
    }
}

fn instances(plan: &Plan, number: usize, known: &[(usize, &PastStage)]) -> Course {
    let Some(key) = plan::key(&plan.facts, number) else {
        return run_again("what it reads can't be told");
    };
    let same = |stage: &PastStage| {
        stage.key.as_ref().is_some_and(|found| found.split('/').next() == Some(&*key))
    };
    if !known.iter().any(|(_, stage)| same(stage)) {
        return run_again("its definition or an input has changed");
    }
    let all_done = known.iter().all(|(_, stage)| same(stage) && stage.is_done());
    let stage = plan.program.file.stages().nth(number);
    let instances = known
        .iter()
        .filter(|(_, stage)| same(stage))
        .filter_map(|(_, stage)| Some((stage.key.clone()?, (*stage).clone())))
        .collect();
    let why = (!all_done).then(|| "not all of its instances succeeded".to_owned());
    let goes_on = stage.is_some_and(|stage| can_go_on(plan, number, stage));
    Course::Run(Begin { why, instances, goes_on, ..Begin::default() })
}

/// The outputs of a stage, or of its instances as lists. None: they were not kept, or do not fit
/// what the file says.
fn outputs(plan: &Plan, number: usize, known: &[&PastStage]) -> Option<Record> {
    let facts = &plan.program.checked.stages[number];
    let mut found = Record::new();
    for (name, ty) in &facts.outputs {
        let values: Option<Vec<Value>> = known
            .iter()
            .map(|stage| match stage.outputs.get(&**name) {
                Some(json) => restore(json, ty),
                // A stage that skipped itself has none.
                None => (stage.outcome == Some(Outcome::Skipped)).then_some(Value::Null),
            })
            .collect();
        let mut values = values?;
        let value = if facts.instances { Value::list(values) } else { values.pop()? };
        found.insert(name.clone(), value);
    }
    Some(found)
}

/// Restores what an instance gave.
#[must_use]
pub(super) fn instance_outputs(plan: &Plan, number: usize, known: &PastStage) -> Option<Record> {
    let facts = &plan.program.checked.stages[number];
    facts
        .outputs
        .iter()
        .map(|(name, ty)| Some((name.clone(), restore(known.outputs.get(&**name)?, ty)?)))
        .collect()
}

/// Whether an interrupted stage may go on in its middle: not when a container, a service or a tree
/// of its own went with the interruption.
fn can_go_on(plan: &Plan, number: usize, stage: &Stage) -> bool {
    let program = &plan.program;
    let elsewhere =
        |clause: &Clause| matches!(clause.kind, ClauseKind::Using(_) | ClauseKind::Workspace(_));
    let pipeline = program.file.items.iter().any(|item| match &item.kind {
        ItemKind::Pipeline(pipeline) => pipeline.clauses.iter().any(elsewhere),
        _ => false,
    });
    if pipeline || stage.clauses.iter().any(elsewhere) {
        return false;
    }
    // A held value may be made in any function that the stage calls.
    let name = &program.checked.stages[number].name;
    let user = format!("stage {name}");
    let items = program.file.items.iter();
    let own = items.filter(|item| matches!(item.kind, ItemKind::Stage(_))).nth(number);
    let mut spans: Vec<Span> = own.map(|item| item.span).into_iter().collect();
    let mentioned = plan::mentioned(&plan.facts, &user);
    for item in &program.file.items {
        if let ItemKind::Function(function) = &item.kind
            && mentioned.contains(&function.name.text)
        {
            spans.push(item.span);
        }
    }
    !program.checked.targets.iter().any(|(id, target)| match target {
        Target::Builtin { builtin, .. } if builtin.kind() == Kind::Held => {
            spans.iter().any(|span| span.contains(program.file.span(*id)))
        }
        _ => false,
    })
}

/// What becomes of the stages when only some are picked. What they need of others is taken from the
/// newest of earlier runs that has it: of the same files, definitions and inputs.
///
/// # Errors
///
/// The names of the stages whose outputs are needed and nowhere to be found.
pub fn picked(
    plan: &Plan,
    picks: &BTreeSet<usize>,
    pasts: &[Past],
    files: Option<&str>,
) -> Result<Vec<Course>, Vec<String>> {
    let stages = &plan.program.checked.stages;
    let needed: BTreeSet<usize> = picks
        .iter()
        .flat_map(|pick| stages[*pick].needs.iter().chain(&stages[*pick].waits).copied())
        .filter(|stage| !picks.contains(stage))
        .collect();
    let of = |past: &Past, number: usize| -> Option<Course> {
        let facts = &stages[number];
        let key = plan::key(&plan.facts, number)?;
        let known = known(past, &facts.name, facts.instances);
        let known: Vec<&PastStage> = known.into_iter().map(|(_, stage)| stage).collect();
        let same = |stage: &&PastStage| {
            stage.is_done()
                && stage.key.as_ref().is_some_and(|found| found.split('/').next() == Some(&*key))
        };
        if known.is_empty() || !known.iter().all(same) {
            return None;
        }
        let from = known[0].from.clone().unwrap_or_else(|| past.run.clone());
        let outputs = outputs(plan, number, &known)?;
        let unstable = known.iter().flat_map(|stage| stage.unstable.iter().cloned()).collect();
        Some(Course::Kept { from, outputs, skipped: false, unstable })
    };
    let same_files = |past: &&Past| past.files.as_deref() == files;
    let mut best: Option<HashMap<usize, Course>> = None;
    for past in pasts.iter().rev().filter(same_files) {
        let found: HashMap<usize, Course> =
            needed.iter().filter_map(|number| Some((*number, of(past, *number)?))).collect();
        let whole = found.len() == needed.len();
        if best.as_ref().is_none_or(|best| best.len() < found.len()) {
            best = Some(found);
        }
        if whole {
            break;
        }
    }
    let mut found = best.unwrap_or_default();
    let missing: Vec<String> = needed
        .iter()
        .filter(|number| !found.contains_key(number) && must(plan, picks, **number))
        .map(|number| stages[*number].name.to_string())
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    Ok((0..stages.len())
        .map(|number| match found.remove(&number) {
            Some(kept) => kept,
            None if picks.contains(&number) => Course::default(),
            None => Course::LeftOut,
        })
        .collect())
}

/// Whether a picked stage can't do without another: behind `??` it can.
fn must(plan: &Plan, picks: &BTreeSet<usize>, number: usize) -> bool {
    picks.iter().any(|pick| plan.program.checked.stages[*pick].needs.contains(&number))
}
