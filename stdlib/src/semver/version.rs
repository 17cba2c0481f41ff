//! A version of a call.

use pipe_grammar::Code;
use semver::Version;

use crate::core::{Arguments, Failure};

/// Reads a version, with or without a `v` before it (https://semver.org, 2.0.0).
pub(super) fn parse(text: &str) -> Option<Version> {
    let text = text.trim();
    Version::parse(text.strip_prefix(['v', 'V']).unwrap_or(text)).ok()
}

/// The version that an argument gives.
pub(super) fn of(arguments: &Arguments, name: &'static str) -> Result<Version, Failure> {
    let text: String = arguments.get(name)?;
    parse(&text).ok_or_else(|| {
        let failure = Failure::new(Code::EVALUATION, format!("`{text}` is no version"))
            .at_argument(name)
            .help("a version has three numbers: `7.14.0`, `v7.14.0`, `7.14.0-rc.1`");
        // Leading zeros and missing numbers are what people write.
        let numbers = text.trim().trim_start_matches(['v', 'V']).split('.');
        let mut numbers: Vec<Option<u64>> = numbers.map(|number| number.parse().ok()).collect();
        numbers.resize(numbers.len().max(3), Some(0));
        match numbers.as_slice() {
            [Some(major), Some(minor), Some(patch)] => {
                failure.help(format!("perhaps `{major}.{minor}.{patch}`"))
            }
            _ => failure,
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::testing::Machine;

    #[test]
    fn what_is_no_version_is_repaired() {
        let bad = |version: &str| {
            Machine::new().fact("semver.release", &[("version", version.into())]).unwrap_err()
        };
        assert_eq!(bad("7.14").message, "`7.14` is no version");
        assert_eq!(bad("v7.14").help[1], "perhaps `7.14.0`");
        assert_eq!(bad("7.04.1").help[1], "perhaps `7.4.1`");
        assert_eq!(bad("latest").help.len(), 1);
        assert_eq!(bad("1.2.3.4").help.len(), 1);
    }
}
