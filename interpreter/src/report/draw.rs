//! Draws diagnostics. The only place that knows how they look.

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use pipe_grammar::{
    Diagnostic, Severity, Sources,
    diagnostic::{Rendered, count},
};

/// How output may look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Colours.
    pub colour: bool,
    /// Characters outside ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Look {
    /// Plain text of 100 columns: what a file, a pipe and a test get.
    pub const PLAIN: Self = Self { colour: false, unicode: true, width: 100 };
}

/// At most so many messages are drawn; more do not help.
const MOST: usize = 50;

/// Draws the messages about a file, and how many there are.
#[must_use]
pub fn problems(problems: &[Diagnostic], sources: &Sources, look: Look) -> String {
    let mut out = String::new();
    for problem in problems.iter().take(MOST) {
        out.push_str(&one(problem, sources, look));
        out.push('\n');
    }
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    let mut counts = Vec::new();
    if errors > 0 {
        counts.push(count("error", errors));
    }
    if warnings > 0 {
        counts.push(count("warning", warnings));
    }
    if counts.is_empty() {
        return out;
    }
    let hidden = problems.len().saturating_sub(MOST);
    let more = if hidden > 0 { format!(", {hidden} not shown") } else { String::new() };
    out.push_str(&format!("{}{more}\n", counts.join(", ")));
    out.push_str(&format!("more: pipe explain {}\n", first_codes(problems).join(" ")));
    out
}

/// The first codes of the messages, each once, as many as fit a line.
fn first_codes(problems: &[Diagnostic]) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for problem in problems {
        let name = problem.code.name();
        if !codes.contains(&name) && codes.len() < 3 {
            codes.push(name);
        }
    }
    codes
}

/// Draws one message.
#[must_use]
pub fn one(problem: &Diagnostic, sources: &Sources, look: Look) -> String {
    let theme = GraphicalTheme {
        characters: if look.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        },
        styles: if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(look.width).with_links(false);
    let mut out = String::new();
    // Drawing into a string fails only when our own spans are wrong: then the plain form is there.
    if handler.render_report(&mut out, &Rendered::new(problem, sources)).is_err() {
        out = short(problem, sources);
    }
    out
}

/// `Pipelinefile:3:5: error[unknown-name]: nothing is called …`: one line.
#[must_use]
pub fn short(problem: &Diagnostic, sources: &Sources) -> String {
    let place = problem.span().map_or(String::new(), |span| format!("{}: ", sources.place(span)));
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!("{place}{severity}[{}]: {}\n", problem.code, problem.message)
}
