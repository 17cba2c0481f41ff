//! What the shell reads of a command: a script that is constant, and its values beside it in the
//! environment.

use pipe_grammar::{
    Code, Diagnostic, Span,
    shell::{self, Dialect, HoleKind, guard::Text},
};
use pipe_stdlib::core::{Value, text_of};

use super::RunHost;
use crate::{
    check::parts,
    eval::{CommandRun, Eval, Frame, Stop},
};

/// A command as the shell gets it.
pub(super) struct Prepared {
    /// What the shell reads.
    pub(super) source: String,
    /// The values, by variable.
    pub(super) values: Vec<(String, String)>,
}

/// Lowers a command for a shell. Without a dialect the text is another interpreter's, and holds no
/// values: the checker saw to that.
pub(super) fn prepare(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    dialect: Option<Dialect>,
) -> Result<Prepared, Stop> {
    let parts = parts(run.command);
    let Some(dialect) = dialect else {
        let texts = parts.iter().map(|part| match part {
            shell::Part::Text(text) => *text,
            shell::Part::Hole(_) => "",
        });
        return Ok(Prepared { source: texts.collect(), values: Vec::new() });
    };
    let kinds: Vec<HoleKind> = run
        .values
        .iter()
        .map(|value| match value {
            Value::Int(_) => HoleKind::Int,
            Value::List(_) => HoleKind::List,
            _ => HoleKind::Word,
        })
        .collect();
    // The checker has read it for every shell; what may be read differently it has refused.
    let scan = shell::scan(&parts, &kinds, dialect);
    if let Some(refusal) = scan.refusals.iter().find(|r| r.kind.code() == Code::COMMAND_QUOTING) {
        let span = hole_span(run, refusal.hole).unwrap_or(run.command.span);
        let problem = Diagnostic::error(refusal.kind.code(), span, refusal.kind.to_string());
        return Err(Stop::failed(problem.help(refusal.kind.help())));
    }
    let texts: Vec<Vec<String>> = run.values.iter().map(texts).collect();
    guard(host, frame, run, &scan, &texts)?;
    let counts: Vec<Option<usize>> = run
        .values
        .iter()
        .zip(&texts)
        .map(|(value, texts)| matches!(value, Value::List(_)).then_some(texts.len()))
        .collect();
    let script = shell::lower(&parts, &scan, &counts);
    let values = script.variables.iter().map(|variable| {
        let text = &texts[variable.hole][variable.element.unwrap_or(0)];
        (variable.environment(), text.clone())
    });
    Ok(Prepared { values: values.collect(), source: script.source() })
}

fn guard(
    host: &RunHost,
    frame: &Frame,
    run: &CommandRun<'_>,
    scan: &shell::Scan,
    texts: &[Vec<String>],
) -> Result<(), Stop> {
    let eval = Eval { program: &host.plan.program, host, frame };
    let literals: Vec<bool> = run.command.holes().map(|id| eval.is_literal(id)).collect();
    let values: Vec<shell::Value<'_>> = run
        .values
        .iter()
        .zip(texts)
        .zip(literals)
        .map(|((value, texts), literal)| {
            if matches!(value, Value::List(_)) {
                let all = texts.iter().map(|text| Text { bytes: text.as_bytes(), literal });
                shell::Value::List(all.collect())
            } else {
                let text = texts.first().map_or(&[][..], |text| text.as_bytes());
                shell::Value::One(Text { bytes: text, literal })
            }
        })
        .collect();
    let Some(violation) = shell::guard::check(scan, &values).into_iter().next() else {
        return Ok(());
    };
    let hole = scan.holes[violation.place].hole;
    let span = hole_span(run, Some(hole)).unwrap_or(run.command.span);
    let written = host.plan.program.slice(span);
    let help = violation.guard.help().replace("#{v}", &written);
    let shown = match &run.values[hole] {
        Value::Secret(_) => String::new(),
        _ => {
            let text = &texts[hole][violation.element.unwrap_or(0)];
            let short: String = text.chars().take(60).collect();
            format!("this is `{}`", host.events.mask.text(&short))
        }
    };
    let problem = Diagnostic::error(Code::COMMAND_VALUE, span, violation.guard.to_string())
        .label(shown)
        .help(help);
    Err(Stop::failed(problem))
}

fn hole_span(run: &CommandRun<'_>, hole: Option<usize>) -> Option<Span> {
    run.command.hole_span(hole?)
}

/// The texts that the shell gets for a value: one, or one for each item of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(revealed).collect(),
        other => vec![revealed(other)],
    }
}

/// The text of a value, also of a secret one: for the process that it is meant for.
pub(super) fn revealed(value: &Value) -> String {
    match value {
        Value::Secret(secret) => secret.reveal().to_owned(),
        other => text_of(other).unwrap_or_default(),
    }
}
