//! The syntax tree: plain owned data with places, and nothing of the parser in it.
//!
//! Expressions lie in one flat list per file and refer to each other by number, so that later
//! phases can keep what they find out (types, values) in a list beside it.

mod expression;
mod item;
mod stage;
mod statement;
mod type_expr;

use std::sync::Arc;

pub use expression::{
    Argument, BinaryOp, Command, CommandPart, Element, Expr, ExprId, ExprKind, Field, Key, Piece,
    StringStyle, UnaryOp,
};
pub use item::{
    Connect, Edition, Function, Handler, Import, Item, ItemKind, Let, Limit, Outcome, Param,
    Parameter, Pipeline, Require, Secret, TypeAlias,
};
pub use stage::{After, Clause, ClauseKind, Retry, Stage, WorkspaceKind};
pub use statement::{Block, Branch, Modifier, ModifierKind, Statement, StatementKind};
pub use type_expr::{TypeExpr, TypeField, TypeKind};

use crate::span::{SourceId, Span};

/// A text that is shared by all who mention it.
pub type Text = Arc<str>;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: Text,
    /// Where.
    pub span: Span,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Its text.
    pub source: SourceId,
    /// What it declares, in order.
    pub items: Vec<Item>,
    /// Its expressions; an [`ExprId`] is a place in this list.
    pub expressions: Vec<Expr>,
    /// The stretches that could not be read, and names that can't be: what they declare and
    /// mention is not known.
    pub broken: Vec<Span>,
}

impl File {
    /// The expression with this number.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.expressions[id.0 as usize]
    }

    /// Where an expression stands.
    #[must_use]
    pub fn span(&self, id: ExprId) -> Span {
        self.expr(id).span
    }

    /// The stages, in order.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Stage(stage) => Some(stage),
            _ => None,
        })
    }
}
