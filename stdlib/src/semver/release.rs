//! `semver.release(version)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.release, release;
    "
    # A version without its pre-release and build data: `7.14.2` of `7.14.2-rc.1+5`.
    (
      # The version, with or without a `v`.
      version: string,
    ) -> string
    "
    examples: [r#"semver.release("7.14.2-rc.1")"#]
}

fn release(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let version = super::version::of(arguments, "version")?;
    Ok(format!("{}.{}.{}", version.major, version.minor, version.patch).into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Machine;

    #[test]
    fn only_the_numbers_stay() {
        let of =
            |version: &str| Machine::new().fact("semver.release", &[("version", version.into())]);
        assert_eq!(of("v7.14.2-rc.1+5"), Ok("7.14.2".into()));
        assert_eq!(of("7.14.2"), Ok("7.14.2".into()));
    }
}
