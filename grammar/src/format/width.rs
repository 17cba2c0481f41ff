//! What things take when they are written on one line.

use super::origin::Origin;
use crate::tree::{
    Argument, BinaryOp, Element, Expr, ExprId, ExprKind, Field, Name, StringStyle, TypeExpr,
    TypeField, TypeKind, UnaryOp,
};

/// The columns that each expression of a file takes on one line. None: it can't stand on one,
/// because of a comment, of a text over several lines, or because the author wants a list of it.
///
/// Children stand before their parents in the list of expressions, so one pass is enough.
pub(super) fn widths(origin: &Origin<'_>) -> Vec<Option<usize>> {
    let expressions = &origin.file.expressions;
    let mut known = Vec::with_capacity(expressions.len());
    for expr in expressions {
        let width = Widths { origin, known: &known }.expr(expr);
        known.push(width);
    }
    known
}

/// The columns of a text without line ends.
pub(super) fn columns(text: &str) -> Option<usize> {
    (!text.contains('\n')).then(|| text.chars().count())
}

struct Widths<'a, 't> {
    origin: &'a Origin<'t>,
    known: &'a [Option<usize>],
}

impl Widths<'_, '_> {
    fn of(&self, id: ExprId) -> Option<usize> {
        self.known.get(id.0 as usize).copied().flatten()
    }

    fn name(&self, name: &Name) -> usize {
        name.text.chars().count()
    }

    fn expr(&self, expr: &Expr) -> Option<usize> {
        let origin = self.origin;
        let range = expr.span.range();
        let width = match &expr.kind {
            ExprKind::List(elements) if elements.is_empty() => 2,
            ExprKind::Record(fields) if fields.is_empty() => 2,
            ExprKind::List(_) | ExprKind::Record(_) | ExprKind::Comprehension { .. }
                if origin.ends_line(range.start) =>
            {
                return None;
            }
            ExprKind::List(elements) => {
                2 + joined(elements.iter().map(|element| self.element(element)))?
            }
            ExprKind::Record(fields) => 4 + joined(fields.iter().map(|field| self.field(field)))?,
            ExprKind::Comprehension { item, loops, condition } => {
                let mut width = 2 + self.of(*item)?;
                for (name, list) in loops {
                    width += " for  in ".len() + self.name(name) + self.of(*list)?;
                }
                if let Some(condition) = condition {
                    width += " if ".len() + self.of(*condition)?;
                }
                width
            }
            ExprKind::Call { callee, arguments, parens } => {
                if !arguments.is_empty() && origin.ends_line(parens.start as usize)
                    || is_hung(origin, arguments)
                {
                    return None;
                }
                self.of(*callee)? + 2 + joined(arguments.iter().map(|a| self.argument(a)))?
            }
            ExprKind::Member { base, name } => self.of(*base)? + 1 + self.name(name),
            ExprKind::Index { base, index } => self.of(*base)? + 2 + self.of(*index)?,
            ExprKind::Unary { op, operand } => unary(*op).len() + self.of(*operand)?,
            ExprKind::Binary { op, left, right, .. } => {
                let blanks = if *op == BinaryOp::Range { 0 } else { 2 };
                self.of(*left)? + op.symbol().len() + blanks + self.of(*right)?
            }
            ExprKind::If { condition, then, otherwise } => {
                let words = "if  then  else ".len();
                words + self.of(*condition)? + self.of(*then)? + self.of(*otherwise)?
            }
            ExprKind::Fail(text) => "fail ".len() + self.of(*text)?,
            ExprKind::Group(inner) => 2 + self.of(*inner)?,
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Size(_)
            | ExprKind::String { .. }
            | ExprKind::Name(_)
            | ExprKind::Capture(_)
            | ExprKind::Broken => return columns(origin.slice(expr.span)),
        };
        (!origin.has_comment(range)).then_some(width)
    }

    fn element(&self, element: &Element) -> Option<usize> {
        Some(match element {
            Element::Item(id) => self.of(*id)?,
            Element::If(id, condition) => self.of(*id)? + " if ".len() + self.of(*condition)?,
            Element::Spread(id) => 3 + self.of(*id)?,
        })
    }

    fn field(&self, field: &Field) -> Option<usize> {
        Some(match field {
            Field::Pair { path, value } => {
                let dots = path.len().saturating_sub(1);
                let keys: Option<usize> =
                    path.iter().map(|key| columns(self.origin.slice(key.span))).sum();
                keys? + dots + 2 + self.of(*value)?
            }
            Field::Short { name, .. } => self.name(name),
            Field::Spread(id) => 3 + self.of(*id)?,
        })
    }

    fn argument(&self, argument: &Argument) -> Option<usize> {
        let name = argument.name.as_ref().map_or(0, |name| self.name(name) + 2);
        Some(name + self.of(argument.value)?)
    }
}

/// Items with `, ` between them.
pub(super) fn joined(items: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    let mut width = 0;
    for item in items {
        width += item? + 2;
    }
    Some(width.saturating_sub(2))
}

/// Whether the author broke a call behind its first argument, which has no name: the arguments
/// hang below it.
pub(super) fn is_hung(origin: &Origin<'_>, arguments: &[Argument]) -> bool {
    let [Argument { name: None, value: first }, second, ..] = arguments else { return false };
    let second = second.name.as_ref().map_or(origin.expr(second.value).span, |name| name.span);
    origin.is_broken(origin.range(*first).end..second.start as usize)
}

/// A prefix with the blank behind it.
pub(super) fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Not => "not ",
        UnaryOp::Negate => "-",
    }
}

/// Whether an expression has no place to break it at.
pub(super) fn is_atom(kind: &ExprKind) -> bool {
    match kind {
        ExprKind::String { style, .. } => *style != StringStyle::Block,
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Size(_)
        | ExprKind::Name(_)
        | ExprKind::Capture(_)
        | ExprKind::Fail(_) => true,
        _ => false,
    }
}

impl super::layout::Printer<'_> {
    /// The columns that a type takes on one line; see [`widths`].
    pub(super) fn type_width(&self, ty: &TypeExpr) -> Option<usize> {
        let origin = &self.origin;
        let range = ty.span.range();
        let width = match &ty.kind {
            TypeKind::Named { module, name, arguments } => {
                let module = module.as_ref().map_or(0, |m| m.text.chars().count() + 1);
                let angles = if arguments.is_empty() { 0 } else { 2 };
                let inner = joined(arguments.iter().map(|ty| self.type_width(ty)))?;
                module + name.text.chars().count() + angles + inner
            }
            TypeKind::Record(fields) if fields.is_empty() => 2,
            TypeKind::Record(_) if origin.ends_line(range.start) => return None,
            TypeKind::Record(fields) => {
                4 + joined(fields.iter().map(|field| self.type_field_width(field)))?
            }
            TypeKind::Union(members) => {
                if let [first, second, ..] = members.as_slice()
                    && origin.is_broken(first.span.end as usize..second.span.start as usize)
                {
                    return None;
                }
                // ` | ` is a blank longer than `, `.
                let bars = members.len().saturating_sub(1);
                bars + joined(members.iter().map(|ty| self.type_width(ty)))?
            }
            TypeKind::Literal(_) | TypeKind::IntLiteral(_) => columns(origin.slice(ty.span))?,
            TypeKind::Optional(inner) => 1 + self.type_width(inner)?,
            TypeKind::Group(inner) => 2 + self.type_width(inner)?,
        };
        (!origin.has_comment(range)).then_some(width)
    }

    fn type_field_width(&self, field: &TypeField) -> Option<usize> {
        let name = columns(self.origin.slice(field.name.span))?;
        let mark = usize::from(field.optional);
        let default = match field.default {
            Some(default) => 3 + self.width(default)?,
            None => 0,
        };
        Some(name + mark + 2 + self.type_width(&field.ty)? + default)
    }
}
