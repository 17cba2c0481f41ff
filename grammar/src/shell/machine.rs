//! The quoting machine: one pass over the command, a stack of levels, no way back.
//!
//! A level is a list of commands or the body of a here-document; inside a level a second stack
//! holds the open quotes. `"$(cat <<E …)"` is three levels: the command, the `$(…)` and the
//! body. The rules are those of POSIX.1-2024 XCU 2.2, 2.3, 2.6, 2.7, 2.10 and of bash 5.2.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::heredoc::HereDocument;
use super::lint::{Lint, LintKind};
use super::list::Commands;
use super::program::Reads;
use super::refusal::{Construct, Refusal, RefusalKind};
use super::scan::{Context, Dialect, HoleKind, HoleUse, Leads, Role, Scan, VariableUse};
use super::template::{HOLE, Template};
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
    kinds: &'a [HoleKind],
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

    /// Whether an arithmetic expression is open around the current place.
    fn in_arithmetic(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| {
                matches!(
                    quote,
                    Quote::Arithmetic { .. }
                        | Quote::Subscript { .. }
                        | Quote::Parameter { operand: Operand::Offset, .. }
                )
            })
        })
    }

    /// Whether a `'` stands in front, inside `"${name…}"`.
    fn behind_single(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| matches!(quote, Quote::Parameter { single: true, .. }))
        })
    }

    fn in_group(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| matches!(quote, Quote::Group { .. }))
        })
    }

    /// The hole at the current place, in this context; the place moves behind it.
    pub(super) fn hole(&mut self, context: Context) {
        let arithmetic = self.in_arithmetic();
        let group = self.in_group();
        let in_word = !matches!(context, Context::Comment | Context::Arithmetic { .. });
        let next = self.scan.holes.len();
        let follows = self.template.at(self.at + 1);
        let leads = match self.word() {
            Some(word) if in_word => {
                let leads = word.hole(next);
                word.root_of_hole |= leads == Leads::Always && follows == Some(b'/');
                Some(leads)
            }
            _ => None,
        };
        let index = self.record(context);
        let Some(hole) = self.scan.holes.get(index) else { return };
        let kind = hole.kind;
        if let Some(leads) = leads {
            if let Some(hole) = self.scan.holes.get_mut(index) {
                hole.leads = leads;
            }
        }
        if kind == HoleKind::List && context != Context::Word && context != Context::Comment {
            self.refuse_hole(RefusalKind::ListNotAlone, index);
        }
        if let Context::Arithmetic { .. } = context {
            if kind != HoleKind::Int {
                self.refuse_hole(RefusalKind::Arithmetic, index);
            }
        } else if arithmetic && context != Context::Comment {
            let kind = match kind {
                HoleKind::Int => RefusalKind::QuotedArithmetic,
                HoleKind::Word | HoleKind::List => RefusalKind::Arithmetic,
            };
            self.refuse_hole(kind, index);
        }
        if group {
            self.refuse_hole(RefusalKind::Pattern, index);
        }
        if self.behind_single() {
            self.refuse_hole(RefusalKind::SingleQuotesInParameter, index);
        }
    }

    /// Adds the hole at the current place to the list and moves behind it.
    pub(super) fn record(&mut self, context: Context) -> usize {
        let (part, number) = self.template.hole(self.at).unwrap_or_default();
        let quoted = match context {
            Context::Double | Context::Single | Context::HereDocument | Context::Comment => true,
            Context::Parameter => self.is_quoted(),
            Context::Word | Context::Arithmetic { .. } => false,
        };
        self.scan.holes.push(HoleUse {
            hole: number,
            part,
            kind: self.kinds.get(number).copied().unwrap_or(HoleKind::Word),
            context,
            role: Role::Outside,
            quoted,
            leads: Leads::Never,
            command: None,
            parenthesised: false,
            refused: false,
        });
        self.at += 1;
        self.scan.holes.len() - 1
    }

    /// What a command makes of a hole of it.
    pub(super) fn apply(&mut self, index: usize, reads: Reads, command: &str) {
        let Some(hole) = self.scan.holes.get_mut(index) else { return };
        let command = command.to_owned();
        match reads {
            Reads::Data => {}
            Reads::Script => self.refuse_hole(RefusalKind::Script { command }, index),
            Reads::Program => self.lint_hole(LintKind::Program { command }, index),
            Reads::Variable if self.dialect == Dialect::Sh => {
                self.lint_hole(LintKind::VariableName, index);
            }
            Reads::Variable => self.refuse_hole(RefusalKind::VariableName, index),
            Reads::Integer if hole.kind == HoleKind::Int => {}
            Reads::Integer => self.refuse_hole(RefusalKind::Arithmetic, index),
        }
    }

    pub(super) fn refuse(&mut self, kind: RefusalKind, from: usize, to: usize) {
        let (from, to) = (self.template.place(from), self.template.place_behind(to));
        self.scan.refusals.push(Refusal { from, to, hole: None, kind });
    }

    /// Refuses a hole, once.
    pub(super) fn refuse_hole(&mut self, kind: RefusalKind, index: usize) {
        let Some(hole) = self.scan.holes.get_mut(index) else { return };
        if hole.refused {
            return;
        }
        hole.refused = true;
        let (part, number) = (hole.part, hole.hole);
        self.scan.refusals.push(Refusal {
            from: super::Place { part, offset: 0 },
            to: super::Place { part, offset: 1 },
            hole: Some(number),
            kind,
        });
    }

    pub(super) fn lint(&mut self, kind: LintKind, from: usize, to: usize, hole: Option<usize>) {
        let (from, to) = (self.template.place(from), self.template.place_behind(to));
        self.scan.lints.push(Lint { from, to, hole, kind });
    }

    fn lint_hole(&mut self, kind: LintKind, index: usize) {
        let Some(hole) = self.scan.holes.get(index) else { return };
        let (part, number) = (hole.part, hole.hole);
        self.scan.lints.push(Lint {
            from: super::Place { part, offset: 0 },
            to: super::Place { part, offset: 1 },
            hole: Some(number),
            kind,
        });
    }

    /// Refuses and reads no further.
    pub(super) fn stop(&mut self, kind: RefusalKind, from: usize, to: usize) {
        self.refuse(kind, from, to);
        self.stopped = true;
    }

    /// Reads no further; a refusal only if a hole stands at `since` or behind, whose context is
    /// not known then. A command without values is the shell's affair.
    pub(super) fn stop_if_holes(
        &mut self,
        kind: RefusalKind,
        since: usize,
        from: usize,
        to: usize,
    ) {
        if self.template.hole_from(since) {
            self.refuse(kind, from, to);
        }
        self.stopped = true;
    }

    /// Notes that a variable of the shell is expanded.
    pub(super) fn variable(&mut self, name: &[u8], from: usize, to: usize, braced: bool) {
        if let Ok(name) = std::str::from_utf8(name)
            && super::word::is_name(name.as_bytes())
        {
            let (from, to) = (self.template.place(from), self.template.place_behind(to));
            self.scan.variables.push(VariableUse { name: name.to_owned(), from, to, braced });
        }
    }

    /// `'…'` from the current place on, with the holes in it.
    pub(super) fn single(&mut self) {
        let open = self.at;
        if let Some(word) = self.word() {
            word.quoted = true;
        }
        self.at += 1;
        while let Some(byte) = self.byte() {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return;
                }
                HOLE => self.hole(Context::Single),
                _ => {
                    self.literal(byte, true);
                    self.at += 1;
                }
            }
        }
        self.stop(RefusalKind::Unterminated(Construct::SingleQuotes), open, open + 1);
    }

    /// One step inside `"…"`.
    fn double(&mut self) {
        let Some(byte) = self.byte() else { return };
        match byte {
            b'"' => {
                self.close();
                self.at += 1;
            }
            HOLE => {
                let dollar = matches!(self.quote_mut(), Some(Quote::Double { dollar: true, .. }));
                self.hole(Context::Double);
                if dollar {
                    let index = self.scan.holes.len() - 1;
                    self.refuse_hole(RefusalKind::DollarQuotes, index);
                }
            }
            b'\\' => self.escape(Context::Double),
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            _ => {
                self.literal(byte, true);
                self.at += 1;
            }
        }
    }

    /// A backslash and what it protects.
    pub(super) fn escape(&mut self, context: Context) {
        let from = self.at;
        match self.template.at(from + 1) {
            Some(b'\n') => self.at += 2,
            Some(HOLE) => {
                self.at += 1;
                self.hole(context);
                let index = self.scan.holes.len() - 1;
                self.refuse_hole(RefusalKind::BackslashBefore, index);
            }
            Some(byte) => {
                if let Some(word) = self.word() {
                    word.quoted = true;
                    word.byte(byte, true);
                }
                self.at += 2;
            }
            None => {
                self.literal(b'\\', true);
                self.at += 1;
            }
        }
    }
}
