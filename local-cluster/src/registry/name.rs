//! Which names repositories and tags may have.

/// Whether a text is the name of a repository: parts of small letters and digits with `.`, `_`,
/// `__` or any number of `-` inside, joined by slashes. The first part may end with a port.
pub(super) fn is_repository(name: &str) -> bool {
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    let first = match first.rsplit_once(':') {
        Some((host, port)) if name.contains('/') && port.parse::<u16>().is_ok() => host,
        _ => first,
    };
    name.len() <= 255 && is_part(first) && parts.all(is_part)
}

fn is_part(part: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    let mut at = 0;
    loop {
        let letters = bytes[at..].iter().take_while(|b| letter(**b)).count();
        if letters == 0 {
            return false;
        }
        at += letters;
        let rest = &part[at..];
        let between = rest.len() - rest.trim_start_matches(['.', '_', '-']).len();
        match &rest[..between] {
            "" => return rest.is_empty(),
            "." | "_" | "__" => {}
            dashes if dashes.bytes().all(|b| b == b'-') => {}
            _ => return false,
        }
        at += between;
    }
}

/// Whether a text is a tag: letters, digits, `_`, and not at the beginning `.` and `-`.
pub(super) fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && word(tag.as_bytes()[0])
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification_and_of_hosts_with_ports() {
        for name in [
            "a",
            "library/busybox",
            "docker.io/ssk2/demo",
            "a__b/c--d/e.f",
            "registry.example.com:5000/x",
            "127.0.0.1:5000/a/b",
        ] {
            assert!(is_repository(name), "{name}");
        }
        for name in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a..b",
            "../a",
            "a/../b",
            "a/./b",
            "-a",
            "a-",
            "a___b",
            "a:5000",
            "a/b:5000/c",
            "a:x/b",
            "_tags/a",
            "a/_tags",
            "a b",
        ] {
            assert!(!is_repository(name), "{name}");
        }
    }

    #[test]
    fn tags_are_those_of_the_specification() {
        for tag in ["latest", "1.2-rc_3", "_x", "V1"] {
            assert!(is_tag(tag), "{tag}");
        }
        for tag in ["", ".x", "-x", "a/b", "..", "a:b", &"x".repeat(129)] {
            assert!(!is_tag(tag), "{tag}");
        }
    }
}
