//! The texts of a run, and mistakes in files that the Pipelinefile names.

use std::ops::Range;

use pipe_grammar::{Diagnostic, Source, Sources, Span};

use crate::check::Foreign;

/// What is wrong in a file that the Pipelinefile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextProblem {
    /// Where, in bytes.
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Says why a text is no JSON, if it is none.
#[must_use]
pub fn json_problem(text: &str) -> Option<TextProblem> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let line_start = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    let found = text[at..].chars().next();
    let mut end = at + found.map_or(0, char::len_utf8);
    let before = text[..at].trim_end();
    if matches!(found, Some('}' | ']')) && before.ends_with(',') {
        // The comma is what is wrong, wherever the bracket stands.
        (at, end) = (before.len() - 1, before.len());
    }
    let (message, help) = match (found, before.chars().next_back()) {
        _ if text.trim().is_empty() => ("this file is empty, and no JSON", None),
        _ if error.is_eof() => {
            ("this JSON ends too early", Some("a `}`, `]` or `\"` is missing"))
        }
        (Some('}' | ']'), Some(',')) => (
            "a comma stands before the closing bracket",
            Some("remove the comma: JSON allows none there"),
        ),
        (Some(','), Some(',')) => ("two commas follow each other", Some("remove one of them")),
        (Some('\''), _) => ("a text in JSON is not quoted by `'`", Some("JSON quotes with `\"`")),
        (Some('/' | '#'), _) => ("this is a comment", Some("JSON has no comments")),
        (Some('"'), Some('"' | '}' | ']' | '0'..='9' | 'e' | 'l')) => {
            ("a comma is missing before this", None)
        }
        (Some('-' | 'a'..='z' | 'A'..='Z'), None) => {
            ("this file is no JSON", Some("is it YAML? An app definition is JSON"))
        }
        _ => ("this can't stand here", None),
    };
    Some(TextProblem { bytes: at..end, message: message.to_owned(), help: help.map(str::to_owned) })
}

/// The message about a mistake in a file that the Pipelinefile names; `folder` stands before the
/// file's name.
#[must_use]
pub fn foreign(sources: &mut Sources, folder: &str, foreign: &Foreign) -> Diagnostic {
    let name = format!("{folder}{}", foreign.name);
    let id =
        sources.find(&name).unwrap_or_else(|| sources.add(Source::new(name, foreign.text.clone())));
    let problem = &foreign.problem;
    let place = Span::new(id, problem.bytes.start, problem.bytes.end);
    Diagnostic::error(foreign.code, place, problem.message.clone())
        .help_if(problem.help.clone())
        .related(Diagnostic::note(foreign.code, foreign.read_at, "the file is read here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, String) {
        let found = json_problem(text).expect("no JSON");
        (found.bytes.start, found.message)
    }

    #[test]
    fn the_place_and_the_reason_are_told() {
        assert_eq!(json_problem("{\"a\": 1}"), None);
        assert_eq!(problem("{\n  \"a\": 1,,\n}"), (11, "two commas follow each other".into()));
        assert_eq!(problem("{\"a\": 1,}"), (7, "a comma stands before the closing bracket".into()));
        assert_eq!(problem("{\"a\": 1 \"b\": 2}"), (8, "a comma is missing before this".into()));
        assert_eq!(problem(""), (0, "this file is empty, and no JSON".into()));
        assert_eq!(problem("{\"a\": 1").1, "this JSON ends too early");
    }
}
