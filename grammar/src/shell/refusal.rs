//! What a command must not be, with the words to say it.

use std::fmt;

use super::program::Program;
use super::template::Place;
use crate::diagnostic::Code;

/// Why a command can't run, or can't carry a value where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// First byte.
    pub from: Place,
    /// Behind the last byte.
    pub to: Place,
    /// Number of the hole it is about, if it is about one.
    pub hole: Option<usize>,
    /// What is wrong. Its [`Display`](fmt::Display) is the message.
    pub kind: RefusalKind,
}

/// What the shell opens and closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Construct {
    /// `'…'`
    SingleQuotes,
    /// `"…"`
    DoubleQuotes,
    /// `${…}`
    Parameter,
    /// `$(…)`, `<(…)`, `>(…)`
    Substitution,
    /// `( … )`
    Parenthesis,
    /// `$((…))`, `((…))`
    Arithmetic,
    /// `` `…` ``
    Backquotes,
    /// `name[…]`
    Subscript,
}

impl Construct {
    fn opening(self) -> &'static str {
        match self {
            Self::SingleQuotes => "'",
            Self::DoubleQuotes => "\"",
            Self::Parameter => "${",
            Self::Substitution => "$(",
            Self::Parenthesis => "(",
            Self::Arithmetic => "((",
            Self::Backquotes => "backquote",
            Self::Subscript => "[",
        }
    }

    fn closing(self) -> &'static str {
        match self {
            Self::SingleQuotes => "'",
            Self::DoubleQuotes => "\"",
            Self::Parameter => "}",
            Self::Substitution | Self::Parenthesis => ")",
            Self::Arithmetic => "))",
            Self::Backquotes => "backquote",
            Self::Subscript => "]",
        }
    }
}

/// The reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefusalKind {
    /// Something is opened and never closed.
    Unterminated(Construct),
    /// A here-document without its last line.
    UnterminatedHereDocument {
        /// What the last line must be.
        delimiter: String,
    },
    /// A `)` that closes nothing.
    UnexpectedParenthesis,
    /// A NUL in the text.
    Nul,
    /// Too many constructs inside one another.
    TooDeep,
    /// Shells read this differently, and a value depends on it.
    Ambiguous {
        /// What they read differently.
        what: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// Bash alone knows this; another shell would run or compare something else.
    BashOnly {
        /// The construct.
        what: &'static str,
        /// What every shell knows.
        instead: &'static str,
    },
    /// A value in `` `…` ``.
    Backquotes,
    /// A value in `$'…'` or `$"…"`.
    DollarQuotes,
    /// A `$` directly in front of a value.
    DollarBefore,
    /// A backslash directly in front of a value.
    BackslashBefore,
    /// A value in a here-document whose delimiter is quoted.
    QuotedHereDocument {
        /// The delimiter, without its quotes.
        delimiter: String,
    },
    /// A value in the delimiter of a here-document.
    HereDocumentDelimiter,
    /// A value that is no `int` in an arithmetic place: bash runs code found there.
    Arithmetic,
    /// An `int` inside quotes or `${…}` of an arithmetic expression.
    QuotedArithmetic,
    /// A value behind `'` inside `"${name…}"`, where the quotes are literal text.
    SingleQuotesInParameter,
    /// A value where the shell wants the name of a variable.
    VariableName,
    /// A value assigned to a variable whose content the shell runs or computes.
    SpecialVariable {
        /// The variable.
        name: String,
    },
    /// A value as the command's name.
    CommandName,
    /// A value inside a text that another shell runs.
    Script {
        /// The command that runs it: `sh`, `eval`, `ssh`, ….
        command: String,
    },
    /// A value in a here-document or here-string that another shell runs.
    ScriptInput {
        /// That shell.
        command: String,
    },
    /// A value in a pattern, where it would count byte by byte.
    Pattern,
    /// A value in a comment.
    Comment,
    /// A list that is not a word of its own.
    ListNotAlone,
    /// A value inside `{a,b}` or `{1..9}`, which bash makes words of.
    BraceExpansion,
    /// A value behind `>&` or `<&`.
    Descriptor,
}

impl RefusalKind {
    /// The diagnostic code it belongs to.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unterminated(_)
            | Self::UnterminatedHereDocument { .. }
            | Self::UnexpectedParenthesis
            | Self::Nul
            | Self::TooDeep => Code::COMMAND_SYNTAX,
            _ => Code::COMMAND_QUOTING,
        }
    }

    /// What to write instead, where one line can say it. `#{v}` in it stands for the value as it
    /// is written in the file.
    #[must_use]
    pub fn rewrite(&self) -> Option<String> {
        let text = match self {
            Self::Backquotes => "$(… #{v} …)",
            Self::DollarQuotes => "\"…#{v}…\"",
            Self::DollarBefore => "\\$#{v}",
            Self::BackslashBefore => "\\\\#{v}",
            Self::Ambiguous { instead, .. } | Self::BashOnly { instead, .. } => instead,
            Self::QuotedHereDocument { delimiter } => {
                return Some(format!("<<{delimiter}"));
            }
            Self::Arithmetic => "#{v.to_int()}",
            Self::QuotedArithmetic => "$((… #{v} …))",
            Self::SingleQuotesInParameter => "\"${name:-#{v}}\"",
            Self::CommandName => "command #{v}",
            Self::Script { command } => return Some(script_rewrite(command)),
            Self::ScriptInput { command } if Program::shell(command).is_some() => {
                return Some(format!("{command} -s -- #{{v}} <<'EOF'"));
            }
            Self::ScriptInput { command } => return Some(script_rewrite(command)),
            Self::Pattern => "[ \"$name\" = #{v} ]",
            Self::BraceExpansion => "\"{…#{v}…}\"",
            Self::Unterminated(_)
            | Self::UnterminatedHereDocument { .. }
            | Self::UnexpectedParenthesis
            | Self::Nul
            | Self::TooDeep
            | Self::HereDocumentDelimiter
            | Self::VariableName
            | Self::SpecialVariable { .. }
            | Self::Comment
            | Self::ListNotAlone
            | Self::Descriptor => return None,
        };
        Some(text.to_owned())
    }

    /// What to do, as a sentence for the help line.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unterminated(construct) => {
                format!("close it with {}", mark(construct.closing()))
            }
            Self::UnterminatedHereDocument { delimiter } => {
                format!("end it with a line that is only `{delimiter}`")
            }
            Self::UnexpectedParenthesis => "remove it, or quote it to mean the character".into(),
            Self::Nul => "remove it".into(),
            Self::TooDeep => "put a part of it into a script file".into(),
            Self::Ambiguous { instead, .. } | Self::BashOnly { instead, .. } => {
                format!("write `{instead}`")
            }
            Self::Backquotes => "write `$(…)`, in which quotes nest".into(),
            Self::DollarQuotes => "write \"…\" without the `$`".into(),
            Self::DollarBefore => "write `\\$` for the character, or remove it".into(),
            Self::BackslashBefore => "write `\\\\` for a backslash, or remove it".into(),
            Self::QuotedHereDocument { delimiter } => {
                format!("write `<<{delimiter}` and `\\$` where the text means a `$`")
            }
            Self::HereDocumentDelimiter => "write the delimiter out".into(),
            Self::Arithmetic => "convert it with `.to_int()`".into(),
            Self::QuotedArithmetic => "write it without quotes around it".into(),
            Self::SingleQuotesInParameter => "remove the quotes: the value is quoted anyway".into(),
            Self::VariableName => "write the variable's name out".into(),
            Self::SpecialVariable { .. } => "hand it over in a variable of your own".into(),
            Self::CommandName => {
                "write the name, choose between commands with `if`, or say `command #{v}`".into()
            }
            Self::ScriptInput { command } if Program::shell(command).is_some() => format!(
                "quote the delimiter and hand it over as an argument: \
                 `{command} -s -- #{{v}} <<'EOF'`, in it `\"$1\"`"
            ),
            Self::Script { command } if Program::shell(command).is_some() => {
                format!("hand it over as an argument: `{}`", script_rewrite(command))
            }
            Self::Script { command } | Self::ScriptInput { command } => {
                format!("keep it out of the script: `{}`", script_rewrite(command))
            }
            Self::Pattern => {
                "compare with `[ \"$name\" = #{v} ]`, or decide with `matches` before the command"
                    .into()
            }
            Self::Comment => "remove it, or make the comment one of the Pipelinefile".into(),
            Self::ListNotAlone => {
                "leave a blank on both sides and no quotes, or make it one text".into()
            }
            Self::BraceExpansion => "quote the word, or write the words out".into(),
            Self::Descriptor => "write the number of the descriptor, or `> #{v}` for a file".into(),
        }
    }
}

/// How a value gets into a script that `command` runs.
fn script_rewrite(command: &str) -> String {
    match command {
        "ssh" => "printf %s #{v} | ssh host 'v=$(cat); … \"$v\" …'".into(),
        "eval" | "alias" | "env" => "sh -c '… \"$1\" …' sh #{v}".into(),
        "declare" | "typeset" | "local" | "readonly" | "export" => "name=(#{v})".into(),
        "trap" => "v=#{v}; trap '… \"$v\" …' EXIT".into(),
        "su" | "runuser" => "su user -c '… \"$1\" …' -- sh #{v}".into(),
        shell if Program::shell(shell).is_some() => {
            format!("{shell} -c '… \"$1\" …' {shell} #{{v}}")
        }
        other => format!("v=#{{v}} {other} … '… \"$v\" …'"),
    }
}

/// A piece of shell text in back-ticks, if it is one.
fn mark(text: &str) -> String {
    if text == "backquote" { format!("a {text}") } else { format!("`{text}`") }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unterminated(construct) => {
                write!(f, "{} is opened here and never closed", mark(construct.opening()))
            }
            Self::UnterminatedHereDocument { delimiter } => {
                write!(f, "the here-document never ends: no line is only `{delimiter}`")
            }
            Self::UnexpectedParenthesis => f.write_str("this `)` closes nothing"),
            Self::Nul => f.write_str("a command can't hold a NUL"),
            Self::TooDeep => f.write_str("the command nests too deep to be followed"),
            Self::Ambiguous { what, .. } => write!(f, "shells read {what} differently"),
            Self::BashOnly { what, .. } => {
                write!(f, "{what} is bash's: another `sh` would do something else with the value")
            }
            Self::Backquotes => f.write_str("a value can't stand in backquotes"),
            Self::DollarQuotes => f.write_str("a value can't stand in `$'…'` or `$\"…\"`"),
            Self::DollarBefore => {
                f.write_str("the shell would read this `$` together with what follows")
            }
            Self::BackslashBefore => {
                f.write_str("the backslash would take away the meaning of what follows")
            }
            Self::QuotedHereDocument { delimiter } => write!(
                f,
                "nothing is inserted in this here-document, as its delimiter `{delimiter}` is \
                 quoted"
            ),
            Self::HereDocumentDelimiter => {
                f.write_str("the delimiter of a here-document can't hold a value")
            }
            Self::Arithmetic => f.write_str(
                "only an int can stand in an arithmetic place, where bash runs what a text holds",
            ),
            Self::QuotedArithmetic => {
                f.write_str("inside an arithmetic expression a value can't stand in quotes")
            }
            Self::SingleQuotesInParameter => {
                f.write_str("inside `\"${…}\"` the shell takes `'` for a character, not for quotes")
            }
            Self::VariableName => f.write_str("a value can't be the name of a shell variable"),
            Self::SpecialVariable { name } => {
                write!(f, "the shell runs what the variable `{name}` holds")
            }
            Self::CommandName => f.write_str("a value can't be the command's name"),
            Self::Script { command } => {
                write!(f, "`{command}` would run this value as a part of its script")
            }
            Self::ScriptInput { command } => {
                write!(f, "`{command}` reads its script from here and would run this value")
            }
            Self::Pattern => {
                f.write_str("a value in a pattern matches only itself, never as a pattern")
            }
            Self::Comment => f.write_str("a value in a comment of the shell does nothing"),
            Self::ListNotAlone => f.write_str("a list must be a word of its own, without quotes"),
            Self::BraceExpansion => {
                f.write_str("bash makes several words of these braces, other shells do not")
            }
            Self::Descriptor => f.write_str("only an int can stand behind `>&` or `<&`, alone"),
        }
    }
}
