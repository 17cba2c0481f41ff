//! `semver.bump(version, part)`

use pipe_grammar::Code;
use semver::{BuildMetadata, Prerelease, Version};

use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact semver.bump, bump;
    "
    # The next version.
    #
    # `major`, `minor` and `patch` of a pre-release are its release, where that is not less:
    # `patch` of 7.14.2-rc.1 is 7.14.2. With `pre` the next version is a pre-release: `patch` and
    # `rc` of 7.14.1 are 7.14.2-rc.1. The part `pre` counts a pre-release on, 7.14.2-rc.2, or starts
    # another one. Build data, behind `+`, is dropped.
    (
      # The version before, with or without a `v`.
      version: string,
      # What goes up.
      part: \"major\" | \"minor\" | \"patch\" | \"pre\",
      # What a pre-release is called: `rc`, `beta`.
      pre: string?,
    ) -> string
    "
    examples: [
        r#"semver.bump("v7.14.1", part: "minor")"#,
        r#"semver.bump("7.14.1", part: "patch", pre: "rc")"#,
    ]
}

fn bump(_: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let old = super::version::of(arguments, "version")?;
    let part: String = arguments.get("part")?;
    let pre: Option<String> = arguments.get("pre")?;
    if part == "pre" {
        return counted_on(&old, pre.as_deref()).map(|next| next.to_string().into());
    }
    let mut next = old.clone();
    (next.pre, next.build) = (Prerelease::EMPTY, BuildMetadata::EMPTY);
    // A pre-release of this very version only loses its mark, unless another one is asked for.
    let only_release = !old.pre.is_empty()
        && pre.is_none()
        && match part.as_str() {
            "major" => old.minor == 0 && old.patch == 0,
            "minor" => old.patch == 0,
            _ => true,
        };
    if !only_release {
        match part.as_str() {
            "major" => (next.major, next.minor, next.patch) = (up(old.major)?, 0, 0),
            "minor" => (next.minor, next.patch) = (up(old.minor)?, 0),
            _ => next.patch = up(old.patch)?,
        }
    }
    if let Some(name) = pre {
        next.pre = first(&name)?;
    }
    Ok(next.to_string().into())
}

/// The next pre-release.
fn counted_on(old: &Version, wanted: Option<&str>) -> Result<Version, Failure> {
    let (name, number) = match old.pre.rsplit_once('.') {
        Some((name, number)) => match number.parse::<u64>() {
            Ok(number) => (name, Some(number)),
            Err(_) => (old.pre.as_str(), None),
        },
        None => (old.pre.as_str(), None),
    };
    let mut next = old.clone();
    next.build = BuildMetadata::EMPTY;
    next.pre = match wanted {
        None if name.is_empty() => {
            return Err(Failure::new(Code::EVALUATION, format!("`{old}` is no pre-release"))
                .at_argument("version")
                .help("say what the first one is called: `pre: \"rc\"`"));
        }
        Some(wanted) if wanted != name => first(wanted)?,
        _ => of(&format!("{name}.{}", up(number.unwrap_or(0))?))?,
    };
    if old.pre.is_empty() {
        next.patch = up(old.patch)?;
    }
    Ok(next)
}

fn first(name: &str) -> Result<Prerelease, Failure> {
    of(&format!("{name}.1"))
}

fn of(text: &str) -> Result<Prerelease, Failure> {
    Prerelease::new(text).map_err(|_| {
        let name = text.rsplit_once('.').map_or(text, |(name, _)| name);
        Failure::new(Code::EVALUATION, format!("no pre-release can be called `{name}`"))
            .at_argument("pre")
            .help("letters, digits and hyphens, as in `rc` or `beta`")
    })
}

fn up(number: u64) -> Result<u64, Failure> {
    let too_big =
        || Failure::new(Code::EVALUATION, "the version has no next one").at_argument("version");
    number.checked_add(1).ok_or_else(too_big)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{core::Failure, testing::Machine};

    fn bump(version: &str, part: &str, pre: Option<&str>) -> Result<String, Failure> {
        let mut given = vec![("version", version.into()), ("part", part.into())];
        given.extend(pre.map(|pre| ("pre", pre.into())));
        let next = Machine::new().fact("semver.bump", &given)?;
        Ok(next.as_str().unwrap().to_owned())
    }

    #[test]
    fn the_next_version() {
        for (version, part, pre, next) in [
            ("v7.14.1", "major", None, "8.0.0"),
            ("7.14.1", "minor", None, "7.15.0"),
            ("7.14.1+b5", "patch", None, "7.14.2"),
            ("7.14.2-rc.1", "patch", None, "7.14.2"),
            ("7.14.2-rc.1", "minor", None, "7.15.0"),
            ("8.0.0-rc.1", "major", None, "8.0.0"),
            ("7.14.1", "patch", Some("rc"), "7.14.2-rc.1"),
            ("7.14.2-rc.1", "pre", None, "7.14.2-rc.2"),
            ("7.14.2-rc.1", "pre", Some("rc"), "7.14.2-rc.2"),
            ("7.14.2-rc.9", "pre", Some("stable"), "7.14.2-stable.1"),
            ("7.14.2-rc", "pre", None, "7.14.2-rc.1"),
            ("7.14.1", "pre", Some("rc"), "7.14.2-rc.1"),
            ("1.0.0-x.y", "pre", None, "1.0.0-x.y.1"),
        ] {
            assert_eq!(bump(version, part, pre).as_deref(), Ok(next), "{version} {part} {pre:?}");
        }
    }

    #[test]
    fn what_has_no_next_one_is_told() {
        assert_eq!(bump("7.14.1", "pre", None).unwrap_err().message, "`7.14.1` is no pre-release");
        assert!(bump("7.14.1", "patch", Some("r c")).is_err());
        assert!(bump("1.2.18446744073709551615", "patch", None).is_err());
    }
}
