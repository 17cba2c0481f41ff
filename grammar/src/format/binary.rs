//! Operators and choices that are broken over lines.

use super::layout::Printer;
use crate::tree::{BinaryOp, ExprId, ExprKind};

impl Printer<'_> {
    /// Writes operands and operators of one precedence. Each operator begins a line, where the
    /// language lets it, if that is enough for each operand to stand on one line; else only the
    /// operands are broken.
    pub(super) fn binary(&mut self, id: ExprId, reserve: usize) {
        let (first, rest) = self.operands(id);
        let mut commented = false;
        let mut end = self.origin.range(first).end;
        for (_, right) in &rest {
            let range = self.origin.range(*right);
            commented |= self.origin.has_comment(end..range.start);
            end = range.end;
        }
        if commented {
            self.at_operators(first, &rest, reserve, |printer, id, reserve| {
                printer.expr(id, reserve);
                true
            });
        } else if !self
            .attempt(|printer| printer.at_operators(first, &rest, reserve, Self::attempt_flat))
        {
            self.expr(first, 0);
            for (place, (op, right)) in rest.iter().enumerate() {
                self.operator(*op, self.origin.range(*right).start);
                self.expr(*right, if place + 1 == rest.len() { reserve } else { 0 });
            }
        }
    }

    /// Begins lines with operators, until an operand is not written.
    fn at_operators(
        &mut self,
        first: ExprId,
        rest: &[(BinaryOp, ExprId)],
        reserve: usize,
        operand: impl Fn(&mut Self, ExprId, usize) -> bool,
    ) -> bool {
        let level = self.indent;
        if !operand(self, first, 0) {
            return false;
        }
        self.indent = level + 1;
        for (place, (op, right)) in rest.iter().enumerate() {
            let start = self.origin.range(*right).start;
            if may_begin_line(*op) {
                // A comment behind the operator moves before it.
                self.between(start);
                self.newline();
            }
            self.operator(*op, start);
            let reserve = if place + 1 == rest.len() { reserve } else { 0 };
            if !operand(self, *right, reserve) {
                return false;
            }
        }
        self.indent = level;
        true
    }

    /// An operator with its blanks, on the line under way or at the begin of the next, and the
    /// comments before the operand at `start`.
    fn operator(&mut self, op: BinaryOp, start: usize) {
        let blanks = op != BinaryOp::Range;
        if blanks {
            self.space();
        }
        self.push(op.symbol());
        if !self.between(start) && blanks {
            self.space();
        }
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
                    (Some(condition), Some(then)) => {
                        self.fits("if  then ".len() + condition + then)
                    }
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
