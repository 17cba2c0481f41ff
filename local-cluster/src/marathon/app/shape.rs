//! What a piece of a definition may look like, and reading it so: unknown fields are dropped,
//! missing ones take their defaults, wrong types are told apart by the codes of Play's JSON
//! library, which Marathon answers with.

use serde_json::{Map, Number, Value};

use crate::marathon::error::{Detail, Details};

/// What a value may be.
pub(super) enum Shape {
    /// A text of at least so many characters.
    Text(usize),
    /// A text that fits a rule.
    Pattern(fn(&str) -> bool),
    /// One of some words; small and capital letters are the same.
    Word(&'static [&'static str]),
    /// A whole number.
    Whole(i64, i64),
    /// A number.
    Number(f64, f64),
    /// True or false.
    Flag,
    /// A list.
    List(&'static Shape),
    /// A list that holds nothing twice.
    Set(&'static Shape),
    /// Any names, with values of one shape.
    Map(&'static Shape),
    /// Known names.
    Object(&'static [Field]),
    /// The first shape that fits; if none does, the complaint of the first.
    Either(&'static [Shape]),
    /// Anything.
    Any,
}

/// A name of an object, and what stands there.
pub(super) struct Field {
    /// The name.
    pub(super) name: &'static str,
    /// What its value may be.
    pub(super) shape: Shape,
    /// What it is when it is missing.
    pub(super) missing: Missing,
}

/// What a missing field means.
pub(super) enum Missing {
    /// A mistake.
    Mistake,
    /// Nothing.
    Nothing,
    /// This JSON text.
    Default(&'static str),
}

impl Field {
    /// A field that must be there.
    pub(super) const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, missing: Missing::Mistake }
    }

    /// A field that may be left out.
    pub(super) const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, missing: Missing::Nothing }
    }

    /// A field with a default, as JSON text.
    pub(super) const fn default(name: &'static str, shape: Shape, json: &'static str) -> Self {
        Self { name, shape, missing: Missing::Default(json) }
    }

    /// Its default.
    fn default_value(&self) -> Option<Value> {
        match self.missing {
            Missing::Default(json) => serde_json::from_str(json).ok(),
            Missing::Mistake | Missing::Nothing => None,
        }
    }
}

/// Reads the fields of an object in their own order. With `defaults`, missing fields take their
/// defaults or are a mistake; the fields of objects inside always do.
pub(super) fn fields(
    known: &'static [Field],
    given: &Map<String, Value>,
    path: &str,
    defaults: bool,
    wrong: &mut Details,
) -> Map<String, Value> {
    let mut read = Map::new();
    for field in known {
        let path = format!("{path}/{}", field.name);
        match given.get(field.name).filter(|value| !value.is_null()) {
            Some(value) => {
                if let Some(value) = field.shape.read(value, &path, wrong) {
                    read.insert(field.name.to_owned(), value);
                }
            }
            None if defaults => {
                if matches!(field.missing, Missing::Mistake) {
                    wrong.push(Detail::new(path, "error.path.missing"));
                } else if let Some(value) = field.default_value() {
                    read.insert(field.name.to_owned(), value);
                }
            }
            None => {}
        }
    }
    read
}

/// Fills in the fields that are missing and have a default.
pub(super) fn complete(known: &'static [Field], object: &mut Map<String, Value>) {
    let mut given = std::mem::take(object);
    for field in known {
        if let Some(value) = given.shift_remove(field.name).or_else(|| field.default_value()) {
            object.insert(field.name.to_owned(), value);
        }
    }
}

impl Shape {
    /// The value as it is kept, or nothing and a complaint.
    pub(super) fn read(&self, value: &Value, path: &str, wrong: &mut Details) -> Option<Value> {
        let mut complain = |code: &str| {
            wrong.push(Detail::new(path, code));
            None
        };
        match self {
            Self::Text(least) => match value {
                Value::String(text) if text.chars().count() < *least => complain("error.minLength"),
                Value::String(_) => Some(value.clone()),
                _ => complain("error.expected.jsstring"),
            },
            Self::Pattern(fits) => match value {
                Value::String(text) if text.is_empty() => complain("error.minLength"),
                Value::String(text) if !fits(text) => complain("error.pattern"),
                Value::String(_) => Some(value.clone()),
                _ => complain("error.expected.jsstring"),
            },
            Self::Word(words) => match value.as_str() {
                Some(text) => {
                    let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                    known.map_or_else(
                        || complain("error.unknown.enum.literal"),
                        |word| Some(Value::String((*word).to_owned())),
                    )
                }
                None => complain("error.unknown.enum.literal"),
            },
            Self::Whole(min, max) => match whole(value) {
                Some(number) if number < *min => complain("error.min"),
                Some(number) if number > *max => complain("error.max"),
                Some(number) => Some(number.into()),
                None if value.is_number() => complain("error.expected.int"),
                None => complain("error.expected.jsnumber"),
            },
            Self::Number(min, max) => match value.as_f64() {
                Some(number) if number < *min => complain("error.min"),
                Some(number) if number > *max => complain("error.max"),
                Some(number) => Some(plain(number)),
                None => complain("error.expected.jsnumber"),
            },
            Self::Flag => value
                .is_boolean()
                .then(|| value.clone())
                .or_else(|| complain("error.expected.jsboolean")),
            Self::List(item) | Self::Set(item) => {
                let Some(items) = value.as_array() else {
                    return complain("error.expected.jsarray");
                };
                let mut read: Vec<Value> = Vec::with_capacity(items.len());
                for (index, value) in items.iter().enumerate() {
                    let value = item.read(value, &format!("{path}({index})"), wrong);
                    let twice = matches!(self, Self::Set(_))
                        && value.as_ref().is_some_and(|v| read.contains(v));
                    if !twice {
                        read.extend(value);
                    }
                }
                Some(Value::Array(read))
            }
            Self::Map(item) => {
                let Some(entries) = value.as_object() else {
                    return complain("error.expected.jsobject");
                };
                let read = entries.iter().filter_map(|(name, value)| {
                    Some((name.clone(), item.read(value, &format!("{path}/{name}"), wrong)?))
                });
                Some(Value::Object(read.collect()))
            }
            Self::Object(known) => match value.as_object() {
                Some(given) => Some(Value::Object(fields(known, given, path, true, wrong))),
                None => complain("error.expected.jsobject"),
            },
            Self::Either(shapes) => {
                let mut complaints = shapes.iter().map(|shape| {
                    let mut wrong = Details::new();
                    (shape.read(value, path, &mut wrong), wrong)
                });
                let first = complaints.next()?;
                if first.1.is_empty() {
                    return first.0;
                }
                match complaints.find(|(_, wrong)| wrong.is_empty()) {
                    Some((read, _)) => read,
                    None => {
                        wrong.extend(first.1);
                        None
                    }
                }
            }
            Self::Any => Some(value.clone()),
        }
    }
}

/// A whole number, also one that is written `1.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small")]
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}

/// A number as Marathon writes it: without a fraction where it has none.
fn plain(number: f64) -> Value {
    let value = Number::from_f64(number).map_or(Value::Null, Value::Number);
    whole(&value).map_or(value, Value::from)
}
