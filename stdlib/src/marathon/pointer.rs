//! Where a value stands in a JSON text.
//!
//! `serde_json` reads values without places; messages point at lines. This reader keeps only
//! places, and is asked about texts that `serde_json` has accepted.

use std::ops::Range;

/// As deep as `serde_json` reads.
const DEEPEST: usize = 128;

/// Keys that stand twice in one object: the pointer and the place of each later one. JSON readers
/// keep one of them silently.
#[must_use]
pub(super) fn duplicates(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    if let Some(tree) = read(text) {
        collect_duplicates(&tree, "", &mut found);
    }
    found
}

/// The steps of a pointer, unescaped.
pub(super) fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// A key as a step of a pointer, with its slash.
#[must_use]
pub fn step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) inside: Inside,
}

pub(super) enum Inside {
    Object(Vec<(String, Range<usize>, Node)>),
    Array(Vec<Node>),
    Scalar,
}

pub(super) fn find<'a>(
    tree: &'a Node,
    pointer: &str,
) -> Option<(Option<&'a Range<usize>>, &'a Node)> {
    let mut here = (None, tree);
    for step in steps(pointer) {
        here = match &here.1.inside {
            // Of equal keys the last one counts, as for every JSON reader.
            Inside::Object(members) => members
                .iter()
                .rev()
                .find(|(key, ..)| *key == step)
                .map(|(_, key, node)| (Some(key), node))?,
            Inside::Array(items) => (None, items.get(step.parse::<usize>().ok()?)?),
            Inside::Scalar => return None,
        };
    }
    Some(here)
}

fn collect_duplicates(node: &Node, pointer: &str, found: &mut Vec<(String, Range<usize>)>) {
    match &node.inside {
        Inside::Object(members) => {
            for (index, (key, span, value)) in members.iter().enumerate() {
                let pointer = format!("{pointer}{}", step(key));
                if members[..index].iter().any(|(earlier, ..)| earlier == key) {
                    found.push((pointer.clone(), span.clone()));
                }
                collect_duplicates(value, &pointer, found);
            }
        }
        Inside::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_duplicates(item, &format!("{pointer}/{index}"), found);
            }
        }
        Inside::Scalar => {}
    }
}

pub(super) fn read(text: &str) -> Option<Node> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.blank();
    (reader.at == text.len()).then_some(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.blank();
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        if depth > DEEPEST {
            return None;
        }
        let inside = match first {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => {
                self.string()?;
                Inside::Scalar
            }
            _ => {
                let rest = &self.text.as_bytes()[start..];
                self.at += rest
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
                    .count();
                if self.at == start {
                    return None;
                }
                Inside::Scalar
            }
        };
        Some(Node { span: start..self.at, inside })
    }

    fn object(&mut self, depth: usize) -> Option<Inside> {
        self.take(b'{')?;
        let mut members = Vec::new();
        while self.peek()? != b'}' {
            if !members.is_empty() {
                self.take(b',')?;
                self.blank();
            }
            let key = self.string()?;
            let name = serde_json::from_str(&self.text[key.clone()]).ok()?;
            self.take(b':')?;
            members.push((name, key, self.value(depth + 1)?));
        }
        self.take(b'}')?;
        Some(Inside::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Inside> {
        self.take(b'[')?;
        let mut items = Vec::new();
        while self.peek()? != b']' {
            if !items.is_empty() {
                self.take(b',')?;
            }
            items.push(self.value(depth + 1)?);
        }
        self.take(b']')?;
        Some(Inside::Array(items))
    }

    /// With its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = r#"
{
  "id": "/wéb",
  "a/b": { "c~d": [ 1, -2.5e3, true, "x \" }" ] },
  "empty": {}, "none": []
}
"#;

    fn locate(text: &str, pointer: &str) -> Option<Range<usize>> {
        Some(find(&read(text)?, pointer)?.1.span.clone())
    }

    fn locate_key(text: &str, pointer: &str) -> Option<Range<usize>> {
        find(&read(text)?, pointer)?.0.cloned()
    }

    fn shown(pointer: &str) -> Option<&'static str> {
        locate(TEXT, pointer).map(|span| &TEXT[span])
    }

    #[test]
    fn values_are_found_by_their_pointer() {
        assert_eq!(shown("/id"), Some("\"/wéb\""));
        assert_eq!(shown("/a~1b/c~0d/1"), Some("-2.5e3"));
        assert_eq!(shown("/a~1b/c~0d/3"), Some(r#""x \" }""#));
        assert_eq!(shown("/empty"), Some("{}"));
        assert_eq!(shown("/none"), Some("[]"));
        assert_eq!(shown(""), Some(TEXT.trim()));
        for missing in ["/b", "/id/x", "/a~1b/c~0d/4", "/none/0", "/a~1b/c~0d/x"] {
            assert_eq!(shown(missing), None, "{missing}");
        }
    }

    #[test]
    fn keys_are_found_too() {
        let key = |pointer| locate_key(TEXT, pointer).map(|span| &TEXT[span]);
        assert_eq!(key("/a~1b"), Some("\"a/b\""));
        assert_eq!(key("/a~1b/c~0d/0"), None);
    }

    #[test]
    fn every_value_of_a_real_definition_is_found() {
        let text = include_str!("../../tests/data/marathon/pairs/zdd_app_blue.json");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut seen = 0;
        let mut open = vec![(String::new(), &json)];
        while let Some((pointer, value)) = open.pop() {
            let span = locate(text, &pointer).unwrap();
            let read: serde_json::Value = serde_json::from_str(&text[span]).unwrap();
            assert_eq!(&read, value, "{pointer}");
            seen += 1;
            match value {
                serde_json::Value::Object(members) => {
                    open.extend(members.iter().map(|(k, v)| (format!("{pointer}{}", step(k)), v)));
                }
                serde_json::Value::Array(items) => {
                    open.extend(
                        items.iter().enumerate().map(|(i, v)| (format!("{pointer}/{i}"), v)),
                    );
                }
                _ => {}
            }
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn a_key_that_stands_twice_is_named() {
        let text = r#"{"a":1,"b":{"x":1,"x":2},"a":3}"#;
        let found = duplicates(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(p, span)| (p.as_str(), &text[span.clone()])).collect();
        assert_eq!(found, [("/b/x", "\"x\""), ("/a", "\"a\"")]);
        assert_eq!(locate(text, "/a"), Some(29..30));
    }

    #[test]
    fn what_is_no_json_gives_nothing_and_never_panics() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{\"a\"", "{\"a\":", "[1", "\"\\", "\"é", "{,}", "]", "nul l", &deep]
        {
            assert_eq!(locate(text, ""), None);
        }
    }
}
