//! Names of test cases. Servers keep a history for each name, so it must not change from run to run.

use std::iter::Peekable;

/// A name is cut behind so many characters.
const LONGEST: usize = 120;

/// What a step is called: its first line, with `*` for what differs from run to run: the run's own
/// id, and sums such as commits and digests.
pub(super) fn of_step(text: &str, run: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim();
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let line = if run.is_empty() { line.to_owned() } else { line.replace(run, "*") };
    let mut name = String::new();
    let mut chars = line.chars().peekable();
    while chars.peek().is_some() {
        let word = take(&mut chars, |c| c.is_ascii_alphanumeric());
        name.push_str(if is_sum(&word) { "*" } else { &word });
        name.push_str(&take(&mut chars, |c| !c.is_ascii_alphanumeric()));
    }
    if name.chars().count() > LONGEST {
        name = name.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    name
}

fn take(chars: &mut Peekable<impl Iterator<Item = char>>, fits: impl Fn(&char) -> bool) -> String {
    std::iter::from_fn(|| chars.next_if(&fits)).collect()
}

/// Seven hexadecimal digits or more, at least one of them a letter and one not.
fn is_sum(word: &str) -> bool {
    word.len() >= 7
        && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// The place of a step without the numbers of tries: what was tried again is the same case.
pub(super) fn without_tries(path: &str) -> String {
    let mut parts = path.split('~');
    let mut place = parts.next().unwrap_or("").to_owned();
    for part in parts {
        place.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_is_left_out() {
        let name = |text| of_step(text, "20260101-120000-abcd");
        assert_eq!(name("$ make test"), "make test");
        assert_eq!(
            name("docker.build(\".\", tag: \"shop:43ac749eec5c\")"),
            "docker.build(\".\", tag: \"shop:*\")"
        );
        assert_eq!(name("$ echo 20260101-120000-abcd"), "echo *");
        assert_eq!(name("$ sleep 86400000; cat defaced"), "sleep 86400000; cat defaced");
        assert_eq!(name("$ one \\\n  two"), "one \\");
        assert_eq!(name(&"x".repeat(200)).chars().count(), LONGEST);
    }

    #[test]
    fn tries_share_a_place() {
        assert_eq!(without_tries("0~0/1@0"), "0/1@0");
        assert_eq!(without_tries("0~12/1~3@0"), without_tries("0~1/1~4@0"));
        assert_ne!(without_tries("0~0/1@0"), without_tries("0~0/1@1"));
    }
}
