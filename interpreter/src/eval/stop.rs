//! Why evaluation does not go on.

use pipe_grammar::{Code, Diagnostic, Span};
use pipe_stdlib::core::{FailureKind, Value};

/// Something that failed, with its place.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What to show.
    pub diagnostic: Diagnostic,
    /// What kind of failure.
    pub kind: FailureKind,
    /// A command failed, not a built-in.
    pub command: bool,
    /// The title of the step that it happened in.
    pub step: Option<String>,
}

impl Failed {
    /// A failure of what the user wrote.
    #[must_use]
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, kind: FailureKind::Step, command: false, step: None }
    }

    /// The word that `failure.kind` has.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            FailureKind::Timeout => "timeout",
            FailureKind::Infrastructure => "infrastructure",
            _ if self.command => "command",
            _ => "step",
        }
    }
}

/// Why evaluation does not go on.
#[derive(Clone, Debug)]
pub enum Stop {
    /// The value is known later: what it waits for, in words.
    Later(String),
    /// Something failed.
    Failed(Box<Failed>),
    /// `return`
    Return(Value),
    /// `skip "reason"`
    Skip(String),
    /// The run, the stage or the step is cancelled.
    Cancelled,
}

impl Stop {
    /// A failure at a place.
    #[must_use]
    pub fn failed(diagnostic: Diagnostic) -> Self {
        Self::Failed(Box::new(Failed::new(diagnostic)))
    }

    /// An expression that can't be evaluated.
    #[must_use]
    pub fn evaluation(span: Span, message: impl Into<String>) -> Self {
        Self::failed(Diagnostic::error(Code::EVALUATION, span, message))
    }

    /// Whether a handler of failure runs.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Later(_))
    }
}
