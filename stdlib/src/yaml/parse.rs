//! `yaml.parse(text)`

use pipe_grammar::Code;

use crate::core::{Arguments, Failure, Value, World, builtin, yaml};

builtin! {
    fact yaml.parse, parse;
    "
    # The value of a YAML text.
    #
    # YAML 1.2, one document: `yes` is a text, keys are texts, aliases and `<<` are resolved. A key
    # that stands twice is an error.
    (
      # The text.
      text: string,
    ) -> json
    "
    examples: [r#"yaml.parse("replicas: 3").replicas"#]
}

fn parse(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text: String = arguments.get("text")?;
    match yaml::parse(&text) {
        Ok(json) => Ok(Value::from_json(&json)),
        Err(problem) => Err(problem.in_argument(Code::INVALID_YAML, &text, "YAML")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{core::Value, testing::Machine};

    #[test]
    fn a_text_is_read() {
        let parse = |text: &str| Machine::new().fact("yaml.parse", &[("text", text.into())]);
        assert_eq!(parse("a: [1, x]"), {
            Ok(Value::record([("a", Value::list([Value::Int(1), "x".into()]))]))
        });
        let failure = parse("a: 1\na: 2").unwrap_err();
        assert_eq!(failure.message, "the text is no YAML: the key `a` stands twice in one map");
        assert_eq!(failure.evidence[0].0, "its line 2, column 1");
    }
}
