//! Patterns of texts and paths: `*` any run without `/`, `**` with it, `**/` any number of folders,
//! also none, `?` one character, `[a-z]` a set, `[!a-z]` all others, `{a,b}` either, `\\` takes the
//! meaning of the next one.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// Alternatives, already spread out.
    alternatives: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Run,
    /// `**`
    DeepRun,
    /// `**/` where a folder's name may begin; [`Part::InFolders`] follows.
    Folders,
    /// In the names of these folders.
    InFolders,
    /// `[a-z]`, `[!a-z]`
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// More alternatives than anybody writes by hand.
const MOST_ALTERNATIVES: usize = 256;

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// Says what can't be read.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let spread = spread(pattern)?;
        let alternatives = spread.iter().map(|text| parts(text)).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.alternatives.iter().any(|parts| run(parts, text).last() == Some(&true))
    }

    /// Whether a text that begins so may match.
    #[must_use]
    pub fn begins(&self, text: &str) -> bool {
        self.alternatives.iter().any(|parts| run(parts, text).contains(&true))
    }
}

/// Spreads `{a,b}` out.
fn spread(pattern: &str) -> Result<Vec<String>, String> {
    let Some(open) = find(pattern, '{') else { return Ok(vec![pattern.to_owned()]) };
    let mut depth = 0;
    let mut start = open + 1;
    let mut options = Vec::new();
    for (at, c) in pattern.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            ',' if depth == 1 => {
                options.push(&pattern[start..at]);
                start = at + 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    options.push(&pattern[start..at]);
                    let (before, after) = (&pattern[..open], &pattern[at + 1..]);
                    let mut all = Vec::new();
                    for option in options {
                        all.extend(spread(&format!("{before}{option}{after}"))?);
                        if all.len() > MOST_ALTERNATIVES {
                            return Err("this pattern has too many alternatives".to_owned());
                        }
                    }
                    return Ok(all);
                }
            }
            _ => {}
        }
    }
    Err("the `{` of this pattern is never closed".to_owned())
}

fn find(pattern: &str, wanted: char) -> Option<usize> {
    let mut set = false;
    let mut escaped = false;
    pattern.char_indices().find_map(|(at, c)| {
        let found = !escaped && !set && c == wanted;
        set = !escaped && (c == '[' || set && c != ']');
        escaped = !escaped && c == '\\';
        found.then_some(at)
    })
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let part = match c {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                let begins = matches!(parts.last(), None | Some(Part::Char('/') | Part::InFolders));
                if begins && chars.next_if_eq(&'/').is_some() {
                    parts.push(Part::Folders);
                    Part::InFolders
                } else {
                    Part::DeepRun
                }
            }
            '*' => Part::Run,
            '?' => Part::Any,
            '\\' => Part::Char(chars.next().ok_or("the pattern ends with a `\\`")?),
            '[' => {
                let negated = chars.next_if(|c| matches!(c, '!' | '^')).is_some();
                let mut ranges = Vec::new();
                loop {
                    let first = chars.next().ok_or("the `[` of this pattern is never closed")?;
                    if first == ']' && !ranges.is_empty() {
                        break;
                    }
                    let mut last = first;
                    let mut ahead = chars.clone();
                    if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
                        chars.next();
                        last = chars.next().unwrap_or(first);
                    }
                    ranges.push((first, last));
                }
                Part::Set { negated, ranges }
            }
            c => Part::Char(c),
        };
        parts.push(part);
    }
    Ok(parts)
}

/// For each place in the pattern, and its end, whether the text can have got there: linear in text
/// times pattern, whatever the pattern.
fn run(parts: &[Part], text: &str) -> Vec<bool> {
    let mut states = vec![false; parts.len() + 1];
    states[0] = true;
    skip_runs(parts, &mut states);
    for c in text.chars() {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| states[*at]) {
            match part {
                Part::Run if c != '/' => next[at] = true,
                Part::DeepRun => next[at] = true,
                Part::InFolders => {
                    next[at] = true;
                    next[at + 1] |= c == '/';
                }
                Part::Any if c != '/' => next[at + 1] = true,
                Part::Char(wanted) if *wanted == c => next[at + 1] = true,
                Part::Set { negated, ranges } if c != '/' => {
                    let found = ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
                    next[at + 1] |= found != *negated;
                }
                _ => {}
            }
        }
        skip_runs(parts, &mut next);
        states = next;
    }
    states
}

/// A run may be empty, and there may be no folder.
fn skip_runs(parts: &[Part], states: &mut [bool]) {
    for (at, part) in parts.iter().enumerate() {
        if states[at] && matches!(part, Part::Run | Part::DeepRun | Part::Folders) {
            states[at + 1] = true;
            states[at + 2..]
                .iter_mut()
                .take(usize::from(*part == Part::Folders))
                .for_each(|s| *s = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern).expect("a pattern").matches(text)
    }

    #[test]
    fn runs_stop_at_slashes() {
        assert!(matches("v*", "v1.2"));
        assert!(!matches("v*", "x1"));
        assert!(!matches("feature/*", "feature/a/b"));
        assert!(matches("feature/**", "feature/a/b"));
        assert!(matches("*-*-*", "2026-11-25"));
        assert!(matches("**/x", "a/b/x"));
        assert!(matches("**/x", "x"));
        assert!(!matches("**/x", "ax"));
        assert!(!matches("**/x", "a/bx"));
        assert!(matches("a/**/b", "a/b"));
        assert!(matches("a/**/b", "a/c/d/b"));
        assert!(!matches("a/**/b", "ab"));
        assert!(matches("**/**/b", "b"));
        assert!(matches("a**/b", "ax/y/b"));
        assert!(!matches("a**/b", "b"));
    }

    #[test]
    fn the_beginning_of_a_match_is_known() {
        let glob = Glob::new("src/*/[a-c]*.rs").expect("a pattern");
        assert!(glob.begins("src/"));
        assert!(glob.begins("src/x/"));
        assert!(!glob.begins("src/x/y/"));
        assert!(!glob.begins("lib/"));
        assert!(Glob::new("**/x").expect("a pattern").begins("a/b/"));
    }

    #[test]
    fn sets_and_alternatives() {
        assert!(matches("{main,release/*}", "release/1"));
        assert!(matches("{main,release/*}", "main"));
        assert!(!matches("{main,release/*}", "dev"));
        assert!(matches("v[0-9]?", "v1x"));
        assert!(!matches("v[!0-9]", "v1"));
        assert!(matches("a{b,{c,d}}e", "ade"));
        assert!(matches("a\\*", "a*"));
        assert!(!matches("a\\*", "ab"));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        assert!(Glob::new("{a,b").is_err());
        assert!(Glob::new("[a").is_err());
        assert!(Glob::new("a\\").is_err());
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(&"*a*b".repeat(50), &"a".repeat(5000)));
        assert!(!matches(&"**/x/".repeat(50), &"x/y/".repeat(500)));
    }
}
