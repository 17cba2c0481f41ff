//! Where the commands of a stage run when they do not run on this machine itself.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use pipe_grammar::shell::Dialect;
use tokio_util::sync::CancellationToken;

use super::{Call, Holding, Stream};

/// A shell command, ready to be run: its values stand in the environment.
#[derive(Clone, Debug)]
pub struct ShellCommand {
    /// What the shell reads.
    pub script: String,
    /// The environment beside that of the place: `CI`, `env` of the file, and the values.
    pub environment: Vec<(String, String)>,
    /// The folder it starts in, absolute, as on this machine.
    pub dir: PathBuf,
    /// What it reads; without it, nothing.
    pub stdin: Option<Vec<u8>>,
    /// Another interpreter than the shell of the place.
    pub interpreter: Option<&'static Interpreter>,
    /// Tells its processes from others: `RUN/STEP`.
    pub mark: String,
}

/// A program that runs a script which stands on its command line.
#[derive(PartialEq, Eq, Debug)]
pub struct Interpreter {
    /// As a Pipelinefile names it.
    pub name: &'static str,
    /// The programs that it may be called, the usual one first.
    pub programs: &'static [&'static str],
    /// What stands between the program and the script.
    pub flags: &'static [&'static str],
    /// How it reads quotes, for one that is a shell: only then the script may hold values.
    pub dialect: Option<Dialect>,
}

/// The interpreters that `sh(…, shell: …)` knows.
pub static INTERPRETERS: &[Interpreter] = &[
    shell("sh", &["sh"], &["-eu", "-c"], Dialect::Sh),
    shell("bash", &["bash"], &["-eu", "-o", "pipefail", "-c"], Dialect::Bash),
    other("python3", &["python3", "python"], &["-c"]),
    other("node", &["node", "nodejs"], &["-e"]),
    other("perl", &["perl"], &["-e"]),
    other("ruby", &["ruby"], &["-e"]),
    other("powershell", &["pwsh", "powershell"], &["-NoProfile", "-NonInteractive", "-Command"]),
];

const fn shell(
    name: &'static str,
    programs: &'static [&'static str],
    flags: &'static [&'static str],
    dialect: Dialect,
) -> Interpreter {
    Interpreter { name, programs, flags, dialect: Some(dialect) }
}

const fn other(
    name: &'static str,
    programs: &'static [&'static str],
    flags: &'static [&'static str],
) -> Interpreter {
    Interpreter { name, programs, flags, dialect: None }
}

impl Interpreter {
    /// The one with a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        INTERPRETERS.iter().find(|found| found.name == name)
    }
}

/// How a command has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// By itself, with a status.
    Status(i32),
    /// By a signal.
    Signal(i32),
    /// It was cancelled, and is gone.
    Cancelled,
}

/// Takes output: the stream, a line without its end, and whether the line ends there.
pub type Output<'a> = &'a mut (dyn FnMut(Stream, &[u8], bool) + Send);

/// A place where the commands of one stage run: a container, a task.
pub trait Session: Send + Sync {
    /// How its shell reads quotes.
    fn dialect(&self) -> Dialect;

    /// What it is, in words: `bash of rust:1.95`.
    fn shown(&self) -> String;

    /// The Docker network that its commands are in, for services beside them.
    fn network(&self) -> Option<&str> {
        None
    }

    /// Whether its commands have a copy of the workspace only.
    fn is_remote(&self) -> bool {
        false
    }

    /// Runs a command to its end. When `cancel` is set the command is ended with all that it has
    /// started.
    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended>;

    /// Brings files of the place here, for one whose commands have a copy of the workspace: what
    /// `patterns` mean there, seen from `dir` (as on this machine), comes to lie below `to` as it
    /// lies below the workspace. What is not there is not brought.
    fn bring<'a>(
        &'a self,
        dir: &'a Path,
        patterns: &'a [String],
        to: &'a Path,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, ()> {
        let _ = (dir, patterns, to, cancel);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Ends it, and leaves nothing.
    fn end<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()>;
}

/// Makes the place, when a stage begins.
pub trait Runner: Send + Sync {
    /// What it is, in words, for the plan: `container of rust:1.95`.
    fn shown(&self) -> String;

    /// Starts it; `workspace` is the folder that its commands see under the same path.
    fn start<'a>(&'a self, call: Call<'a>, workspace: &'a Path) -> Holding<'a, Arc<dyn Session>>;
}
