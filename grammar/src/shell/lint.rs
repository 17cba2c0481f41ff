//! What a command may be but hardly should.

use std::fmt;

use super::template::Place;

/// A command that probably does not do what it looks like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lint {
    /// First byte.
    pub from: Place,
    /// Behind the last byte.
    pub to: Place,
    /// Number of the hole it is about, if it is about one.
    pub hole: Option<usize>,
    /// What it is. Its [`Display`](fmt::Display) is the message.
    pub kind: LintKind,
}

/// The kinds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LintKind {
    /// The whole command is one `cd`, which ends with the command's process.
    LoneCd,
    /// A `|`. Without `pipefail` only the last command's status counts: the caller knows
    /// whether the shell has it.
    Pipe,
    /// `rm -rf #{v}/…`: with an empty value this begins at `/`. The caller knows whether the
    /// value is a path.
    RemoveBelow,
    /// A value inside a program text: its bytes are exact, and are code to that program.
    Program {
        /// The program: `sed`, `awk`, `jq`, `python3`, ….
        command: String,
    },
    /// A value as the name of a variable for a builtin; where `sh` is bash, it runs code in it.
    VariableName,
    /// A `$(…)` in an argument: its failure is lost.
    MaskedStatus,
}

impl LintKind {
    /// What to write instead. `#{v}` stands for the value as it is written in the file.
    #[must_use]
    pub fn rewrite(&self) -> Option<String> {
        let text = match self {
            Self::Program { command } => match command.as_str() {
                "printf" => "printf '%s\\n' #{v}",
                "jq" => "jq --arg v #{v} '… $v …'",
                "yq" => "v=#{v} yq '… strenv(v) …'",
                "perl" => "perl -e '… $ARGV[0] …' -- #{v}",
                "ruby" => "ruby -e '… ARGV[0] …' -- #{v}",
                "node" | "nodejs" => "node -e '… process.argv[1] …' -- #{v}",
                "php" => "php -r '… $argv[1] …' -- #{v}",
                "psql" => "echo \"… :'v' …\" | psql -v v=#{v}",
                "sed" | "awk" | "gawk" | "mawk" | "nawk" => "v=#{v} awk '… ENVIRON[\"v\"] …'",
                "python" | "python2" | "python3" => "python3 -c 'import sys; … sys.argv[1] …' #{v}",
                _ => return None,
            },
            Self::RemoveBelow => "rm -rf -- \"${dir:?}/…\"",
            Self::MaskedStatus => "x=$(…)",
            Self::LoneCd | Self::Pipe | Self::VariableName => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for LintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoneCd => {
                f.write_str("this `cd` changes nothing: every command starts in the same folder")
            }
            Self::Pipe => {
                f.write_str("in a pipe only the last command's failure counts in this shell")
            }
            Self::RemoveBelow => {
                f.write_str("if the value is empty or not what was meant, this removes below `/`")
            }
            Self::Program { command } => {
                write!(f, "`{command}` reads this value as a part of its program")
            }
            Self::VariableName => f.write_str(
                "a value as a variable's name: where `sh` is bash, code in it would run",
            ),
            Self::MaskedStatus => f.write_str("if the command in `$(…)` fails, nobody will know"),
        }
    }
}
