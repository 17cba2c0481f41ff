//! Methods and properties of values.

use std::sync::Arc;

use super::{Arguments, Failure, Signature, Str, Type, Value};
use pipe_grammar::Code;

/// What a method does with a value.
type Body = fn(&Value, &Arguments) -> Result<Value, Failure>;

/// A method (`x.trim()`) or a property (`d.seconds`, without parentheses).
pub struct Method {
    /// The type that has it: `string`, `list`, `map`, `secret`, `int`, `float`, `duration`, `size`.
    pub on: &'static str,
    /// Its name.
    pub name: &'static str,
    /// As of a built-in. `T` is the type of a list's items or a map's values.
    pub declaration: &'static str,
    /// What it does.
    pub body: Body,
}

impl Method {
    /// Its signature on values of a type.
    ///
    /// # Errors
    ///
    /// Never for a declaration that the tests have read.
    pub fn signature(&self, on: &Type) -> Result<Signature, String> {
        let item = match on {
            Type::List(item) | Type::Map(item) => (**item).clone(),
            _ => Type::Unknown,
        };
        Signature::read(self.declaration, &|_, name| (name == "T").then(|| item.clone()))
    }
}

/// The methods that a type has.
#[must_use]
pub fn methods(ty: &Type) -> &'static [Method] {
    match ty {
        Type::String | Type::Path | Type::Literals(_) => TEXT,
        Type::List(_) => LIST,
        Type::Map(_) => MAP,
        Type::Secret => SECRET,
        Type::Int | Type::Float => NUMBER,
        Type::Duration => DURATION,
        Type::Size => SIZE,
        _ => &[],
    }
}

/// The method of a type with this name.
#[must_use]
pub fn method(ty: &Type, name: &str) -> Option<&'static Method> {
    methods(ty).iter().find(|method| method.name == name)
}

macro_rules! methods {
    ($constant:ident $on:literal: $($name:literal $declaration:literal => $body:expr;)*) => {
        const $constant: &[Method] = &[$(Method {
            on: $on,
            name: $name,
            declaration: $declaration,
            body: $body,
        }),*];
    };
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn items(value: &Value) -> &[Value] {
    value.as_list().unwrap_or(&[])
}

methods! { TEXT "string":
    "trim" "# Without blanks and line ends at both ends.\n() -> string"
        => |this, _| Ok(text(this).trim().into());
    "split" "# The parts between a text.\n(by: string) -> list<string>" => |this, a| {
        let by: String = a.get("by")?;
        if by.is_empty() {
            return Err(Failure::new(Code::EVALUATION, "can't split by an empty text").at_argument("by"));
        }
        Ok(Value::strings(text(this).split(by.as_str())))
    };
    "lines" "# Its lines, without line ends.\n() -> list<string>"
        => |this, _| Ok(Value::strings(text(this).lines()));
    "replace" "# With each occurrence of a text replaced.\n(text: string, with: string) -> string"
        => |this, a| {
        let (from, to): (String, String) = (a.get("text")?, a.get("with")?);
        Ok(text(this).replace(&from, &to).into())
    };
    "starts_with" "# Whether it begins with a text.\n(text: string) -> bool"
        => |this, a| Ok(text(this).starts_with(a.get::<String>("text")?.as_str()).into());
    "ends_with" "# Whether it ends with a text.\n(text: string) -> bool"
        => |this, a| Ok(text(this).ends_with(a.get::<String>("text")?.as_str()).into());
    "contains" "# Whether a text is in it.\n(text: string) -> bool"
        => |this, a| Ok(text(this).contains(a.get::<String>("text")?.as_str()).into());
    "lower" "# In lower case.\n() -> string" => |this, _| Ok(text(this).to_lowercase().into());
    "upper" "# In upper case.\n() -> string" => |this, _| Ok(text(this).to_uppercase().into());
    "slug" "# Lower-case letters, digits and inner hyphens only.\n(max: int = 63) -> string"
        => |this, a| Ok(slug(text(this), a.get::<i64>("max")?).into());
    "length" "# How many characters it has.\n() -> int"
        => |this, _| Ok(Value::Int(count(text(this).chars().count())));
    "to_int" "# The int that it holds.\n() -> int" => |this, _| {
        let found = text(this).trim().parse().map(Value::Int);
        found.map_err(|_| no_number(this, "int"))
    };
    "to_float" "# The number that it holds.\n() -> float" => |this, _| {
        let found: Result<f64, _> = text(this).trim().parse();
        found.ok().filter(|f| f.is_finite()).map(Value::Float).ok_or_else(|| no_number(this, "float"))
    };
}

methods! { LIST "list":
    "join" "# Its texts with a text between them.\n(with: string) -> string" => |this, a| {
        let texts: Option<Vec<String>> = items(this).iter().map(super::text_of).collect();
        let texts = texts.ok_or_else(|| Failure::new(Code::EVALUATION, "only texts can be joined"))?;
        Ok(texts.join(&a.get::<String>("with")?).into())
    };
    "contains" "# Whether a value is in it.\n(item: T) -> bool"
        => |this, a| Ok(items(this).contains(a.value("item")).into());
    "length" "# How many values it has.\n() -> int"
        => |this, _| Ok(Value::Int(count(items(this).len())));
    "first" "# Its first value; null when it is empty.\n() -> T?"
        => |this, _| Ok(items(this).first().cloned().unwrap_or_default());
    "last" "# Its last value; null when it is empty.\n() -> T?"
        => |this, _| Ok(items(this).last().cloned().unwrap_or_default());
    "sort" "# In order: numbers by size, texts by their characters.\n() -> list<T>" => |this, _| {
        let mut sorted = items(this).to_vec();
        sorted.sort_by(compare);
        Ok(Value::list(sorted))
    };
    "unique" "# Each value once, where it came first.\n() -> list<T>" => |this, _| {
        let mut unique: Vec<Value> = Vec::new();
        for item in items(this) {
            if !unique.contains(item) {
                unique.push(item.clone());
            }
        }
        Ok(Value::list(unique))
    };
}

methods! { MAP "map":
    "keys" "# Its keys, in the order written.\n() -> list<string>" => |this, _| {
        Ok(Value::strings(this.as_record().into_iter().flat_map(|r| r.keys().cloned())))
    };
    "values" "# Its values, in the order written.\n() -> list<T>" => |this, _| {
        Ok(Value::list(this.as_record().into_iter().flat_map(|r| r.values().cloned())))
    };
    "contains" "# Whether it has a key.\n(key: string) -> bool" => |this, a| {
        let key: String = a.get("key")?;
        Ok(this.as_record().is_some_and(|r| r.contains_key(key.as_str())).into())
    };
    "length" "# How many keys it has.\n() -> int"
        => |this, _| Ok(Value::Int(count(this.as_record().map_or(0, super::Record::len))));
}

methods! { SECRET "secret":
    "trim" "# Without blanks and line ends at both ends; stays a secret.\n() -> secret"
        => |this, _| Ok(hidden(this, |text| text.trim().to_owned()));
    "replace" "# With each occurrence of a text replaced; stays a secret.\n(text: string, with: string) -> secret"
        => |this, a| {
        let (from, to): (String, String) = (a.get("text")?, a.get("with")?);
        Ok(hidden(this, |text| text.replace(&from, &to)))
    };
}

methods! { NUMBER "int":
    "to_float" "# As a number with a fraction.\n() -> float" => |this, _| match this {
        #[expect(clippy::cast_precision_loss, reason = "that is what the method is for")]
        Value::Int(value) => Ok(Value::Float(*value as f64)),
        other => Ok(other.clone()),
    };
    "to_int" "# Without its fraction, towards zero.\n() -> int" => |this, _| match this {
        Value::Float(value) => whole(*value),
        other => Ok(other.clone()),
    };
}

methods! { DURATION "duration":
    "seconds" "# In whole seconds.\n-> int" => |this, _| Ok(duration(this, 1000));
    "millis" "# In milliseconds.\n-> int" => |this, _| Ok(duration(this, 1));
}

methods! { SIZE "size":
    "bytes" "# In bytes.\n-> int" => |this, _| match this {
        Value::Size(bytes) => Ok(Value::Int(i64::try_from(*bytes).unwrap_or(i64::MAX))),
        _ => Ok(Value::Null),
    };
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn duration(value: &Value, unit: u128) -> Value {
    match value {
        Value::Duration(span) => {
            Value::Int(i64::try_from(span.as_millis() / unit).unwrap_or(i64::MAX))
        }
        _ => Value::Null,
    }
}

fn hidden(value: &Value, change: impl FnOnce(&str) -> String) -> Value {
    match value {
        Value::Secret(secret) => Value::Secret(super::Secret::new(change(secret.reveal()))),
        other => other.clone(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(value: f64) -> Result<Value, Failure> {
    // 2^63 as a float is exact; its neighbour below is the greatest that fits.
    if value.is_finite()
        && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value)
    {
        Ok(Value::Int(value.trunc() as i64))
    } else {
        Err(Failure::new(Code::EVALUATION, format!("`{value}` is too big for an int")))
    }
}

fn no_number(value: &Value, wanted: &str) -> Failure {
    let found = super::describe(value);
    Failure::new(Code::EVALUATION, format!("{found} is no {wanted}"))
}

fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Size(a), Value::Size(b)) => a.cmp(b),
        (a, b) => a.as_str().unwrap_or("").cmp(b.as_str().unwrap_or("")),
    }
}

/// A text as a part of a DNS name, an app id or a tag: RFC 1123's letters, digits and hyphens.
fn slug(text: &str, max: i64) -> Str {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(usize::try_from(max).unwrap_or(0));
    Arc::from(out.trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn call(value: Value, name: &str, arguments: &[(&str, Value)]) -> Result<Value, Failure> {
        let method = method(&Type::of(&value), name).unwrap();
        let signature = method.signature(&Type::of(&value)).unwrap();
        let mut bound = Arguments::default();
        for parameter in signature.parameters.into_iter().flatten() {
            let given = arguments.iter().find(|(name, _)| *name == &*parameter.name);
            let value = given.map(|(_, v)| v.clone()).or(parameter.default).unwrap_or_default();
            bound.bind(parameter.name, value, given.is_some());
        }
        (method.body)(&value, &bound)
    }

    #[test]
    fn every_declaration_can_be_read() {
        for ty in [
            Type::String,
            Type::list(Type::Int),
            Type::Map(Arc::new(Type::Int)),
            Type::Secret,
            Type::Int,
            Type::Duration,
            Type::Size,
        ] {
            for method in methods(&ty) {
                method.signature(&ty).unwrap();
            }
        }
    }

    #[test]
    fn texts() {
        assert_eq!(call("Feature/ÄB_1".into(), "slug", &[]).unwrap(), "feature-b-1".into());
        assert_eq!(call(" 12 ".into(), "to_int", &[]).unwrap(), Value::Int(12));
        assert!(call("x".into(), "to_int", &[]).is_err());
        assert_eq!(
            call("a,b".into(), "split", &[("by", ",".into())]).unwrap(),
            Value::strings(["a", "b"])
        );
    }

    #[test]
    fn lists() {
        let list = Value::strings(["b", "a", "b"]);
        assert_eq!(call(list.clone(), "sort", &[]).unwrap(), Value::strings(["a", "b", "b"]));
        assert_eq!(call(list.clone(), "unique", &[]).unwrap(), Value::strings(["b", "a"]));
        assert_eq!(call(list, "join", &[("with", "-".into())]).unwrap(), "b-a-b".into());
    }

    #[test]
    fn numbers() {
        assert_eq!(call(Value::Float(-1.9), "to_int", &[]).unwrap(), Value::Int(-1));
        assert!(call(Value::Float(1e300), "to_int", &[]).is_err());
        let span = Value::Duration(std::time::Duration::from_millis(1500));
        let method = method(&Type::Duration, "seconds").unwrap();
        assert_eq!((method.body)(&span, &Arguments::default()).unwrap(), Value::Int(1));
    }
}
