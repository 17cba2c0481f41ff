//! `semver.major(version)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.major, major;
    "
    # The first number of a version: `7` of `v7.14.2`.
    (
      # The version, with or without a `v`.
      version: string,
    ) -> string
    "
    examples: [r#"semver.major("v7.14.2")"#]
}

fn major(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let version = super::version::of(arguments, "version")?;
    Ok(version.major.to_string().into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn the_first_number() {
        let of =
            |version: &str| Machine::new().fact("semver.major", &[("version", version.into())]);
        assert_eq!(of("v7.14.2-rc.1"), Ok("7".into()));
    }
}
