//! The text of a definition: JSON, or YAML by the end of its file's name.

use std::ops::Range;

use pipe_grammar::Code;
use serde_json::Value as Json;

use super::{
    pointer::{self, Inside, Node},
    schema::On,
    yaml,
};
use crate::core::{TextProblem, of_json, yaml::parse};

/// Reads a definition from the text of a file. Keys that stand twice are a mistake in either form.
///
/// # Errors
///
/// Where and why it is no JSON or no YAML.
pub fn read_definition(file: &str, text: &str) -> Result<Json, (Code, TextProblem)> {
    if is_yaml(file) {
        return parse(text).map_err(|problem| (Code::INVALID_YAML, problem));
    }
    let bad = |problem| (Code::INVALID_JSON, problem);
    let json = serde_json::from_str(text).map_err(|error| bad(of_json(text, &error)))?;
    match pointer::duplicates(text).into_iter().next() {
        None => Ok(json),
        Some((key, bytes)) => {
            let key = key.rsplit('/').next().unwrap_or_default();
            Err(bad(TextProblem {
                bytes,
                message: format!("`{key}` stands twice in one object"),
                help: Some("only the later one would count: keep one of the two".to_owned()),
            }))
        }
    }
}

/// Where in the text of a file the value stands that a pointer (RFC 6901) names, or its key; the
/// nearest thing around it when there is no such value.
#[must_use]
pub fn place(file: &str, text: &str, pointer: &str, on: On) -> Option<Range<usize>> {
    let tree = if is_yaml(file) { yaml::read(text) } else { pointer::read(text) }?;
    let mut here = pointer;
    let mut on = on;
    loop {
        if let Some((key, node)) = pointer::find(&tree, here) {
            return Some(match (on, key) {
                (On::Key, Some(key)) => key.clone(),
                (On::Key, None) => beginning(node, text),
                (On::Value, _) => node.span.clone(),
            });
        }
        here = here.rsplit_once('/')?.0;
        on = On::Key;
    }
}

/// A thing of many lines is pointed at where it begins.
fn beginning(node: &Node, text: &str) -> Range<usize> {
    let first = text[node.span.clone()].lines().next().unwrap_or_default();
    match node.inside {
        Inside::Object(_) | Inside::Array(_) if first.starts_with(['{', '[']) => {
            node.span.start..node.span.start + 1
        }
        _ => node.span.start..node.span.start + first.trim_end().len(),
    }
}

fn is_yaml(file: &str) -> bool {
    let end = file.rsplit_once('.').map_or("", |(_, end)| end);
    end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn mistakes_in_a_text_have_their_place() {
        let wrong = |file: &str, text: &str| {
            let (code, problem) = read_definition(file, text).unwrap_err();
            (code, problem.bytes.start, problem.message)
        };
        let (code, at, message) = wrong("m.json", "{\n  \"id\": \"/a\"\n  \"cpus\": 1\n}");
        assert_eq!((code, at), (Code::INVALID_JSON, 17));
        assert_eq!(message, "a comma is missing before this");
        let twice = "{ \"id\": \"/a\", \"cpus\": 1, \"cpus\": 2 }";
        let (code, at, message) = wrong("m.json", twice);
        assert_eq!((code, at), (Code::INVALID_JSON, 25));
        assert_eq!(message, "`cpus` stands twice in one object");
        let (code, at, _) = wrong("m.yaml", "id: /a\nid: /b\n");
        assert_eq!((code, at), (Code::INVALID_YAML, 7));
        for text in ["", "{", "{\"é", "nul"] {
            assert_eq!(wrong("x", text).0, Code::INVALID_JSON, "{text}");
        }
    }

    #[test]
    fn values_are_found_in_either_form() {
        let json = "{\n  \"id\": \"/a\",\n  \"healthChecks\": [\n    { \"path\": \"/\" }\n  ]\n}";
        let yaml = "id: /a\nhealthChecks:\n- path: /\n";
        let shown = |file: &'static str, pointer: &str, on: On| {
            let text = if file == "m.yml" { yaml } else { json };
            &text[place(file, text, pointer, on).unwrap()]
        };
        for (pointer, on, in_json, in_yaml) in [
            ("", On::Key, "{", "id: /a"),
            ("/id", On::Value, "\"/a\"", "/a"),
            ("/id", On::Key, "\"id\"", "id"),
            ("/healthChecks/0", On::Key, "{", "path: /"),
            ("/healthChecks/0/path", On::Value, "\"/\"", "/"),
            // The nearest thing around it.
            ("/healthChecks/0/port", On::Value, "{", "path: /"),
            ("/healthChecks/7", On::Value, "\"healthChecks\"", "healthChecks"),
            ("/mem", On::Value, "{", "id: /a"),
        ] {
            assert_eq!(shown("m.json", pointer, on), in_json, "{pointer}");
            assert_eq!(shown("m.yml", pointer, on), in_yaml, "{pointer}");
        }
        assert_eq!(place("m.json", "{", "", On::Key), None);
    }
}
