//! What is wrong in a text that should be JSON or YAML.

use std::{ops::Range, path::PathBuf};

use pipe_grammar::Code;

use super::{Failure, Spot};

/// What is wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextProblem {
    /// Where, in bytes.
    pub bytes: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl TextProblem {
    /// The failure of a call that has read the text from a file.
    pub(crate) fn in_file(self, code: Code, path: PathBuf) -> Failure {
        let failure = Failure::new(code, self.message).at(Spot::File { path, bytes: self.bytes });
        self.help.into_iter().fold(failure, Failure::help)
    }

    /// The failure of a call that was given the text.
    pub(crate) fn in_argument(self, code: Code, text: &str, what: &str) -> Failure {
        let before = &text[..self.bytes.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let message = format!("the text is no {what}: {}", self.message);
        let failure = Failure::new(code, message).at_argument("text");
        let seen = text.lines().nth(line - 1).unwrap_or("").trim_end();
        let seen: String = seen.chars().take(200).collect();
        let failure = failure.evidence(format!("its line {line}, column {column}"), vec![seen]);
        self.help.into_iter().fold(failure, Failure::help)
    }
}

/// Says why a text is no JSON, if it is none.
#[must_use]
pub fn json_problem(text: &str) -> Option<TextProblem> {
    // A value that is passed over could nest deeper than one that is kept.
    let error = serde_json::from_str::<serde_json::Value>(text).err()?;
    Some(of_json(text, &error))
}

/// Says why a text is no JSON.
pub(crate) fn of_json(text: &str, error: &serde_json::Error) -> TextProblem {
    let line_start = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    if error.is_eof() {
        let last = text.trim_end().char_indices().next_back();
        at = last.map_or(0, |(at, _)| at);
    }
    let found = text[at..].chars().next();
    let mut end = at + found.map_or(0, char::len_utf8);
    let before = text[..at].trim_end();
    if matches!(found, Some('}' | ']')) && before.ends_with(',') {
        // The comma is what is wrong, wherever the bracket stands.
        (at, end) = (before.len() - 1, before.len());
    }
    let (message, help) = match (found, before.chars().next_back()) {
        _ if text.trim().is_empty() => ("this is empty, and no JSON", None),
        _ if error.to_string().starts_with("recursion limit") => {
            ("this JSON nests deeper than 127", None)
        }
        _ if error.is_eof() => ("this JSON ends too early", Some("a `}`, `]` or `\"` is missing")),
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
            ("this is no JSON", Some("is it YAML? This must be JSON"))
        }
        _ => ("this can't stand here", None),
    };
    TextProblem { bytes: at..end, message: message.to_owned(), help: help.map(str::to_owned) }
}

/// Says why a text is no YAML, if it is none.
#[must_use]
pub fn yaml_problem(text: &str) -> Option<TextProblem> {
    super::yaml::parse(text).err()
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
        assert_eq!(problem(""), (0, "this is empty, and no JSON".into()));
        assert_eq!(problem("{\"a\": 1").1, "this JSON ends too early");
        assert_eq!(problem(&"[".repeat(1000)).1, "this JSON nests deeper than 127");
    }
}
