//! Syntax errors of a Dockerfile, for those who check before anything is built.

use std::ops::Range;

use pipe_grammar::diagnostic::did_you_mean;

/// Every instruction that there is.
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// What no builder can read in a Dockerfile: place, message, help (may be empty). The parser stops
/// at the first mistake, so there is at most one.
#[must_use]
pub fn problems(dockerfile: &str) -> Vec<(Range<usize>, String, String)> {
    match parse_dockerfile::parse(dockerfile) {
        Ok(_) => Vec::new(),
        Err(error) => vec![explain(dockerfile, error.line(), &format!("{error:#}"))],
    }
}

/// `line`: from 1; 0 is the whole file. `reason`: the parser's words.
fn explain(text: &str, line: usize, reason: &str) -> (Range<usize>, String, String) {
    let place = line_of(text, line);
    let first = text[place.clone()].split_whitespace().next().unwrap_or_default();
    let upper = first.to_ascii_uppercase();
    if reason.starts_with("unknown instruction") {
        let help = did_you_mean(&upper, INSTRUCTIONS).unwrap_or_else(|| {
            "a line that goes on needs a `\\` at the end of the one before".into()
        });
        let end = place.start + first.len();
        return (place.start..end, format!("`{first}` is no instruction of a Dockerfile"), help);
    }
    let (message, help) = if reason.starts_with("expected at least one FROM") {
        (
            "the Dockerfile has no `FROM`",
            "it begins with `FROM scratch`, or `FROM` and the image that it builds on",
        )
    } else if reason == "expected FROM" {
        ("only `ARG` may stand before the first `FROM`", "put `FROM` and the base image before it")
    } else if reason.contains("requires at least two arguments") {
        return (
            place,
            format!("`{upper}` needs a source and a destination"),
            format!("`{upper} SOURCE… DESTINATION`"),
        );
    } else if reason.contains("requires at least one argument")
        || reason.contains("requires exactly one argument")
    {
        return (place, format!("`{upper}` needs an argument"), String::new());
    } else if reason.contains("here-document") {
        ("a here-document is never closed", "its last line is the word behind `<<` alone")
    } else if reason.contains("quoted string") {
        ("a quoted text is never closed", "")
    } else if reason.starts_with("duplicate stage name") {
        ("two stages have the same name", "the names behind `AS` must differ")
    } else if reason.starts_with("invalid escape") {
        ("the escape character is `\\` or a backquote", "")
    } else if reason.contains("JSON") {
        return (
            place,
            format!("`{upper}` takes a list in JSON"),
            format!("`{upper} [\"/bin/sh\", \"-c\"]`, with double quotes"),
        );
    } else {
        return (place, format!("`{upper}` can't be read: {reason}"), String::new());
    };
    (place, message.to_owned(), help.to_owned())
}

/// The bytes of a line without its ends.
fn line_of(text: &str, line: usize) -> Range<usize> {
    // The whole file is shown at its first line.
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    let rest = &text[start..];
    let content = rest.split('\n').next().unwrap_or_default().trim_end();
    let indent = content.len() - content.trim_start_matches([' ', '\t', '\u{feff}']).len();
    start + indent..start + content.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> (String, String, String) {
        let mut found = problems(text);
        assert_eq!(found.len(), 1, "{found:?}");
        let (place, message, help) = found.remove(0);
        (text[place].to_owned(), message, help)
    }

    #[test]
    fn right_files_have_no_problem() {
        for text in [
            "FROM scratch\nCOPY a b\n",
            "\u{feff}# syntax=docker/dockerfile:1\nARG X=1\nFROM a:$X AS b\nRUN <<E\nx\nE\n",
            "from scratch\r\ncmd [\"/a\"]\r\n",
        ] {
            assert_eq!(problems(text), []);
        }
    }

    #[test]
    fn each_mistake_has_words_and_a_place() {
        let text = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(
            only("FROM scratch\n  COPPY a b\n"),
            text("COPPY", "`COPPY` is no instruction of a Dockerfile", "did you mean `COPY`?")
        );
        assert_eq!(only("FROM a\nCOPY x\n").1, "`COPY` needs a source and a destination");
        assert_eq!(only("FROM a\nWORKDIR\n").1, "`WORKDIR` needs an argument");
        assert_eq!(only("").1, "the Dockerfile has no `FROM`");
        assert_eq!(only("# x\nCOPY a b\nFROM a").0, "COPY a b");
        assert_eq!(only("COPY a b\nFROM a").1, "only `ARG` may stand before the first `FROM`");
        assert_eq!(only("FROM a\nRUN <<E\nx\n").1, "a here-document is never closed");
        assert_eq!(only("FROM a AS x\nFROM b AS x\n").1, "two stages have the same name");
        assert_eq!(only("FROM a\nSHELL x\n").1, "`SHELL` takes a list in JSON");
    }
}
