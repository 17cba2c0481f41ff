//! Lists of commands: words, reserved words, operators, `case … in`, `[[ … ]]`.

use super::command::{Command, Feed};
use super::heredoc::HereDocument;
use super::machine::{Machine, Quote};
use super::refusal::{Construct, RefusalKind};
use super::scan::Context;
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
    pub(super) closing: Closing,
    at: usize,
    pub(super) position: Position,
    pub(super) word: Option<Word>,
    pub(super) command: Command,
    /// The redirection that waits for its word.
    pub(super) redirect: Option<Redirect>,
    /// Open `case`s.
    pub(super) cases: usize,
    /// Open parentheses of `[[ … ]]`.
    pub(super) groups: usize,
    pub(super) expects: Expects,
    /// The holes of the word before, in `[[ … ]]`.
    pub(super) before: Vec<usize>,
    /// The here-documents of the command.
    pub(super) documents: Vec<HereDocument>,
    /// Those whose bodies begin behind this line.
    pub(super) announced: Vec<HereDocument>,
    /// Index of the level that keeps those: a subshell leaves them to its outside.
    pub(super) keeper: usize,
    /// The variable of `for` or `select`.
    pub(super) item: String,
    /// What the last command writes.
    pub(super) written: Feed,
    /// What the command gets from the one in front of the `|`.
    pub(super) feed: Feed,
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
pub(super) enum Expects {
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
            item: String::new(),
            written: Feed::default(),
            feed: Feed::default(),
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

    pub(super) fn at_position(&mut self, position: Position) {
        if let Some(commands) = self.commands_mut() {
            commands.position = position;
        }
    }
}

/// Whether `name` or `name+` has been read so far, so that a `=` makes it an assignment.
fn is_target(word: &Word) -> bool {
    let Some(text) = word.bare() else { return false };
    is_name(text.strip_suffix('+').unwrap_or(text).as_bytes())
}

pub(super) fn ambiguous(what: &'static str, instead: &'static str) -> RefusalKind {
    RefusalKind::Ambiguous { what, instead }
}
