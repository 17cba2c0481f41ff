//! Operators and choices that are broken over lines.

use super::layout::Printer;
use crate::tree::{BinaryOp, ExprId, ExprKind};

impl Printer<'_> {
    /// Writes operands and operators of one precedence. Each operator begins a line, where the
    /// language lets it; where an operand is broken in itself, that is enough.
    pub(super) fn binary(&mut self, id: ExprId, reserve: usize) {
        let (first, rest) = self.operands(id);
        let mut commented = false;
        let mut inner_breaks = self.width(first).is_none();
        let mut end = self.origin.range(first).end;
        for (_, right) in &rest {
            let range = self.origin.range(*right);
            commented |= self.origin.has_comment(end..range.start);
            inner_breaks |= self.width(*right).is_none();
            end = range.end;
        }
        let breaks = commented || !inner_breaks;
        self.expr(first, 0);
        self.indent += usize::from(breaks);
        for (place, (op, right)) in rest.iter().enumerate() {
            let start = self.origin.range(*right).start;
            if breaks && may_begin_line(*op) {
                // A comment behind the operator moves before it.
                self.between(start);
                self.newline();
            } else if *op != BinaryOp::Range {
                self.space();
            }
            self.push(op.symbol());
            if !self.between(start) && *op != BinaryOp::Range {
                self.space();
            }
            let last = place + 1 == rest.len();
            self.expr(*right, if last { reserve } else { 0 });
        }
        self.indent -= usize::from(breaks);
    }

    /// The first operand, and each other one with its operator.
    fn operands(&self, id: ExprId) -> (ExprId, Vec<(BinaryOp, ExprId)>) {
        let mut rest = Vec::new();
        let mut first = id;
        let mut precedence = None;
        while let ExprKind::Binary { op, left, right, .. } = self.origin.expr(first).kind
            && precedence.is_none_or(|precedence| precedence == op.precedence())
        {
            rest.push((op, right));
            precedence = Some(op.precedence());
            first = left;
        }
        rest.reverse();
        (first, rest)
    }

    /// `if a then b else c`: each part has a line; in a ladder of several, each `if` with its
    /// `then`, where they fit.
    pub(super) fn choice(&mut self, id: ExprId, reserve: usize) {
        let mut next = id;
        let mut ladder = false;
        let level = self.indent;
        while let ExprKind::If { condition, then, otherwise } = self.origin.expr(next).kind {
            ladder |= matches!(self.origin.expr(otherwise).kind, ExprKind::If { .. });
            let gap = self.origin.range(condition).end..self.origin.range(then).start;
            let together = ladder
                && !self.origin.has_comment(gap)
                && match (self.width(condition), self.width(then)) {
                    (Some(condition), Some(then)) => self.fits("if  then ".len() + condition + then),
                    _ => false,
                };
            self.push("if ");
            self.expr(condition, 0);
            self.indent = level + 1;
            if together {
                self.push(" then ");
            } else {
                self.branch("then", condition, then);
            }
            self.expr(then, 0);
            self.branch("else", then, otherwise);
            next = otherwise;
        }
        self.expr(next, reserve);
        self.indent = level;
    }

    /// The word between two parts, on a line of its own.
    fn branch(&mut self, word: &str, before: ExprId, behind: ExprId) {
        let at = self.origin.token_at(self.origin.range(before).end);
        self.between(at);
        self.newline();
        self.push(word);
        self.between(self.origin.range(behind).start);
        self.space();
    }
}

/// An operator that can't begin an operand may begin a line: `-` is none of these, nor are the
/// words that may begin something else.
fn may_begin_line(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::Add
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Otherwise => true,
        BinaryOp::In | BinaryOp::Matches | BinaryOp::Range | BinaryOp::Subtract => false,
    }
}
