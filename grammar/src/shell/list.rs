//! Lists of commands: words, reserved words, operators, `case … in`, `[[ … ]]`.

use super::command::Command;
use super::heredoc::HereDocument;
use super::lint::LintKind;
use super::machine::{LevelKind, Machine, Quote};
use super::program::Reads;
use super::refusal::{Construct, RefusalKind};
use super::scan::{Context, Dialect, HoleKind, Leads, Role};
use super::template::HOLE;
use super::word::{Word, is_name};

/// What the grammar allows at a place between words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Position {
    /// A command, or a reserved word.
    Start,
    /// The command's name, behind an assignment or a redirection.
    Prefix,
    /// Arguments.
    Arguments,
    /// The variable of `for` or `select`.
    ForName,
    /// `in`, `do` or `;`.
    ForIn,
    /// The words behind `in`.
    ForList,
    /// The word behind `case`.
    CaseWord,
    /// `in`.
    CaseIn,
    /// Patterns up to `)`, or `esac` if none has begun.
    CasePattern { begun: bool },
    /// The name behind `function`.
    FunctionName,
    /// Inside `[[ … ]]`.
    Test,
    /// Inside `name=( … )`.
    Elements,
}

/// What closes a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    End,
    /// `$( … )`, `<( … )`: a script of its own inside a word.
    Substitution,
    /// `( … )`: a subshell.
    Subshell,
    /// `name=( … )`
    Array,
}

/// The state of one list.
pub(super) struct Commands {
    closing: Closing,
    at: usize,
    pub(super) position: Position,
    pub(super) word: Option<Word>,
    pub(super) command: Command,
    /// The redirection that waits for its word.
    pub(super) redirect: Option<Redirect>,
    /// Open `case`s.
    cases: usize,
    /// Open parentheses of `[[ … ]]`.
    groups: usize,
    expects: Expects,
    /// The holes of the word before, in `[[ … ]]`.
    before: Vec<usize>,
    /// The here-documents of the command.
    pub(super) documents: Vec<HereDocument>,
    /// Those whose bodies begin behind this line.
    pub(super) announced: Vec<HereDocument>,
    /// Index of the level that keeps those: a subshell leaves them to its outside.
    pub(super) keeper: usize,
    /// The last command was only a `cd`.
    pub(super) lone_cd: Option<(usize, usize)>,
}

/// A redirection before its word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    File,
    Descriptor,
    HereString,
}

/// What the operator before says about the next operand of `[[ … ]]`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expects {
    Any,
    Variable,
    Integer,
    Regex,
}

impl Commands {
    pub(super) fn new(closing: Closing, at: usize, keeper: usize) -> Self {
        let array = closing == Closing::Array;
        Self {
            closing,
            at,
            position: if array { Position::Elements } else { Position::Start },
            word: None,
            command: Command::default(),
            redirect: None,
            cases: 0,
            groups: 0,
            expects: Expects::Any,
            before: Vec::new(),
            documents: Vec::new(),
            announced: Vec::new(),
            keeper,
            lone_cd: None,
        }
    }

    pub(super) fn top() -> Self {
        Self::new(Closing::End, 0, 0)
    }

    /// What is still open when the text ends.
    pub(super) fn open(&self) -> Option<(Construct, usize)> {
        match self.closing {
            Closing::End => None,
            Closing::Substitution => Some((Construct::Substitution, self.at)),
            Closing::Subshell | Closing::Array => Some((Construct::Parenthesis, self.at)),
        }
    }

    pub(super) fn expects_regex(&self) -> bool {
        self.position == Position::Test && self.expects == Expects::Regex
    }

    fn may_assign(&self) -> bool {
        matches!(self.position, Position::Start | Position::Prefix) && self.redirect.is_none()
    }
}

impl Machine<'_> {
    /// One step outside quotes.
    pub(super) fn unquoted(&mut self) {
        let Some(byte) = self.byte() else { return };
        let grouped = self.levels.last().is_some_and(|level| !level.quotes.is_empty());
        let regex = self.open_regex();
        match byte {
            HOLE => self.hole(Context::Word),
            b'\\' => self.escape(Context::Word),
            b'\'' => self.single(),
            b'"' => self.open_double(false),
            b'$' => self.dollar(),
            b'`' => self.backquotes(),
            b'(' | b')' if grouped => self.group(byte),
            _ if grouped => self.plain(byte),
            b'(' if regex.is_some() => self.regex(byte, 1),
            b')' if regex > Some(0) => self.regex(byte, -1),
            b'|' if regex.is_some() => self.regex(byte, 0),
            b' ' | b'\t' | b'\n' | b'<' | b'>' | b'&' | b';' if regex > Some(0) => {
                self.regex(byte, 0);
            }
            b' ' | b'\t' => {
                self.end_word();
                self.at += 1;
            }
            b'\n' => self.line_end(),
            b'#' if self.commands_ref().is_some_and(|c| c.word.is_none()) => self.comment(),
            b'<' | b'>' => self.redirect(byte),
            b';' | b'&' | b'|' => self.operator(byte),
            b'(' => self.parenthesis(),
            b')' => self.close_parenthesis(),
            _ => self.plain(byte),
        }
    }

    pub(super) fn open_double(&mut self, dollar: bool) {
        if let Some(word) = self.word() {
            word.quoted = true;
        }
        self.open(Quote::Double { at: self.at, dollar });
        self.at += 1;
    }

    fn open_regex(&self) -> Option<usize> {
        let commands = self.commands_ref()?;
        match &commands.word {
            Some(word) => word.regex,
            None => commands.expects_regex().then_some(0),
        }
    }

    fn regex(&mut self, byte: u8, change: isize) {
        if let Some(word) = self.word() {
            word.byte(byte, false);
            word.regex = word.regex.map(|depth| depth.saturating_add_signed(change));
        }
        self.at += 1;
    }

    /// A byte that stands for itself, outside quotes.
    fn plain(&mut self, byte: u8) {
        let at = self.at;
        self.at += 1;
        let Some(commands) = self.commands_mut() else { return };
        let may_assign = commands.may_assign();
        let elements = commands.position == Position::Elements;
        let fresh = commands.word.is_none();
        self.at = at;
        let Some(word) = self.word() else { return };
        let named = !word.quoted && word.holes.is_empty() && word.assigned.is_none();
        let behind_name = || named && word.bare().is_some_and(|text| is_name(text.as_bytes()));
        if byte == b'[' && (may_assign && behind_name() || elements && fresh) {
            word.byte(byte, false);
            self.open(Quote::Subscript { at, depth: 0, expanded: false });
            self.at += 1;
            return;
        }
        let plus = word.last == Some(b'+');
        let behind_subscript = word.subscript.is_some_and(|end| end + usize::from(plus) == at);
        if byte == b'=' && named && (is_target(word) || behind_subscript) {
            word.assigned = Some(at + 1);
        }
        let holes = word.brace(byte);
        word.byte(byte, false);
        for index in holes {
            self.refuse_hole(RefusalKind::BraceExpansion, index);
        }
        self.at += 1;
    }

    fn comment(&mut self) {
        let end = self.template.find(b'\n', self.at);
        while self.at < end {
            if self.byte() == Some(HOLE) {
                self.hole(Context::Comment);
                let index = self.scan.holes.len() - 1;
                self.refuse_hole(RefusalKind::Comment, index);
            } else {
                self.at += 1;
            }
        }
    }

    fn line_end(&mut self) {
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

    pub(super) fn at_position(&mut self, position: Position) {
        if let Some(commands) = self.commands_mut() {
            commands.position = position;
        }
    }

    fn operator(&mut self, byte: u8) {
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

    fn parenthesis(&mut self) {
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

    fn close_parenthesis(&mut self) {
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
    fn group(&mut self, byte: u8) {
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

    /// The end of a word: its role is known now, and what its holes are.
    pub(super) fn end_word(&mut self) {
        let end = self.at;
        let Some(commands) = self.commands_mut() else { return };
        let Some(word) = commands.word.take() else { return };
        if let Some(redirect) = commands.redirect.take() {
            if commands.position == Position::Start {
                commands.position = Position::Prefix;
            }
            return self.redirected(redirect, &word);
        }
        match commands.position {
            Position::Start => {
                if let Some(next) = word.bare().and_then(reserved) {
                    if word.bare() == Some("esac") {
                        commands.cases = commands.cases.saturating_sub(1);
                    }
                    commands.position = next;
                    commands.groups = 0;
                    commands.expects = Expects::Any;
                    return;
                }
                self.prefix_word(&word, end);
            }
            Position::Prefix => self.prefix_word(&word, end),
            Position::Arguments => self.argument(&word, end),
            Position::ForName => {
                commands.position = Position::ForIn;
                self.named(&word);
            }
            Position::FunctionName => {
                commands.position = Position::Start;
                self.named(&word);
            }
            Position::ForIn => {
                commands.position = match word.bare() {
                    Some("in") => Position::ForList,
                    _ => Position::Start,
                };
                self.roles(&word, Role::Outside);
            }
            Position::ForList => self.roles(&word, Role::Item),
            Position::CaseWord => {
                commands.position = Position::CaseIn;
                self.roles(&word, Role::CaseWord);
            }
            Position::CaseIn => {
                commands.position = Position::CasePattern { begun: false };
                commands.cases += 1;
                self.roles(&word, Role::Outside);
            }
            Position::CasePattern { begun } => {
                if !begun && word.bare() == Some("esac") {
                    commands.cases = commands.cases.saturating_sub(1);
                    commands.position = Position::Start;
                    return;
                }
                commands.position = Position::CasePattern { begun: true };
                self.roles(&word, Role::CasePattern);
                self.refuse_holes(&word, &RefusalKind::Pattern);
            }
            Position::Test => self.test_word(&word),
            Position::Elements => self.roles(&word, Role::Element),
        }
    }

    /// An assignment, or the command's name.
    fn prefix_word(&mut self, word: &Word, end: usize) {
        if word.assigned.is_some() {
            self.at_position(Position::Prefix);
            self.roles(word, Role::Assignment);
            if let Some(name) = word.name() {
                self.set.insert(name.to_owned());
                if matches!(name, "PS4" | "BASH_ENV" | "OPTIND" | "RANDOM") {
                    let name = name.to_owned();
                    self.refuse_holes(word, &RefusalKind::SpecialVariable { name });
                }
            }
            return;
        }
        self.at_position(Position::Arguments);
        self.roles(word, Role::Name);
        if !word.slash_behind {
            self.refuse_holes(word, &RefusalKind::CommandName);
        }
        if let Some(commands) = self.commands_mut() {
            commands.command.word(word, end);
        }
    }

    fn argument(&mut self, word: &Word, end: usize) {
        let Some(commands) = self.commands_mut() else { return };
        let reads = commands.command.word(word, end);
        let command = commands.command.caller();
        let name = commands.command.name.clone();
        let options_over = commands.command.options_over;
        let removes = commands.command.removes() && word.root_of_hole;
        if commands.command.sets_variables()
            && let Some(name) = word.name()
        {
            let name = name.to_owned();
            self.set.insert(name);
        }
        self.roles(word, Role::Argument);
        for &index in &word.holes {
            if let Some(hole) = self.scan.holes.get_mut(index) {
                hole.command.clone_from(&name);
                if options_over {
                    hole.leads = Leads::Never;
                }
                if reads == Reads::Integer && hole.kind == HoleKind::Int && word.content {
                    hole.parenthesised = true;
                }
            }
            self.apply(index, reads, &command);
        }
        if removes && let Some(&index) = word.holes.first() {
            let hole = self.scan.holes.get(index).map(|hole| hole.hole);
            self.lint(LintKind::RemoveBelow, word.start, end, hole);
        }
        for &(from, to) in &word.substitutions {
            self.lint(LintKind::MaskedStatus, from, to, None);
        }
        if let Some(commands) = self.commands_mut() {
            commands.command.operand_holes.extend(&word.holes);
        }
    }

    /// A word inside `[[ … ]]`.
    fn test_word(&mut self, word: &Word) {
        let Some(commands) = self.commands_mut() else { return };
        let expects = std::mem::replace(&mut commands.expects, Expects::Any);
        let before = std::mem::take(&mut commands.before);
        let mut compared = Vec::new();
        match word.bare() {
            Some("]]") => {
                commands.position = Position::Start;
                commands.groups = 0;
            }
            Some("-v" | "-R") => commands.expects = Expects::Variable,
            Some("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") => {
                commands.expects = Expects::Integer;
                compared = before;
            }
            Some("=~") => commands.expects = Expects::Regex,
            _ => commands.before.clone_from(&word.holes),
        }
        for index in compared {
            self.apply(index, Reads::Integer, "");
        }
        self.roles(word, Role::Test);
        for &index in &word.holes {
            if self.dialect == Dialect::Sh {
                let kind = RefusalKind::BashOnly { what: "`[[`", instead: "[ … ]" };
                self.refuse_hole(kind, index);
            }
            match expects {
                Expects::Any => {}
                Expects::Variable => self.apply(index, Reads::Variable, ""),
                Expects::Integer => self.apply(index, Reads::Integer, ""),
                Expects::Regex => self.refuse_hole(RefusalKind::Pattern, index),
            }
        }
    }

    /// The name of a variable or function.
    fn named(&mut self, word: &Word) {
        if let Some(name) = word.text() {
            self.set.insert(name.to_owned());
        }
        self.refuse_holes(word, &RefusalKind::VariableName);
    }

    pub(super) fn refuse_holes(&mut self, word: &Word, kind: &RefusalKind) {
        for &index in &word.holes {
            self.refuse_hole(kind.clone(), index);
        }
    }

    /// Gives the holes of a word its role; a list must be the word.
    pub(super) fn roles(&mut self, word: &Word, role: Role) {
        let single = word.holes.len() == 1 && !word.content && !word.quoted;
        let many = matches!(role, Role::Argument | Role::Item | Role::Element);
        for &index in &word.holes {
            let Some(hole) = self.scan.holes.get_mut(index) else { continue };
            hole.role = role;
            if !many {
                hole.leads = Leads::Never;
            }
            if hole.kind == HoleKind::List && !(single && many) {
                self.refuse_hole(RefusalKind::ListNotAlone, index);
            }
        }
    }

    /// The end of a simple command.
    pub(super) fn end_command(&mut self) {
        let Some(commands) = self.commands_mut() else { return };
        let command = std::mem::take(&mut commands.command);
        commands.redirect = None;
        commands.lone_cd =
            (command.name.as_deref() == Some("cd")).then_some((command.start, command.end));
        let input = command.input();
        let name = command.caller();
        self.announce_documents(input, &name);
        for &index in &command.input_holes {
            self.apply_input(index, input, &name);
        }
        if command.words == 0 {
            return;
        }
        self.commands += 1;
        self.integers |= command.makes_integers();
        if command.is_short_test() {
            for &index in &command.operand_holes {
                if let Some(hole) = self.scan.holes.get_mut(index) {
                    hole.leads = Leads::Never;
                }
            }
        }
    }
}

/// Whether `name` or `name+` has been read so far, so that a `=` makes it an assignment.
fn is_target(word: &Word) -> bool {
    let Some(text) = word.bare() else { return false };
    is_name(text.strip_suffix('+').unwrap_or(text).as_bytes())
}

/// Where the grammar goes on behind a reserved word.
fn reserved(word: &str) -> Option<Position> {
    Some(match word {
        "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "while" | "until" | "{" | "}"
        | "!" | "time" | "coproc" | "esac" => Position::Start,
        "for" | "select" => Position::ForName,
        "case" => Position::CaseWord,
        "function" => Position::FunctionName,
        "[[" => Position::Test,
        _ => return None,
    })
}

pub(super) fn ambiguous(what: &'static str, instead: &'static str) -> RefusalKind {
    RefusalKind::Ambiguous { what, instead }
}
