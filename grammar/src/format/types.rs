//! Types.

use super::layout::Printer;
use crate::tree::{TypeExpr, TypeField, TypeKind};

impl Printer<'_> {
    /// Writes a type; `reserve` as in [`Printer::expr`].
    pub(super) fn type_expr(&mut self, ty: &TypeExpr, reserve: usize) {
        let start = match &ty.kind {
            TypeKind::Union(members) => members.first().map_or(ty.span, |member| member.span).start,
            _ => ty.span.start,
        } as usize;
        if self.pending(start).is_some() {
            // A comment may stand here only behind a bar.
            self.push("|");
            return self.indented(|printer| {
                printer.between(start);
                printer.broken_type(ty, reserve);
            });
        }
        match self.type_width(ty) {
            Some(width) if self.fits(width + reserve) => self.flat_type(ty),
            _ => self.broken_type(ty, reserve),
        }
    }

    /// Writes the type behind the `=` of a `type`: there each member of a union may have a line.
    pub(super) fn type_value(&mut self, ty: &TypeExpr, equals: usize) {
        let start = ty.span.start as usize;
        let fits = self.type_width(ty).is_some_and(|width| self.fits(1 + width));
        match &ty.kind {
            TypeKind::Union(members) if !fits => {
                self.trailing(equals + 1);
                self.indented(|printer| {
                    for member in members {
                        printer.below(member.span.start as usize);
                        printer.push("| ");
                        printer.type_expr(member, 0);
                        printer.trailing(member.span.end as usize);
                    }
                });
            }
            _ if self.pending(start).is_some() => self.indented(|printer| {
                printer.between(start);
                printer.type_expr(ty, 0);
            }),
            _ => {
                self.space();
                self.type_expr(ty, 0);
            }
        }
    }

    fn flat_type(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Named { arguments, .. } => {
                self.type_name(ty);
                if !arguments.is_empty() {
                    self.push("<");
                    self.joined(arguments.len(), |printer, n| printer.flat_type(&arguments[n]));
                    self.push(">");
                }
            }
            TypeKind::Record(fields) if fields.is_empty() => self.push("{}"),
            TypeKind::Record(fields) => {
                self.push("{ ");
                self.joined(fields.len(), |printer, n| {
                    let field = &fields[n];
                    printer.type_field_name(field);
                    printer.flat_type(&field.ty);
                    if let Some(default) = field.default {
                        printer.push(" = ");
                        printer.flat(default);
                    }
                });
                self.push(" }");
            }
            TypeKind::Union(members) => {
                for (place, member) in members.iter().enumerate() {
                    if place > 0 {
                        self.push(" | ");
                    }
                    self.flat_type(member);
                }
            }
            TypeKind::Literal(_) | TypeKind::IntLiteral(_) => {
                self.push(self.origin.slice(ty.span));
            }
            TypeKind::Optional(inner) => {
                self.flat_type(inner);
                self.push("?");
            }
            TypeKind::Group(inner) => {
                self.push("(");
                self.flat_type(inner);
                self.push(")");
            }
        }
    }

    fn broken_type(&mut self, ty: &TypeExpr, reserve: usize) {
        let range = ty.span.range();
        let close = range.end - 1;
        match &ty.kind {
            TypeKind::Record(fields)
                if fields.is_empty() && !self.origin.has_comment(range.clone()) =>
            {
                self.push("{}");
            }
            TypeKind::Named { name, arguments, .. } => {
                self.type_name(ty);
                if arguments.is_empty() {
                    return;
                }
                let open = self.origin.token_at(name.span.end as usize);
                if let [only] = arguments.as_slice()
                    && let TypeKind::Record(_) = only.kind
                    && !self.origin.has_comment(open..only.span.start as usize)
                    && !self.origin.has_comment(only.span.end as usize..close)
                {
                    self.push("<");
                    self.type_expr(only, reserve + 1);
                    return self.push(">");
                }
                let items: Vec<_> = arguments.iter().map(|ty| ty.span.range()).collect();
                self.lines((open, close), &items, "", |printer, n| {
                    printer.type_expr(&arguments[n], 1);
                    if n + 1 < arguments.len() {
                        printer.push(",");
                    }
                });
            }
            TypeKind::Record(fields) => {
                let items: Vec<_> =
                    fields.iter().map(|field| self.type_field_range(field)).collect();
                self.lines((range.start, close), &items, ",", |printer, n| {
                    let field = &fields[n];
                    printer.type_field_name(field);
                    printer.type_expr(&field.ty, 1);
                    if let Some(default) = field.default {
                        printer.push(" = ");
                        printer.expr(default, 1);
                    }
                });
            }
            TypeKind::Union(members) => self.union(members, reserve),
            TypeKind::Optional(inner) => {
                self.type_expr(inner, reserve + 1);
                self.push("?");
            }
            TypeKind::Group(inner) => {
                let (start, end) = (inner.span.start as usize, inner.span.end as usize);
                if self.origin.has_comment(range.start..start)
                    || self.origin.has_comment(end..close)
                {
                    let item = inner.span.range();
                    return self.lines((range.start, close), &[item], "", |printer, _| {
                        printer.type_expr(inner, 0);
                    });
                }
                self.push("(");
                self.type_expr(inner, reserve + 1);
                self.push(")");
            }
            TypeKind::Literal(_) | TypeKind::IntLiteral(_) => {
                self.push(self.origin.slice(ty.span));
            }
        }
    }

    /// A union whose first member stands on the line under way: behind a colon it has to.
    fn union(&mut self, members: &[TypeExpr], reserve: usize) {
        let level = self.indent;
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                self.indent = level + 1;
                self.below(member.span.start as usize);
                self.push("| ");
            }
            if place + 1 < members.len() {
                self.type_expr(member, 0);
                self.trailing(member.span.end as usize);
            } else {
                self.type_expr(member, reserve);
            }
        }
        self.indent = level;
    }

    fn type_name(&mut self, ty: &TypeExpr) {
        let TypeKind::Named { module, name, .. } = &ty.kind else { return };
        if let Some(module) = module {
            self.push(&module.text);
            self.push(".");
        }
        self.push(&name.text);
    }

    /// `name?: `
    fn type_field_name(&mut self, field: &TypeField) {
        self.push(self.origin.slice(field.name.span));
        self.push(if field.optional { "?: " } else { ": " });
    }

    fn type_field_range(&self, field: &TypeField) -> std::ops::Range<usize> {
        let end = match field.default {
            Some(default) => self.origin.range(default).end,
            None => field.ty.span.end as usize,
        };
        field.name.span.start as usize..end
    }
}
