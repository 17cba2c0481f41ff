//! A value as it is written in a Pipelinefile.

use super::{Value, value::float_text};

/// Writes a value in the language's own syntax; a secret as `***`.
#[must_use]
pub fn write_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float_text(*value),
        Value::Duration(value) => {
            pipe_grammar::duration_text(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
        }
        Value::Size(bytes) => pipe_grammar::size_text(*bytes),
        Value::String(text) | Value::Path(text) => quote(text),
        Value::Secret(_) => "***".to_owned(),
        Value::Held(_) => "…".to_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(write_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Record(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Record(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", write_key(key), write_value(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn write_key(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name =
        !key.is_empty() && key.chars().all(plain) && !key.starts_with(|c: char| c.is_ascii_digit());
    if name { key.to_owned() } else { quote(key) }
}

/// A text between double quotes, with the escapes it needs.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '#' if chars.peek() == Some(&'{') => out.push_str("\\#"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:X}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let text = "a \"b\" \\ #{c} \n\t\u{1b} é";
        assert_eq!(quote(text), r#""a \"b\" \\ \#{c} \n\t\u{1B} é""#);
        let value = Value::record([("a", Value::Int(1)), ("b.c", Value::strings(["x"]))]);
        assert_eq!(write_value(&value), r#"{ a: 1, "b.c": ["x"] }"#);
    }
}
