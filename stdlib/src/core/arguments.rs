//! The arguments of a call, bound to the names of its parameters.

use std::{collections::BTreeMap, time::Duration};

use super::{Failure, Record, Secret, Str, Value};

/// Arguments by parameter. The checker has checked names and types, and defaults are filled in;
/// an optional parameter that was not given is null.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    values: BTreeMap<Str, Value>,
    given: Vec<Str>,
}

impl Arguments {
    /// Binds a value to a parameter. `given`: it stands in the call, it is no default.
    pub fn bind(&mut self, parameter: impl Into<Str>, value: Value, given: bool) {
        let parameter = parameter.into();
        if given {
            self.given.push(parameter.clone());
        }
        self.values.insert(parameter, value);
    }

    /// Whether the argument stands in the call.
    #[must_use]
    pub fn is_given(&self, parameter: &str) -> bool {
        self.given.iter().any(|name| &**name == parameter)
    }

    /// The value of a parameter; null when there is none.
    #[must_use]
    pub fn value(&self, parameter: &str) -> &Value {
        self.values.get(parameter).unwrap_or(&Value::Null)
    }

    /// All of them, by name, with whether they stand in the call.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value, bool)> {
        self.values.iter().map(|(name, value)| (&**name, value, self.is_given(name)))
    }

    /// The value of a parameter as a Rust type.
    ///
    /// # Errors
    ///
    /// An internal failure when the declaration of the built-in and its code disagree.
    pub fn get<T: FromValue>(&self, parameter: &'static str) -> Result<T, Failure> {
        let value = self.value(parameter);
        T::from_value(value).ok_or_else(|| {
            Failure::internal(format_args!("argument `{parameter}` has an unexpected type"))
        })
    }
}

/// A Rust type that a value of the language fits.
pub trait FromValue: Sized {
    /// The value, or nothing when it is of another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($rust:ty: $pattern:pat => $result:expr;)*) => {
        $(impl FromValue for $rust {
            fn from_value(value: &Value) -> Option<Self> {
                match value { $pattern => Some($result), _ => None }
            }
        })*
    };
}

from_value! {
    bool: Value::Bool(value) => *value;
    i64: Value::Int(value) => *value;
    u64: Value::Size(bytes) => *bytes;
    Duration: Value::Duration(value) => *value;
    String: Value::String(text) | Value::Path(text) => text.to_string();
    Secret: Value::Secret(secret) => secret.clone();
    Record: Value::Record(fields) => (**fields).clone();
}

impl FromValue for f64 {
    #[expect(clippy::cast_precision_loss, reason = "an int fits a float in the language")]
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Float(value) => Some(*value),
            Value::Int(value) => Some(*value as f64),
            _ => None,
        }
    }
}

impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A list; one value alone is a list of it (`texts`, `globs`).
impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::List(items) => items.iter().map(T::from_value).collect(),
            value => T::from_value(value).map(|one| vec![one]),
        }
    }
}

/// A map, in the order it was written.
impl<T: FromValue> FromValue for Vec<(String, T)> {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Record(fields) = value else { return None };
        fields
            .iter()
            .map(|(key, value)| T::from_value(value).map(|value| (key.to_string(), value)))
            .collect()
    }
}
