//! The values of the language.

use std::{sync::Arc, time::Duration};

use indexmap::IndexMap;

use super::{HeldValue, Secret};

/// An immutable text, cheap to copy.
pub type Str = Arc<str>;

/// Fields in the order they were written.
pub type Record = IndexMap<Str, Value>;

/// A value. Values never change once made.
///
/// `json` is no kind of its own: a value of type `json` is whatever its text holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A time span, in whole milliseconds.
    Duration(Duration),
    /// A size in bytes.
    Size(u64),
    /// A text.
    String(Str),
    /// A path, relative to the folder of the Pipelinefile unless it begins with `/`.
    Path(Str),
    /// A text that is never shown.
    Secret(Secret),
    /// Several values in order.
    List(Arc<[Value]>),
    /// A record or a map.
    Record(Arc<Record>),
    /// Something that is undone when its block ends.
    Held(HeldValue),
}

impl Value {
    /// A text.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A list of texts.
    pub fn strings<T: Into<Str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|t| Self::String(t.into())).collect())
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A record.
    pub fn record<K: Into<Str>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Record(Arc::new(fields.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    /// The text, of a string or a path.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Path(text) => Some(text),
            _ => None,
        }
    }

    /// The fields of a record.
    #[must_use]
    pub fn as_record(&self) -> Option<&Record> {
        match self {
            Self::Record(fields) => Some(fields),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether a secret is in it, at any depth.
    #[must_use]
    pub fn holds_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(items) => items.iter().any(Value::holds_secret),
            Self::Record(fields) => fields.values().any(Value::holds_secret),
            _ => false,
        }
    }

    /// The value as JSON. Durations become seconds, sizes bytes; a secret becomes null, because
    /// nothing that may be read by others is ever made of it (the checker refuses it before).
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null | Self::Secret(_) | Self::Held(_) => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Json::from(*value),
            Self::Duration(value) if value.subsec_millis() == 0 => Json::from(value.as_secs()),
            Self::Duration(value) => Json::from(value.as_secs_f64()),
            Self::Size(value) => Json::from(*value),
            Self::String(text) | Self::Path(text) => Json::from(&**text),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Record(fields) => {
                fields.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect()
            }
        }
    }

    /// The value that a JSON text holds. A number that fits 64 bits is an int.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(text) => Self::string(text.as_str()),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json)),
            Json::Object(fields) => Self::record(
                fields.iter().map(|(key, value)| (key.as_str(), Self::from_json(value))),
            ),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Sets a value under a path of keys; what is on the way and is no record becomes one.
pub fn set_path(record: &mut Record, path: &[Str], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        record.insert(key.clone(), value);
        return;
    }
    let mut inner = match record.get(key) {
        Some(Value::Record(fields)) => (**fields).clone(),
        _ => Record::new(),
    };
    set_path(&mut inner, rest, value);
    record.insert(key.clone(), Value::Record(Arc::new(inner)));
}

/// The text of a value in `#{…}`; nothing for what has no single plain text.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) | Value::Path(text) => text.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Float(value) => float_text(*value),
        _ => return None,
    })
}

/// A float as it is written: always with a point, so that it stays one.
#[must_use]
pub fn float_text(value: f64) -> String {
    let text = value.to_string();
    if text.contains(['.', 'e', 'N', 'i']) { text } else { format!("{text}.0") }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::String(text)
    }
}
