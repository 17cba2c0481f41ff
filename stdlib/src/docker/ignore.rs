//! `.dockerignore`.

use std::path::Path;

use super::glob::Glob;

/// What is not part of a build context, by
/// [Docker's rules](https://docs.docker.com/build/concepts/context/#dockerignore-files): patterns
/// from the root of the context, `!` takes back, the last rule that matches a path or one of the
/// folders above it wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

/// The rules that match a folder or one above it, by number; the root matches none.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched(Vec<bool>);

impl Matched {
    fn has(&self, number: usize) -> bool {
        self.0.get(number).copied().unwrap_or(false)
    }
}

#[derive(Clone, Debug)]
struct Rule {
    glob: Glob,
    takes_back: bool,
}

impl Ignore {
    /// Reads a file's text. A malformed pattern is answered with its line number, from 1.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut rules = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (takes_back, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            if line.is_empty() {
                continue;
            }
            let wrong = || (number + 1, line.to_owned());
            if pattern.is_empty() {
                return Err(wrong());
            }
            let pattern = clean(pattern);
            let glob = Glob::parse(&pattern, true).ok_or_else(wrong)?;
            rules.push(Rule { glob, takes_back });
        }
        Ok(Self { rules })
    }

    /// Whether a path, relative to the context, is left out.
    pub(super) fn is_ignored(&self, path: &Path) -> bool {
        let mut above = Matched::default();
        let folders: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in folders.into_iter().rev().skip(1) {
            above = self.folder(&above, folder);
        }
        self.is_ignored_below(&above, path)
    }

    /// The same where it is known which rules match a folder above.
    pub(super) fn is_ignored_below(&self, above: &Matched, path: &Path) -> bool {
        let path = path.to_string_lossy();
        self.rules.iter().enumerate().fold(false, |ignored, (number, rule)| {
            // A rule that says what is already so needs no look.
            let counts = rule.takes_back == ignored;
            if counts && (above.has(number) || rule.glob.matches(&path)) {
                !rule.takes_back
            } else {
                ignored
            }
        })
    }

    /// Which rules match a folder, or one above it.
    pub(super) fn folder(&self, above: &Matched, path: &Path) -> Matched {
        let path = path.to_string_lossy();
        let rules = self.rules.iter().enumerate();
        Matched(rules.map(|(number, rule)| above.has(number) || rule.glob.matches(&path)).collect())
    }

    /// Whether something below an ignored folder may be taken back.
    pub(super) fn takes_back(&self) -> bool {
        self.rules.iter().any(|rule| rule.takes_back)
    }
}

/// Go's `filepath.Clean`, then without a leading `/`.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            ".." if pattern.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ignored(text: &str, path: &str) -> bool {
        Ignore::parse(text).unwrap().is_ignored(Path::new(path))
    }

    #[test]
    fn the_last_rule_that_matches_wins() {
        let text = "*.md\n!README.md\nREADME-secret.md";
        assert!(ignored(text, "a.md"));
        assert!(!ignored(text, "README.md"));
        assert!(ignored(text, "README-secret.md"));
        assert!(!ignored(text, "docs/a.md"));
        assert!(!ignored("!README.md\nREADME.md\n!READ*", "README.md"));
    }

    #[test]
    fn rules_hold_for_all_below_a_folder() {
        assert!(ignored("target", "target/debug/x"));
        assert!(ignored("/target/", "target/debug/x"));
        assert!(!ignored("target", "a/target"));
        assert!(ignored("**/target", "a/target/x"));
        assert!(!ignored("a\n!a/keep", "a/keep/x"));
        assert!(ignored("a\n!a/keep", "a/other"));
        assert!(ignored("*/temp*", "a/temporary/x"));
    }

    #[test]
    fn comments_blanks_and_odd_paths_are_read_as_docker_does() {
        let text = "\u{feff}# all\n\n  b/../c/  \n! c/d\n";
        assert!(ignored(text, "c/x"));
        assert!(!ignored(text, "c/d"));
        assert!(!ignored(" #x", "a"));
        assert!(ignored("./a", "a"));
        assert!(!ignored(".", "a"));
        assert_eq!(Ignore::parse("a\n[").unwrap_err(), (2, "[".to_owned()));
        assert_eq!(Ignore::parse("!").unwrap_err(), (1, "!".to_owned()));
    }
}
