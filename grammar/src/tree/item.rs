//! Declarations.

use super::{Block, Clause, ExprId, Name, Stage, Statement, Text, TypeExpr};
use crate::span::Span;

/// A declaration.
#[derive(Clone, Debug)]
pub struct Item {
    /// Which.
    pub kind: ItemKind,
    /// From its keyword to its end.
    pub span: Span,
    /// The comment lines directly above it, without `#`; empty when there are none.
    pub docs: Text,
}

/// What is declared.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `edition 2026`
    Edition(Edition),
    /// `pipeline "shop" { … }`
    Pipeline(Pipeline),
    /// `import "ci/lib.pipe" as lib`
    Import(Import),
    /// `type Service = { … }`
    Type(TypeAlias),
    /// `param instances: int = 1`
    Param(Param),
    /// `secret token = env("TOKEN")`
    Secret(Secret),
    /// `connect marathon("https://…")`
    Connect(Connect),
    /// `let image = "…"`
    Let(Let),
    /// `require condition, "message"`
    Require(Require),
    /// `fn f() { … }`
    Function(Function),
    /// `stage build { … }`
    Stage(Stage),
    /// `on failure { … }`
    Handler(Handler),
}

/// `edition 2026`
#[derive(Clone, Debug)]
pub struct Edition {
    /// The year as written.
    pub year: Text,
    /// Where the year stands.
    pub year_span: Span,
}

/// `pipeline "shop" { timeout 1h }`
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// A string.
    pub name: ExprId,
    /// Defaults for all stages.
    pub clauses: Vec<Clause>,
}

/// `import "ci/lib.pipe" as lib`
#[derive(Clone, Debug)]
pub struct Import {
    /// A string.
    pub path: ExprId,
    /// The name behind `as`.
    pub alias: Option<Name>,
}

/// `type Service = { … }`
#[derive(Clone, Debug)]
pub struct TypeAlias {
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub ty: TypeExpr,
}

/// What a parameter's value must keep to, beside its type.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// `in 1..50`
    In(ExprId),
    /// `matches "v*"`
    Matches(ExprId),
}

/// `param instances: int in 1..50 = 1`
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// A further condition.
    pub limit: Option<Limit>,
    /// Used when none is given.
    pub default: Option<ExprId>,
}

/// `secret token = env("TOKEN")`
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its name.
    pub name: Name,
    /// Where it comes from.
    pub value: ExprId,
}

/// `connect marathon("https://…") as production`
#[derive(Clone, Debug)]
pub struct Connect {
    /// A call.
    pub call: ExprId,
    /// The name behind `as`.
    pub alias: Option<Name>,
}

/// `let image: string = "…"`
#[derive(Clone, Debug)]
pub struct Let {
    /// Its name.
    pub name: Name,
    /// The type, if written.
    pub ty: Option<TypeExpr>,
    /// Its value.
    pub value: ExprId,
}

/// `require condition, "message"`
#[derive(Clone, Debug)]
pub struct Require {
    /// A bool.
    pub condition: ExprId,
    /// A string.
    pub message: ExprId,
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Used when none is given.
    pub default: Option<ExprId>,
    /// The comment lines directly above it.
    pub docs: Text,
}

/// `fn part_of(subjects: string) -> Part { … }`
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: Name,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// What it gives, if written.
    pub result: Option<TypeExpr>,
    /// What it does.
    pub body: Block,
}

/// What a handler waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// `on success`
    Success,
    /// `on failure`
    Failure,
    /// `on cancelled`
    Cancelled,
    /// `always`
    Always,
}

impl Outcome {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "on success",
            Self::Failure => "on failure",
            Self::Cancelled => "on cancelled",
            Self::Always => "always",
        }
    }
}

/// `on failure { … }`, `always junit("report.xml")`
#[derive(Clone, Debug)]
pub struct Handler {
    /// When it runs.
    pub outcome: Outcome,
    /// The words `on failure`.
    pub head: Span,
    /// What it does: a block, or one statement.
    pub body: Box<Statement>,
}
