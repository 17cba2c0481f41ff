//! Calls, and chains of calls, members and indices.

use std::ops::Range;

use super::{
    layout::Printer,
    width::{is_atom, is_hung, joined},
};
use crate::{
    span::Span,
    tree::{Argument, ExprId, ExprKind, Name, StringStyle},
};

/// What is applied to a value.
enum Link<'t> {
    Call(&'t [Argument], Span),
    Member(&'t Name),
    /// The index, and where its brackets stand.
    Index(ExprId, (usize, usize)),
}

/// The columns up to the first bracket that can be broken, or to the end.
fn near(links: &[(Option<usize>, Link<'_>)], reserve: usize) -> usize {
    let mut width = 0;
    for (_, link) in links {
        match link {
            Link::Member(name) => width += 1 + name.text.chars().count(),
            Link::Call([], _) => width += 2,
            Link::Call(..) | Link::Index(..) => return width + 1,
        }
    }
    width + reserve
}

impl<'t> Printer<'t> {
    /// Writes a value and what is applied to it: several calls that only lack room a line each, if
    /// that is enough; else the brackets are broken.
    pub(super) fn chain(&mut self, id: ExprId, reserve: usize) {
        let (root, links) = self.links(id);
        let calls = links.iter().filter(|(_, link)| matches!(link, Link::Call(..))).count();
        if calls > 1
            && self.width(id).is_some()
            && self.attempt(|printer| printer.at_dots(root, &links, reserve))
        {
            return;
        }
        let total = self.width(id);
        // Brackets that are broken once stay so: they may ask for the room of all that follows.
        let rest = |width: Option<usize>, near: usize| match (total, width) {
            (Some(total), Some(width)) => total - width + reserve,
            _ => near,
        };
        let near = near(&links, reserve);
        match self.origin.expr(root).kind {
            ExprKind::Group(_) => self.expr(root, near),
            _ => self.expr(root, rest(self.width(root), near)),
        }
        let mut end = self.origin.range(root).end;
        let level = self.indent;
        for (place, (width, link)) in links.iter().enumerate() {
            let near = self::near(&links[place + 1..], reserve);
            match link {
                Link::Member(name) => {
                    let start = name.span.start as usize;
                    if self.origin.has_comment(end..start) {
                        self.indent = level + 1;
                        self.between(start);
                    }
                    self.member(name);
                    end = name.span.end as usize;
                }
                Link::Call(arguments, parens) => {
                    self.arguments(arguments, *parens, rest(*width, near), near);
                    end = parens.end as usize;
                }
                Link::Index(index, ends) => {
                    self.bracketed(*ends, *index, near);
                    end = ends.1 + 1;
                }
            }
        }
        self.indent = level;
    }

    /// Begins a line with each member behind the first call, until something does not fit.
    fn at_dots(
        &mut self,
        root: ExprId,
        links: &[(Option<usize>, Link<'t>)],
        reserve: usize,
    ) -> bool {
        let level = self.indent;
        let mut called = false;
        let mut before = self.width(root);
        if !self.attempt_flat(root, 0) {
            return false;
        }
        for (place, (width, link)) in links.iter().enumerate() {
            if called && matches!(link, Link::Member(_)) {
                self.indent = level + 1;
                self.newline();
            }
            let reserve = if place + 1 == links.len() { reserve } else { 0 };
            let (Some(all), Some(some)) = (*width, before) else { return false };
            if !self.fits(all - some + reserve) {
                return false;
            }
            match link {
                Link::Member(name) => self.member(name),
                Link::Call(arguments, _) => self.flat_arguments(arguments),
                Link::Index(index, _) => {
                    self.push("[");
                    self.flat(*index);
                    self.push("]");
                }
            }
            called |= matches!(link, Link::Call(..));
            before = *width;
        }
        self.indent = level;
        true
    }

    /// What stands first, and the links behind it with the width of all up to them.
    fn links(&self, id: ExprId) -> (ExprId, Vec<(Option<usize>, Link<'t>)>) {
        let mut links = Vec::new();
        let mut id = id;
        loop {
            let width = self.width(id);
            match &self.origin.expr(id).kind {
                ExprKind::Call { callee, arguments, parens } => {
                    links.push((width, Link::Call(arguments, *parens)));
                    id = *callee;
                }
                ExprKind::Member { base, name } => {
                    links.push((width, Link::Member(name)));
                    id = *base;
                }
                ExprKind::Index { base, index } => {
                    let open = self.origin.range(*base).end;
                    let close = self.origin.range(id).end - 1;
                    links.push((width, Link::Index(*index, (open, close))));
                    id = *base;
                }
                _ => break,
            }
        }
        links.reverse();
        (id, links)
    }

    /// `(a, b: c)` on the line under way.
    pub(super) fn flat_arguments(&mut self, arguments: &[Argument]) {
        self.push("(");
        self.joined(arguments.len(), |printer, n| {
            let argument = &arguments[n];
            printer.argument_name(argument);
            printer.flat(argument.value);
        });
        self.push(")");
    }

    /// Writes arguments on one line if that leaves `rest` columns free; else the last line of them
    /// leaves `reserve`.
    fn arguments(&mut self, arguments: &[Argument], parens: Span, rest: usize, reserve: usize) {
        let ends = (parens.start as usize, parens.end as usize - 1);
        let Some((first, others)) = arguments.split_first() else {
            if self.origin.has_comment(parens.range()) {
                return self.lines(ends, &[], "", |_, _| {});
            }
            return self.push("()");
        };
        if self.flat_width(arguments, parens).is_some_and(|width| self.fits(width + rest)) {
            return self.flat_arguments(arguments);
        }
        let last_end = self.argument_range(others.last().unwrap_or(first)).end;
        let as_list = self.origin.ends_line(ends.0) || self.origin.has_comment(last_end..ends.1);
        if as_list || !self.hung(first, others, reserve) {
            let items: Vec<_> = arguments.iter().map(|a| self.argument_range(a)).collect();
            self.lines(ends, &items, ",", |printer, n| printer.argument(&arguments[n], 1));
        }
    }

    /// The columns of all arguments on one line with their brackets, if they may stand on one.
    fn flat_width(&self, arguments: &[Argument], parens: Span) -> Option<usize> {
        let breaks = is_hung(&self.origin, arguments)
            || self.origin.ends_line(parens.start as usize)
            || self.origin.has_comment(parens.range());
        if breaks { None } else { Some(2 + self.arguments_width(arguments)?) }
    }

    fn arguments_width(&self, arguments: &[Argument]) -> Option<usize> {
        joined(arguments.iter().map(|argument| {
            let name = argument.name.as_ref().map_or(0, |name| name.text.chars().count() + 2);
            Some(name + self.width(argument.value)?)
        }))
    }

    /// Writes arguments whose first stays on the line of the opening bracket, if they are such:
    /// one that brings brackets or lines of its own, or a value without a name, below which the
    /// others hang.
    fn hung(&mut self, first: &Argument, others: &[Argument], reserve: usize) -> bool {
        let kind = &self.origin.expr(first.value).kind;
        let text = matches!(kind, ExprKind::String { style: StringStyle::Block, .. })
            && self.width(first.value).is_none();
        if others.is_empty() {
            if !text && !self.stays(first) {
                return false;
            }
            self.push("(");
            self.argument(first, reserve + 1);
            self.push(")");
            return true;
        }
        let room = self.width(first.value).is_some_and(|width| self.fits(width + 2));
        if first.name.is_some() || !text && !room {
            return false;
        }
        self.push("(");
        self.expr(first.value, 1);
        let mut end = self.argument_range(first).end;
        let start = self.argument_range(&others[0]).start;
        let last_end = self.argument_range(others.last().unwrap_or(first)).end;
        if text
            && !self.origin.is_broken(end..start)
            && !self.origin.has_comment(end..last_end)
            && self.arguments_width(others).is_some_and(|width| self.fits(width + 3 + reserve))
        {
            self.push(", ");
            self.joined(others.len(), |printer, n| printer.argument(&others[n], 0));
            self.push(")");
            return true;
        }
        self.indented(|printer| {
            for (place, argument) in others.iter().enumerate() {
                let range = printer.argument_range(argument);
                printer.push(",");
                printer.trailing(end);
                printer.lead(range.start, place == 0);
                let last = place + 1 == others.len();
                printer.argument(argument, if last { reserve + 1 } else { 1 });
                end = range.end;
            }
        });
        self.push(")");
        true
    }

    /// Whether a lone argument stays between its parentheses: it is broken in brackets of its own,
    /// or gains nothing from a line of its own.
    fn stays(&self, argument: &Argument) -> bool {
        let kind = &self.origin.expr(argument.value).kind;
        match kind {
            ExprKind::List(_) | ExprKind::Record(_) | ExprKind::Comprehension { .. } => true,
            _ if is_atom(kind) => {
                let name = argument.name.as_ref().map_or(0, |name| name.text.len() + 2);
                let width = self.width(argument.value);
                !width.is_some_and(|width| self.fits_below(name + width + 1))
            }
            _ => false,
        }
    }

    fn argument(&mut self, argument: &Argument, reserve: usize) {
        self.argument_name(argument);
        self.expr(argument.value, reserve);
    }

    fn argument_name(&mut self, argument: &Argument) {
        if let Some(name) = &argument.name {
            self.push(&name.text);
            self.push(": ");
        }
    }

    fn argument_range(&self, argument: &Argument) -> Range<usize> {
        let value = self.origin.range(argument.value);
        let start = argument.name.as_ref().map_or(value.start, |name| name.span.start as usize);
        start..value.end
    }
}
