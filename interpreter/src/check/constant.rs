//! Conditions that are always the same.

use pipe_grammar::{
    Code, Diagnostic,
    tree::{BinaryOp, ExprId, ExprKind, UnaryOp},
};
use pipe_stdlib::core::literal_value;

use super::Checker;

impl Checker<'_> {
    /// Warns of a condition whose outcome the text tells; `what` is decided by it.
    pub(super) fn constant_condition(&mut self, id: ExprId, what: &str) {
        self.constant(id, [&format!("{what} always runs"), &format!("{what} never runs")]);
    }

    /// Warns of a condition that is always the same: what comes of it when it always holds, and
    /// when it never does.
    pub(super) fn constant(&mut self, id: ExprId, [always, never]: [&str; 2]) {
        let Some(value) = self.outcome(id) else { return };
        let (what, often) = if value { (always, "always") } else { (never, "never") };
        let span = self.span(id);
        self.report(
            Diagnostic::warning(Code::CONSTANT_CONDITION, span, what)
                .label(format!("this is {often} so"))
                .help("remove the condition, or ask for something that may differ"),
        );
    }

    /// Warns of a `require` that says nothing.
    pub(super) fn constant_requirement(&mut self, id: ExprId) {
        self.constant(id, ["this always holds", "this never holds"]);
    }

    /// What a condition gives, as far as literals and equal sides tell.
    fn outcome(&self, id: ExprId) -> Option<bool> {
        match &self.file.expr(id).kind {
            ExprKind::Bool(value) => Some(*value),
            ExprKind::Group(inner) => self.outcome(*inner),
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.outcome(*operand).map(|v| !v),
            ExprKind::Binary { op, left, right, .. } => self.compared(*op, *left, *right),
            _ => None,
        }
    }

    fn compared(&self, op: BinaryOp, left: ExprId, right: ExprId) -> Option<bool> {
        let (a, b) = (|| self.outcome(left), || self.outcome(right));
        match op {
            BinaryOp::And => match (a(), b()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            BinaryOp::Or => match (a(), b()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let value = |id| literal_value(self.file, id);
                let equal = match (value(left), value(right)) {
                    (Some(a), Some(b)) => a == b,
                    // The same path twice.
                    (None, None) => self
                        .path(left)
                        .filter(|p| self.path(right).as_ref() == Some(p))
                        .map(|_| true)?,
                    _ => return None,
                };
                Some(equal == (op == BinaryOp::Equal))
            }
            _ => None,
        }
    }
}
