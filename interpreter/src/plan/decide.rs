//! Which stages run, which are skipped and why, and which is known only on the way.

use pipe_grammar::{
    Diagnostic,
    tree::{ClauseKind, ExprId, ExprKind, Stage},
};
use pipe_stdlib::core::{Value, write_value};

use super::{Facts, problem};
use crate::{check::Target, eval::Stop};

/// Whether a stage runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It runs, unless something fails before.
    Run,
    /// It does not: why.
    Skip(String),
    /// It is decided on the way: by what.
    Later(String),
}

/// Decides each stage, in order.
pub(super) fn decide(facts: &Facts, problems: &mut Vec<Diagnostic>) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for (number, stage) in facts.program.file.stages().enumerate() {
        let decision =
            by_needs(facts, &decisions, number).unwrap_or_else(|| by_when(facts, stage, problems));
        // What `when` decides is known; a need that is decided later decides this one too.
        let decision = match (decision, later_need(facts, &decisions, number)) {
            (Decision::Run, Some(by)) => Decision::Later(by),
            (decision, _) => decision,
        };
        decisions.push(decision);
    }
    decisions
}

fn by_needs(facts: &Facts, decisions: &[Decision], number: usize) -> Option<Decision> {
    let stages = &facts.program.checked.stages;
    let needed = &stages[number].needs;
    let skipped = needed.iter().find(|n| matches!(decisions[**n], Decision::Skip(_)))?;
    Some(Decision::Skip(format!("it needs `{}`, which is skipped", stages[*skipped].name)))
}

fn later_need(facts: &Facts, decisions: &[Decision], number: usize) -> Option<String> {
    let stages = &facts.program.checked.stages;
    let needed = &stages[number].needs;
    let later = needed.iter().find(|n| matches!(decisions[**n], Decision::Later(_)))?;
    Some(format!("stage `{}`", stages[*later].name))
}

fn by_when(facts: &Facts, stage: &Stage, problems: &mut Vec<Diagnostic>) -> Decision {
    let Some(condition) = when(stage) else { return Decision::Run };
    match facts.value(condition) {
        Ok(Value::Bool(true)) => Decision::Run,
        Ok(_) => Decision::Skip(why(facts, condition)),
        Err(Stop::Later(by)) => Decision::Later(by),
        Err(stop) => {
            problems.extend(problem(stop));
            Decision::Run
        }
    }
}

/// The condition of a stage.
pub(crate) fn when(stage: &Stage) -> Option<ExprId> {
    stage.clauses.iter().find_map(|clause| match clause.kind {
        ClauseKind::When(condition) => Some(condition),
        _ => None,
    })
}

/// Why a condition does not hold: itself, and the values in it.
pub(crate) fn why(facts: &Facts, condition: ExprId) -> String {
    let text = facts.program.slice(facts.program.file.span(condition));
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let values = values(facts, condition);
    if values.is_empty() {
        format!("`{text}` does not hold")
    } else {
        format!("`{text}` does not hold: {}", values.join(", "))
    }
}

/// The values of the names and facts in an expression, as `name is value`; never of a secret.
pub(super) fn values(facts: &Facts, condition: ExprId) -> Vec<String> {
    let file = &facts.program.file;
    let whole = file.span(condition);
    let mut shown: Vec<String> = Vec::new();
    let mut inside = None;
    // Outer expressions come after their parts: go backwards, and leave out parts of what is shown.
    for (number, expr) in file.expressions.iter().enumerate().rev() {
        if !whole.contains(expr.span)
            || inside.is_some_and(|span: pipe_grammar::Span| span.contains(expr.span))
        {
            continue;
        }
        let id = ExprId(u32::try_from(number).unwrap_or(u32::MAX));
        let named = match &expr.kind {
            ExprKind::Name(name) => facts.program.library.module(name).is_none(),
            ExprKind::Member { .. } | ExprKind::Call { .. } => {
                !matches!(facts.program.checked.targets.get(&id), Some(Target::Method(_)))
            }
            _ => false,
        };
        if !named {
            continue;
        }
        inside = Some(expr.span);
        if let Ok(value) = facts.value(id)
            && !value.holds_secret()
        {
            let text = format!("{} is {}", facts.program.slice(expr.span), write_value(&value));
            if !shown.contains(&text) && text.chars().count() <= 120 {
                shown.push(text);
            }
        }
    }
    shown.reverse();
    shown
}
