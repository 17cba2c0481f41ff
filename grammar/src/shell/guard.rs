//! What depends on the value itself.

use std::fmt;

use super::scan::{Context, HoleKind, HoleUse, Leads, Role, Scan};

/// How long one value may be in bytes: Linux takes at most 128 KiB for one string of the
/// environment or the arguments (`MAX_ARG_STRLEN`, execve(2)), and other text may stand in the
/// same word.
pub const LONGEST: usize = 100_000;

/// A value for a hole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// Not known yet, at check time.
    Unknown,
    /// One text.
    One(Text<'a>),
    /// The elements of a list.
    List(Vec<Text<'a>>),
}

/// A text for a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// A literal of the file is its beginning: a leading `-` is meant.
    pub literal: bool,
}

/// Why a value can't go where it should.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// It begins an argument and begins with `-`.
    LeadingDash,
    /// It is empty and stands without quotes.
    Empty,
    /// It holds a NUL.
    Nul,
    /// It is longer than [`LONGEST`].
    TooLong,
}

impl Guard {
    /// What to write instead. `#{v}` stands for the value as it is written in the file.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::LeadingDash => {
                "put `--` before it, or join it to its option as in `--notes=#{v}`"
            }
            Self::Empty => "write \"#{v}\" if it may be empty",
            Self::Nul => "hand it over in a file",
            Self::TooLong => "hand it over with `stdin:`",
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeadingDash => "the value begins with `-`, so the command would take an option",
            Self::Empty => "the value is empty",
            Self::Nul => "the value holds a NUL, which no command can take",
            Self::TooLong => "the value is longer than 100 KB",
        })
    }
}

/// A value that a guard refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Index of [`Scan::holes`].
    pub place: usize,
    /// Which element of a list, from 0.
    pub element: Option<usize>,
    /// The reason.
    pub guard: Guard,
}

/// Checks the values, by the holes' numbers, in every place where they stand; at most one
/// violation for each place. Unknown ones break nothing.
#[must_use]
pub fn check(scan: &Scan, values: &[Value<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    // Whether every hole of the word so far is empty.
    let mut empty_since = None;
    for (place, hole) in scan.holes.iter().enumerate() {
        let value = values.get(hole.hole).unwrap_or(&Value::Unknown);
        let leads = match hole.leads {
            Leads::Never => false,
            Leads::Always => {
                empty_since = Some(place);
                true
            }
            Leads::WhenEmpty { since } => empty_since == Some(since),
        };
        let is_empty = matches!(value, Value::One(text) if text.bytes.is_empty());
        if leads && !is_empty {
            empty_since = None;
        }
        match value {
            Value::Unknown => {}
            Value::One(text) => {
                if let Some(guard) = check_text(hole, *text, leads) {
                    violations.push(Violation { place, element: None, guard });
                }
            }
            Value::List(elements) => {
                let broken = elements.iter().enumerate().find_map(|(element, text)| {
                    check_text(hole, *text, leads).map(|guard| (element, guard))
                });
                if let Some((element, guard)) = broken {
                    violations.push(Violation { place, element: Some(element), guard });
                }
            }
        }
    }
    violations
}

fn check_text(hole: &HoleUse, text: Text<'_>, leads: bool) -> Option<Guard> {
    let Text { bytes, literal } = text;
    if hole.context == Context::Comment {
        return None;
    }
    if bytes.contains(&0) {
        return Some(Guard::Nul);
    }
    if bytes.len() > LONGEST {
        return Some(Guard::TooLong);
    }
    if leads && !literal && bytes.first() == Some(&b'-') {
        return Some(Guard::LeadingDash);
    }
    // An empty element was written as an element; there are no quotes that could allow it.
    let may_be_empty = hole.quoted || hole.kind == HoleKind::List;
    if bytes.is_empty() && !may_be_empty && hole.role != Role::Outside {
        return Some(Guard::Empty);
    }
    None
}
