//! Line ends, operators and parentheses between commands.

use super::command::Command;
use super::lint::LintKind;
use super::list::{Closing, Commands, Expects, Position, ambiguous};
use super::machine::{LevelKind, Machine, Quote};
use super::refusal::RefusalKind;
use super::scan::Dialect;

impl Machine<'_> {
    pub(super) fn line_end(&mut self) {
        self.end_word();
        self.at += 1;
        let Some(commands) = self.commands_mut() else { return };
        match commands.position {
            Position::Start | Position::Prefix | Position::Arguments | Position::ForList => {
                self.end_command();
                self.at_position(Position::Start);
            }
            _ => {}
        }
        self.begin_bodies();
    }

    pub(super) fn operator(&mut self, byte: u8) {
        let from = self.at;
        let second = self.template.joined(from + 1);
        let next = self.template.at(second);
        let doubled = next == Some(byte);
        if byte == b'&' && next == Some(b'>') {
            // `cmd &` and `> file` to any other shell; what follows would be another command.
            if self.dialect == Dialect::Sh && self.template.hole_from(from) {
                let kind = RefusalKind::BashOnly { what: "`&>`", instead: ">file 2>&1" };
                return self.stop(kind, from, second + 1);
            }
            self.end_word();
            self.at = second;
            return self.redirect(b'>');
        }
        self.end_word();
        self.at = if doubled { second + 1 } else { from + 1 };
        let Some(commands) = self.commands_mut() else { return };
        match commands.position {
            Position::Test => {
                commands.before.clear();
                commands.expects = Expects::Any;
            }
            Position::CasePattern { .. } if byte == b'|' => {}
            Position::Elements => {
                let kind = ambiguous("this array", "\";\"");
                self.stop_if_holes(kind, 0, from, from + 1);
            }
            _ => {
                let arm = byte == b';' && commands.cases > 0;
                self.end_command();
                if byte == b'|' && !doubled {
                    if let Some(commands) = self.commands_mut() {
                        commands.feed = std::mem::take(&mut commands.written);
                    }
                    self.lint(LintKind::Pipe, from, from + 1, None);
                    if next == Some(b'&') {
                        self.at = second + 1;
                    }
                }
                // `;;`, `;&`, `;;&`
                if arm && (doubled || next == Some(b'&')) {
                    self.at = second + 1;
                    let third = self.template.joined(self.at);
                    if doubled && self.template.at(third) == Some(b'&') {
                        self.at = third + 1;
                    }
                    self.at_position(Position::CasePattern { begun: false });
                } else {
                    self.at_position(Position::Start);
                }
            }
        }
    }

    pub(super) fn parenthesis(&mut self) {
        let at = self.at;
        let next = self.template.joined(at + 1);
        let Some(commands) = self.commands_mut() else { return };
        if let Some(word) = &commands.word {
            let array = word.assigned == Some(at);
            let negation = matches!(commands.position, Position::Start) && word.bare() == Some("!");
            if array && commands.redirect.is_none() {
                self.expansion();
                let keeper = self.levels.len();
                let array = Commands::new(Closing::Array, at, keeper);
                self.open_level(LevelKind::Commands(Box::new(array)));
                self.at += 1;
                return;
            }
            if matches!(word.last, Some(b'?' | b'*' | b'+' | b'@' | b'!')) && !negation {
                self.literal(b'(', false);
                self.open(Quote::Group { at, depth: 0 });
                self.at += 1;
                return;
            }
        }
        self.end_word();
        let Some(commands) = self.commands_ref() else { return };
        let (position, words) = (commands.position, commands.command.words);
        match position {
            Position::Start | Position::ForName if self.template.at(next) == Some(b'(') => {
                if self.dialect == Dialect::Sh && self.template.hole_from(at) {
                    let what = "`((`";
                    let kind = RefusalKind::BashOnly { what, instead: "[ … ], or `( (`" };
                    return self.stop(kind, at, next + 1);
                }
                self.open(Quote::Arithmetic { at, depth: 0, command: true });
                self.at = next + 1;
            }
            Position::Start => {
                let keeper = commands.keeper;
                let subshell = Commands::new(Closing::Subshell, at, keeper);
                self.open_level(LevelKind::Commands(Box::new(subshell)));
                self.at += 1;
            }
            Position::CasePattern { begun: false } => self.at += 1,
            Position::Test => {
                if let Some(commands) = self.commands_mut() {
                    commands.groups += 1;
                }
                self.at += 1;
            }
            // `name ( )`
            Position::Arguments if words == 1 && self.behind_blanks(at + 1) == Some(b')') => {
                let close = self.template.find(b')', at);
                if let Some(commands) = self.commands_mut() {
                    commands.command = Command::default();
                    commands.position = Position::Start;
                }
                self.at = close + 1;
            }
            _ => self.stop_if_holes(ambiguous("this `(`", "\"(\""), 0, at, at + 1),
        }
    }

    fn behind_blanks(&self, mut at: usize) -> Option<u8> {
        loop {
            at = self.template.joined(at);
            match self.template.at(at) {
                Some(b' ' | b'\t') => at += 1,
                other => return other,
            }
        }
    }

    pub(super) fn close_parenthesis(&mut self) {
        let at = self.at;
        self.end_word();
        let Some(commands) = self.commands_mut() else { return };
        match commands.position {
            Position::CasePattern { .. } => {
                commands.position = Position::Start;
                self.at += 1;
                return;
            }
            Position::Test if commands.groups > 0 => {
                commands.groups -= 1;
                self.at += 1;
                return;
            }
            _ => {}
        }
        if commands.closing == Closing::End || commands.cases > 0 {
            return self.stop(RefusalKind::UnexpectedParenthesis, at, at + 1);
        }
        let closing = commands.closing;
        self.end_command();
        if closing == Closing::Substitution {
            self.pending_documents();
        }
        self.levels.pop();
        self.at += 1;
        match closing {
            Closing::Subshell => self.at_position(Position::Start),
            Closing::Substitution | Closing::Array | Closing::End => {}
        }
    }

    /// `@( … )`
    pub(super) fn group(&mut self, byte: u8) {
        self.literal(byte, false);
        self.at += 1;
        if let Some(Quote::Group { depth, .. }) = self.quote_mut() {
            if byte == b'(' {
                *depth += 1;
            } else if *depth > 0 {
                *depth -= 1;
            } else {
                self.close();
            }
        }
    }
}
