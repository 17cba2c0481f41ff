//! The bodies of here-documents.

use std::collections::VecDeque;
use std::ops::Range;

use super::command::Feed;
use super::list::ambiguous;
use super::machine::{LevelKind, Machine};
use super::program::Reads;
use super::refusal::RefusalKind;
use super::scan::Context;
use super::template::{HOLE, Template};

/// How many bodies may be open inside one another: each is looked through for its end first.
const DEPTH: usize = 8;

/// A here-document between its opening and the end of its body.
pub(super) struct HereDocument {
    delimiter: Vec<u8>,
    /// The delimiter is quoted: nothing in the body is expanded.
    quoted: bool,
    /// `<<-`: leading tabs go.
    strip: bool,
    /// From the `<<` to behind the delimiter.
    opening: (usize, usize),
    /// What the command that reads it makes of it, and that command's name.
    reads: (Reads, String),
}

impl HereDocument {
    pub(super) fn new(
        delimiter: Vec<u8>,
        quoted: bool,
        strip: bool,
        opening: (usize, usize),
    ) -> Self {
        Self { delimiter, quoted, strip, opening, reads: (Reads::Data, String::new()) }
    }

    fn name(&self) -> String {
        const SHOWN: usize = 80;
        let name = String::from_utf8_lossy(self.delimiter.get(..SHOWN).unwrap_or(&self.delimiter));
        name.into_owned()
    }

    /// Whether the line at `at` is the last one; then the place of its line end.
    fn ends_at(&self, template: &Template, mut at: usize) -> Option<usize> {
        if self.strip {
            while template.at(at) == Some(b'\t') {
                at += 1;
            }
        }
        let end = at + self.delimiter.len();
        let same = template.bytes().get(at..end)? == self.delimiter.as_slice();
        (same && matches!(template.at(end), None | Some(b'\n'))).then_some(end)
    }

    /// Where the line that ends it begins. Every shell looks for it before anything else, so
    /// nothing inside the body may reach beyond. `Err`: shells disagree about the line there.
    fn find_end(&self, template: &Template, mut at: usize) -> Result<Option<usize>, usize> {
        loop {
            if self.ends_at(template, at).is_some() {
                return Ok(Some(at));
            }
            let start = at;
            loop {
                match template.at(at) {
                    None => return Ok(None),
                    Some(b'\n') => break at += 1,
                    Some(b'\\') if !self.quoted => {
                        let joined = template.at(at + 1) == Some(b'\n');
                        let line = template.bytes().get(start..at).unwrap_or_default();
                        let tabs = line.iter().take_while(|b| **b == b'\t').count();
                        let line = line.get(if self.strip { tabs } else { 0 }..);
                        if joined && line.is_some_and(|line| self.delimiter.starts_with(line)) {
                            return Err(at);
                        }
                        at += 2;
                    }
                    Some(_) => at += 1,
                }
            }
        }
    }
}

impl Machine<'_> {
    /// The simple command that opened them has ended: what it makes of its here-documents is
    /// known now. Their bodies begin behind the next line end.
    /// Answers which of the announced ones they are.
    pub(super) fn announce_documents(&mut self, reads: Reads, command: &str) -> Range<usize> {
        let Some(commands) = self.commands_mut() else { return 0..0 };
        let mut documents = std::mem::take(&mut commands.documents);
        let keeper = commands.keeper;
        for document in &mut documents {
            document.reads = (reads, command.to_owned());
        }
        let Some(announced) = self.announced(keeper) else { return 0..0 };
        let before = announced.len();
        announced.append(&mut documents);
        before..announced.len()
    }

    /// What a command makes of what the one in front of its `|` writes.
    pub(super) fn feed(&mut self, feed: &Feed, reads: Reads, command: &str) {
        if reads == Reads::Data {
            return;
        }
        for &index in &feed.holes {
            self.apply_input(index, reads, command);
        }
        let Some(keeper) = self.commands_ref().map(|commands| commands.keeper) else { return };
        let documents = self.announced(keeper).and_then(|all| all.get_mut(feed.documents.clone()));
        for document in documents.into_iter().flatten() {
            document.reads = (reads, command.to_owned());
        }
    }

    fn announced(&mut self, keeper: usize) -> Option<&mut Vec<HereDocument>> {
        match &mut self.levels.get_mut(keeper)?.kind {
            LevelKind::Commands(commands) => Some(&mut commands.announced),
            LevelKind::Bodies { .. } => None,
        }
    }

    /// Behind a line end: the bodies that were announced on the line.
    pub(super) fn begin_bodies(&mut self) {
        self.announce_documents(Reads::Data, "");
        let Some(keeper) = self.commands_ref().map(|commands| commands.keeper) else { return };
        let queue: VecDeque<_> =
            self.announced(keeper).map(std::mem::take).unwrap_or_default().into();
        if queue.is_empty() {
            return;
        }
        if self.limits.len() == DEPTH {
            let at = self.at - 1;
            return self.stop_if_holes(RefusalKind::TooDeep, 0, at, at + 1);
        }
        self.open_level(LevelKind::Bodies { queue });
        self.begin_body();
    }

    /// Finds the end of the first body of the queue.
    fn begin_body(&mut self) {
        let Some(document) = self.document() else { return };
        let (from, to) = document.opening;
        match document.find_end(self.template, self.at) {
            Ok(Some(end)) => self.limits.push(end),
            Ok(None) => {
                let delimiter = document.name();
                self.stop(RefusalKind::UnterminatedHereDocument { delimiter }, from, to);
            }
            Err(at) => {
                let kind = ambiguous("a line continuation here", "one line");
                self.stop_if_holes(kind, from, at, at + 2);
            }
        }
    }

    fn document(&self) -> Option<&HereDocument> {
        match &self.levels.last()?.kind {
            LevelKind::Bodies { queue } => queue.front(),
            LevelKind::Commands(_) => None,
        }
    }

    /// Nothing inside a body may reach beyond its end.
    pub(super) fn check_limit(&mut self) {
        if let Some(&limit) = self.limits.last()
            && self.at > limit
            && !self.stopped
        {
            let kind = ambiguous("what this line ends", "another delimiter");
            self.stop_if_holes(kind, 0, limit, limit + 1);
        }
    }

    /// One step inside a body.
    pub(super) fn body(&mut self) {
        let at = self.at;
        let limit = self.limits.last().copied().unwrap_or(at);
        let Some(document) = self.document() else { return };
        if at == limit {
            let end = document.ends_at(self.template, at).unwrap_or(at);
            return self.end_body(end);
        }
        let quoted = document.quoted;
        let Some(byte) = self.byte() else { return };
        match byte {
            HOLE => {
                let delimiter = document.name();
                let (reads, command) = document.reads.clone();
                self.hole(Context::HereDocument);
                let index = self.scan.holes.len() - 1;
                if quoted {
                    self.refuse_hole(RefusalKind::QuotedHereDocument { delimiter }, index);
                }
                self.apply_input(index, reads, &command);
            }
            b'\\' if !quoted => self.escape(Context::HereDocument),
            b'$' if !quoted => self.dollar(),
            b'`' if !quoted => self.backquotes(),
            _ => self.at += 1,
        }
    }

    /// What a command makes of a hole in its standard input.
    pub(super) fn apply_input(&mut self, index: usize, reads: Reads, command: &str) {
        match reads {
            Reads::Script => {
                self.refuse_hole(RefusalKind::ScriptInput { command: command.to_owned() }, index);
            }
            _ => self.apply(index, reads, command),
        }
    }

    /// The last line of a body, `end` being the place of its line end.
    fn end_body(&mut self, end: usize) {
        self.limits.pop();
        self.at = if self.template.at(end) == Some(b'\n') { end + 1 } else { end };
        let Some(LevelKind::Bodies { queue }) = self.levels.last_mut().map(|level| &mut level.kind)
        else {
            return;
        };
        queue.pop_front();
        if queue.is_empty() {
            self.levels.pop();
        } else {
            self.begin_body();
        }
    }

    /// Whether a body may end at the end of the text: its last line is empty then.
    pub(super) fn body_ends_text(&self) -> bool {
        self.document().is_some() && self.limits.last() == Some(&self.at)
    }

    /// Here-documents whose bodies never begin, as the list that opened them ends.
    pub(super) fn pending_documents(&mut self) {
        let Some(keeper) = self.commands_ref().map(|commands| commands.keeper) else { return };
        let documents = self.announced(keeper).map(std::mem::take).unwrap_or_default();
        if let Some(document) = documents.first() {
            let (from, to) = document.opening;
            let delimiter = document.name();
            self.stop(RefusalKind::UnterminatedHereDocument { delimiter }, from, to);
        }
    }
}
