//! Functions of the file.

use pipe_grammar::{Code, Diagnostic, SourceId, tree::Function};
use pipe_stdlib::core::{Parameter, Signature, Type, Value, literal_value};

use super::{Checker, Place};

impl Checker<'_> {
    /// Checks a function, and gives its signature and whether it holds steps.
    pub(super) fn function(&mut self, function: &Function, source: SourceId) -> (Signature, bool) {
        let outside = Place { source, ..Place::default() };
        self.within(outside, |this| this.function_here(function))
    }

    fn function_here(&mut self, function: &Function) -> (Signature, bool) {
        let scopes = std::mem::take(&mut self.scopes);
        let narrowed = std::mem::take(&mut self.narrowed);
        let mut parameters = Vec::new();
        for parameter in &function.parameters {
            let ty = self.written(&parameter.ty);
            let default = parameter.default.map(|id| {
                let place = Place { user: Some(function.name.text.clone()), ..self.place.clone() };
                self.within(place, |this| {
                    this.expect(id, &ty, &format!("`{}`", parameter.name.text));
                });
                // That there is one counts here; what it is comes from the expression.
                literal_value(self.file, id).unwrap_or(Value::Null)
            });
            parameters.push(Parameter {
                name: parameter.name.text.clone(),
                docs: parameter.docs.to_string(),
                ty,
                default,
            });
        }
        let wanted = function.result.as_ref().map(|written| self.written(written));
        let place = Place {
            source: self.place.source,
            user: Some(function.name.text.clone()),
            steps: true,
            function: true,
            result: wanted.clone(),
            found_steps: Some(false),
            ..Place::default()
        };
        let (leaves, steps, result) = self.within(place, |this| {
            let leaves = this.scoped(|this| {
                for (parameter, ty) in function.parameters.iter().zip(&parameters) {
                    this.bind(&parameter.name, ty.ty.clone(), true);
                }
                this.block(&function.body)
            });
            if let Some(found) = this.place.found_local.take() {
                this.local_functions.insert(function.name.text.clone(), found);
            }
            (leaves, this.place.found_steps == Some(true), this.place.result.clone())
        });
        self.scopes = scopes;
        self.narrowed = narrowed;
        if wanted.is_some() && !leaves {
            let name = &function.name.text;
            let span = function.body.span.at_end();
            let end = pipe_grammar::Span { start: span.start.saturating_sub(1), ..span };
            self.report(
                Diagnostic::error(
                    Code::WRONG_TYPE,
                    end,
                    format!("`{name}` may end without a value"),
                )
                .label("no `return` leads here")
                .help("every path of a function with `->` ends with `return`"),
            );
        }
        let result = wanted.or(result).unwrap_or(Type::Nothing);
        let docs = String::new();
        (Signature { docs, parameters: Some(parameters), result }, steps)
    }
}
