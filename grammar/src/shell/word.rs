//! One word of a command while it is read.

use super::scan::Leads;

/// How many bytes of a word's text are kept: names, options and delimiters are shorter.
const KEPT: usize = 128;

/// A word. It may hold quotes, expansions and holes.
#[derive(Default)]
pub(super) struct Word {
    /// Where it begins.
    pub(super) start: usize,
    /// Its text without quotes, up to the first hole or expansion.
    literal: Vec<u8>,
    /// There is more than `literal` says: a hole, an expansion, or too long a text.
    more: bool,
    /// A quote or an escape stands in it.
    pub(super) quoted: bool,
    /// A byte or an expansion stands in it; quotes alone are none.
    pub(super) content: bool,
    /// Its holes, as indices of [`Scan::holes`](super::Scan::holes).
    pub(super) holes: Vec<usize>,
    /// The places of the `$(…)` in it.
    pub(super) substitutions: Vec<(usize, usize)>,
    /// Behind the `=` of `name=` at its beginning.
    pub(super) assigned: Option<usize>,
    /// Behind the `]` of `name[…]` at its beginning.
    pub(super) subscript: Option<usize>,
    /// A literal `/` stands behind the last hole.
    pub(super) slash_behind: bool,
    /// It begins with a hole and a `/` directly behind.
    pub(super) root_of_hole: bool,
    /// The last byte, if it is a plain one outside quotes.
    pub(super) last: Option<u8>,
    /// Open parentheses, if it is the regular expression of `=~`.
    pub(super) regex: Option<usize>,
    braces: Braces,
}

/// Whether bash would make several words of it.
#[derive(Default)]
struct Braces {
    depth: usize,
    separator: bool,
    /// How many of the word's holes stand in front, or were answered for already.
    before: usize,
}

impl Word {
    pub(super) fn new(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    /// A byte that stands for itself; `quoted` by quotes or a backslash.
    pub(super) fn byte(&mut self, byte: u8, quoted: bool) {
        if self.more || self.literal.len() == KEPT {
            self.more = true;
        } else {
            self.literal.push(byte);
        }
        self.content = true;
        if byte == b'/' {
            self.slash_behind = true;
        }
        self.last = (!quoted).then_some(byte);
    }

    /// Something whose text is not known.
    pub(super) fn expansion(&mut self) {
        self.more = true;
        self.content = true;
        self.last = None;
    }

    /// A hole, in or out of quotes. Answers whether the value begins the word.
    pub(super) fn hole(&mut self, index: usize) -> Leads {
        let leads = match (self.content, self.holes.first()) {
            (true, _) => Leads::Never,
            (false, None) => Leads::Always,
            (false, Some(&since)) => Leads::WhenEmpty { since },
        };
        self.more = true;
        self.last = None;
        self.slash_behind = false;
        self.holes.push(index);
        leads
    }

    /// The whole text, if it is literal.
    pub(super) fn text(&self) -> Option<&str> {
        if self.more { None } else { std::str::from_utf8(&self.literal).ok() }
    }

    /// The text up to the first hole or expansion.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.literal
    }

    /// The text of a word without any quote: what a reserved word or an operator must be.
    pub(super) fn bare(&self) -> Option<&str> {
        if self.quoted { None } else { self.text() }
    }

    /// The name in front of a `=`, if the word began as one.
    pub(super) fn name(&self) -> Option<&str> {
        let end = self.literal.iter().position(|b| !is_name_byte(*b)).unwrap_or(self.literal.len());
        let name = std::str::from_utf8(self.literal.get(..end)?).ok()?;
        is_name(name.as_bytes()).then_some(name)
    }

    /// Told of every plain byte outside quotes, before it is added. Answers the holes inside
    /// braces that this `}` closes and that bash would expand.
    pub(super) fn brace(&mut self, byte: u8) -> Vec<usize> {
        let braces = &mut self.braces;
        match byte {
            b'{' => {
                if braces.depth == 0 {
                    *braces = Braces { before: self.holes.len(), ..Braces::default() };
                }
                braces.depth += 1;
            }
            b',' if braces.depth > 0 => braces.separator = true,
            b'.' if braces.depth > 0 && self.last == Some(b'.') => braces.separator = true,
            b'}' if braces.depth > 0 => {
                braces.depth -= 1;
                if braces.separator {
                    let holes = self.holes.get(braces.before..).unwrap_or_default().to_vec();
                    braces.before = self.holes.len();
                    return holes;
                }
            }
            _ => {}
        }
        Vec::new()
    }
}

/// Whether `byte` can stand in the name of a variable, behind its first byte.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Whether `text` is the name of a variable.
pub(super) fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(|b| !b.is_ascii_digit()) && text.iter().all(|b| is_name_byte(*b))
}
