//! A value where a type is asked for: literals become what they stand for, json shows its shape.

use std::sync::Arc;

use super::{Literal, Record, Type, Value};

/// A value that does not fit: where in it (a JSON pointer, empty for the value itself), what was
/// wanted and what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Misfit {
    /// RFC 6901.
    pub pointer: String,
    /// The type that was asked for.
    pub wanted: Type,
    /// What is there, in words: `a string`, `"x"`, `nothing`.
    pub found: String,
}

/// Makes a value one of a type: a text a path or a member of a union, an int a float, a record
/// one with its defaults. Checks the shape of json on the way.
///
/// # Errors
///
/// Where the value does not fit.
pub fn convert(value: Value, wanted: &Type) -> Result<Value, Misfit> {
    let misfit = |value: &Value| Misfit {
        pointer: String::new(),
        wanted: wanted.clone(),
        found: describe(value),
    };
    Ok(match (wanted, value) {
        (Type::Unknown | Type::Json | Type::Any | Type::App | Type::Environment, value) => value,
        (Type::Hidden | Type::Texts | Type::Globs | Type::Nothing, value) => value,
        (Type::Held(_), value @ Value::Held(_)) => value,
        (Type::Optional(_) | Type::Null, Value::Null) => Value::Null,
        (Type::Optional(inner), value) => convert(value, inner)?,
        (Type::Bool, value @ Value::Bool(_))
        | (Type::Int, value @ Value::Int(_))
        | (Type::Float, value @ Value::Float(_))
        | (Type::String, value @ Value::String(_))
        | (Type::Duration, value @ Value::Duration(_))
        | (Type::Size, value @ Value::Size(_))
        | (Type::Path, value @ Value::Path(_))
        | (Type::Secret, value @ Value::Secret(_)) => value,
        #[expect(clippy::cast_precision_loss, reason = "an int fits a float in the language")]
        (Type::Float, Value::Int(value)) => Value::Float(value as f64),
        (Type::Path, Value::String(text)) => Value::Path(text),
        (Type::String, Value::Path(text)) => Value::String(text),
        (Type::Literals(members), value) => {
            let found = members.iter().any(|member| match (member, &value) {
                (Literal::Text(a), Value::String(b)) => a == b,
                (Literal::Int(a), Value::Int(b)) => a == b,
                _ => false,
            });
            if !found {
                return Err(misfit(&value));
            }
            value
        }
        (Type::List(item), Value::List(items)) => {
            let convert = |(at, value): (usize, &Value)| {
                convert(value.clone(), item).map_err(|m| m.below(&at.to_string()))
            };
            Value::List(items.iter().enumerate().map(convert).collect::<Result<_, _>>()?)
        }
        (Type::Map(inner), Value::Record(fields)) => {
            let convert = |(key, value): (&super::Str, &Value)| {
                let value = convert(value.clone(), inner).map_err(|m| m.below(key))?;
                Ok((key.clone(), value))
            };
            let fields = fields.iter().map(convert).collect::<Result<Record, Misfit>>()?;
            Value::Record(Arc::new(fields))
        }
        (Type::Record(ty), Value::Record(fields)) => {
            let mut record = Record::new();
            for field in &ty.fields {
                let given =
                    fields.get(&field.name).filter(|v| !v.is_null() || field.ty.takes_null());
                let value = match (given, &field.default) {
                    (Some(value), _) => convert(value.clone(), &field.ty)
                        .map_err(|misfit| misfit.below(&field.name))?,
                    (None, Some(default)) => default.clone(),
                    (None, None) if field.optional => Value::Null,
                    (None, None) => {
                        let (wanted, found) = (field.ty.clone(), "nothing".to_owned());
                        let misfit = Misfit { pointer: String::new(), wanted, found };
                        return Err(misfit.below(&field.name));
                    }
                };
                record.insert(field.name.clone(), value);
            }
            Value::Record(Arc::new(record))
        }
        (_, value) => return Err(misfit(&value)),
    })
}

impl Misfit {
    fn below(mut self, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        self.pointer = format!("/{key}{}", self.pointer);
        self
    }
}

/// A value in words for a message; a secret is only called one.
#[must_use]
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Int(value) => format!("`{value}`"),
        Value::Float(value) => format!("`{value}`"),
        Value::Duration(value) => {
            let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
            format!("`{}`", pipe_grammar::duration_text(millis))
        }
        Value::Size(bytes) => format!("`{}`", pipe_grammar::size_text(*bytes)),
        Value::String(text) if text.chars().count() <= 40 => format!("`{text:?}`"),
        Value::String(_) => "a string".to_owned(),
        Value::Path(path) => format!("the path `{path}`"),
        Value::Secret(_) => "a secret".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Record(_) => "a record".to_owned(),
        Value::Held(_) => "a held value".to_owned(),
    }
}
