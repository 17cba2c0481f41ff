//! The name of an image.

use std::{fmt, str::FromStr};

use crate::Digest;

/// Where images without a host come from.
const DOCKER_HUB: &str = "docker.io";

/// The name of an image in its full form: `docker.io/library/busybox:1.36`.
///
/// Read as Docker does: the first part is a host when it has a `.` or a `:`, is `localhost`, or has
/// an upper-case letter; without a host it is Docker Hub, without a folder there `library`
/// ([distribution/reference](https://github.com/distribution/reference/blob/main/normalize.go)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    host: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    /// One line: what is wrong.
    pub message: String,
    /// The text, repaired, where that is possible without guessing.
    pub repaired: Option<String>,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReferenceError {}

impl Reference {
    /// The registry's host, with its port: `docker.io`, `127.0.0.1:5000`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name inside the registry: `library/busybox`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, where one is written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where one is written.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Host and path without tag and digest, as it is usually written: `busybox`,
    /// `registry.example.com/web`.
    #[must_use]
    pub fn repository(&self) -> String {
        if self.host != DOCKER_HUB {
            return format!("{}/{}", self.host, self.path);
        }
        match (self.path.strip_prefix("library/"), self.path.split_once('/')) {
            (Some(name), _) if !name.contains('/') => name.to_owned(),
            // Without the host its first part would be taken for one.
            (_, Some((first, _))) if first.contains('.') || first == "localhost" => {
                format!("{DOCKER_HUB}/{}", self.path)
            }
            _ => self.path.clone(),
        }
    }

    /// The reference as it is usually written, without `docker.io` and `library`: `busybox:1.36`.
    #[must_use]
    pub fn familiar(&self) -> String {
        format!("{}{}", self.repository(), self.end())
    }

    /// What a registry is asked for: the digest where there is one, else the tag, else `latest`.
    #[must_use]
    pub fn target(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The same reference with the tag `latest` where it has neither tag nor digest.
    #[must_use]
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// The same image by its digest alone: what never changes its meaning.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same repository with another tag.
    ///
    /// # Errors
    ///
    /// When the text is no tag.
    pub fn tagged(&self, tag: &str) -> Result<Self, ReferenceError> {
        check_tag(tag, &format!("{}:", self.repository()))?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    fn end(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        tag + &digest
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.host, self.path, self.end())
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::read(text).map_err(|error| ReferenceError {
            repaired: error.repaired.filter(|repaired| Self::read(repaired).is_ok()),
            ..error
        })
    }
}

impl Reference {
    /// Reads a reference. The repaired text of an error is a guess that may need more repair.
    fn read(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(wrong("the name of an image is empty", None));
        }
        if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            let repaired = Some(text.trim().to_owned());
            return Err(wrong(format!("`{}` holds {}", text.escape_debug(), name(bad)), repaired));
        }
        if let Some(rest) = text.split_once("://").map(|(_, rest)| rest) {
            let repaired = Some(rest.to_owned());
            return Err(wrong(
                format!("`{text}` is a URL; images are named without one"),
                repaired,
            ));
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (
                name,
                Some(digest.parse::<Digest>().map_err(|error| wrong(error.to_string(), None))?),
            ),
            None => (text, None),
        };
        if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong("64 hexadecimal digits are the id of an image, no name", None));
        }
        let (host, rest) = split_host(name)?;
        let (path, tag) = split_tag(rest);
        if let Some(tag) = tag {
            check_tag(tag, &name[..name.len() - tag.len()])?;
        }
        check_path(path, text)?;
        let path = match host {
            DOCKER_HUB if !path.contains('/') => format!("library/{path}"),
            _ => path.to_owned(),
        };
        // Host and path together; the bound of registries and of Docker itself.
        if host.len() + 1 + path.len() > 255 {
            return Err(wrong("the name of an image has at most 255 characters", None));
        }
        Ok(Self { host: host.to_owned(), path, tag: tag.map(str::to_owned), digest })
    }
}

/// The host and what follows. Docker Hub has several names.
fn split_host(name: &str) -> Result<(&str, &str), ReferenceError> {
    let Some((first, rest)) = name.split_once('/') else { return Ok((DOCKER_HUB, name)) };
    let is_host = first.contains(['.', ':'])
        || first == "localhost"
        || first.chars().any(|c| c.is_ascii_uppercase());
    if !is_host {
        return Ok((DOCKER_HUB, name));
    }
    let (host, port) = match first.rfind(':') {
        Some(at) if !first.ends_with(']') => (&first[..at], Some(&first[at + 1..])),
        _ => (first, None),
    };
    if let Some(port) = port
        && (port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()))
    {
        // `demo:feature/x`: a tag made of a branch's name.
        let tag = &name[host.len() + 1..];
        return Err(wrong(
            format!("`{name}`: a tag can't hold `/`"),
            repaired_tag(tag).map(|tag| format!("{host}:{tag}")),
        ));
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let valid = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(label),
    };
    if !valid {
        return Err(wrong(format!("`{first}` is no host of a registry"), None));
    }
    match first {
        "index.docker.io" | "registry-1.docker.io" => Ok((DOCKER_HUB, rest)),
        _ => Ok((first, rest)),
    }
}

fn split_tag(rest: &str) -> (&str, Option<&str>) {
    let last = rest.rfind('/').map_or(0, |at| at + 1);
    match rest[last..].find(':') {
        Some(at) => (&rest[..last + at], Some(&rest[last + at + 1..])),
        None => {
            // `host/demo:feature/x`: the tag begins before the last `/`.
            match rest.find(':') {
                Some(at) => (&rest[..at], Some(&rest[at + 1..])),
                None => (rest, None),
            }
        }
    }
}

/// Words of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn check_path(path: &str, text: &str) -> Result<(), ReferenceError> {
    if path.is_empty() {
        return Err(wrong(format!("`{text}` names no repository"), None));
    }
    for part in path.split('/') {
        if part.is_empty() {
            return Err(wrong(format!("`{text}` has an empty part between two `/`"), None));
        }
        if part.chars().any(char::is_uppercase) {
            return Err(wrong(
                format!("the repository `{path}` must be in lower case"),
                Some(text.replacen(path, &path.to_lowercase(), 1)),
            ));
        }
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        if let Some(bad) = part.chars().find(|c| !allowed(*c)) {
            return Err(wrong(format!("the repository `{path}` can't hold {}", name(bad)), None));
        }
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !part.starts_with(is_word) || !part.ends_with(is_word) {
            return Err(wrong(
                format!("`{part}` in `{text}` must begin and end with a letter or a digit"),
                None,
            ));
        }
        let joint = |j: &str| matches!(j, "" | "." | "_" | "__") || j.bytes().all(|b| b == b'-');
        if let Some(bad) = part.split(is_word).find(|j| !joint(j)) {
            return Err(wrong(format!("`{bad}` can't join two words, in `{text}`"), None));
        }
    }
    Ok(())
}

/// A letter, digit or `_`, then at most 127 of them and `.` and `-`. `before` is the text up to
/// the tag, for the repaired one.
fn check_tag(tag: &str, before: &str) -> Result<(), ReferenceError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let message = if tag.is_empty() {
        format!("`{before}` lacks a tag after `:`")
    } else if let Some(bad) = tag.chars().find(|c| !allowed(*c)) {
        format!("the tag `{tag}` can't hold {}", name(bad))
    } else if tag.starts_with(['.', '-']) {
        format!("the tag `{tag}` can't begin with `{}`", &tag[..1])
    } else if tag.len() > 128 {
        format!("the tag `{}…` has more than 128 characters", &tag[..20])
    } else {
        return Ok(());
    };
    Err(wrong(message, repaired_tag(tag).map(|tag| format!("{before}{tag}"))))
}

/// The tag with `-` for what can't stand in it.
fn repaired_tag(tag: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let text: String = tag.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let text: String = text.trim_start_matches(['.', '-']).chars().take(128).collect();
    (!text.is_empty()).then_some(text)
}

fn name(c: char) -> String {
    match c {
        ' ' => "a blank".into(),
        '\n' => "a line end".into(),
        c if c.is_control() || c.is_whitespace() => "a character that can't be seen".into(),
        c => format!("`{c}`"),
    }
}

fn wrong(message: impl Into<String>, repaired: Option<String>) -> ReferenceError {
    ReferenceError { message: message.into(), repaired }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn references_are_normalised_as_docker_does() {
        let digest = format!("x@sha256:{HEX}");
        let both = format!("localhost/x:1@sha256:{HEX}");
        for (text, full, familiar) in [
            ("busybox", "docker.io/library/busybox", "busybox"),
            ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
            ("ssk2/demo:1", "docker.io/ssk2/demo:1", "ssk2/demo:1"),
            ("index.docker.io/ssk2/demo", "docker.io/ssk2/demo", "ssk2/demo"),
            ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
            ("localhost/demo", "localhost/demo", "localhost/demo"),
            ("127.0.0.1:5000/a/b:c", "127.0.0.1:5000/a/b:c", "127.0.0.1:5000/a/b:c"),
            ("127.0.0.1:5000/ssk2/a", "127.0.0.1:5000/ssk2/a", "127.0.0.1:5000/ssk2/a"),
            ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"),
            ("[::1]/a:1", "[::1]/a:1", "[::1]/a:1"),
            ("Host/a", "Host/a", "Host/a"),
            ("a__b/c---d/e.f_g:V1", "docker.io/a__b/c---d/e.f_g:V1", "a__b/c---d/e.f_g:V1"),
            (&digest, &format!("docker.io/library/{digest}"), &digest),
            (&both, &both, &both),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), full);
            assert_eq!(reference.familiar(), familiar);
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let reference: Reference = "127.0.0.1:5000/docker.io/ssk2/demo:1".parse().unwrap();
        assert_eq!(reference.host(), "127.0.0.1:5000");
        assert_eq!(reference.path(), "docker.io/ssk2/demo");
        assert_eq!((reference.tag(), reference.target().as_str()), (Some("1"), "1"));
        let digest = Digest::of(b"abc");
        assert_eq!(reference.at(digest).target(), digest.to_string());
        assert_eq!(reference.tagged("2").unwrap().target(), "2");
        assert!(reference.tagged("a/b").is_err());
        assert_eq!("a".parse::<Reference>().unwrap().target(), "latest");
        assert_eq!("a".parse::<Reference>().unwrap().or_latest().familiar(), "a:latest");
    }

    #[test]
    fn mistakes_are_named_and_repaired() {
        let long = format!("a:{}", "x".repeat(129));
        for (text, message, repaired) in [
            ("", "the name of an image is empty", None),
            ("Demo", "the repository `Demo` must be in lower case", Some("demo")),
            (
                "ssk2/Demo:V1",
                "the repository `ssk2/Demo` must be in lower case",
                Some("ssk2/demo:V1"),
            ),
            ("demo:feature/x", "`demo:feature/x`: a tag can't hold `/`", Some("demo:feature-x")),
            ("a/demo:feature/x", "the tag `feature/x` can't hold `/`", Some("a/demo:feature-x")),
            ("a/demo:f:x", "the tag `f:x` can't hold `:`", Some("a/demo:f-x")),
            ("demo:", "`demo:` lacks a tag after `:`", None),
            ("demo:.1", "the tag `.1` can't begin with `.`", Some("demo:1")),
            ("demo:1 ", "`demo:1 ` holds a blank", Some("demo:1")),
            ("demo:ä", "the tag `ä` can't hold `ä`", None),
            ("a//b", "`a//b` has an empty part between two `/`", None),
            ("localhost/", "`localhost/` names no repository", None),
            ("a..b", "`..` can't join two words, in `a..b`", None),
            ("-a", "`-a` in `-a` must begin and end with a letter or a digit", None),
            ("a+b", "the repository `a+b` can't hold `+`", None),
            ("-a.b/c", "`-a.b` is no host of a registry", None),
            (
                "https://a.b/c",
                "`https://a.b/c` is a URL; images are named without one",
                Some("a.b/c"),
            ),
            (HEX, "64 hexadecimal digits are the id of an image, no name", None),
            (&long, "the tag `xxxxxxxxxxxxxxxxxxxx…` has more than 128 characters", None),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.message, message);
            if repaired.is_some() {
                assert_eq!(error.repaired.as_deref(), repaired, "{text}");
            }
        }
        assert!("a@sha256:12".parse::<Reference>().is_err());
        assert!("a".repeat(256).parse::<Reference>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            if let Err(error) = text.parse::<Reference>() {
                prop_assert!(!error.message.is_empty());
                if let Some(repaired) = error.repaired {
                    prop_assert!(repaired.parse::<Reference>().is_ok(), "{repaired}");
                }
            }
        }

        #[test]
        fn a_reference_is_itself_in_both_forms(
            text in "((localhost|[a-z0-9]{1,5}\\.[a-z]{2}|127\\.0\\.0\\.1)(:[0-9]{1,5})?/)?[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?(/[a-z0-9]{1,8}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,20})?",
        ) {
            let reference: Reference = text.parse().unwrap();
            prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference.clone());
            prop_assert_eq!(reference.familiar().parse::<Reference>().unwrap(), reference);
        }
    }
}
