//! What may have been meant.

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::{list_or, similar},
    tree::{ClauseKind, StatementKind},
};
use pipe_stdlib::core::Module;

use super::{Checker, global::Kind};

/// What a module offers, as one list.
pub(super) fn offers(module: &Module) -> String {
    let names: Vec<&str> = module.builtins.iter().map(|b| b.name).collect();
    names.join(", ")
}

impl Checker<'_> {
    /// A name that nothing has here.
    pub(super) fn unknown_name(&self, name: &str, span: Span) -> Diagnostic {
        let locals = self.scopes.iter().rev().flat_map(|scope| scope.names.keys());
        let known: Vec<(&str, &str)> = locals
            .map(|name| (&**name, ""))
            .chain(self.globals.iter().map(|(name, global)| (&**name, global.kind.noun())))
            .chain(self.library.modules().iter().map(|module| (module.name, "module")))
            .chain(self.library.alone().iter().map(|builtin| (builtin.name, "function")))
            .chain([("pipeline", "")])
            .collect();
        let found = similar(name, known.iter().map(|(name, _)| *name));
        let found: Vec<String> = found
            .iter()
            .map(|name| {
                let noun = known.iter().find(|(known, _)| known == name).map_or("", |(_, n)| *n);
                let article = if noun.is_empty() || noun == "binding" {
                    String::new()
                } else {
                    format!("the {noun} ")
                };
                format!("{article}`{name}`")
            })
            .collect();
        let problem =
            Diagnostic::error(Code::UNKNOWN_NAME, span, format!("nothing is called `{name}` here"))
                .label("unknown name");
        if let Some(help) = foreign_name(name) {
            return problem.help(help);
        }
        if let Some(help) = self.bound_elsewhere(name, span) {
            return problem.help(help);
        }
        if found.is_empty() {
            return problem.help_if(self.values_here());
        }
        problem.help(format!("did you mean {}?", list_or(&found)))
    }
}

impl Checker<'_> {
    /// The values that can be named here, where these are few.
    fn values_here(&self) -> Option<String> {
        const FEW: usize = 8;
        let locals = self.scopes.iter().flat_map(|scope| scope.names.keys());
        let globals = self.globals.iter().filter(|(_, global)| {
            matches!(global.kind, Kind::Param | Kind::Secret | Kind::Let)
                && global.span.source == self.place.source
        });
        let names: Vec<&str> = locals.chain(globals.map(|(name, _)| name)).map(|n| &**n).collect();
        let few = (1..=FEW).contains(&names.len());
        few.then(|| format!("there are: {}", names.join(", ")))
    }

    /// What to do with a name that a stage binds where this place can't see it.
    fn bound_elsewhere(&self, name: &str, span: Span) -> Option<String> {
        self.file.stages().find_map(|stage| {
            let loops = stage.clauses.iter().find_map(|clause| match &clause.kind {
                ClauseKind::For { loops, .. } => Some(loops),
                _ => None,
            });
            let instance = loops.is_some_and(|loops| loops.iter().any(|(n, _)| &*n.text == name));
            let head = stage.body.span.start > span.start && stage.name.span.start < span.start;
            if instance && head && stage.name.span.source == span.source {
                return Some(format!(
                    "this is decided before the instances: leave some out with `for … in … if {name} …`"
                ));
            }
            let here = stage.body.span.contains(span);
            let bound = stage.body.statements.iter().any(|statement| match &statement.kind {
                StatementKind::Let(binding) => &*binding.name.text == name,
                _ => false,
            });
            let stage = &stage.name.text;
            (bound && !here).then(|| {
                format!("the stage `{stage}` binds it: with `output {name} = …` there it is `{stage}.{name}` here")
            })
        })
    }
}

/// Names that mean something in other tools.
fn foreign_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "None" | "nil" | "undefined" => "write `null`",
        "True" => "write `true`",
        "False" => "write `false`",
        "params" => "a parameter is known by its own name: `#{environment}`",
        "secrets" | "credentials" => "a secret is declared: `secret token = env(\"TOKEN\")`",
        "BUILD_NUMBER" | "BRANCH_NAME" | "GIT_COMMIT" | "WORKSPACE" => {
            "a variable of the environment is read with `env(\"…\")`; branch and commit are `git.branch`, `git.commit`"
        }
        _ => return None,
    })
}
