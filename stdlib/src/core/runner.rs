//! Where the commands of a stage run when they do not run on this machine itself.

use std::{
    fmt,
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
    /// Another interpreter than the shell of the place: `python3`.
    pub interpreter: Option<String>,
}

/// How a command has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// With a status; 128 and its number for a signal.
    Status(i32),
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

    /// Runs a command to its end. When `cancel` is set the command is ended with all that it has
    /// started.
    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended>;

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

/// A runner as a value of the language; `local` is none.
#[derive(Clone)]
pub struct RunnerValue(pub Option<Arc<dyn Runner>>);

impl PartialEq for RunnerValue {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for RunnerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.as_ref().map_or_else(|| "local".to_owned(), |runner| runner.shown()))
    }
}
