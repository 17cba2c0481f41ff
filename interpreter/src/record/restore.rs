//! Values of a journal, read back.

use std::time::Duration;

use pipe_stdlib::core::{Type, Value, convert};
use serde_json::Value as Json;

/// The value that JSON stands for where a type is asked for. None: it does not fit, as after a
/// change of the file.
#[must_use]
pub fn restore(json: &Json, ty: &Type) -> Option<Value> {
    Some(match (ty, json) {
        (Type::Optional(_) | Type::Null | Type::Nothing, Json::Null) => Value::Null,
        (Type::Optional(inner), json) => restore(json, inner)?,
        (Type::Duration, Json::Number(seconds)) => {
            Value::Duration(Duration::try_from_secs_f64(seconds.as_f64()?).ok()?)
        }
        (Type::Size, Json::Number(bytes)) => Value::Size(bytes.as_u64()?),
        (Type::List(item), Json::Array(items)) => {
            let items: Option<Vec<Value>> = items.iter().map(|json| restore(json, item)).collect();
            Value::list(items?)
        }
        (Type::Map(item), Json::Object(fields)) => {
            let fields: Option<Vec<_>> = fields
                .iter()
                .map(|(name, json)| Some((name.as_str(), restore(json, item)?)))
                .collect();
            Value::record(fields?)
        }
        (Type::Record(record), Json::Object(fields)) => {
            let fields: Option<Vec<_>> = fields
                .iter()
                .map(|(name, json)| Some((name.as_str(), restore(json, &record.field(name)?.ty)?)))
                .collect();
            Value::record(fields?)
        }
        (ty, json) => convert(Value::from_json(json), ty).ok()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_written_comes_back() {
        let record = |fields: &str| {
            let (file, written) = pipe_grammar::parse_type(fields).unwrap();
            pipe_stdlib::core::lower_type(&file, &written, &|_, _| None).unwrap()
        };
        let ty = record("{ a: duration, b: size, c: list<path>, d: string?, e: map<float> }");
        let value = Value::record([
            ("a", Value::Duration(Duration::from_millis(1500))),
            ("b", Value::Size(1 << 40)),
            ("c", Value::list([Value::Path("x/y".into())])),
            ("d", Value::Null),
            ("e", Value::record([("k", Value::Float(2.0))])),
        ]);
        assert_eq!(restore(&value.to_json(), &ty), Some(value));
        assert_eq!(restore(&Json::from("text"), &ty), None);
    }
}
