//! Label selectors, `key==value, other in (a, b)` (`api/v2/LabelSelectorParsers.scala`).

use std::collections::BTreeMap;

use axum::http::StatusCode;

use crate::marathon::error::Refusal;

/// Conditions that the labels of an app meet.
pub(super) struct Selector(Vec<Condition>);

struct Condition {
    key: String,
    test: Test,
}

enum Test {
    Exists,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// Reads a selector.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut rest = Rest(text);
        let mut conditions = Vec::new();
        let wrong = || {
            Refusal::message(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("Can not parse label selector '{text}'."),
            )
        };
        loop {
            conditions.push(rest.condition().ok_or_else(wrong)?);
            if !rest.take(",") {
                break;
            }
        }
        if rest.0.trim().is_empty() { Ok(Self(conditions)) } else { Err(wrong()) }
    }

    /// Whether labels meet all conditions.
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|condition| match (&condition.test, labels.get(&condition.key)) {
            (_, None) => false,
            (Test::Exists, Some(_)) => true,
            (Test::In(values), Some(value)) => values.contains(value),
            (Test::NotIn(values), Some(value)) => !values.contains(value),
        })
    }
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, text: &str) -> bool {
        let rest = self.0.trim_start();
        rest.strip_prefix(text).inspect(|rest| self.0 = rest).is_some()
    }

    /// Letters, digits, `-_.`, and anything after a backslash.
    fn word(&mut self) -> Option<String> {
        let rest = self.0.trim_start();
        let mut word = String::new();
        let mut letters = rest.char_indices();
        let end = loop {
            match letters.next() {
                Some((_, '\\')) => word.extend(letters.next().map(|(_, letter)| letter)),
                Some((_, letter)) if letter.is_ascii_alphanumeric() || "-_.".contains(letter) => {
                    word.push(letter);
                }
                Some((at, _)) => break at,
                None => break rest.len(),
            }
        };
        self.0 = &rest[end..];
        (!word.is_empty()).then_some(word)
    }

    fn condition(&mut self) -> Option<Condition> {
        let key = self.word()?;
        let test = if self.take("==") {
            Test::In(vec![self.word()?])
        } else if self.take("!=") {
            Test::NotIn(vec![self.word()?])
        } else if self.take("notin") {
            Test::NotIn(self.list()?)
        } else if self.take("in") {
            Test::In(self.list()?)
        } else {
            Test::Exists
        };
        Some(Condition { key, test })
    }

    fn list(&mut self) -> Option<Vec<String>> {
        let mut words = Vec::new();
        if !self.take("(") {
            return None;
        }
        loop {
            words.push(self.word()?);
            if !self.take(",") {
                break;
            }
        }
        self.take(")").then_some(words)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn selectors_select() {
        let labels: BTreeMap<String, String> =
            [("env", "test"), ("owner", "a b")].map(|(k, v)| (k.into(), v.into())).into();
        let matches = |text: &str| Selector::parse(text).map(|s| s.matches(&labels)).ok();
        for (text, expected) in [
            ("env", Some(true)),
            ("other", Some(false)),
            ("env==test", Some(true)),
            ("env != test", Some(false)),
            ("other!=x", Some(false)),
            (r"owner == a\ b , env in (prod, test)", Some(true)),
            ("env notin (prod,test)", Some(false)),
            ("env=test", None),
            ("env in prod", None),
            ("", None),
        ] {
            assert_eq!(matches(text), expected, "{text}");
        }
    }
}
