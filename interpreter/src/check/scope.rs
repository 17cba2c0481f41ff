//! The names of a block.

use indexmap::IndexMap;
use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{Name, Text},
};
use pipe_stdlib::core::Type;

use super::Checker;

/// The names of one block.
#[derive(Default)]
pub(super) struct Scope {
    pub(super) names: IndexMap<Text, Local>,
    /// A handler of this block sees these names as `T?`.
    pub(super) optional: bool,
}

/// A name of a block.
pub(super) struct Local {
    pub(super) ty: Type,
    pub(super) span: Span,
    pub(super) used: bool,
    /// Warn when nobody uses it.
    pub(super) warn: bool,
    /// Bound before the block's first step, from facts: it is there in handlers too.
    pub(super) early: bool,
}

impl Checker<'_> {
    /// Runs with a scope of its own; tells of names that nobody used.
    pub(super) fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(Scope::default());
        let result = run(self);
        if let Some(scope) = self.scopes.pop() {
            for (name, local) in scope.names {
                let silent = name.starts_with('_') || self.is_maybe_used(&name);
                if local.warn && !local.used && !silent {
                    self.report(unused(&name, local.span));
                }
            }
        }
        result
    }

    /// Binds a name in the innermost scope.
    pub(super) fn bind(&mut self, name: &Name, ty: Type, warn: bool) {
        self.bind_early(name, ty, warn, false);
    }

    pub(super) fn bind_early(&mut self, name: &Name, ty: Type, warn: bool, early: bool) {
        let first = self.scopes.iter().find_map(|scope| scope.names.get(&name.text));
        let first = first
            .map(|local| (local.span, "binding"))
            .or_else(|| self.global(&name.text).map(|g| (g.span, g.kind.noun())));
        if let Some((span, noun)) = first {
            self.report(shadows(name, span, noun));
            // Which of the two is meant below, nobody knows.
            self.local(&name.text);
            let full = self.qualified(&name.text);
            if let Some(global) = self.globals.get_mut(&full) {
                global.used = true;
            }
        }
        let local = Local { ty, span: name.span, used: first.is_some(), warn, early };
        if let Some(scope) = self.scopes.last_mut() {
            scope.names.insert(name.text.clone(), local);
        }
    }

    /// The type of a name of the blocks around, and notes that it is used.
    pub(super) fn local(&mut self, name: &str) -> Option<Type> {
        for scope in self.scopes.iter_mut().rev() {
            let optional = scope.optional;
            if let Some(local) = scope.names.get_mut(name) {
                local.used = true;
                let ty = local.ty.clone();
                return Some(if optional && !local.early { ty.optional() } else { ty });
            }
        }
        None
    }

    /// Where a name was bound.
    pub(super) fn declared(&self, name: &str) -> Option<(Span, &'static str)> {
        let local = self.scopes.iter().rev().find_map(|scope| scope.names.get(name));
        local
            .map(|local| (local.span, "bound"))
            .or_else(|| self.global(name).map(|global| (global.span, "declared")))
    }

    /// Whether a name stands for a value or a stage here, and so not for a module.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.names.contains_key(name))
            || self.global(name).is_some()
    }
}

fn unused(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(Code::UNUSED_BINDING, span, format!("`{name}` is never used"))
        .label("bound here")
        .help(format!("remove it, or call it `_{name}` to keep it"))
}

fn shadows(name: &Name, first: Span, noun: &str) -> Diagnostic {
    let message = format!("`{}` is taken by a {noun} that can be seen here", name.text);
    Diagnostic::error(Code::DUPLICATE_NAME, name.span, message)
        .label("called so again")
        .also(first, "the first one")
        .help("a name means one thing in a file: choose another")
}
