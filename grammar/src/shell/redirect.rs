//! Redirections and the openings of here-documents.

use super::command::Feed;
use super::heredoc::HereDocument;
use super::list::{Closing, Commands, Position, Redirect, ambiguous};
use super::machine::{LevelKind, Machine};
use super::refusal::RefusalKind;
use super::scan::{HoleKind, Role};
use super::template::HOLE;
use super::word::Word;

impl Machine<'_> {
    /// `<` or `>` outside quotes.
    pub(super) fn redirect(&mut self, byte: u8) {
        let from = self.at;
        let second = self.template.joined(from + 1);
        let next = self.template.at(second);
        if next == Some(b'(') {
            // `<(…)` is a part of a word.
            self.expansion();
            let keeper = self.levels.len();
            let list = Commands::new(Closing::Substitution, from, keeper);
            self.open_level(LevelKind::Commands(Box::new(list)));
            self.at = second + 1;
            return;
        }
        if self.commands_ref().is_some_and(|commands| commands.position == Position::Test) {
            // The word may be the `]]`.
            self.end_word();
        }
        let Some(commands) = self.commands_mut() else { return };
        if commands.position == Position::Test {
            self.at += 1;
            return;
        }
        if commands.word.as_ref().is_some_and(is_descriptor) {
            commands.word = None;
        } else {
            self.end_word();
        }
        self.at = second;
        if byte == b'<'
            && let Some(commands) = self.commands_mut()
        {
            // Its input comes from here, not through the pipe.
            commands.feed = Feed::default();
        }
        if byte == b'<' && next == Some(b'<') {
            self.at = second + 1;
            let third = self.template.joined(self.at);
            match self.template.at(third) {
                Some(b'<') => {
                    self.at = third + 1;
                    self.wait_for(Redirect::HereString);
                }
                Some(b'-') => {
                    self.at = third + 1;
                    self.here_document(from, true);
                }
                _ => self.here_document(from, false),
            }
            return;
        }
        match next {
            Some(b'&') => {
                self.at = second + 1;
                self.wait_for(Redirect::Descriptor);
            }
            Some(b'>' | b'|') => {
                self.at = second + 1;
                self.wait_for(Redirect::File);
            }
            _ => self.wait_for(Redirect::File),
        }
    }

    fn wait_for(&mut self, redirect: Redirect) {
        if let Some(commands) = self.commands_mut() {
            commands.redirect = Some(redirect);
            if commands.position == Position::Start {
                commands.position = Position::Prefix;
            }
        }
    }

    /// The word of a redirection has ended.
    pub(super) fn redirected(&mut self, redirect: Redirect, word: &Word) {
        let role = match redirect {
            Redirect::File | Redirect::Descriptor => Role::Redirect,
            Redirect::HereString => Role::HereString,
        };
        self.roles(word, role);
        for &index in &word.holes {
            match redirect {
                Redirect::File => {}
                Redirect::HereString => {
                    if let Some(commands) = self.commands_mut() {
                        commands.command.input_holes.push(index);
                    }
                }
                Redirect::Descriptor => {
                    let number = self.scan.holes.get(index).map(|hole| hole.kind);
                    if number != Some(HoleKind::Int) || word.content {
                        self.refuse_hole(RefusalKind::Descriptor, index);
                    }
                }
            }
        }
    }

    /// The delimiter behind `<<`, which is read at once: nothing in it is expanded.
    fn here_document(&mut self, from: usize, strip: bool) {
        while let Some(b' ' | b'\t') = self.template.at(self.template.joined(self.at)) {
            self.at = self.template.joined(self.at) + 1;
        }
        self.at = self.template.joined(self.at);
        let start = self.at;
        let mut delimiter = Vec::new();
        let mut quoted = false;
        let mut quote = None;
        while let Some(byte) = self.byte() {
            match (quote, byte) {
                (_, HOLE) => {
                    return self.stop(RefusalKind::HereDocumentDelimiter, self.at, self.at + 1);
                }
                (Some(open), _) if open == byte => quote = None,
                (None, b'\'' | b'"') => {
                    quoted = true;
                    quote = Some(byte);
                }
                (None, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')') => {
                    break;
                }
                (None | Some(b'"'), b'$' | b'`') | (Some(b'"'), b'\\') | (Some(_), b'\n') => {
                    let kind = ambiguous("this delimiter", "EOF");
                    return self.stop_if_holes(kind, from, start, self.at + 1);
                }
                (None, b'\\') => match self.template.at(self.at + 1) {
                    Some(b'\n') => self.at += 1,
                    Some(next) if next != HOLE => {
                        quoted = true;
                        delimiter.push(next);
                        self.at += 1;
                    }
                    _ => quoted = true,
                },
                _ => delimiter.push(byte),
            }
            self.at += 1;
        }
        if start == self.at {
            // `<<` and nothing behind: the shell will say so.
            self.stop_if_holes(ambiguous("this `<<`", "<<EOF"), from, from, start);
            return;
        }
        let end = self.at;
        let Some(commands) = self.commands_mut() else { return };
        if commands.position == Position::Start {
            commands.position = Position::Prefix;
        }
        commands.documents.push(HereDocument::new(delimiter, quoted, strip, (from, end)));
    }
}

/// A number directly in front of `<` or `>`, or bash's `{name}`: no argument.
fn is_descriptor(word: &Word) -> bool {
    word.bare().is_some_and(|text| {
        text.bytes().all(|b| b.is_ascii_digit())
            || text
                .strip_prefix('{')
                .and_then(|t| t.strip_suffix('}'))
                .is_some_and(|name| super::word::is_name(name.as_bytes()))
    })
}
