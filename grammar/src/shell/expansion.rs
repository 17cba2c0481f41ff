//! Expansions: `$name`, `${…}`, `$(…)`, `$((…))` and backquotes.

use super::list::{Closing, Commands, Position, ambiguous};
use super::machine::{LevelKind, Machine, Operand, Quote};
use super::refusal::{Construct, RefusalKind};
use super::scan::Context;
use super::template::HOLE;
use super::word::is_name_byte;

impl Machine<'_> {
    /// `$` where it may begin an expansion.
    pub(super) fn dollar(&mut self) {
        let from = self.at;
        let next = self.template.joined(from + 1);
        let quoted = self.is_quoted();
        match self.template.at(next) {
            Some(HOLE) => {
                // `$"…"` or `$$` would come of it.
                self.literal(b'$', quoted);
                self.at = next;
                self.hole(if quoted { Context::Double } else { Context::Word });
                let index = self.scan.holes.len() - 1;
                self.refuse_hole(RefusalKind::DollarBefore, index);
            }
            Some(b'(') => {
                let second = self.template.joined(next + 1);
                self.expansion();
                if self.template.at(second) == Some(b'(') {
                    self.open(Quote::Arithmetic { at: from, depth: 0, command: false });
                    self.at = second + 1;
                } else {
                    if let Some(word) = self.word() {
                        word.substitutions.push((from, next + 1));
                    }
                    let list = Commands::new(Closing::Substitution, from, self.levels.len());
                    self.open_level(LevelKind::Commands(Box::new(list)));
                    self.at = next + 1;
                }
            }
            Some(b'{') => self.parameter(from, next + 1),
            Some(b'[') => {
                // Bash's old arithmetic, plain characters elsewhere.
                self.stop_if_holes(ambiguous("`$[`", "$((…))"), from, from, next + 1);
            }
            Some(b'\'') if !quoted => self.dollar_single(next),
            Some(b'"') if !quoted => {
                self.at = next;
                self.open_double(true);
            }
            Some(byte) if is_name_byte(byte) && !byte.is_ascii_digit() => {
                let end = self.name_end(next);
                let name = self.template.bytes().get(next..end).unwrap_or_default();
                self.expansion();
                self.variable(name, from, end, false);
                self.at = end;
            }
            Some(b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                self.expansion();
                self.at = next + 1;
            }
            Some(b'"') if self.in_quoted_operand() => {
                // Bash drops these quotes before it looks at what the `$` stands in front of.
                let kind = ambiguous("`$` in front of `\"` inside `\"${…}\"`", "\\$");
                self.stop_if_holes(kind, from, from, from + 1);
            }
            _ => {
                self.literal(b'$', quoted);
                self.at = from + 1;
            }
        }
    }

    fn in_quoted_operand(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| matches!(quote, Quote::Parameter { quoted: true, .. }))
        })
    }

    fn name_end(&self, mut at: usize) -> usize {
        while self.template.at(at).is_some_and(is_name_byte) {
            at += 1;
        }
        at
    }

    /// `$'…'`, of which only bash and a few others know the escapes.
    fn dollar_single(&mut self, open: usize) {
        if let Some(word) = self.word() {
            word.quoted = true;
        }
        self.expansion();
        self.at = open + 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return;
                }
                HOLE => {
                    self.hole(Context::Single);
                    let index = self.scan.holes.len() - 1;
                    self.refuse_hole(RefusalKind::DollarQuotes, index);
                }
                b'\\' if matches!(self.template.at(self.at + 1), Some(b'\'' | b'\\' | HOLE)) => {
                    // A shell that does not know the escape ends the quotes elsewhere.
                    let kind = ambiguous("`\\` in `$'…'`", "\"…\"");
                    return self.stop_if_holes(kind, open, self.at, self.at + 2);
                }
                _ => self.at += 1,
            }
        }
        self.stop(RefusalKind::Unterminated(Construct::SingleQuotes), open, open + 1);
    }

    /// `` `…` ``: everything up to the next backquote that no backslash protects.
    pub(super) fn backquotes(&mut self) {
        let open = self.at;
        self.expansion();
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'`' => {
                    self.at += 1;
                    return;
                }
                b'\\' if self.template.at(self.at + 1) != Some(HOLE) => self.at += 2,
                b'$' if matches!(self.template.at(self.at + 1), Some(b'(' | b'{')) => {
                    // Bash looks for the other end even where the `$` is quoted.
                    let kind = ambiguous("`$(` and `${` inside backquotes", "$(…)");
                    return self.stop_if_holes(kind, 0, open, self.at + 2);
                }
                HOLE => {
                    let index = self.record(Context::Word);
                    self.refuse_hole(RefusalKind::Backquotes, index);
                }
                _ => self.at += 1,
            }
        }
        self.stop(RefusalKind::Unterminated(Construct::Backquotes), open, open + 1);
    }

    /// `${`, up to the operator; `at` is behind the brace.
    fn parameter(&mut self, from: usize, at: usize) {
        self.word_content(false);
        let quoted = self.is_quoted();
        let mut at = self.template.joined(at);
        let special =
            |byte: Option<u8>| matches!(byte, Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!'));
        // `${#name}` and `${!name}`; alone, `#` and `!` are parameters themselves.
        let prefixed = matches!(self.template.at(at), Some(b'#' | b'!'))
            && self.template.at(at + 1).is_some_and(|b| is_name_byte(b) || b == HOLE);
        if prefixed {
            at += 1;
        }
        if self.template.at(at) == Some(HOLE) {
            self.at = at;
            self.open(Quote::Parameter {
                at: from,
                quoted,
                operand: Operand::Pending,
                single: false,
            });
            let index = self.record(Context::Parameter);
            return self.refuse_hole(RefusalKind::VariableName, index);
        }
        let end = self.name_end(at);
        let name = self.template.bytes().get(at..end).unwrap_or_default();
        self.variable(name, from, end, true);
        let name_is_special = end == at && special(self.template.at(at));
        if end == at && !name_is_special {
            return self.stop_if_holes(ambiguous("this `${`", "\\${"), from, from, from + 2);
        }
        let assigns = matches!(
            (self.template.at(end), self.template.at(end + 1)),
            (Some(b'='), _) | (Some(b':'), Some(b'='))
        );
        if assigns && let Ok(name) = std::str::from_utf8(name) {
            let name = name.to_owned();
            self.set.insert(name);
        }
        self.at = if name_is_special { at + 1 } else { end };
        self.open(Quote::Parameter { at: from, quoted, operand: Operand::Pending, single: false });
        let bracket = self.template.joined(self.at);
        if self.template.at(bracket) == Some(b'[') {
            self.at = bracket;
            self.open(Quote::Subscript { at: bracket, depth: 0, expanded: true });
            self.at = bracket + 1;
        }
    }

    /// One step inside `${name…}`.
    pub(super) fn operand(&mut self) {
        let Some(byte) = self.byte() else { return };
        let Some(&mut Quote::Parameter { at: from, quoted, operand, .. }) = self.quote_mut() else {
            return;
        };
        match byte {
            b'}' => {
                self.close();
                self.word_content(true);
                self.at += 1;
            }
            b'\\' if self.template.at(self.at + 1) == Some(b'\n') => self.at += 2,
            _ if operand == Operand::Pending => self.operator_of(from, byte),
            HOLE if operand == Operand::Offset => self.hole(Context::Arithmetic { alone: false }),
            HOLE => {
                self.hole(Context::Parameter);
                let index = self.scan.holes.len() - 1;
                if operand == Operand::Pattern {
                    self.refuse_hole(RefusalKind::Pattern, index);
                }
            }
            b'\\' => self.escape(Context::Parameter),
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            b'"' => self.open_double(false),
            b'\'' if quoted => self.single_in_operand(operand),
            b'\'' => self.single(),
            _ => {
                self.expansion();
                self.at += 1;
            }
        }
    }

    /// An expansion in the word; `content`: whether what follows does not begin the word. A
    /// value in `${name:-…}` still may.
    fn word_content(&mut self, content: bool) {
        if let Some(word) = self.word() {
            let before = word.content;
            word.expansion();
            word.content = before || content;
        }
    }

    /// The operator behind the name.
    fn operator_of(&mut self, from: usize, byte: u8) {
        let next = self.template.joined(self.at + 1);
        let (kind, width) = match (byte, self.template.at(next)) {
            (b':', Some(b'-' | b'=' | b'+' | b'?')) => (Operand::Word, next + 1 - self.at),
            (b':', _) => (Operand::Offset, 1),
            (b'-' | b'=' | b'+' | b'?', _) => (Operand::Word, 1),
            (b'#' | b'%' | b'/' | b'^' | b',', _) => (Operand::Pattern, 1),
            (b'@' | b'*', _) => (Operand::Word, 1),
            _ => {
                let kind = ambiguous("this `${`", "${name}");
                return self.stop_if_holes(kind, from, from, self.at + 1);
            }
        };
        self.at += width;
        if let Some(Quote::Parameter { operand, .. }) = self.quote_mut() {
            *operand = kind;
        }
    }

    /// `'` inside `"${name…}"`: a character behind `:-` and its like, quotes in a pattern.
    fn single_in_operand(&mut self, operand: Operand) {
        if operand != Operand::Pattern {
            if let Some(Quote::Parameter { single, .. }) = self.quote_mut() {
                *single = true;
            }
            self.at += 1;
            return;
        }
        let open = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return;
                }
                HOLE => {
                    self.hole(Context::Single);
                    let index = self.scan.holes.len() - 1;
                    self.refuse_hole(RefusalKind::SingleQuotesInParameter, index);
                }
                b'}' | b'"' | b'\\' | b'$' | b'`' => {
                    let kind = ambiguous("`'` inside `\"${…}\"`", "\\'");
                    return self.stop_if_holes(kind, 0, open, self.at + 1);
                }
                _ => self.at += 1,
            }
        }
        self.stop(RefusalKind::Unterminated(Construct::SingleQuotes), open, open + 1);
    }

    /// One step inside `$((…))` or `((…))`.
    pub(super) fn arithmetic(&mut self) {
        let Some(byte) = self.byte() else { return };
        let Some(&mut Quote::Arithmetic { at: from, depth, command }) = self.quote_mut() else {
            return;
        };
        match byte {
            HOLE => self.hole(Context::Arithmetic { alone: false }),
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            b'\\' if self.template.at(self.at + 1) == Some(b'\n') => self.at += 2,
            b'\\' | b'\'' | b'"' => {
                let kind = ambiguous("quotes in an arithmetic expression", "$((…))");
                self.stop_if_holes(kind, from, self.at, self.at + 1);
            }
            b'(' => self.deepen(1),
            b')' if depth > 0 => self.deepen(-1),
            b')' => {
                let next = self.template.joined(self.at + 1);
                if self.template.at(next) != Some(b')') {
                    let kind = ambiguous("`((` that is not closed by `))`", "( (");
                    return self.stop_if_holes(kind, from, from, self.at + 1);
                }
                self.close();
                self.at = next + 1;
                if command {
                    self.at_position(Position::Start);
                }
            }
            _ => self.at += 1,
        }
    }

    /// One step inside `name[…]`.
    pub(super) fn subscript(&mut self) {
        let Some(byte) = self.byte() else { return };
        let Some(&mut Quote::Subscript { at: from, depth, expanded }) = self.quote_mut() else {
            return;
        };
        match byte {
            HOLE => {
                let alone = self.at == from + 1 && self.template.at(self.at + 1) == Some(b']');
                self.hole(Context::Arithmetic { alone });
            }
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            b'\\' if self.template.at(self.at + 1) == Some(b'\n') => self.at += 2,
            b'[' => self.deepen(1),
            b']' if depth > 0 => self.deepen(-1),
            b'"' if expanded => self.open_double(false),
            b'\'' if expanded && self.is_quoted() => self.single_in_operand(Operand::Pattern),
            b'\'' if expanded => self.single(),
            b' ' | b'\t' if expanded => self.at += 1,
            b']' => {
                self.close();
                self.literal(b']', false);
                self.at += 1;
                let at = self.at;
                if let Some(word) = self.word() {
                    word.subscript = Some(at);
                }
            }
            b'\\' | b'\'' | b'"' | b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>'
            | b'(' | b')' => {
                // Bash reads on up to the bracket, other shells end the word.
                let kind = ambiguous("this subscript", "a subscript without quotes and blanks");
                self.stop_if_holes(kind, from, from, self.at + 1);
            }
            _ => {
                self.literal(byte, false);
                self.at += 1;
            }
        }
    }

    fn deepen(&mut self, change: isize) {
        if let Some(
            Quote::Arithmetic { depth, .. }
            | Quote::Subscript { depth, .. }
            | Quote::Group { depth, .. },
        ) = self.quote_mut()
        {
            *depth = depth.saturating_add_signed(change);
        }
        self.at += 1;
    }
}
