//! The quoting machine: one pass over the command, a stack of levels, no way back.
//!
//! A level is a list of commands or the body of a here-document; inside a level a second stack
//! holds the open quotes. `"$(cat <<E …)"` is three levels: the command, the `$(…)` and the
//! body. The rules are those of POSIX.1-2024 XCU 2.2, 2.3, 2.6, 2.7, 2.10 and of bash 5.2.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::heredoc::HereDocument;
use super::lint::LintKind;
use super::list::Commands;
use super::program::Reads;
use super::refusal::{Construct, RefusalKind};
use super::scan::{Dialect, HoleKind, Role, Scan};
use super::template::Template;
use super::word::Word;

/// How many levels and quotes may be open at once.
const DEPTH: usize = 200;

/// A list of commands, or a body.
pub(super) struct Level {
    pub(super) kind: LevelKind,
    /// What is open inside it.
    pub(super) quotes: Vec<Quote>,
}

pub(super) enum LevelKind {
    Commands(Box<Commands>),
    /// The bodies of the here-documents that were opened on the line before.
    Bodies {
        queue: VecDeque<HereDocument>,
    },
}

/// What is open inside a level, with the place of its opening.
#[derive(Clone, Copy)]
pub(super) enum Quote {
    /// `"…"`
    Double { at: usize, dollar: bool },
    /// `${name…}`
    Parameter { at: usize, quoted: bool, operand: Operand, single: bool },
    /// `$((…))`, or `((…))` when it is a `command`.
    Arithmetic { at: usize, depth: usize, command: bool },
    /// `[…]` behind a name; `expanded` in `${name[…]}`.
    Subscript { at: usize, depth: usize, expanded: bool },
    /// `@(…)` and its like.
    Group { at: usize, depth: usize },
}

/// What stands behind the name in `${name…}`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// The operator has not been read yet.
    Pending,
    /// `:-`, `=`, `?`, `:+`, …
    Word,
    /// `#`, `%`, `/`, `^`, `,`, …
    Pattern,
    /// `:offset:length`
    Offset,
}

pub(super) struct Machine<'a> {
    pub(super) template: &'a Template,
    pub(super) kinds: &'a [HoleKind],
    pub(super) dialect: Dialect,
    pub(super) at: usize,
    pub(super) levels: Vec<Level>,
    pub(super) scan: Scan,
    /// Variables that the command sets itself.
    pub(super) set: BTreeSet<String>,
    /// Reading can't go on.
    pub(super) stopped: bool,
    /// Simple commands so far, on all levels.
    pub(super) commands: usize,
    /// `declare -i` makes every later assignment arithmetic.
    pub(super) integers: bool,
    /// Ends of the here-documents that are being read, innermost last.
    pub(super) limits: Vec<usize>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(template: &'a Template, kinds: &'a [HoleKind], dialect: Dialect) -> Self {
        let top = LevelKind::Commands(Box::new(Commands::top()));
        Self {
            template,
            kinds,
            dialect,
            at: 0,
            levels: vec![Level { kind: top, quotes: Vec::new() }],
            scan: Scan::default(),
            set: BTreeSet::new(),
            stopped: false,
            commands: 0,
            integers: false,
            limits: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Scan {
        if let Some(nul) = self.template.bytes().iter().position(|b| *b == 0) {
            self.stop(RefusalKind::Nul, nul, nul + 1);
        }
        while !self.stopped && (self.at < self.template.len() || self.body_ends_text()) {
            self.step();
            self.check_limit();
        }
        if !self.stopped {
            self.finish();
        }
        let set = self.set;
        self.scan.variables.retain(|variable| !set.contains(&variable.name));
        // What is known at the end of a word comes behind what stands inside it.
        self.scan.refusals.sort_by_key(|refusal| refusal.from);
        self.scan.lints.sort_by_key(|lint| lint.from);
        self.scan
    }

    fn step(&mut self) {
        let Some(level) = self.levels.last() else {
            self.stopped = true;
            return;
        };
        match (level.quotes.last(), &level.kind) {
            (Some(Quote::Double { .. }), _) => self.double(),
            (Some(Quote::Parameter { .. }), _) => self.operand(),
            (Some(Quote::Arithmetic { .. }), _) => self.arithmetic(),
            (Some(Quote::Subscript { .. }), _) => self.subscript(),
            (Some(Quote::Group { .. }) | None, LevelKind::Commands(_)) => self.unquoted(),
            (Some(Quote::Group { .. }) | None, LevelKind::Bodies { .. }) => self.body(),
        }
    }

    /// The end of the text: everything must be closed.
    fn finish(&mut self) {
        let Some(level) = self.levels.last() else { return };
        let (construct, at) = match (level.quotes.last(), &level.kind) {
            (Some(Quote::Double { at, .. }), _) => (Construct::DoubleQuotes, *at),
            (Some(Quote::Parameter { at, .. }), _) => (Construct::Parameter, *at),
            (Some(Quote::Arithmetic { at, .. }), _) => (Construct::Arithmetic, *at),
            (Some(Quote::Subscript { at, .. }), _) => (Construct::Subscript, *at),
            (Some(Quote::Group { at, .. }), _) => (Construct::Parenthesis, *at),
            (None, _) => match self.commands_ref().and_then(Commands::open) {
                Some(open) => open,
                None => return self.finish_top(),
            },
        };
        let width = match construct {
            Construct::SingleQuotes
            | Construct::DoubleQuotes
            | Construct::Parenthesis
            | Construct::Backquotes
            | Construct::Subscript => 1,
            Construct::Parameter | Construct::Substitution | Construct::Arithmetic => 2,
        };
        self.stop(RefusalKind::Unterminated(construct), at, at + width);
    }

    fn finish_top(&mut self) {
        self.end_word();
        self.end_command();
        self.pending_documents();
        if self.commands == 1
            && let Some(Commands { lone_cd: Some((from, to)), .. }) = self.commands_ref()
        {
            let (from, to) = (*from, *to);
            self.lint(LintKind::LoneCd, from, to, None);
        }
        if self.integers {
            for index in 0..self.scan.holes.len() {
                let assigned =
                    self.scan.holes.get(index).is_some_and(|hole| hole.role == Role::Assignment);
                if assigned {
                    self.apply(index, Reads::Integer, "");
                }
            }
        }
    }

    // What the other files build on.

    /// The byte at the current place.
    pub(super) fn byte(&self) -> Option<u8> {
        self.template.at(self.at)
    }

    pub(super) fn commands_ref(&self) -> Option<&Commands> {
        match &self.levels.last()?.kind {
            LevelKind::Commands(commands) => Some(commands),
            LevelKind::Bodies { .. } => None,
        }
    }

    pub(super) fn commands_mut(&mut self) -> Option<&mut Commands> {
        match &mut self.levels.last_mut()?.kind {
            LevelKind::Commands(commands) => Some(commands),
            LevelKind::Bodies { .. } => None,
        }
    }

    /// The word that is being read, begun here if none is. Bodies have no words.
    pub(super) fn word(&mut self) -> Option<&mut Word> {
        let at = self.at;
        let commands = self.commands_mut()?;
        let regex = commands.expects_regex();
        Some(commands.word.get_or_insert_with(|| {
            let mut word = Word::new(at);
            word.regex = regex.then_some(0);
            word
        }))
    }

    /// A byte that stands for itself.
    pub(super) fn literal(&mut self, byte: u8, quoted: bool) {
        if let Some(word) = self.word() {
            word.byte(byte, quoted);
        }
    }

    /// An expansion inside the word that is being read.
    pub(super) fn expansion(&mut self) {
        if let Some(word) = self.word() {
            word.expansion();
        }
    }

    pub(super) fn open(&mut self, quote: Quote) {
        let at = self.at;
        if let Some(level) = self.levels.last_mut() {
            level.quotes.push(quote);
        }
        self.check_depth(at);
    }

    pub(super) fn open_level(&mut self, kind: LevelKind) {
        let at = self.at;
        self.levels.push(Level { kind, quotes: Vec::new() });
        self.check_depth(at);
    }

    fn check_depth(&mut self, at: usize) {
        let quotes = self.levels.last().map_or(0, |level| level.quotes.len());
        if self.levels.len() + quotes > DEPTH {
            self.stop_if_holes(RefusalKind::TooDeep, 0, at, at + 1);
        }
    }

    pub(super) fn close(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.quotes.pop();
        }
    }

    pub(super) fn quote_mut(&mut self) -> Option<&mut Quote> {
        self.levels.last_mut()?.quotes.last_mut()
    }

    /// Whether what is opened now stands inside double quotes or a body.
    pub(super) fn is_quoted(&self) -> bool {
        self.levels.last().is_some_and(|level| match level.quotes.last() {
            Some(Quote::Double { .. }) => true,
            Some(Quote::Parameter { quoted, .. }) => *quoted,
            Some(Quote::Arithmetic { .. } | Quote::Group { .. }) => false,
            Some(Quote::Subscript { .. }) => match level.quotes.iter().rev().nth(1) {
                Some(Quote::Parameter { quoted, .. }) => *quoted,
                _ => false,
            },
            None => matches!(level.kind, LevelKind::Bodies { .. }),
        })
    }
}
