//! Held values: fields, methods, and where they may go.

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::did_you_mean,
    tree::{Argument, ExprId, Name},
};
use pipe_stdlib::core::{HeldType, Type};

use super::{Checker, Target};

impl Checker<'_> {
    /// `green.promote()`
    pub(super) fn call_held(
        &mut self,
        id: ExprId,
        held: &'static HeldType,
        name: &Name,
        arguments: &[Argument],
        parens: Span,
    ) -> Type {
        let Some(signature) = self.library.held_method(held, &name.text) else {
            let is_field = self.held_field(held, &name.text).is_some();
            let problem = if is_field {
                let what = format!("`{}` is a value, not a function", name.text);
                Diagnostic::error(Code::NOT_CALLABLE, parens, what).label("remove the parentheses")
            } else {
                self.no_held_member(held, name)
            };
            self.report(problem);
            for argument in arguments {
                self.expr(argument.value, None);
            }
            return Type::Unknown;
        };
        self.step_allowed(id, &format!("`{}` acts", name.text));
        self.checked.targets.insert(id, Target::HeldMethod(held));
        self.arguments(id, &name.text, &signature, arguments);
        signature.result
    }

    /// `db.port`
    pub(super) fn field_of_held(&mut self, held: &'static HeldType, name: &Name) -> Type {
        if let Some(ty) = self.held_field(held, &name.text) {
            return ty;
        }
        let is_method = held.methods.iter().any(|(found, _)| *found == &*name.text);
        let problem = if is_method {
            let what = format!("`{}` is a method, and a method is called", name.text);
            Diagnostic::error(Code::WRONG_TYPE, name.span, what)
                .help(format!("write `.{}()`", name.text))
        } else {
            self.no_held_member(held, name)
        };
        self.report(problem);
        Type::Unknown
    }

    fn held_field(&self, held: &HeldType, name: &str) -> Option<Type> {
        match self.library.held_fields(held) {
            Type::Record(record) => record.field(name).map(|field| field.ty.clone()),
            _ => None,
        }
    }

    fn no_held_member(&self, held: &HeldType, name: &Name) -> Diagnostic {
        let mut names: Vec<String> = Vec::new();
        if let Type::Record(record) = self.library.held_fields(held) {
            names.extend(record.fields.iter().map(|field| field.name.to_string()));
        }
        names.extend(held.methods.iter().map(|(name, _)| (*name).to_owned()));
        let what = format!("a {} has no `{}`", held.name, name.text);
        Diagnostic::error(Code::UNKNOWN_FIELD, name.span, what)
            .label("no such field or method")
            .help_if(did_you_mean(&name.text, names.iter().map(String::as_str)))
            .help(format!("it has: {}", names.join(", ")))
    }

    /// Refuses a held value where it would leave its block.
    pub(super) fn stays(&mut self, id: ExprId, ty: &Type, place: &str) {
        let Type::Held(held) = ty.required() else { return };
        let span = self.span(id);
        let shown = self.slice(span).to_owned();
        let what = format!("`{shown}` is undone when its block ends, so it can't be {place}");
        let fields = match self.library.held_fields(held) {
            Type::Record(record) => {
                record.fields.first().map(|field| format!("`{shown}.{}`", field.name))
            }
            _ => None,
        };
        self.report(
            Diagnostic::error(Code::BAD_HELD_VALUE, span, what)
                .label(format!("this is a {}", held.name))
                .help_if(fields.map(|field| format!("a field of it may be: {field}"))),
        );
    }
}
