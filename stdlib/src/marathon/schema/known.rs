//! A definition as far as it is known: of a file everything, of a record in a Pipelinefile what is
//! written out.

use indexmap::IndexMap;
use serde_json::{Number, Value as Json};

/// A value of a definition, or what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Not there, or null, which Marathon takes for the same.
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list of which every item is there.
    List(Vec<Known>),
    /// An object.
    Object(Fields),
    /// Something that is known when it is there.
    Open(Kind),
}

/// The fields of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// Those that are known, in order.
    pub known: IndexMap<String, Known>,
    /// Whether there may be others.
    pub open: bool,
}

/// What is known of a value that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, not even that it is there.
    Anything,
    /// It is a text.
    Text,
    /// It is a number without a fraction.
    Whole,
    /// It is a number.
    Number,
    /// It is `true` or `false`.
    Bool,
    /// It is a list.
    List,
    /// It is an object.
    Object,
}

static ABSENT: Known = Known::Absent;
static OPEN: Known = Known::Open(Kind::Anything);

impl From<&Json> for Known {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Absent,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Number(number.clone()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(fields) => {
                let known = fields.iter().map(|(key, value)| (key.clone(), value.into()));
                Self::Object(Fields { known: known.collect(), open: false })
            }
        }
    }
}

impl Known {
    /// A field of it; absent where it has none.
    #[must_use]
    pub fn at(&self, key: &str) -> &Self {
        match self {
            Self::Object(fields) => match fields.known.get(key) {
                Some(value) => value,
                None if fields.open => &OPEN,
                None => &ABSENT,
            },
            Self::Open(Kind::Anything | Kind::Object) => &OPEN,
            _ => &ABSENT,
        }
    }

    /// The value that an RFC 6901 pointer names.
    #[must_use]
    pub fn pointed(&self, pointer: &str) -> &Self {
        super::super::pointer::steps(pointer).fold(self, |here, step| match here {
            Self::List(items) => {
                step.parse().ok().and_then(|at: usize| items.get(at)).unwrap_or(&ABSENT)
            }
            Self::Open(Kind::List) => &OPEN,
            other => other.at(&step),
        })
    }

    /// Puts changes over it: records merge, everything else replaces, null removes.
    pub fn merge(&mut self, with: &Self) {
        match (&mut *self, with) {
            (Self::Object(base), Self::Object(with)) => {
                if with.open {
                    base.open = true;
                    for (key, value) in &mut base.known {
                        if !with.known.contains_key(key) {
                            *value = Self::Open(Kind::Anything);
                        }
                    }
                }
                for (key, value) in &with.known {
                    base.known.entry(key.clone()).or_insert(Self::Absent).merge(value);
                }
            }
            // It may be fields that are added, or something else in its place.
            (Self::Object(_) | Self::Open(_), Self::Open(Kind::Object)) => {
                *self = Self::Open(Kind::Object);
            }
            (Self::Open(Kind::Object | Kind::Anything), Self::Object(with)) => {
                let with = Fields { open: true, ..with.clone() };
                *self = Self::Object(with);
            }
            (base, with) => *base = with.clone(),
        }
    }

    /// The fields, of an object of which some are known.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &Self)> {
        let fields = match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        };
        fields
            .into_iter()
            .flat_map(|fields| &fields.known)
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The items, of a list that is known.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The text, where it is one that is known.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where it is one that is known.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The number, where it is a whole one that is known. `2.0` is whole.
    pub(super) fn whole(&self) -> Option<i64> {
        let Self::Number(number) = self else { return None };
        number.as_i64().or_else(|| {
            let value = number.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within the range")]
            let whole = (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
            whole
        })
    }

    /// Certainly nothing.
    pub(super) fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// Certainly something.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Absent | Self::Open(Kind::Anything))
    }

    /// Certainly `true`.
    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// Certainly a list with items.
    pub(super) fn has_items(&self) -> bool {
        !self.items().is_empty()
    }

    /// Certainly a list without items, or nothing.
    pub(super) fn lacks_items(&self) -> bool {
        matches!(self, Self::Absent) || matches!(self, Self::List(items) if items.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(fields: &[(&str, Known)], open: bool) -> Known {
        let known = fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Known::Object(Fields { known, open })
    }

    #[test]
    fn what_is_not_there_differs_from_what_is_not_known() {
        let app = object(&[("cmd", Known::Open(Kind::Text)), ("args", Known::Absent)], false);
        assert!(app.at("cmd").is_there() && app.at("cmd").text().is_none());
        assert!(app.at("args").is_absent() && app.at("mem").is_absent());
        let app = object(&[("container", Known::Open(Kind::Anything))], true);
        assert!(!app.at("mem").is_absent() && !app.at("mem").is_there());
        assert!(!app.at("container").at("docker").is_absent());
        assert_eq!(app.pointed("/container/docker/image"), &Known::Open(Kind::Anything));
    }

    #[test]
    fn changes_are_put_over_it() {
        let mut app =
            Known::from(&json!({ "env": { "A": "1", "B": "2" }, "args": ["x"], "cpus": 1 }));
        app.merge(&Known::from(&json!({ "env": { "B": null, "C": "3" }, "args": [], "mem": 64 })));
        let merged =
            json!({ "env": { "A": "1", "B": null, "C": "3" }, "args": [], "cpus": 1, "mem": 64 });
        assert_eq!(app, Known::from(&merged));

        // A change that is not known may be anything, and add fields.
        let mut app = Known::from(&json!({ "cpus": 1, "mem": 64 }));
        app.merge(&object(&[("mem", Known::Open(Kind::Whole))], true));
        assert_eq!(app.at("mem"), &Known::Open(Kind::Whole));
        assert_eq!(app.at("cpus"), &Known::Open(Kind::Anything));
        assert!(!app.at("disk").is_absent());

        let mut app = Known::Open(Kind::Anything);
        app.merge(&Known::from(&json!({ "mem": "x" })));
        assert_eq!(app.at("mem").text(), Some("x"));
        assert!(!app.at("cpus").is_absent());
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        let number =
            |text: &str| Known::from(&serde_json::from_str::<Json>(text).unwrap_or_default());
        assert_eq!(number("2.0").whole(), Some(2));
        assert_eq!(number("-1").whole(), Some(-1));
        assert_eq!(number("2.5").whole(), None);
        assert_eq!(number("1e300").whole(), None);
    }
}
