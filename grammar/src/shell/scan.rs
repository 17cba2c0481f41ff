//! What is known about a command after reading it.

use super::lint::Lint;
use super::machine::Machine;
use super::refusal::Refusal;
use super::template::{Part, Place, Template};

/// Which shell reads the script. The lowered text never depends on it; what is refused does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `bash`, version 4 or later.
    Bash,
    /// Any POSIX `sh`: dash, busybox, or bash under that name. What these read differently is
    /// refused as soon as a value is near.
    Sh,
}

/// What the checker knows about a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoleKind {
    /// One text: a string, a path, a float, a bool, ….
    Word,
    /// A whole number, written in decimal digits with at most a `-` in front.
    Int,
    /// A list of texts: one word for each element.
    List,
}

/// The quoting a hole stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// No quotes: `"${V}"`.
    Word,
    /// `"…"`: `${V}`.
    Double,
    /// `'…'`: `'"${V}"'`, which closes the quotes and opens them again.
    Single,
    /// The operand of `${name…}`, with or without quotes around it: `"${V}"`, always quoted, as
    /// globs and `&` would act in some operators.
    Parameter,
    /// The body of a here-document: `${V}`.
    HereDocument,
    /// An arithmetic place, an `int` only: `(${V})`; alone in a subscript `${V}`.
    Arithmetic {
        /// Nothing else stands in the subscript.
        alone: bool,
    },
    /// A comment: nothing.
    Comment,
}

/// What the word is to the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The command's name.
    Name,
    /// An argument of a command.
    Argument,
    /// The value of an assignment.
    Assignment,
    /// The word between `case` and `in`.
    CaseWord,
    /// A pattern of `case`.
    CasePattern,
    /// In the list of `for … in` or `select … in`.
    Item,
    /// An element of an array.
    Element,
    /// The file or descriptor of a redirection.
    Redirect,
    /// The word behind `<<<`.
    HereString,
    /// An operand inside `[[ … ]]`.
    Test,
    /// No word at all: a here-document, arithmetic, a comment, or where the shell wants a name.
    Outside,
}

/// Whether a value is the beginning of an argument, so that a leading `-` would make it an
/// option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leads {
    /// Other bytes stand in front, or no option is possible here (behind `--`, say).
    Never,
    /// It begins the word.
    Always,
    /// It begins the word when every hole from [`Scan::holes`]`[since]` up to it is empty.
    WhenEmpty {
        /// Index of the word's first hole.
        since: usize,
    },
}

/// One hole, where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoleUse {
    /// Its number.
    pub hole: usize,
    /// Index of its part.
    pub part: usize,
    /// What the checker said about the value.
    pub kind: HoleKind,
    /// The quoting around it.
    pub context: Context,
    /// What its word is.
    pub role: Role,
    /// Whether quotes of the file stand around it: an empty value is meant then.
    pub quoted: bool,
    /// Whether it can be taken for an option.
    pub leads: Leads,
    /// The literal name of the command it is an argument of, without folders: `docker`.
    pub command: Option<String>,
    /// Written in parentheses, since it is a part of a longer expression for `let`.
    pub(super) parenthesised: bool,
    /// A refusal has been told: one mistake, one message.
    pub(super) refused: bool,
}

/// A variable of the shell that the command expands: `$name` or `${name…}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableUse {
    /// The variable.
    pub name: String,
    /// The `$`.
    pub from: Place,
    /// Behind the name.
    pub to: Place,
    /// Written with braces.
    pub braced: bool,
}

/// What [`scan`] found, in the order of the text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scan {
    /// Every hole that was reached. Reading ends early only with a refusal.
    pub holes: Vec<HoleUse>,
    /// What can't run. [`lower`](super::lower) is exact when this is empty; the kinds
    /// [`Pattern`](super::RefusalKind::Pattern) and [`Comment`](super::RefusalKind::Comment)
    /// are refused for their doubtful meaning only and lower exactly too.
    pub refusals: Vec<Refusal>,
    /// What probably does not do what it looks like.
    pub lints: Vec<Lint>,
    /// The variables of the shell that are expanded, without those that the command itself
    /// sets (`name=…`, `for name in`, `read name`).
    pub variables: Vec<VariableUse>,
}

/// Reads a command as the shell would and places its holes. `kinds` is indexed by the holes'
/// numbers; what it lacks counts as [`HoleKind::Word`].
///
/// Time is linear in the length of the text, nesting is limited.
#[must_use]
pub fn scan(parts: &[Part<'_>], kinds: &[HoleKind], dialect: Dialect) -> Scan {
    let template = Template::new(parts);
    Machine::new(&template, kinds, dialect).run()
}
