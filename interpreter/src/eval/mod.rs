//! What expressions and statements mean. Effects are the host's: it runs commands and built-ins,
//! or, before a run, says that they are known later.

mod arithmetic;
mod block;
mod branch;
mod call;
mod expression;
mod frame;
mod held;
mod modifier;
mod script;
mod stop;

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use pipe_grammar::{
    Span,
    tree::{Command, Text},
};
use pipe_stdlib::core::{
    Arguments, Builtin, Failure, HeldValue, Interpreter, Secret, Type, Value, World,
};
use tokio::sync::Semaphore;

pub use branch::Slot;
pub(crate) use call::placed;
pub use expression::Eval;
pub use frame::{Frame, Limit, Scope};
pub use held::Holds;
pub(crate) use modifier::limited;
pub(crate) use script::script_of;
pub use stop::{Failed, Stop};

/// Something that is under way.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who acts for the evaluator.
pub trait Host: Send + Sync {
    /// A param, let or secret of the file.
    ///
    /// # Errors
    ///
    /// When it can't be evaluated, or is known later.
    fn global(&self, name: &str) -> Result<Value, Stop>;

    /// Whether a secret of the file is set.
    fn is_set(&self, secret: &str) -> bool;

    /// The path of the private copy of a secret that is read from a file.
    fn secret_file(&self, secret: &str) -> Value;

    /// `pipeline`, `failure`, `failures`.
    fn special(&self, name: &str, frame: &Frame) -> Option<Value>;

    /// An output of a stage.
    ///
    /// # Errors
    ///
    /// [`Stop::Later`] when the stage has not run yet.
    fn output(&self, stage: &str, output: &str) -> Result<Value, Stop>;

    /// A fact of a built-in; its paths start in the frame's folder.
    ///
    /// # Errors
    ///
    /// When it can't be found out.
    fn fact(
        &self,
        frame: &Frame,
        builtin: &'static Builtin,
        arguments: &Arguments,
    ) -> Result<Value, Failure>;

    /// Runs a step of a built-in.
    fn step<'a>(&'a self, frame: &'a Frame, call: StepCall<'a>) -> Later<'a, Result<Value, Stop>>;

    /// Runs a command, and keeps its output when it is asked for.
    fn command<'a>(
        &'a self,
        frame: &'a Frame,
        run: CommandRun<'a>,
    ) -> Later<'a, Result<CommandDone, Stop>>;

    /// Calls a method of a held value.
    fn held_call<'a>(
        &'a self,
        frame: &'a Frame,
        call: HeldCall<'a>,
    ) -> Later<'a, Result<Value, Stop>>;

    /// Undoes what the call at `span` has made.
    fn undo<'a>(
        &'a self,
        frame: &'a Frame,
        held: &'a HeldValue,
        span: Span,
    ) -> Later<'a, Result<(), Stop>>;

    /// A `step "title" { … }` begins; what it gives is the frame of its block.
    fn begin_step(&self, frame: &Frame, title: &str, span: Span) -> Frame;

    /// It ends.
    fn end_step(&self, frame: &Frame, result: Result<(), &Stop>);

    /// Whether what stands here failed before the run was interrupted, and may.
    fn forgiven(&self, frame: &Frame) -> bool;

    /// Something failed that may: the run is unstable.
    fn unstable(&self, frame: &Frame, failed: &Failed);

    /// A line about the run itself, such as a retry.
    fn say(&self, frame: &Frame, text: &str);

    /// A secret was born in a block: from here on it is masked.
    ///
    /// # Errors
    ///
    /// When it is too short to be masked.
    fn born(&self, name: &pipe_grammar::tree::Name, secret: &Secret) -> Result<(), Stop>;

    /// A path as written, made absolute.
    ///
    /// # Errors
    ///
    /// When it leaves the repository.
    fn path(&self, frame: &Frame, written: &str) -> Result<PathBuf, Failure>;

    /// The machine.
    fn world(&self) -> &World;

    /// The places of `--jobs`.
    fn slots(&self) -> &Arc<Semaphore>;

    /// Whether what fails cancels what runs beside it.
    fn fail_fast(&self) -> bool;

    /// How long handlers have after a cancellation.
    fn cancel_grace(&self) -> Duration;
}

/// A step of a built-in that is to run.
pub struct StepCall<'a> {
    /// Which.
    pub builtin: &'static Builtin,
    /// The connection it is called through.
    pub connection: Option<&'a Text>,
    /// Its arguments.
    pub arguments: Arguments,
    /// The call.
    pub span: Span,
    /// Where each argument stands.
    pub places: &'a [(String, pipe_grammar::tree::ExprId)],
    /// The type of what it gives.
    pub result: &'a Type,
}

/// A command that is to run.
pub struct CommandRun<'a> {
    /// As written.
    pub command: &'a Command,
    /// The values of its holes.
    pub values: Vec<Value>,
    /// Whether its output is kept.
    pub capture: bool,
    /// What `sh(…)` asks for beside.
    pub script: Option<Script>,
}

/// How a script of `sh(…)` is to run.
#[derive(Debug)]
pub struct Script {
    /// Whether a status that is not 0 is a failure.
    pub check: bool,
    /// What it reads.
    pub stdin: Option<Vec<u8>>,
    /// What runs it; without it, as `$` lines.
    pub interpreter: Option<&'static Interpreter>,
}

/// What came of a command.
#[derive(Debug)]
pub struct CommandDone {
    /// Its status; 128 and its number for a signal.
    pub status: i32,
    /// What it wrote, when it was kept.
    pub stdout: Vec<u8>,
    /// What it wrote beside it, when it was kept.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub duration: Duration,
}

/// A method of a held value that is to be called.
pub struct HeldCall<'a> {
    /// The value.
    pub held: &'a HeldValue,
    /// The method.
    pub method: &'a str,
    /// The call as written.
    pub shown: String,
    /// Its arguments.
    pub arguments: Arguments,
    /// The call.
    pub span: Span,
    /// Where each argument stands.
    pub places: &'a [(String, pipe_grammar::tree::ExprId)],
}
