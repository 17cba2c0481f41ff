//! Names of repositories, and what a path means.

use super::answer::Refusal;

/// What a path below `/v2/` is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Catalog,
    Tags(String),
    Manifest(String, String),
    Blob(String, String),
    Uploads(String),
    Upload(String, String),
}

impl Target {
    /// Reads a path from its end.
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        let path = percent_decoded(path);
        let rest = path.strip_prefix("/v2/").ok_or_else(Refusal::no_path)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let name = |parts: &[&str]| {
            let name = parts.join("/");
            if is_name(&name) { Ok(name) } else { Err(Refusal::invalid_name(&name)) }
        };
        match parts.as_slice() {
            ["_catalog"] => Ok(Self::Catalog),
            [of @ .., "tags", "list"] => Ok(Self::Tags(name(of)?)),
            [of @ .., "manifests", reference] => {
                Ok(Self::Manifest(name(of)?, (*reference).to_owned()))
            }
            [of @ .., "blobs", "uploads" | "uploads/"] | [of @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads(name(of)?))
            }
            [of @ .., "blobs", "uploads", id] => Ok(Self::Upload(name(of)?, (*id).to_owned())),
            [of @ .., "blobs", digest] => Ok(Self::Blob(name(of)?, (*digest).to_owned())),
            _ => Err(Refusal::no_path()),
        }
    }
}

/// Clients write the colons of digests and ports as they are or as `%3A`.
fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        match byte {
            Some(byte) => (bytes.push(byte), rest = &tail[2..]),
            None => (bytes.push(*first), rest = tail),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Components of small letters and digits, joined inside by `.`, `_`, `__` or hyphens; a component
/// may end with a port.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let (component, port) = match component.split_once(':') {
        Some((component, port)) => (component, Some(port)),
        None => (component, None),
    };
    let digits = |port: &str| !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let inner = |b: u8| letter(b) || matches!(b, b'.' | b'_' | b'-');
    let ends = component.bytes().next().is_some_and(letter) && component.bytes().last().is_some_and(letter);
    let joined_well = component
        .split(|c: char| c.is_ascii_alphanumeric())
        .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|b| b == b'-'));
    port.is_none_or(digits) && ends && component.bytes().all(inner) && joined_well
}

/// A letter, digit or underscore, then up to 127 of them, dots and hyphens.
pub(super) fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_of_the_specification_and_may_have_ports() {
        for name in ["a", "docker.io/ssk2/demo", "registry.example.com:5000/x", "a__b/c-d", "a---b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "a/", "/a", "a//b", "-a", "a..b", "a___b", "a:x/b", "../a", "a:1:2/b", "_a"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_tag("v1.0-rc_1") && !is_tag(".a") && !is_tag("") && !is_tag("a/b"));
    }

    #[test]
    fn paths_are_read_from_their_end() {
        let parse = |path: &str| Target::parse(path).unwrap();
        let name = || "h:5000/tags/list".to_owned();
        assert_eq!(parse("/v2/_catalog"), Target::Catalog);
        assert_eq!(parse("/v2/h%3A5000/tags/list/tags/list"), Target::Tags(name()));
        assert_eq!(parse("/v2/a/manifests/1"), Target::Manifest("a".into(), "1".into()));
        assert_eq!(parse("/v2/a/blobs/sha256%3aff"), Target::Blob("a".into(), "sha256:ff".into()));
        assert_eq!(parse("/v2/a/blobs/uploads/"), Target::Uploads("a".into()));
        assert_eq!(parse("/v2/a/blobs/uploads/x"), Target::Upload("a".into(), "x".into()));
        assert!(Target::parse("/v2/A/tags/list").is_err() && Target::parse("/v2/a").is_err());
    }
}
