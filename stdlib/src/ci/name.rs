//! `ci.name`

use super::jenkins;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact ci.name, name;
    "
    # Which CI server runs this: `jenkins`; null on a laptop, and under any other.
    -> string?
    "
    examples: ["ci.name == null"]
}

fn name(world: &World, _: &Arguments) -> Result<Value, Failure> {
    Ok(jenkins::is_here(world).then_some("jenkins").into())
}

#[cfg(test)]
mod tests {
    use super::super::jenkins::tests::build;
    use crate::{core::Value, testing::Machine};

    #[test]
    fn jenkins_or_null() {
        assert_eq!(build().fact("ci.name", &[]), Ok("jenkins".into()));
        assert_eq!(Machine::new().fact("ci.name", &[]), Ok(Value::Null));
    }
}
