//! One pass over the bytes, before pest: where each top-level item starts and ends, which bracket
//! or string was never closed, and what looks like something else.
//!
//! Cutting the text into items first keeps one mistake from hiding the next, bounds the memory of
//! a parse to one item, and finds the limit of nesting before anything recurses.

/// Brackets nest at most this deep.
pub(super) const MAX_DEPTH: usize = 128;

/// A stretch of the text that holds one item, or something that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The scan has reported a mistake in it: what pest says of it is a consequence.
    pub(super) broken: bool,
    /// It nests too deep to be read at all.
    pub(super) unread: bool,
}

/// What the scan finds wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The bracket at `open` is never closed; its closer was expected before `expected`.
    Unclosed { open: usize, expected: usize },
    /// A bracket closes nothing; or it meets the bracket `open` of another kind.
    Stray { at: usize, open: Option<usize> },
    /// A string is open at the end of its line.
    OpenString { open: usize, end: usize },
    /// A `#{` is open at the end of its line.
    OpenHole { open: usize },
    /// A `"""` is never closed.
    OpenBlockString { open: usize },
    /// A `$(` is open at the end of its line.
    OpenCapture { open: usize, end: usize },
    /// More than [`MAX_DEPTH`] brackets.
    TooDeep { at: usize },
    /// A `$` line took the `}` of the block that it stands in.
    CommandTookBrace { open: usize, brace: usize },
    /// A character that looks like another one.
    LookAlike { at: usize, end: usize, meant: &'static str },
}

/// What the scan knows of a text.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) items: Vec<Slice>,
    pub(super) mistakes: Vec<Mistake>,
    /// From each `#` that begins a comment to the end of its line.
    pub(super) comments: Vec<std::ops::Range<usize>>,
    /// Characters to be read as others, padded with blanks to the same length.
    pub(super) replaced: Vec<(std::ops::Range<usize>, &'static str)>,
}

#[derive(Clone, Copy, Debug)]
struct Bracket {
    kind: u8,
    at: usize,
    /// Where the line that opens it starts, and how far that line is indented.
    line: usize,
    indent: usize,
}

#[derive(Clone, Copy, Debug)]
enum Context {
    Bracket(Bracket),
    Hole { at: usize },
    String { open: usize },
    Block { open: usize },
    Command { start: usize },
    Capture { open: usize },
    CaptureGroup,
    CaptureDouble,
}

/// Words that begin an item wherever a line begins with them, even while a bracket is open: a
/// name, a string or a number follows, as behind no key and no argument.
const STRONG: [&[u8]; 7] = [b"stage", b"edition", b"import", b"type", b"param", b"fn", b"connect"];
/// Words that also begin a statement.
const WEAK: [&[u8]; 6] = [b"let", b"on", b"always", b"secret", b"require", b"pipeline"];
/// Words that a line at the left margin may begin with and still belong to the item above.
const CONTINUES: [&[u8]; 22] = [
    b"for",
    b"needs",
    b"after",
    b"when",
    b"using",
    b"approve",
    b"lock",
    b"retry",
    b"timeout",
    b"may_fail",
    b"at_once",
    b"keep_going",
    b"env",
    b"cd",
    b"workspace",
    b"if",
    b"and",
    b"or",
    b"then",
    b"else",
    b"within",
    b"every",
];

/// Cuts a text into items.
pub(super) fn scan(text: &str) -> Scan {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: start,
        item: start,
        broken: false,
        line: start,
        last: 0,
        stack: Vec::with_capacity(32),
        suspect: None,
        holes: (0, 0),
        known: 0..0,
        scan: Scan::default(),
    };
    scanner.run();
    scanner.scan
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Where the item under way starts.
    item: usize,
    broken: bool,
    /// Where the line under way starts.
    line: usize,
    /// The last byte of code that is no blank: an operator or a comma asks for another line.
    last: u8,
    stack: Vec<Context>,
    /// A block whose `}` is indented less than the line that opened it: where a brace is missing,
    /// it is missing there.
    suspect: Option<(usize, usize)>,
    /// The holes of the command under way: where the last one ends, and how many `}` more than `{`
    /// stand in all of them.
    holes: (usize, usize),
    /// A stretch without a line end, up to the end of its line.
    known: std::ops::Range<usize>,
    scan: Scan,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The end of the line that a place is on. Remembered: a long line is looked through once.
    fn line_end(&mut self, from: usize) -> usize {
        if !self.known.contains(&from) {
            let end = self.text[from..].find('\n').map_or(self.text.len(), |n| from + n);
            self.known = from..end;
        }
        self.known.end
    }

    fn run(&mut self) {
        self.begin_line();
        while self.at < self.bytes.len() {
            match self.stack.last().copied() {
                None | Some(Context::Bracket(_) | Context::Hole { .. }) => self.code(),
                Some(Context::String { open }) => self.string(open),
                Some(Context::Block { .. }) => self.block_string(),
                Some(Context::Command { start }) => self.command(start),
                Some(Context::Capture { .. } | Context::CaptureGroup) => self.capture(),
                Some(Context::CaptureDouble) => self.capture_double(),
            }
        }
        // A backslash at the very end steps over it.
        self.at = self.bytes.len();
        if let Some(Context::Command { start }) = self.stack.last().copied() {
            self.stack.pop();
            self.end_command(start, self.at);
        }
        self.report_open(self.at);
        self.cut(self.at);
    }

    /// Ends the item under way before `end`.
    fn cut(&mut self, end: usize) {
        if !self.text[self.item..end].trim().is_empty() {
            let (start, broken) = (self.item, self.broken);
            self.scan.items.push(Slice { start, end, broken, unread: false });
        }
        self.item = end;
        self.broken = false;
        self.stack.clear();
        self.suspect = None;
        self.last = 0;
    }

    fn mistake(&mut self, mistake: Mistake) {
        self.broken = true;
        self.scan.mistakes.push(mistake);
    }

    /// Reports what is still open where the item ends, once: the innermost is the likeliest.
    fn report_open(&mut self, end: usize) {
        let block = self.stack.iter().find_map(|context| match context {
            Context::Block { open } => Some(*open),
            _ => None,
        });
        if let Some(open) = block {
            return self.mistake(Mistake::OpenBlockString { open });
        }
        let innermost = self.stack.iter().rev().find_map(|context| match context {
            Context::Bracket(bracket) => Some(*bracket),
            _ => None,
        });
        if let Some(bracket) = innermost {
            let (open, expected) = match self.suspect {
                Some(suspect) if bracket.kind == b'{' => suspect,
                _ => (bracket.at, end),
            };
            self.mistake(Mistake::Unclosed { open, expected });
        }
        // A string or a capture that is open at the end of the text.
        match self.stack.last().copied() {
            Some(Context::String { open }) => self.mistake(Mistake::OpenString { open, end }),
            Some(Context::Capture { open }) => self.mistake(Mistake::OpenCapture { open, end }),
            Some(Context::CaptureGroup | Context::CaptureDouble) => self.open_capture(end),
            _ => {}
        }
    }

    fn open_capture(&mut self, end: usize) {
        while let Some(context) = self.stack.last().copied() {
            match context {
                Context::Capture { open } => {
                    self.stack.pop();
                    self.mistake(Mistake::OpenCapture { open, end });
                    return self.forget_line();
                }
                Context::CaptureGroup | Context::CaptureDouble => {
                    self.stack.pop();
                }
                _ => return,
            }
        }
    }

    /// Called at the first byte of each line that begins in code.
    fn begin_line(&mut self) {
        let nested = !self.stack.is_empty();
        if self.at > self.item && self.starts_item(nested) {
            if nested {
                self.report_open(self.at);
            }
            self.cut(self.at);
        }
    }

    fn starts_item(&self, nested: bool) -> bool {
        let word = word(self.rest());
        let behind = &self.rest()[word.len()..];
        let blanks = behind.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let next = behind.get(blanks).copied().unwrap_or(b'\n');
        let named =
            blanks > 0 && (next.is_ascii_alphanumeric() || matches!(next, b'_' | b'"' | b'\''));
        if STRONG.contains(&word) && named {
            return true;
        }
        if nested {
            // In a block these begin statements; between other brackets they begin nothing.
            let block = self.stack.iter().rev().find_map(|context| match context {
                Context::Bracket(bracket) => Some(bracket.kind == b'{'),
                _ => None,
            });
            return named && WEAK.contains(&word) && block == Some(false);
        }
        if STRONG.contains(&word) || WEAK.contains(&word) {
            return true;
        }
        // Something that is no item, at the left margin: on its own, so that it does not spoil
        // the item above.
        let goes_on = matches!(self.last, b'=' | b',' | b'+' | b'-' | b'*' | b'/' | b'|')
            || matches!(self.last, b'<' | b'>' | b'?' | b'!' | b'&');
        let first = self.peek(0);
        let begins = first.is_ascii_alphabetic() || matches!(first, b'_' | b'-' | b'@' | b'$');
        begins && !goes_on && !CONTINUES.contains(&word) && !self.awaits_block()
    }

    /// Whether the item under way is a stage whose block has not begun: then the line may hold a
    /// clause that is misspelt.
    fn awaits_block(&self) -> bool {
        let item = &self.text[self.item..self.at];
        word(item.trim_start().as_bytes()) == b"stage" && self.last != b'}'
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line = self.at;
        self.begin_line();
    }

    fn code(&mut self) {
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => self.code_line_end(),
            b'#' => {
                let end = self.line_end(self.at);
                self.scan.comments.push(self.at..end);
                self.at = end;
            }
            b'"' => self.open_string(),
            b'\'' => self.raw_string(),
            b'$' if self.starts_command() => {
                self.holes = (0, 0);
                self.stack.push(Context::Command { start: self.at });
                self.at += 1;
            }
            b'$' if self.peek(1) == b'(' => {
                self.stack.push(Context::Capture { open: self.at });
                self.at += 2;
            }
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(byte),
            byte if byte.is_ascii() => self.at += 1,
            _ => self.look_alike(),
        }
        if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#') {
            self.last = byte;
        }
    }

    fn code_line_end(&mut self) {
        self.end_open_hole();
        self.newline();
    }

    /// A line that ends inside a hole of a one-line text takes the text with it: the hole is what
    /// is open, whatever stands in it. False when there is none.
    fn end_open_hole(&mut self) -> bool {
        let one_line = |c: &Context| {
            matches!(c, Context::String { .. } | Context::Command { .. } | Context::Capture { .. })
        };
        let Some(text) = self.stack.iter().position(one_line) else { return false };
        let hole = self.stack[text..].iter().find_map(|context| match context {
            Context::Hole { at } => Some(*at),
            _ => None,
        });
        let Some(open) = hole else { return false };
        self.stack.truncate(text);
        self.mistake(Mistake::OpenHole { open });
        self.forget_line();
        true
    }

    /// Brackets that the line has opened behind a block: what closes them was swallowed.
    fn forget_line(&mut self) {
        let opened = |c: &Context| matches!(c, Context::Bracket(bracket) if bracket.kind != b'{' && bracket.at >= self.line);
        if let Some(first) = self.stack.iter().position(opened) {
            self.stack.truncate(first);
        }
    }

    /// `$` and a blank, where a statement may stand.
    fn starts_command(&self) -> bool {
        let block = match self.stack.last() {
            None => true,
            Some(Context::Bracket(bracket)) => bracket.kind == b'{',
            _ => false,
        };
        block && matches!(self.peek(1), b' ' | b'\t' | b'\r' | b'\n' | 0)
    }

    fn open(&mut self, kind: u8) {
        if self.stack.len() >= MAX_DEPTH {
            self.mistake(Mistake::TooDeep { at: self.at });
            self.cut(self.at);
            let start = self.at;
            // Nothing in the rest of this item can be told any more.
            while self.at < self.bytes.len() {
                self.at = self.line_end(self.at) + 1;
                if STRONG.contains(&word(self.rest())) {
                    break;
                }
            }
            self.at = self.at.min(self.bytes.len());
            self.scan.items.push(Slice { start, end: self.at, broken: true, unread: true });
            self.item = self.at;
            return;
        }
        let before = &self.bytes[self.line..self.at];
        let indent = before.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let bracket = Bracket { kind, at: self.at, line: self.line, indent };
        self.stack.push(Context::Bracket(bracket));
        self.at += 1;
    }

    fn close(&mut self, byte: u8) {
        let wanted = opener(byte);
        match self.stack.last().copied() {
            Some(Context::Bracket(bracket)) if bracket.kind == wanted => {
                self.suspect_from(bracket);
                self.stack.pop();
            }
            Some(Context::Hole { at }) if byte == b'}' => {
                self.stack.pop();
                if let Some(Context::Command { .. }) = self.stack.last() {
                    let more = surplus(&self.text[at..=self.at]);
                    self.holes = (self.at, self.holes.1 + more);
                }
            }
            Some(Context::Bracket(bracket)) => self.close_other(byte, bracket),
            _ => self.mistake(Mistake::Stray { at: self.at, open: None }),
        }
        self.at += 1;
    }

    /// A bracket that does not close the innermost one.
    fn close_other(&mut self, byte: u8, innermost: Bracket) {
        let bracket = |c: &Context| matches!(c, Context::Bracket(_));
        let floor = self.stack.iter().rposition(|c| !bracket(c)).map_or(0, |n| n + 1);
        let meant = self.stack[floor..]
            .iter()
            .rposition(|c| matches!(c, Context::Bracket(bracket) if bracket.kind == opener(byte)));
        let hole = floor > 0 && matches!(self.stack[floor - 1], Context::Hole { .. });
        let place = match meant {
            Some(place) => Some(floor + place),
            None if hole && byte == b'}' => Some(floor - 1),
            None => None,
        };
        if let Some(place) = place {
            // What was opened inside lacks its closer.
            self.mistake(Mistake::Unclosed { open: innermost.at, expected: self.at });
            self.stack.truncate(place);
        } else if innermost.kind == b'{' {
            self.mistake(Mistake::Stray { at: self.at, open: None });
        } else {
            self.mistake(Mistake::Stray { at: self.at, open: Some(innermost.at) });
            // Where the right one follows, this one is too much; else it was meant for it.
            let behind = &self.bytes[self.at + 1..];
            let next = behind.iter().find(|b| !matches!(b, b' ' | b'\t'));
            if next.is_none_or(|next| opener(*next) != innermost.kind) {
                self.stack.pop();
            }
        }
    }

    /// Remembers a block whose `}` begins a line that is indented less than the line of its `{`.
    fn suspect_from(&mut self, bracket: Bracket) {
        let indent = self.at - self.line;
        if indent >= bracket.indent || self.suspect.is_some() {
            return;
        }
        if self.bytes[self.line..self.at].iter().all(|b| matches!(b, b' ' | b'\t')) {
            self.suspect = Some((bracket.at, self.at));
        }
    }

    fn open_string(&mut self) {
        if self.rest().starts_with(b"\"\"\"") {
            self.stack.push(Context::Block { open: self.at });
            self.at += 3;
        } else {
            self.stack.push(Context::String { open: self.at });
            self.at += 1;
        }
    }

    fn raw_string(&mut self) {
        let end = self.line_end(self.at);
        match self.text[self.at + 1..end].find('\'') {
            Some(length) => self.at += length + 2,
            None => {
                self.mistake(Mistake::OpenString { open: self.at, end });
                self.forget_line();
                self.at = end;
            }
        }
    }

    fn hole(&mut self) -> bool {
        let hole = self.peek(0) == b'#' && self.peek(1) == b'{';
        if hole {
            self.stack.push(Context::Hole { at: self.at });
            self.at += 2;
        }
        hole
    }

    fn string(&mut self, open: usize) {
        match self.peek(0) {
            b'"' => {
                self.stack.pop();
                self.at += 1;
            }
            b'\\' if self.peek(1) != b'\n' => self.at += 2,
            b'\n' if self.end_open_hole() => {}
            b'\n' => {
                self.stack.pop();
                self.mistake(Mistake::OpenString { open, end: self.at });
                self.forget_line();
            }
            _ if self.hole() => {}
            _ => self.at += 1,
        }
    }

    fn block_string(&mut self) {
        match self.peek(0) {
            b'"' if self.rest().starts_with(b"\"\"\"") => {
                self.stack.pop();
                self.at += 3;
            }
            b'\\' if self.peek(1) == b'#' => self.at += 2,
            b'\n' => {
                self.at += 1;
                self.line = self.at;
            }
            _ if self.hole() => {}
            _ => self.at += 1,
        }
    }

    fn command(&mut self, start: usize) {
        match self.peek(0) {
            b'\\' if self.rest().starts_with(b"\\\r\n") => {
                self.at += 3;
                self.line = self.at;
            }
            b'\\' => {
                self.at += 2;
                if self.bytes.get(self.at - 1) == Some(&b'\n') {
                    self.line = self.at;
                }
            }
            b'\n' => {
                self.stack.pop();
                self.end_command(start, self.at);
                self.newline();
            }
            _ if self.hole() => {}
            _ => self.at += 1,
        }
    }

    /// `if x { $ make }`: the `}` belongs to the command, and the block stays open.
    fn end_command(&mut self, start: usize, end: usize) {
        let Some(Context::Bracket(bracket)) = self.stack.last().copied() else { return };
        let same_line = bracket.line == self.line;
        let text = self.text[start..end].trim_end();
        let brace = start + text.len().saturating_sub(1);
        let (hole, in_holes) = self.holes;
        if same_line && text.ends_with('}') && brace != hole && surplus(text) > in_holes {
            self.stack.pop();
            self.mistake(Mistake::CommandTookBrace { open: bracket.at, brace });
        }
    }

    fn capture(&mut self) {
        match self.peek(0) {
            b'(' => {
                self.stack.push(Context::CaptureGroup);
                self.at += 1;
            }
            b')' => {
                self.stack.pop();
                self.at += 1;
            }
            b'"' => {
                self.stack.push(Context::CaptureDouble);
                self.at += 1;
            }
            b'\'' => {
                let end = self.line_end(self.at);
                let length = self.text[self.at + 1..end].find('\'');
                self.at = length.map_or(end, |length| self.at + length + 2);
            }
            b'\\' if self.peek(1) != b'\n' => self.at += 2,
            b'\n' => self.open_capture(self.at),
            _ if self.hole() => {}
            _ => self.at += 1,
        }
    }

    fn capture_double(&mut self) {
        match self.peek(0) {
            b'"' => {
                self.stack.pop();
                self.at += 1;
            }
            b'$' if self.peek(1) == b'(' => {
                self.stack.push(Context::CaptureGroup);
                self.at += 2;
            }
            b'\\' if self.peek(1) != b'\n' => self.at += 2,
            b'\n' => self.open_capture(self.at),
            _ if self.hole() => {}
            _ => self.at += 1,
        }
    }

    /// A character outside ASCII in code: a quote, blank or dash that an editor made "better".
    fn look_alike(&mut self) {
        let Some(found) = self.text[self.at..].chars().next() else { return };
        let (start, end) = (self.at, self.at + found.len_utf8());
        self.at = end;
        if let Some(meant) = full_width(found) {
            self.scan.mistakes.push(Mistake::LookAlike { at: start, end, meant });
            self.scan.replaced.push((start..end, meant));
            self.at = start;
            match meant.as_bytes() {
                [byte @ (b'(' | b'[' | b'{')] => self.open(*byte),
                [byte @ (b')' | b']' | b'}')] => self.close(*byte),
                _ => {}
            }
            // Too deep a bracket has gone on further.
            self.at = self.at.max(end);
            return;
        }
        let meant = match found {
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => "\"",
            '\u{2018}' | '\u{2019}' | '\u{201a}' => "'",
            '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' | '\u{200b}' | '\u{feff}' => " ",
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
            _ => return,
        };
        self.scan.mistakes.push(Mistake::LookAlike { at: start, end, meant });
        self.scan.replaced.push((start..end, meant));
        if meant != "\"" && meant != "'" {
            return;
        }
        // The text in between is a string; its other quote is read the same way.
        let line = self.line_end(end);
        let is_end =
            |c: char| "\u{201c}\u{201d}\u{201e}\u{ab}\u{bb}\u{2018}\u{2019}\"'".contains(c);
        match self.text[end..line].char_indices().find(|(_, c)| is_end(*c)) {
            Some((length, quote)) => {
                let close = end + length;
                self.at = close + quote.len_utf8();
                self.scan.replaced.push((close..self.at, meant));
            }
            None => self.broken = true,
        }
    }
}

/// How many `}` more than `{` a text holds.
fn surplus(text: &str) -> usize {
    text.matches('}').count().saturating_sub(text.matches('{').count())
}

/// What a closing bracket closes; the byte itself for anything else.
fn opener(byte: u8) -> u8 {
    match byte {
        b')' => b'(',
        b']' => b'[',
        b'}' => b'{',
        other => other,
    }
}

/// What stands on the same key as a full-width character.
fn full_width(found: char) -> Option<&'static str> {
    Some(match found {
        '（' => "(",
        '）' => ")",
        '［' => "[",
        '］' => "]",
        '｛' => "{",
        '｝' => "}",
        '，' => ",",
        '：' => ":",
        '＝' => "=",
        _ => return None,
    })
}

/// The lower-case word at the begin of a text, or nothing.
fn word(bytes: &[u8]) -> &[u8] {
    let length =
        bytes.iter().take(12).take_while(|b| b.is_ascii_lowercase() || **b == b'_').count();
    match bytes.get(length) {
        Some(next) if next.is_ascii_alphanumeric() || *next == b'_' => &[],
        _ => &bytes[..length],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<&str> {
        scan(text).items.iter().map(|slice| text[slice.start..slice.end].trim()).collect()
    }

    fn mistakes(text: &str) -> Vec<Mistake> {
        scan(text).mistakes
    }

    #[test]
    fn items_are_cut_where_they_start() {
        let text =
            "let a = 1\nstage b\n  when x\n{\n  let c = {\n  stage: 1 }\n}\non failure { x() }\n";
        assert_eq!(items(text).len(), 3);
        assert_eq!(mistakes(text), []);
    }

    #[test]
    fn what_is_no_item_stands_alone() {
        assert_eq!(
            items("let a = 1\nFROM busybox\nlet b =\n  2\n"),
            ["let a = 1", "FROM busybox", "let b =\n  2"]
        );
    }

    #[test]
    fn a_missing_brace_blames_the_block_that_lacks_it() {
        let text = "stage a {\n  if x {\n    y()\n}\n\nstage b { }\n";
        let open = text.find("{\n    y").expect("an opening");
        let expected = text.find("}\n\nstage").expect("a closing");
        assert_eq!(mistakes(text), [Mistake::Unclosed { open, expected }]);
        assert_eq!(items(text).len(), 2);
    }

    #[test]
    fn a_command_takes_the_brace_of_its_line() {
        let text = "stage a { $ make }\nstage b { x() }\n";
        assert!(matches!(mistakes(text)[..], [Mistake::CommandTookBrace { open: 8, .. }]));
        assert_eq!(mistakes("stage a {\n  $ echo ${x}\n}\n"), []);
        let text = "stage a { $ echo #{x.replace(\"}\", \"\")}\n}\n";
        assert_eq!(mistakes(text), []);
        let text = "stage a { $ echo #{x.replace(\"}\", \"\")} }\n";
        let brace = text.trim_end().len() - 1;
        assert_eq!(mistakes(text)[..1], [Mistake::CommandTookBrace { open: 8, brace }]);
    }

    #[test]
    fn strings_holes_and_captures_nest() {
        let text = "let q = $(git \"$(echo \")\")\" ')' \\) | (cat; echo \"#{f(\"a)\\\"\", {a: \"}\"})}\") ).trim()\nlet b = 1\n";
        assert_eq!(mistakes(text), []);
        assert_eq!(items(text).len(), 2);
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        assert_eq!(
            mistakes("let a = \"x\nlet b = 1\n"),
            [Mistake::OpenString { open: 8, end: 10 }]
        );
        assert_eq!(items("let a = \"x\nlet b = 1\n").len(), 2);
    }

    #[test]
    fn nesting_has_a_limit() {
        let text = format!("let a = {}\nlet b = 1\n", "[".repeat(5000));
        assert!(matches!(mistakes(&text)[..], [Mistake::TooDeep { at }] if at == 8 + MAX_DEPTH));
    }
}
