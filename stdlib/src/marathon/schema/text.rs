//! Texts of a definition that have a form.

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$` (`stringTypes.raml`, `LegacyName`).
pub(super) fn is_port_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(legal) && !text.starts_with('-') && !text.ends_with('-')
}

/// `//cmd`, the path of a program, or nothing (`AppDefinition.executor`).
pub(super) fn is_executor(text: &str) -> bool {
    let path = text.strip_prefix('/').unwrap_or(text);
    matches!(text, "" | "//cmd") || path.split('/').all(|part| !part.is_empty())
}

/// As far as `java.net.URI` refuses one: signs that have to be escaped, and escapes that are none.
pub(super) fn is_uri(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escaped = |at: usize| {
        bytes.get(at + 1..at + 3).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
    };
    !text.is_empty()
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c))
        && (0..bytes.len()).all(|at| bytes[at] != b'%' || escaped(at))
}

/// Why a text is no regular expression, as far as both `java.util.regex` and this side say so:
/// what only one of them knows is let pass.
pub(super) fn regex_problem(text: &str) -> Option<&'static str> {
    let error = regex::Regex::new(text).err()?.to_string();
    [
        ("unclosed group", "a `(` is not closed"),
        ("unopened group", "a `)` closes nothing"),
        ("unclosed character class", "a `[` is not closed"),
        ("repetition operator missing expression", "nothing stands before a `*`, `+` or `?`"),
    ]
    .into_iter()
    .find(|(theirs, _)| error.contains(theirs))
    .map(|(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_from_others() {
        for (good, bad, is) in [
            (
                &["http", "http-api", "8080", "a"] as &[&str],
                &["", "HTTP", "http_api", "-a", "a-", "a.b"] as &[&str],
                is_port_name as fn(&str) -> bool,
            ),
            (
                &["", "//cmd", "/opt/executor", "executor", "a/b"],
                &["/", "//other", "/a//b", "a/"],
                is_executor,
            ),
            (
                &["http://a/b.tgz?x=1#y", "file:///a", "a.tgz", "http://ä/%20", "hdfs:///x"],
                &["", "http://a/b c", "http://a/{x}", "http://a/%2", "http://a/%zz", "a\\b"],
                is_uri,
            ),
        ] {
            good.iter().for_each(|text| assert!(is(text), "{text}"));
            bad.iter().for_each(|text| assert!(!is(text), "{text}"));
        }
    }

    #[test]
    fn only_what_java_refuses_too_is_no_regex() {
        for text in ["rack-[1-3]", "a(?=b)", r"(a)\1", "", ".*", r"a\Qb\E"] {
            assert_eq!(regex_problem(text), None, "{text}");
        }
        assert_eq!(regex_problem("*"), Some("nothing stands before a `*`, `+` or `?`"));
        assert_eq!(regex_problem("rack-(1"), Some("a `(` is not closed"));
        assert_eq!(regex_problem("rack-[1"), Some("a `[` is not closed"));
        assert_eq!(regex_problem("a)"), Some("a `)` closes nothing"));
    }
}
