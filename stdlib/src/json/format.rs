//! `json.format(value)`

use pipe_grammar::Code;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact json.format, format;
    "
    # A value as JSON, its keys in the order in which they were written.
    #
    # A duration becomes its seconds, a size its bytes. A secret can't be in it.
    (
      # The value.
      value: any,
      # Blanks for each level; 0 writes it in one line.
      indent: int = 2,
    ) -> string
    "
    examples: [r#"json.format({ image: "shop", tags: ["1", "latest"] }, indent: 0)"#]
}

fn format(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let json = arguments.value("value").to_json();
    let indent: i64 = arguments.get("indent")?;
    let Some(blanks) = usize::try_from(indent).ok().filter(|n| *n <= 16) else {
        let what = format!("an indentation of {indent} is not between 0 and 16");
        return Err(Failure::new(Code::EVALUATION, what).at_argument("indent"));
    };
    if blanks == 0 {
        return Ok(json.to_string().into());
    }
    let mut out = Vec::new();
    let blanks = " ".repeat(blanks);
    let formatter = PrettyFormatter::with_indent(blanks.as_bytes());
    json.serialize(&mut Serializer::with_formatter(&mut out, formatter))
        .map_err(Failure::internal)?;
    Ok(String::from_utf8(out).map_err(Failure::internal)?.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use crate::{core::Value, testing::Machine};

    #[test]
    fn keys_stay_in_order() {
        let value = Value::record([
            ("b", Value::Int(1)),
            ("a", Value::Duration(Duration::from_secs(90))),
            ("c", Value::list([])),
        ]);
        let format = |indent: i64| {
            let given = [("value", value.clone()), ("indent", Value::Int(indent))];
            Machine::new().fact("json.format", &given)
        };
        assert_eq!(format(2), Ok("{\n  \"b\": 1,\n  \"a\": 90,\n  \"c\": []\n}".into()));
        assert_eq!(format(0), Ok(r#"{"b":1,"a":90,"c":[]}"#.into()));
        assert!(format(-1).is_err());
    }
}
