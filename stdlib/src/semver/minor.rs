//! `semver.minor(version)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.minor, minor;
    "
    # The first two numbers of a version: `7.14` of `v7.14.2`.
    (
      # The version, with or without a `v`.
      version: string,
    ) -> string
    "
    examples: [r#"semver.minor("v7.14.2")"#]
}

fn minor(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let version = super::version::of(arguments, "version")?;
    Ok(format!("{}.{}", version.major, version.minor).into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn the_first_two_numbers() {
        let of =
            |version: &str| Machine::new().fact("semver.minor", &[("version", version.into())]);
        assert_eq!(of("v7.14.2-rc.1"), Ok("7.14".into()));
    }
}
