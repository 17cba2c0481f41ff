//! The texts of a run, and mistakes in files that the Pipelinefile names.

use pipe_grammar::{Diagnostic, Severity, Source, Sources, Span};

use crate::check::Foreign;

pub use pipe_stdlib::core::{TextProblem, json_problem, yaml_problem};

/// The message about a mistake in a file that the Pipelinefile names; `folder` stands before the
/// file's name.
pub fn foreign(sources: &mut Sources, folder: &str, foreign: &Foreign) -> Diagnostic {
    let name = format!("{folder}{}", foreign.name);
    let id =
        sources.find(&name).unwrap_or_else(|| sources.add(Source::new(name, foreign.text.clone())));
    let problem = &foreign.problem;
    let place = Span::new(id, problem.bytes.start, problem.bytes.end);
    let told = match foreign.severity {
        Severity::Error => Diagnostic::error(foreign.code, place, problem.message.clone()),
        _ => Diagnostic::warning(foreign.code, place, problem.message.clone()),
    };
    told.help_if(problem.help.clone()).related(Diagnostic::note(
        foreign.code,
        foreign.read_at,
        "the file is read here",
    ))
}
