//! What is different between two definitions in normal form, for people.

use std::fmt;

use serde_json::Value as Json;

use super::pointer::{step, steps};

/// One difference.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Where, RFC 6901.
    pub(super) pointer: String,
    /// What was there.
    pub(super) old: Option<Json>,
    /// What will be there.
    pub(super) new: Option<Json>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Vec<String> = steps(&self.pointer).collect();
        let path = path.join(".");
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "~ {path}: {} -> {}", short(old), short(new)),
            (None, Some(new)) => write!(f, "+ {path}: {}", short(new)),
            (old, None) => write!(f, "- {path}: {}", old.as_ref().map_or_else(String::new, short)),
        }
    }
}

/// Every difference, in the order of the first definition, then of what only the second has.
pub(super) fn changes(old: &Json, new: &Json) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(old), Some(new), &mut found);
    found
}

/// Whether tasks have to be started anew: everything but the number of tasks needs that
/// (`AppDefinition.isUpgrade`).
pub(super) fn restarts(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.pointer != "/instances")
}

/// The lines for people, at most 40.
pub(super) fn lines(changes: &[Change]) -> Vec<String> {
    const MOST: usize = 40;
    let mut lines: Vec<String> = changes.iter().take(MOST).map(ToString::to_string).collect();
    if changes.len() > MOST {
        lines.push(format!("and {} more", changes.len() - MOST));
    }
    lines
}

fn compare(pointer: &str, old: Option<&Json>, new: Option<&Json>, found: &mut Vec<Change>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Json::Object(a)), Some(Json::Object(b))) => {
            for (key, value) in a {
                compare(&format!("{pointer}{}", step(key)), Some(value), b.get(key), found);
            }
            for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                compare(&format!("{pointer}{}", step(key)), None, Some(value), found);
            }
        }
        (Some(Json::Array(a)), Some(Json::Array(b)))
            if a.len() == b.len() && a.iter().chain(b).all(Json::is_object) =>
        {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{pointer}/{index}"), Some(a), Some(b), found);
            }
        }
        (old, new) => {
            found.push(Change { pointer: pointer.to_owned(), old: old.cloned(), new: new.cloned() })
        }
    }
}

fn short(json: &Json) -> String {
    const LONGEST: usize = 160;
    let text = json.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_said_with_their_path() {
        let old = json!({ "instances": 1, "env": { "A": "1", "B": "2" }, "args": ["a"] });
        let new = json!({ "instances": 3, "env": { "A": "1", "C": "3" }, "args": ["a", "b"] });
        assert_eq!(
            lines(&changes(&old, &new)),
            [
                "~ instances: 1 -> 3",
                "- env.B: \"2\"",
                "+ env.C: \"3\"",
                "~ args: [\"a\"] -> [\"a\",\"b\"]",
            ]
        );
    }

    #[test]
    fn only_the_number_of_tasks_restarts_nothing() {
        let app = |instances: i64, label: &str| json!({ "instances": instances, "labels": { "a": label } });
        assert!(!restarts(&changes(&app(1, "x"), &app(2, "x"))));
        assert!(restarts(&changes(&app(1, "x"), &app(1, "y"))));
        assert!(!restarts(&[]));
    }
}
