//! Stages and their clauses.

use super::{Block, ExprId, Name};
use crate::span::Span;

/// `stage test "Test" needs build { … }`
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// A string that people see instead of the name.
    pub title: Option<ExprId>,
    /// In the order written.
    pub clauses: Vec<Clause>,
    /// What it does.
    pub body: Block,
    /// Whether a part of it could not be read; then nothing is known about its outputs.
    pub broken: bool,
}

/// A clause of a stage.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Which.
    pub kind: ClauseKind,
    /// All of it.
    pub span: Span,
}

/// What a clause says.
#[derive(Clone, Debug)]
pub enum ClauseKind {
    /// `for os in oses for v in versions if …`
    For {
        /// The variables and their lists, outermost first.
        loops: Vec<(Name, ExprId)>,
        /// Which combinations are left.
        condition: Option<ExprId>,
    },
    /// `needs a, b`
    Needs(Vec<Name>),
    /// `after a, b`, `after nothing`
    After(After),
    /// `when condition`
    When(ExprId),
    /// `using runner`
    Using(ExprId),
    /// `approve "…?" if condition within 1d`
    Approve {
        /// The question.
        question: ExprId,
        /// Asked only where this holds.
        condition: Option<ExprId>,
        /// How long to wait for an answer.
        within: Option<ExprId>,
    },
    /// `lock "production"`
    Lock(ExprId),
    /// `retry 2 every 10s`
    Retry(Retry),
    /// `timeout 10m`
    Timeout(ExprId),
    /// `may_fail if condition`
    MayFail(Option<ExprId>),
    /// `at_once 10`
    AtOnce(ExprId),
    /// `keep_going`
    KeepGoing,
    /// `env { A: "b" }`
    Env(ExprId),
    /// `cd "dir"`
    Cd(ExprId),
    /// `workspace own`
    Workspace(WorkspaceKind),
}

impl ClauseKind {
    /// The word it begins with.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::For { .. } => "for",
            Self::Needs(_) => "needs",
            Self::After(_) => "after",
            Self::When(_) => "when",
            Self::Using(_) => "using",
            Self::Approve { .. } => "approve",
            Self::Lock(_) => "lock",
            Self::Retry(_) => "retry",
            Self::Timeout(_) => "timeout",
            Self::MayFail(_) => "may_fail",
            Self::AtOnce(_) => "at_once",
            Self::KeepGoing => "keep_going",
            Self::Env(_) => "env",
            Self::Cd(_) => "cd",
            Self::Workspace(_) => "workspace",
        }
    }
}

/// What an `after` waits for.
#[derive(Clone, Debug)]
pub enum After {
    /// `after nothing`
    Nothing,
    /// `after a, b`
    Stages(Vec<Name>),
}

/// `retry 2 every 10s`, `retry within 30m every 5s`
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// At most this many more tries.
    pub count: Option<ExprId>,
    /// Or as many as fit in this time.
    pub within: Option<ExprId>,
    /// The first pause.
    pub every: Option<ExprId>,
}

/// Which tree of files a stage works in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkspaceKind {
    /// A copy of the shared tree.
    Own,
    /// The commit only.
    Clean,
}
