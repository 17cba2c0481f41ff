//! What a stage needs to be there: its secrets, variables, and the lets that it reads.

use std::collections::BTreeSet;

use pipe_grammar::{
    Code, Diagnostic,
    tree::{ExprId, ExprKind, ItemKind, Text},
};
use pipe_stdlib::core::{Value, literal_value};

use super::{Facts, Inputs, problem};
use crate::{check::Target, eval::Host};

/// Evaluates what `user` (a stage, a handler, a connection) mentions, and says what is missing.
/// Gives the names of the secrets that it needs.
pub(super) fn check(
    facts: &Facts,
    user: &str,
    inputs: &Inputs,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Text> {
    let mut secrets = Vec::new();
    for name in mentioned(facts, user) {
        let kind = facts.program.file.items.iter().find_map(|item| match &item.kind {
            ItemKind::Secret(secret) if secret.name.text == name => Some(true),
            ItemKind::Let(binding) if binding.name.text == name => Some(false),
            _ => None,
        });
        let Some(secret) = kind else { continue };
        if secret {
            secrets.push(name.clone());
        }
        if inputs.may_lack.iter().any(|lacking| **lacking == *name) {
            continue;
        }
        if let Err(stop) = facts.global(&name)
            && let Some(found) = problem(stop)
        {
            problems.push(found.help_if(
                secret.then(|| format!("{} needs it", user.replace("stage ", "stage `") + "`")),
            ));
        }
    }
    variables(facts, user, inputs, problems);
    secrets
}

/// The names that a user mentions, itself or by what it mentions.
pub(crate) fn mentioned(facts: &Facts, user: &str) -> BTreeSet<Text> {
    let uses = &facts.program.checked.uses;
    let mut found = BTreeSet::new();
    let mut open: Vec<Text> = vec![user.into()];
    while let Some(user) = open.pop() {
        for name in uses.get(&user).into_iter().flat_map(|uses| &uses.names) {
            if found.insert(name.clone()) {
                open.push(name.clone());
            }
        }
    }
    found
}

/// The variables that a stage reads by `env("NAME")`, without a default.
fn variables(facts: &Facts, user: &str, inputs: &Inputs, problems: &mut Vec<Diagnostic>) {
    let Some(name) = user.strip_prefix("stage ") else { return };
    let file = &facts.program.file;
    let stage = file
        .items
        .iter()
        .find(|item| matches!(&item.kind, ItemKind::Stage(stage) if &*stage.name.text == name));
    let Some(stage) = stage else { return };
    for (number, expr) in file.expressions.iter().enumerate() {
        let id = ExprId(u32::try_from(number).unwrap_or(u32::MAX));
        let ExprKind::Call { arguments, .. } = &expr.kind else { continue };
        let Some(Target::Builtin { builtin, .. }) = facts.program.checked.targets.get(&id) else {
            continue;
        };
        let env = builtin.module.is_empty() && builtin.name == "env";
        if !env || arguments.len() != 1 || !stage.span.contains(expr.span) {
            continue;
        }
        let Some(Value::String(variable)) = literal_value(file, arguments[0].value) else {
            continue;
        };
        let lacking = inputs.may_lack.iter().any(|lacking| **lacking == *variable);
        if lacking || facts.world.variable(&variable).is_some() {
            continue;
        }
        let span = file.span(arguments[0].value);
        let what = format!("the environment variable `{variable}` is not set");
        problems.push(
            Diagnostic::error(Code::MISSING_VARIABLE, span, what)
                .label(format!("stage `{name}` reads it"))
                .help(format!("set it: `{variable}=… pipe run`"))
                .help(format!("or give a default: `env(\"{variable}\", default: \"…\")`")),
        );
    }
}
