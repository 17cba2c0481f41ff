//! A plan as text.

use std::fmt::Write;

use pipe_grammar::tree::{Clause, ClauseKind, ItemKind};
use pipe_stdlib::core::write_value;

use super::{Decision, Plan};
use crate::check::Order;

/// The clauses that say how a stage runs, the pipeline's where it has none of its own, as they are
/// written.
fn clauses(plan: &Plan, number: usize) -> Vec<String> {
    let file = &plan.program.file;
    let own = file.stages().nth(number).map(|stage| stage.clauses.as_slice()).unwrap_or_default();
    let pipeline = file.items.iter().find_map(|item| match &item.kind {
        ItemKind::Pipeline(pipeline) => Some(pipeline.clauses.as_slice()),
        _ => None,
    });
    let same = |clause: &Clause| {
        own.iter().any(|o| std::mem::discriminant(&o.kind) == std::mem::discriminant(&clause.kind))
    };
    let inherited = pipeline.unwrap_or_default().iter().filter(|clause| {
        // The pipeline's time-out is that of the whole run.
        !same(clause) && !matches!(clause.kind, ClauseKind::Timeout(_))
    });
    let all = own.iter().chain(inherited).filter(|clause| {
        // These are told by the order and the decision.
        !matches!(clause.kind, ClauseKind::When(_) | ClauseKind::Needs(_) | ClauseKind::After(_))
    });
    let text = |clause: &Clause| {
        let text = plan.program.slice(clause.span);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    all.map(text).collect()
}

/// The plan as `pipe plan` prints it.
#[must_use]
pub fn show(plan: &Plan) -> String {
    let mut out = String::new();
    header(plan, &mut out);
    for (number, stage) in plan.stages.iter().enumerate() {
        let facts = &plan.program.checked.stages[number];
        let title = match &stage.title {
            Some(title) => format!("{} ({title})", stage.name),
            None => stage.name.to_string(),
        };
        let decision = match &stage.decision {
            Decision::Run => String::new(),
            Decision::Skip(why) => format!("  skipped: {why}"),
            Decision::Later(by) => format!("  decided by {by}"),
        };
        let _ = writeln!(out, "\n{}. {title}{decision}", number + 1);
        if let Order::After(after) = &facts.order {
            let names: Vec<&str> = after.iter().map(|n| &*plan.stages[*n].name).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            let _ = writeln!(out, "   after {names}");
        }
        if !facts.needs.is_empty() {
            let names: Vec<&str> = facts.needs.iter().map(|n| &*plan.stages[*n].name).collect();
            let _ = writeln!(out, "   needs {}", names.join(", "));
        }
        for clause in clauses(plan, number) {
            let _ = writeln!(out, "   {clause}");
        }
        if !stage.secrets.is_empty() {
            let _ = writeln!(out, "   secrets {}", stage.secrets.join(", "));
        }
        for step in &stage.steps {
            let _ = writeln!(out, "   {}{}", "  ".repeat(step.depth), step.text);
        }
    }
    out
}

fn header(plan: &Plan, out: &mut String) {
    let _ = writeln!(out, "{}", plan.facts.name());
    for (name, value) in &plan.params {
        let _ = writeln!(out, "  {name} = {}", write_value(value));
    }
    let _ = writeln!(out, "  commands run by {}", plan.shell.shown());
    for note in plan.world.notes() {
        let _ = writeln!(out, "  {note}");
    }
    let connections = &plan.connections;
    if let Some(local) = &connections.local {
        let _ = writeln!(out, "  everything goes to the local cluster:");
        let marathon =
            if local.marathon.is_empty() { "started by the run" } else { &local.marathon };
        let registry =
            if local.registry.is_empty() { "started by the run" } else { &local.registry };
        let _ = writeln!(out, "    Marathon {marathon}, registry {registry}");
        return;
    }
    for marathon in &connections.marathon {
        let name = marathon.name.as_deref().map_or(String::new(), |name| format!(" ({name})"));
        let whom = match (&marathon.token, &marathon.username) {
            (Some(_), _) => "with a token".to_owned(),
            (None, Some(name)) => format!("as {name}"),
            (None, None) => "without a login".to_owned(),
        };
        let _ = writeln!(out, "  Marathon{name} {} {whom}", marathon.url);
    }
    for docker in &connections.docker {
        let whom = docker
            .username
            .as_ref()
            .map_or("without a login".to_owned(), |name| format!("as {name}"));
        let _ = writeln!(out, "  registry {} {whom}", docker.registry);
    }
}
