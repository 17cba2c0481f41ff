//! `json.parse(text)`

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin, of_json};

builtin! {
    fact json.parse, parse;
    "
    # The value of a JSON text.
    #
    # `.name` and `[0]` look into it. What is in it gets a type where one is written:
    # `let tag: string = answer.tag`.
    (
      # The text.
      text: string,
    ) -> json
    "
    examples: [r#"json.parse("{}")"#]
}

fn parse(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    of(&text).map_err(|error| of_json(&text, &error).in_argument(Code::INVALID_JSON, &text, "JSON"))
}

/// The value of a text. A mark of the byte order before it is passed over.
pub(super) fn of(text: &str) -> Result<Value, serde_json::Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map(|json| Value::from_json(&json))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_value_keeps_its_order() {
        let text = r#"{ "b": [1, 2.5, "x", null, true], "a": { "": 9223372036854775807 } }"#;
        let value = Machine::new().fact("json.parse", &[("text", text.into())]).unwrap();
        assert_eq!(value.as_record().unwrap().keys().map(|k| &**k).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(value.as_record().unwrap()["b"].as_list().unwrap()[1], Value::Float(2.5));
    }

    #[test]
    fn a_mistake_is_shown() {
        let text = "{\n  \"ä\": 1,\n}";
        let failure = Machine::new().fact("json.parse", &[("text", text.into())]).unwrap_err();
        assert_eq!(
            failure.message,
            "the text is no JSON: a comma stands before the closing bracket"
        );
        assert_eq!(failure.evidence[0], ("its line 2, column 9".to_owned(), vec!["  \"ä\": 1,".to_owned()]));
    }
}
