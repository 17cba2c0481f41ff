//! `semver.compare(version, to)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.compare, compare;
    "
    # Which of two versions is newer: -1 when the first one is older, 0, or 1.
    #
    # A pre-release is older than its release. Build data does not count.
    (
      # The version, with or without a `v`.
      version: string,
      # Another one.
      to: string,
    ) -> int
    "
    examples: [r#"semver.compare("7.14.2", to: "v7.9.0") > 0"#]
}

fn compare(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let (version, to) =
        (super::version::of(arguments, "version")?, super::version::of(arguments, "to")?);
    Ok(Value::Int(version.cmp_precedence(&to) as i64))
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn in_the_order_of_the_standard() {
        // https://semver.org, 2.0.0, section 11.
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "v1.0.0",
            "1.0.1",
            "1.10.0",
        ];
        for (a, first) in order.iter().enumerate() {
            for (b, second) in order.iter().enumerate() {
                let given = [("version", (*first).into()), ("to", (*second).into())];
                let found = Machine::new().fact("semver.compare", &given);
                assert_eq!(found, Ok(Value::Int(a.cmp(&b) as i64)), "{first} {second}");
            }
        }
        let given = [("version", "1.0.0+a".into()), ("to", "1.0.0+b".into())];
        assert_eq!(Machine::new().fact("semver.compare", &given), Ok(Value::Int(0)));
    }
}
