//! Statements.

use super::{Command, ExprId, Handler, Let, Name, Retry, Secret};
use crate::span::Span;

/// `{ … }`
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// In order.
    pub statements: Vec<Statement>,
    /// With its braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Which.
    pub kind: StatementKind,
    /// All of it.
    pub span: Span,
}

/// A condition and what happens when it holds.
#[derive(Clone, Debug)]
pub struct Branch {
    /// A bool.
    pub condition: ExprId,
    /// What happens.
    pub body: Block,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `let x = …`
    Let(Let),
    /// `output x = …`
    Output(Let),
    /// `secret x = …`
    Secret(Secret),
    /// A call, or a value that nobody takes.
    Expr(ExprId),
    /// `$ make`
    Command(Command),
    /// `step "Test" { … }`
    Step {
        /// A string.
        title: ExprId,
        /// What it does.
        body: Block,
    },
    /// `if … { … } else if … { … } else { … }`
    If {
        /// In order; at least one.
        branches: Vec<Branch>,
        /// When none holds.
        otherwise: Option<Block>,
    },
    /// `for x in xs { … }`, `parallel for x in xs { … }`
    For {
        /// Side by side?
        parallel: bool,
        /// The variable.
        name: Name,
        /// What it runs over.
        list: ExprId,
        /// What happens with each.
        body: Block,
    },
    /// `parallel { … }`: each statement a branch.
    Parallel(Block),
    /// `return x`
    Return(Option<ExprId>),
    /// `fail "message"`
    Fail(ExprId),
    /// `skip "reason"`
    Skip(ExprId),
    /// `env { … }` alone: for the rest of the block.
    Env(ExprId),
    /// `retry 2 { … }`, `cd "tools" timeout 5m $ make`
    Modified {
        /// In the order written, at least one.
        modifiers: Vec<Modifier>,
        /// A block, a step, a command or a call.
        body: Box<Statement>,
    },
    /// A block behind modifiers or a handler's head.
    Block(Block),
    /// `on failure { … }`
    Handler(Handler),
    /// Could not be read; a diagnostic says why.
    Broken,
}

/// A modifier.
#[derive(Clone, Debug)]
pub struct Modifier {
    /// Which.
    pub kind: ModifierKind,
    /// All of it.
    pub span: Span,
}

/// What a modifier says.
#[derive(Clone, Debug)]
pub enum ModifierKind {
    /// `retry 2 every 10s`
    Retry(Retry),
    /// `timeout 5m`
    Timeout(ExprId),
    /// `env { A: "b" }`
    Env(ExprId),
    /// `cd "dir"`
    Cd(ExprId),
    /// `may_fail if condition`
    MayFail(Option<ExprId>),
    /// `hold 10m every 1m`
    Hold {
        /// For how long.
        during: ExprId,
        /// How often.
        every: ExprId,
    },
}

impl ModifierKind {
    /// The word it begins with.
    #[must_use]
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::Timeout(_) => "timeout",
            Self::Env(_) => "env",
            Self::Cd(_) => "cd",
            Self::MayFail(_) => "may_fail",
            Self::Hold { .. } => "hold",
        }
    }
}
