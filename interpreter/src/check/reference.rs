//! Names of images and ids of apps that are written out: those that no server would take.

use pipe_grammar::{
    Code, Diagnostic,
    tree::{Argument, Element, ExprId, ExprKind},
};
use pipe_stdlib::{
    core::{Builtin, Signature},
    docker, marathon,
};

use super::Checker;

impl Checker<'_> {
    /// Looks at the names that a call gives by literals.
    pub(super) fn named_things(
        &mut self,
        builtin: &Builtin,
        signature: &Signature,
        arguments: &[Argument],
    ) {
        for (number, argument) in arguments.iter().enumerate() {
            let parameter = match &argument.name {
                Some(name) => &*name.text,
                None if number == 0 => {
                    let first = signature.parameters.as_ref().and_then(|p| p.first());
                    first.map_or("", |p| &*p.name)
                }
                None => continue,
            };
            match (builtin.module, parameter) {
                ("docker", "image" | "tag" | "tags" | "also") => self.image(argument.value),
                ("marathon", "app") => self.app_id(argument.value),
                _ => {}
            }
        }
    }

    fn image(&mut self, id: ExprId) {
        if let ExprKind::List(elements) = &self.file.expr(id).kind {
            for element in elements {
                if let Element::Item(id) | Element::If(id, _) = element {
                    self.image(*id);
                }
            }
            return;
        }
        let Some(text) = self.plain(id) else { return };
        // In `also`, another tag of the same repository.
        if text.starts_with(':') {
            return;
        }
        if let Some((message, repaired)) = docker::reference_problem(&text) {
            let problem = Diagnostic::error(Code::INVALID_IMAGE, self.span(id), message);
            self.report(problem.help_if(repaired.map(|text| format!("write `\"{text}\"`"))));
        }
    }

    fn app_id(&mut self, id: ExprId) {
        let Some(text) = self.plain(id) else { return };
        if let Some((why, repaired)) = marathon::app_id_problem(&text) {
            let what = format!("`{text}` is no id of an app: {why}");
            let problem = Diagnostic::error(Code::INVALID_APP, self.span(id), what);
            self.report(problem.help_if(repaired.map(|text| format!("write `\"{text}\"`"))));
        }
    }
}
