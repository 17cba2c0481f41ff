//! YAML 1.2 as values, and back.

use serde_saphyr::{DuplicateKeyPolicy, Error, NonFiniteFloatPolicy, Options, SerializerOptions};

use super::TextProblem;

/// The value of a YAML text: one document, with aliases and merge keys (`<<`) resolved. What
/// aliases and depth can blow it up to is bounded.
pub(crate) fn parse(text: &str) -> Result<serde_json::Value, TextProblem> {
    if text.trim().is_empty() {
        return Ok(serde_json::Value::Null);
    }
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.non_finite_float_policy = NonFiniteFloatPolicy::Reject;
    // As YAML 1.2 says: `yes` is a text.
    options.strict_booleans = true;
    options.with_snippet = false;
    serde_saphyr::from_str_with_options(text, options).map_err(|error| problem(text, &error))
}

/// A value as YAML, in block style, as YAML 1.2 and 1.1 readers take it alike.
pub(crate) fn format(value: &serde_json::Value) -> Result<String, String> {
    let mut options = SerializerOptions::default();
    options.prefer_block_scalars = true;
    serde_saphyr::to_string_with_options(value, options).map_err(|error| error.to_string())
}

fn problem(text: &str, error: &Error) -> TextProblem {
    let error = error.without_snippet();
    let place = error.location();
    let line = place.map_or(0, |place| usize::try_from(place.line()).unwrap_or(0));
    let column = place.map_or(0, |place| usize::try_from(place.column()).unwrap_or(0));
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    let rest = lines.next().unwrap_or("");
    let at = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    if let Some(tab) = tab_near(text, start) {
        let help = Some("indent it with blanks".to_owned());
        let message = "a tab stands where YAML is indented".to_owned();
        return TextProblem { bytes: tab..tab + 1, message, help };
    }
    let start = (start + at).min(text.len());
    let length = text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let (message, help) = words(error);
    TextProblem { bytes: start..start + length, message, help: help.map(str::to_owned) }
}

fn words(error: &Error) -> (String, Option<&'static str>) {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` stands twice in one map"), None)
        }
        Error::MultipleDocuments { .. } => {
            ("a second document begins here".to_owned(), Some("only files with one are read"))
        }
        Error::UnknownAnchor { .. } => ("no anchor `&…` above has this name".to_owned(), None),
        Error::NonFiniteFloat { .. } => ("JSON has no such number".to_owned(), None),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => too_big(),
        error => {
            let text = error.render();
            let line = text.lines().next().unwrap_or("");
            // Inside an alias the kind of error is hidden.
            if line.contains("budget breached") { too_big() } else { in_words(line) }
        }
    }
}

/// What the parser says, and how a person would: the message, and what to do.
const WORDS: &[(&str, &str, Option<&str>)] = &[
    (
        "mapping values are not allowed",
        "this `:` follows no key",
        Some("put a text that holds `: ` into quotes, or look at the indentation"),
    ),
    ("illegal placement of ':'", "this `:` follows no key", Some("is a bracket above not closed?")),
    ("unclosed quote", "this quote is not closed", None),
    ("unclosed bracket", "this bracket is not closed", None),
    ("misplaced bracket", "nothing opens this bracket", None),
    (
        "unexpected character",
        "no text begins with this character",
        Some("put the text into quotes"),
    ),
    (
        "did not find expected",
        "this is neither a key nor an item of what stands above",
        Some("look at its indentation"),
    ),
    ("expected string scalar", "a key is a text", Some("put `{{ … }}` of a template into quotes")),
    ("cannot deserialize null into string", "a key is missing here", None),
    (
        "invalid trailing content after single-quoted",
        "the text ends before this",
        Some("within `'…'` a quote is written twice: `''`"),
    ),
    (
        "invalid trailing content after double-quoted",
        "the text ends before this",
        Some("within `\"…\"` a quote is written `\\\"`"),
    ),
];

fn in_words(line: &str) -> (String, Option<&'static str>) {
    match WORDS.iter().find(|(theirs, ..)| line.contains(theirs)) {
        Some((_, ours, help)) => ((*ours).to_owned(), *help),
        None => (line.split(" at line ").next().unwrap_or(line).to_owned(), None),
    }
}

/// A tab that indents the line that begins at `start`, or the one behind it, where the parser has
/// gone on to.
fn tab_near(text: &str, start: usize) -> Option<usize> {
    let mut begins = start;
    for line in text.get(start..)?.split_inclusive('\n').take(2) {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = line[..indent].find('\t') {
            return Some(begins + tab);
        }
        begins += line.len();
    }
    None
}

fn too_big() -> (String, Option<&'static str>) {
    ("this YAML is too big or too deep once its aliases are resolved".to_owned(), None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_1_2_is_read() {
        let text = "a: 1\nb: [x, 'y', 1.5, null, ~, true]\nc: |\n  one\n  two\nd: yes\ne: 0o17\n\
                    f: 2026-11-25\ng: {h: \"\\u00e4\"}\n1: one\nno: no\n";
        let value = parse(text).unwrap();
        assert_eq!(
            value,
            json!({
                "a": 1, "b": ["x", "y", 1.5, null, null, true], "c": "one\ntwo\n", "d": "yes",
                "e": 15, "f": "2026-11-25", "g": { "h": "ä" }, "1": "one", "no": "no"
            })
        );
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["a", "b", "c", "d", "e", "f", "g", "1", "no"]);
        assert_eq!(parse("").unwrap(), json!(null));
        assert_eq!(parse("# only a comment\n").unwrap(), json!(null));
        assert_eq!(parse("--- # one\na: 1\n...\n").unwrap(), json!({ "a": 1 }));
    }

    #[test]
    fn anchors_and_merges_are_resolved() {
        let text = "base: &base {cpus: 1, mem: 64}\napp:\n  <<: *base\n  mem: 128\nlist: [*base]\n";
        let value = parse(text).unwrap();
        assert_eq!(value["app"], json!({ "cpus": 1, "mem": 128 }));
        assert_eq!(value["list"][0]["mem"], 64);
    }

    #[test]
    fn mistakes_are_told_in_words() {
        for (text, at, message) in [
            ("a: 1\n\tb: 2\n", "\t", "a tab stands where YAML is indented"),
            ("a: b: c\n", ":", "this `:` follows no key"),
            ("a: [1, 2\nb: 3\n", ":", "this `:` follows no key"),
            ("a: \"x\nb: 3\n", "\"", "this quote is not closed"),
            ("a: {b: 1\n", "{", "this bracket is not closed"),
            ("a: @x\n", "@", "no text begins with this character"),
            ("a: {{ x }}\n", "{", "a key is a text"),
            ("a: 'it's'\n", "s", "the text ends before this"),
            ("a:\n  - b\n - c\n", "-", "this is neither a key nor an item of what stands above"),
        ] {
            let problem = parse(text).unwrap_err();
            assert_eq!((&text[problem.bytes], problem.message.as_str()), (at, message), "{text}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        let bad = |text: &str| {
            let problem = parse(text).unwrap_err();
            (text[problem.bytes.clone()].to_owned(), problem.bytes.start, problem.message)
        };
        let (_, at, message) = bad("a: 1\na: 2\n");
        assert_eq!((at, message.as_str()), (5, "the key `a` stands twice in one map"));
        assert!(bad("a: [1, 2\nb: 3\n").1 >= 8);
        assert_eq!(bad("ä: *x\n").2, "no anchor `&…` above has this name");
        assert!(!bad("a:\n\t- b\n").2.is_empty());
        assert_eq!(bad("a: 1\n---\nb: 2\n").2, "a second document begins here");
        assert_eq!(bad("a: .nan\n").2, "JSON has no such number");
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let before = level - 1;
            let items = vec![format!("*a{before}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        // Without a limit the first would need more memory than there is.
        let message = parse(&text).unwrap_err().message;
        assert!(message.contains("too big"), "{message}");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"- ".repeat(100_000)).is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({
            "plain": "text", "yes": "no", "number": "1.0", "null": null, "empty": "", "tilde": "~",
            "lines": "one\ntwo\n", "no end": "one\ntwo", "colon": "a: b", "hash": "a #b", "dash": "- x",
            "list": [1, -2.5, true, [], {}, { "a": [1] }], "date": "2026-11-25", "octal": "010",
            "blank": " x ", "control": "\u{7}\u{1b}", "quote": "\"'", "long": "x ".repeat(100),
            "y": "on", "0x1F": "0x1F", "big": 9_007_199_254_740_993_i64, "tab": "a\tb", "cr": "a\r\nb",
            "!tag": "!x", "&a": "*a", "%": "@", "star": "*", "?": "? x", "|": "|", "e": "1e3", "🦀": "🦀",
        });
        let text = format(&value).unwrap();
        assert_eq!(parse(&text).unwrap(), value, "{text}");
        assert!(text.starts_with("plain: text\n"), "{text}");
        for value in [json!(null), json!([]), json!({}), json!("x\n"), json!(1), json!([[1], [2]])]
        {
            assert_eq!(parse(&format(&value).unwrap()).unwrap(), value);
        }
    }
}
