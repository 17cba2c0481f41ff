//! Patterns of paths as Docker reads them.

/// A pattern: Go's [`filepath.Match`](https://pkg.go.dev/path/filepath#Match), in `.dockerignore`
/// with `**` besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    /// The only text that it matches, where it has nothing but plain letters.
    plain: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    One(char),
    /// `?`: any but `/`.
    Any,
    /// `[a-z]`, `[^a-z]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `*`: any number of any but `/`.
    Star,
    /// `**/`: any number of folders.
    Folders,
    /// `**` at the end: everything.
    Rest,
}

impl Glob {
    /// Reads a pattern; nothing when it is malformed.
    pub(super) fn parse(pattern: &str, folders: bool) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            tokens.push(match c {
                '*' if folders && rest.peek() == Some(&'*') => {
                    rest.next();
                    rest.next_if_eq(&'/');
                    if rest.peek().is_none() { Token::Rest } else { Token::Folders }
                }
                '*' => Token::Star,
                '?' => Token::Any,
                '\\' => Token::One(rest.next()?),
                '[' => {
                    let negated = rest.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    loop {
                        let mut bound = |first: bool| match rest.next()? {
                            ']' if first && !ranges.is_empty() => Some(None),
                            ']' | '-' => None,
                            '\\' => Some(Some(rest.next()?)),
                            c => Some(Some(c)),
                        };
                        let Some(low) = bound(true)? else { break };
                        let is_range = rest.next_if_eq(&'-').is_some();
                        let high = if is_range {
                            match rest.next()? {
                                ']' | '-' => return None,
                                '\\' => rest.next()?,
                                c => c,
                            }
                        } else {
                            low
                        };
                        ranges.push((low, high));
                    }
                    Token::Class { negated, ranges }
                }
                c => Token::One(c),
            });
        }
        let plain = tokens.iter().map(|token| match token {
            Token::One(letter) => Some(*letter),
            _ => None,
        });
        Some(Self { plain: plain.collect(), tokens })
    }

    /// Whether a pattern has anything but plain letters.
    pub(super) fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '[', '\\'])
    }

    /// Whether the whole path matches. Takes time in proportion to pattern and path, whatever they
    /// are.
    pub(super) fn matches(&self, path: &str) -> bool {
        if let Some(plain) = &self.plain {
            return plain == path;
        }
        let letters: Vec<char> = path.chars().collect();
        // Which beginnings of the path the tokens so far match.
        let mut reached = vec![false; letters.len() + 1];
        reached[0] = true;
        for token in &self.tokens {
            let mut next = vec![false; letters.len() + 1];
            match token {
                Token::One(_) | Token::Any | Token::Class { .. } => {
                    for (at, letter) in letters.iter().enumerate() {
                        next[at + 1] = reached[at] && token.takes(*letter);
                    }
                }
                Token::Star => {
                    for at in 0..=letters.len() {
                        next[at] =
                            reached[at] || (at > 0 && next[at - 1] && letters[at - 1] != '/');
                    }
                }
                Token::Folders | Token::Rest => {
                    let mut any = false;
                    for at in 0..=letters.len() {
                        let ends =
                            matches!(token, Token::Rest) || (at > 0 && letters[at - 1] == '/');
                        next[at] = reached[at] || (any && ends);
                        any |= reached[at];
                    }
                }
            }
            reached = next;
        }
        reached[letters.len()]
    }
}

impl Token {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::One(c) => *c == letter,
            Self::Any => letter != '/',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter)) != *negated
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Glob::parse(pattern, true).unwrap().matches(path)
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path) in [
            ("a", "a"),
            ("*", "a.b"),
            ("*.txt", "x.txt"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[^a-c]x", "dx"),
            ("a\\*", "a*"),
            ("**", "a/b/c"),
            ("**/b", "b"),
            ("**/b", "a/x/b"),
            ("a/**", "a/b"),
            ("a/**/b", "a/b"),
            ("a/**/b", "a/x/y/b"),
            ("**/*.o", "x/y.o"),
            ("a*/b*", "ax/by"),
            ("ä?", "äö"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("a", "a/b"),
            ("*", "a/b"),
            ("a?c", "a/c"),
            ("[a-c]x", "dx"),
            ("**/b", "xb"),
            ("a/**", "a"),
            ("*.txt", "a/x.txt"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        assert!(!Glob::parse("**", false).unwrap().matches("a/b"));
    }

    #[test]
    fn malformed_patterns_are_none() {
        for pattern in ["[", "[]", "[a", "[-]", "[a-]", "a\\", "[^]"] {
            assert_eq!(Glob::parse(pattern, true), None, "{pattern}");
        }
    }

    #[test]
    fn a_wicked_pattern_takes_no_time() {
        assert!(!matches(&"*a".repeat(60), &"a".repeat(2000).replace("aa", "ab")));
        assert!(!matches(&"**/x/".repeat(30), &"x/y/".repeat(500)));
    }
}
