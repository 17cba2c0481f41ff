//! Expressions: on one line, or broken at their outermost brackets.

use std::ops::Range;

use super::{
    layout::Printer,
    width::{is_atom, unary},
};
use crate::tree::{BinaryOp, Element, ExprId, ExprKind, Field, Name, StringStyle};

impl Printer<'_> {
    /// Writes an expression; `reserve`: the columns that its last line has to leave free for what
    /// follows there.
    pub(super) fn expr(&mut self, id: ExprId, reserve: usize) {
        if !self.attempt_flat(id, reserve) {
            self.broken(id, reserve);
        }
    }

    /// Writes the value behind `=`: on the next line where it can't be broken and fits only there.
    pub(super) fn assigned(&mut self, id: ExprId, reserve: usize) {
        let kind = &self.origin.expr(id).kind;
        let start = self.origin.range(id).start;
        let below = is_atom(kind)
            && self.width(id).is_some_and(|width| {
                !self.fits(1 + width + reserve) && self.fits_below(width + reserve)
            });
        if below || self.pending(start).is_some() {
            self.indented(|printer| {
                printer.between(start);
                printer.newline();
                printer.expr(id, reserve);
            });
        } else {
            self.space();
            self.expr(id, reserve);
        }
    }

    /// Writes the bytes of an expression.
    pub(super) fn verbatim(&mut self, id: ExprId) {
        let text = self.origin.slice(self.origin.expr(id).span);
        self.push(text);
    }

    /// Writes an expression on the line under way.
    pub(super) fn flat(&mut self, id: ExprId) {
        match &self.origin.expr(id).kind {
            ExprKind::List(elements) => {
                self.push("[");
                self.joined(elements.len(), |printer, n| printer.element(&elements[n], None));
                self.push("]");
            }
            ExprKind::Record(fields) if fields.is_empty() => self.push("{}"),
            ExprKind::Record(fields) => {
                self.push("{ ");
                self.joined(fields.len(), |printer, n| printer.field(&fields[n], None));
                self.push(" }");
            }
            ExprKind::Comprehension { item, loops, condition } => {
                self.push("[");
                self.flat(*item);
                for (name, list) in loops {
                    self.space();
                    self.loop_head(name);
                    self.flat(*list);
                }
                if let Some(condition) = condition {
                    self.push(" if ");
                    self.flat(*condition);
                }
                self.push("]");
            }
            ExprKind::Call { callee, arguments, .. } => {
                self.flat(*callee);
                self.flat_arguments(arguments);
            }
            ExprKind::Member { base, name } => {
                self.flat(*base);
                self.member(name);
            }
            ExprKind::Index { base, index } => {
                self.flat(*base);
                self.push("[");
                self.flat(*index);
                self.push("]");
            }
            ExprKind::Unary { op, operand } => {
                self.push(unary(*op));
                self.flat(*operand);
            }
            ExprKind::Binary { op: BinaryOp::Range, left, right, .. } => {
                self.flat(*left);
                self.push("..");
                self.flat(*right);
            }
            ExprKind::Binary { op, left, right, .. } => {
                self.flat(*left);
                self.space();
                self.push(op.symbol());
                self.space();
                self.flat(*right);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.push("if ");
                self.flat(*condition);
                self.push(" then ");
                self.flat(*then);
                self.push(" else ");
                self.flat(*otherwise);
            }
            ExprKind::Fail(text) => {
                self.push("fail ");
                self.flat(*text);
            }
            ExprKind::Group(inner) => {
                self.push("(");
                self.flat(*inner);
                self.push(")");
            }
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Size(_)
            | ExprKind::String { .. }
            | ExprKind::Name(_)
            | ExprKind::Capture(_)
            | ExprKind::Broken => self.verbatim(id),
        }
    }

    /// Writes an expression that does not stand on one line, or does not fit there.
    fn broken(&mut self, id: ExprId, reserve: usize) {
        let range = self.origin.range(id);
        let ends = (range.start, range.end - 1);
        match &self.origin.expr(id).kind {
            ExprKind::List(elements)
                if elements.is_empty() && !self.origin.has_comment(range.clone()) =>
            {
                self.push("[]");
            }
            ExprKind::Record(fields)
                if fields.is_empty() && !self.origin.has_comment(range.clone()) =>
            {
                self.push("{}");
            }
            ExprKind::List(elements) => {
                let items: Vec<_> = elements.iter().map(|e| self.element_range(e)).collect();
                self.lines(ends, &items, ",", |printer, n| printer.element(&elements[n], Some(1)));
            }
            ExprKind::Record(fields) => {
                let items: Vec<_> = fields.iter().map(|field| self.field_range(field)).collect();
                self.lines(ends, &items, ",", |printer, n| printer.field(&fields[n], Some(1)));
            }
            ExprKind::Comprehension { item, loops, condition } => {
                let mut items = vec![self.origin.range(*item)];
                items.extend(
                    loops
                        .iter()
                        .map(|(name, list)| name.span.start as usize..self.origin.range(*list).end),
                );
                items.extend(condition.map(|condition| self.origin.range(condition)));
                self.lines(ends, &items, "", |printer, n| {
                    if n == 0 {
                        printer.expr(*item, 0);
                    } else if let Some((name, list)) = loops.get(n - 1) {
                        printer.loop_head(name);
                        printer.expr(*list, 0);
                    } else if let Some(condition) = condition {
                        printer.push("if ");
                        printer.expr(*condition, 0);
                    }
                });
            }
            ExprKind::Call { .. } | ExprKind::Member { .. } | ExprKind::Index { .. } => {
                self.chain(id, reserve);
            }
            ExprKind::Unary { op, operand } => {
                self.push(unary(*op));
                self.expr(*operand, reserve);
            }
            ExprKind::Binary { .. } => self.binary(id, reserve),
            ExprKind::If { .. } => self.choice(id, reserve),
            ExprKind::Fail(text) => {
                self.push("fail ");
                self.expr(*text, reserve);
            }
            ExprKind::Group(inner) => self.bracketed(ends, *inner, reserve),
            ExprKind::String { pieces, style: StringStyle::Block } => self.block(range, pieces),
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Size(_)
            | ExprKind::String { .. }
            | ExprKind::Name(_)
            | ExprKind::Capture(_)
            | ExprKind::Broken => self.verbatim(id),
        }
    }

    /// Writes an expression between brackets that touch it, unless a comment stands there.
    pub(super) fn bracketed(&mut self, ends: (usize, usize), inner: ExprId, reserve: usize) {
        let text = self.origin.text;
        let range = self.origin.range(inner);
        let (open, close) = ends;
        let comment =
            self.origin.has_comment(open..range.start) || self.origin.has_comment(range.end..close);
        if comment {
            return self.lines(ends, &[range], "", |printer, _| printer.expr(inner, 0));
        }
        self.push(&text[open..=open]);
        self.expr(inner, reserve + 1);
        self.push(&text[close..=close]);
    }

    /// Writes `n` things with `, ` between them.
    pub(super) fn joined(&mut self, n: usize, mut write: impl FnMut(&mut Self, usize)) {
        for place in 0..n {
            if place > 0 {
                self.push(", ");
            }
            write(self, place);
        }
    }

    /// Writes an expression: with room for `reserve` columns, or on the line under way.
    fn part(&mut self, id: ExprId, reserve: Option<usize>) {
        match reserve {
            Some(reserve) => self.expr(id, reserve),
            None => self.flat(id),
        }
    }

    fn element(&mut self, element: &Element, reserve: Option<usize>) {
        match *element {
            Element::Item(id) => self.part(id, reserve),
            Element::If(id, condition) => {
                self.part(id, reserve.map(|_| " if".len()));
                self.push(" if ");
                self.part(condition, reserve);
            }
            Element::Spread(id) => {
                self.push("...");
                self.part(id, reserve);
            }
        }
    }

    fn field(&mut self, field: &Field, reserve: Option<usize>) {
        match field {
            Field::Pair { path, value } => {
                for (place, key) in path.iter().enumerate() {
                    if place > 0 {
                        self.push(".");
                    }
                    self.push(self.origin.slice(key.span));
                }
                self.push(": ");
                self.part(*value, reserve);
            }
            Field::Short { name, .. } => self.push(&name.text),
            Field::Spread(id) => {
                self.push("...");
                self.part(*id, reserve);
            }
        }
    }

    /// `for x in `
    pub(super) fn loop_head(&mut self, name: &Name) {
        self.push("for ");
        self.push(&name.text);
        self.push(" in ");
    }

    pub(super) fn member(&mut self, name: &Name) {
        self.push(".");
        self.push(&name.text);
    }

    fn element_range(&self, element: &Element) -> Range<usize> {
        match *element {
            Element::Item(id) => self.origin.range(id),
            Element::If(id, condition) => {
                self.origin.range(id).start..self.origin.range(condition).end
            }
            Element::Spread(id) => self.spread_range(id),
        }
    }

    fn field_range(&self, field: &Field) -> Range<usize> {
        match field {
            Field::Pair { path, value } => {
                path[0].span.start as usize..self.origin.range(*value).end
            }
            Field::Short { name, .. } => name.span.range(),
            Field::Spread(id) => self.spread_range(*id),
        }
    }

    /// From the dots on.
    fn spread_range(&self, id: ExprId) -> Range<usize> {
        let range = self.origin.range(id);
        let dots = self.origin.text[..range.start].rfind("...");
        dots.unwrap_or(range.start)..range.end
    }
}
