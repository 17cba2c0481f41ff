//! The commands that do more with an argument than take it as data.
//!
//! Sources: POSIX.1-2024 XCU, the manuals of bash 5.2, OpenSSH, util-linux, GNU coreutils, jq 1.7.

/// What a command makes of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reads {
    /// Bytes.
    Data,
    /// A script for a shell.
    Script,
    /// A program in another language.
    Program,
    /// The name of a variable.
    Variable,
    /// An arithmetic expression of bash.
    Integer,
}

/// What its operands are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operands {
    /// Data.
    Data,
    /// The first one is read so, unless an option in [`Program::instead`] gave it.
    First(Reads),
    /// The second one.
    Second(Reads),
    /// All from this number on, counted from 0.
    From(usize, Reads),
    /// Behind this many operands (and `name=value` words) another command follows.
    Command(usize),
    /// The first one makes another command of it: `git submodule`.
    Subcommand,
    /// A shell: with `-c` the first one is the script.
    Shell,
}

/// How a command reads its words.
pub(super) struct Program {
    /// Its names.
    pub(super) names: &'static [&'static str],
    /// The letters of options that take a word of data.
    pub(super) values: &'static str,
    /// The options that take words that matter here, or long ones that take words at all.
    pub(super) options: &'static [(&'static str, usize, Reads)],
    /// The letters of options after which the first operand is not read specially.
    pub(super) instead: &'static str,
    /// The operands.
    pub(super) operands: Operands,
    /// Behind the first operand a word that begins with `-` is no option any more.
    pub(super) options_end: bool,
}

const PLAIN: Program = Program {
    names: &[],
    values: "",
    options: &[],
    instead: "",
    operands: Operands::Data,
    options_end: false,
};

const fn wrapper(names: &'static [&'static str], values: &'static str, operands: usize) -> Program {
    Program { names, values, operands: Operands::Command(operands), ..PLAIN }
}

const PROGRAMS: &[Program] = &[
    Program {
        names: &["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "fish"],
        values: "oO",
        options: &[("--rcfile", 1, Reads::Data), ("--init-file", 1, Reads::Data)],
        operands: Operands::Shell,
        ..PLAIN
    },
    // A second shell, or the same once more.
    Program { names: &["eval", "alias"], operands: Operands::From(0, Reads::Script), ..PLAIN },
    Program { names: &["trap"], operands: Operands::First(Reads::Script), ..PLAIN },
    Program {
        names: &["ssh"],
        values: "BbcDEeFIiJLlmOoPpQRSWw",
        operands: Operands::From(1, Reads::Script),
        ..PLAIN
    },
    Program {
        names: &["su", "runuser"],
        values: "gGsuw",
        options: &[
            ("c", 1, Reads::Script),
            ("--command", 1, Reads::Script),
            ("--session-command", 1, Reads::Script),
            ("--shell", 1, Reads::Data),
        ],
        ..PLAIN
    },
    Program {
        names: &["script", "flock", "sg"],
        options: &[("c", 1, Reads::Script), ("--command", 1, Reads::Script)],
        ..PLAIN
    },
    Program {
        names: &["compgen", "complete"],
        values: "AFGPSXo",
        options: &[("C", 1, Reads::Script), ("W", 1, Reads::Script)],
        ..PLAIN
    },
    Program { names: &["watch"], values: "n", operands: Operands::From(0, Reads::Script), ..PLAIN },
    Program {
        names: &["nix-shell"],
        options: &[("--run", 1, Reads::Script), ("--command", 1, Reads::Script)],
        ..PLAIN
    },
    Program { names: &["git"], values: "Cc", operands: Operands::Subcommand, ..PLAIN },
    Program { names: &["git submodule"], operands: Operands::Subcommand, ..PLAIN },
    Program {
        names: &["git submodule foreach"],
        operands: Operands::From(0, Reads::Script),
        ..PLAIN
    },
    Program {
        names: &["git rebase"],
        options: &[("x", 1, Reads::Script), ("--exec", 1, Reads::Script)],
        ..PLAIN
    },
    // Builtins that take the name of a variable; in bash it may hold a subscript with code.
    Program {
        names: &["read"],
        values: "dinNptu",
        options: &[("a", 1, Reads::Variable)],
        operands: Operands::From(0, Reads::Variable),
        ..PLAIN
    },
    Program {
        names: &["mapfile", "readarray"],
        values: "dnOsuc",
        options: &[("C", 1, Reads::Script)],
        operands: Operands::From(0, Reads::Variable),
        ..PLAIN
    },
    Program { names: &["unset"], operands: Operands::From(0, Reads::Variable), ..PLAIN },
    Program { names: &["getopts"], operands: Operands::Second(Reads::Variable), ..PLAIN },
    Program { names: &["wait"], options: &[("p", 1, Reads::Variable)], ..PLAIN },
    Program {
        names: &["printf"],
        options: &[("v", 1, Reads::Variable)],
        operands: Operands::First(Reads::Program),
        options_end: true,
        ..PLAIN
    },
    Program { names: &["let"], operands: Operands::From(0, Reads::Integer), ..PLAIN },
    // Programs in other languages.
    Program {
        names: &["sed"],
        values: "fl",
        options: &[
            ("e", 1, Reads::Program),
            ("--expression", 1, Reads::Program),
            ("--file", 1, Reads::Data),
        ],
        instead: "ef",
        operands: Operands::First(Reads::Program),
        ..PLAIN
    },
    Program {
        names: &["awk", "gawk", "mawk", "nawk"],
        values: "Fvf",
        options: &[
            ("e", 1, Reads::Program),
            ("--source", 1, Reads::Program),
            ("--file", 1, Reads::Data),
            ("--assign", 1, Reads::Data),
        ],
        instead: "ef",
        operands: Operands::First(Reads::Program),
        options_end: true,
    },
    Program {
        names: &["jq"],
        values: "fL",
        options: &[
            ("--arg", 2, Reads::Data),
            ("--argjson", 2, Reads::Data),
            ("--slurpfile", 2, Reads::Data),
            ("--rawfile", 2, Reads::Data),
            ("--indent", 1, Reads::Data),
            ("--from-file", 1, Reads::Data),
        ],
        instead: "f",
        operands: Operands::First(Reads::Program),
        ..PLAIN
    },
    Program { names: &["yq"], operands: Operands::First(Reads::Program), ..PLAIN },
    Program {
        names: &["python", "python2", "python3"],
        values: "mWX",
        options: &[("c", 1, Reads::Program)],
        options_end: true,
        ..PLAIN
    },
    Program {
        names: &["perl"],
        values: "IMm",
        options: &[("e", 1, Reads::Program), ("E", 1, Reads::Program)],
        ..PLAIN
    },
    Program { names: &["ruby"], options: &[("e", 1, Reads::Program)], ..PLAIN },
    Program {
        names: &["node", "nodejs"],
        options: &[
            ("e", 1, Reads::Program),
            ("p", 1, Reads::Program),
            ("--eval", 1, Reads::Program),
            ("--print", 1, Reads::Program),
        ],
        ..PLAIN
    },
    Program { names: &["php"], options: &[("r", 1, Reads::Program)], ..PLAIN },
    Program {
        names: &["psql"],
        values: "dFfhLoPpRTUv",
        options: &[("c", 1, Reads::Program), ("--command", 1, Reads::Program)],
        ..PLAIN
    },
    Program {
        names: &["mysql", "mariadb"],
        values: "DhPSu",
        options: &[("e", 1, Reads::Program), ("--execute", 1, Reads::Program)],
        ..PLAIN
    },
    Program { names: &["sqlite3"], operands: Operands::Second(Reads::Program), ..PLAIN },
    // Commands that run the command that follows.
    wrapper(&["command", "builtin", "exec", "nohup", "setsid", "time", "busybox"], "a", 0),
    Program {
        names: &["env"],
        values: "uC",
        options: &[("S", 1, Reads::Script), ("--split-string", 1, Reads::Script)],
        operands: Operands::Command(0),
        ..PLAIN
    },
    wrapper(&["sudo", "doas"], "ughpCTUDRrt", 0),
    wrapper(&["nice", "ionice"], "ncp", 0),
    wrapper(&["stdbuf"], "ioe", 0),
    wrapper(&["xargs"], "ILnPsdEa", 0),
    wrapper(&["sshpass"], "pfd", 0),
    wrapper(&["timeout"], "sk", 1),
    wrapper(&["chroot"], "", 1),
];

impl Program {
    /// The one with this name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.names.contains(&name))
    }

    /// The shell with this name.
    pub(super) fn shell(name: &str) -> Option<&'static Self> {
        Self::find(name).filter(|program| program.operands == Operands::Shell)
    }

    /// What the option takes: how many words, and how it reads them. Letters without `-`, long
    /// options with both.
    pub(super) fn option(&self, name: &str) -> Option<(usize, Reads)> {
        if let Some((_, words, reads)) = self.options.iter().find(|(option, ..)| *option == name) {
            return Some((*words, *reads));
        }
        (name.len() == 1 && self.values.contains(name)).then_some((1, Reads::Data))
    }
}
