//! `semver.latest(versions)`

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.latest, latest;
    "
    # The newest of several versions, as it is written there; null when there is none.
    #
    # What is no version is passed over.
    (
      # The versions, with or without a `v`.
      versions: list<string>,
      # Whether pre-releases count.
      pre: bool = false,
    ) -> string?
    "
    examples: [r#"semver.latest(["v1.9.0", "v1.10.0", "latest"])"#]
}

fn latest(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let (texts, pre): (Vec<String>, bool) = (arguments.get("versions")?, arguments.get("pre")?);
    let versions = texts.iter().filter_map(|text| Some((super::version::parse(text)?, text)));
    let newest = versions
        .filter(|(version, _)| pre || version.pre.is_empty())
        .max_by(|(a, _), (b, _)| a.cmp_precedence(b));
    Ok(newest.map(|(_, text)| text.clone()).into())
}

#[cfg(test)]
mod tests {
    use crate::{core::Value, testing::Machine};

    #[test]
    fn the_newest_as_written() {
        let latest = |versions: &[&str], pre: bool| {
            let versions = Value::strings(versions.iter().copied());
            Machine::new().fact("semver.latest", &[("versions", versions), ("pre", pre.into())])
        };
        assert_eq!(latest(&["v1.9.0", "v1.10.0", "main", "1.2"], false), Ok("v1.10.0".into()));
        assert_eq!(latest(&["1.9.0", "2.0.0-rc.1"], false), Ok("1.9.0".into()));
        assert_eq!(latest(&["1.9.0", "2.0.0-rc.1"], true), Ok("2.0.0-rc.1".into()));
        assert_eq!(latest(&["main"], true), Ok(Value::Null));
    }
}
