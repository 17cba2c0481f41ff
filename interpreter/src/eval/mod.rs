//! What expressions and statements mean. Effects are the host's: it runs commands and built-ins,
//! or, before a run, says that they are known later.

mod arithmetic;
mod block;
mod call;
mod expression;
mod frame;
mod modifier;
mod stop;

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
};

use pipe_grammar::{
    Span,
    tree::{Command, Text},
};
use pipe_stdlib::core::{Arguments, Builtin, Failure, Secret, Value};

pub(crate) use call::placed;
pub use expression::Eval;
pub use frame::{Frame, Limit, Scope};
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

    /// Runs a command, and gives its output when it is asked for.
    fn command<'a>(
        &'a self,
        frame: &'a Frame,
        run: CommandRun<'a>,
    ) -> Later<'a, Result<String, Stop>>;

    /// A `step "title" { … }` begins; what it gives is the frame of its block.
    fn begin_step(&self, frame: &Frame, title: &str, span: Span) -> Frame;

    /// It ends.
    fn end_step(&self, frame: &Frame, result: Result<(), &Stop>);

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
    fn path(&self, dir: &Path, written: &str) -> Result<PathBuf, Failure>;

    /// How long handlers have after a cancellation.
    fn cancel_grace(&self) -> std::time::Duration;
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
}

/// A command that is to run.
pub struct CommandRun<'a> {
    /// As written.
    pub command: &'a Command,
    /// The values of its holes.
    pub values: Vec<Value>,
    /// Whether its output is the value of `$(…)`.
    pub capture: bool,
}
