//! `ci.number`

use super::jenkins;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact ci.number, number;
    "
    # The number of the build; null without a CI server.
    -> int?
    "
    examples: [r#"ci.number ?? 0"#]
}

fn number(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let number = jenkins::of_build(world, "BUILD_NUMBER").and_then(|text| text.parse::<i64>().ok());
    Ok(number.into())
}

#[cfg(test)]
mod tests {
    use super::super::jenkins::tests::build;
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_number_of_the_build() {
        assert_eq!(build().fact("ci.number", &[]), Ok(Value::Int(153)));
        let odd = build().with("BUILD_NUMBER", "x");
        assert_eq!(odd.fact("ci.number", &[]), Ok(Value::Null));
        assert_eq!(Machine::new().fact("ci.number", &[]), Ok(Value::Null));
    }
}
