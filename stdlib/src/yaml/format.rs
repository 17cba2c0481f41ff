//! `yaml.format(value)`

use crate::core::{Arguments, Failure, Value, World, builtin, yaml};

builtin! {
    fact yaml.format, format;
    "
    # A value as YAML, its keys in the order in which they were written.
    #
    # A text that a reader could take for something else is quoted. A duration becomes its seconds,
    # a size its bytes. A secret can't be in it.
    (
      # The value.
      value: any,
    ) -> string
    "
    examples: [r#"yaml.format({ replicas: 3, image: "shop:1" })"#]
}

fn format(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let text = yaml::format(&arguments.value("value").to_json()).map_err(Failure::internal)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn in_block_style() {
        let value = Value::record([
            ("b", Value::strings(["x", "yes"])),
            ("a", Value::record([("c", Value::Int(1))])),
        ]);
        let found = Machine::new().fact("yaml.format", &[("value", value)]);
        assert_eq!(found, Ok("b:\n- x\n- \"yes\"\na:\n  c: 1\n".into()));
    }
}
