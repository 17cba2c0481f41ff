//! `using`: where the commands of a stage run, and what that place can't do.

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::list_or,
    shell::Dialect,
    tree::{Argument, ClauseKind, ExprId, ExprKind, Stage},
};
use pipe_stdlib::core::{
    Builtin, Implementation, Interpreter, Kind as BuiltinKind, Parameter, Signature, Type,
};

use super::{Checker, Target};

/// What a stage on another machine may call: it acts on the run, or on the files there.
const EVERYWHERE: &[(&str, &str)] =
    &[("", "log"), ("", "sh"), ("artifact", "save"), ("", "junit"), ("time", "sleep")];

impl Checker<'_> {
    /// Checks what stands behind `using`.
    pub(super) fn runner(&mut self, id: ExprId) {
        let span = self.span(id);
        match &self.file.expr(id).kind {
            ExprKind::Group(inner) => return self.runner(*inner),
            ExprKind::If { condition, then, otherwise } => {
                let (condition, then, otherwise) = (*condition, *then, *otherwise);
                self.condition(condition);
                self.constant(
                    condition,
                    ["commands always run by the first", "commands always run by the second"],
                );
                self.runner(then);
                return self.runner(otherwise);
            }
            ExprKind::Name(name) if &**name == "local" && !self.is_bound(name) => return,
            ExprKind::Call { .. } => {
                let told = self.checked.problems.len();
                let before = std::mem::replace(&mut self.place.runner, true);
                self.expr(id, None);
                self.place.runner = before;
                let runner = match self.checked.targets.get(&id) {
                    Some(Target::Builtin { builtin, .. }) => builtin.kind() == BuiltinKind::Runner,
                    _ => false,
                };
                if runner || self.checked.problems.len() > told {
                    return;
                }
            }
            _ => {}
        }
        let shown = self.slice(span).to_owned();
        let what = format!("`{shown}` is no place where commands run");
        let known = self.runners();
        self.report(
            Diagnostic::error(Code::WRONG_TYPE, span, what)
                .label("a runner was expected")
                .help(format!("`using` takes {}", list_or(&known))),
        );
    }

    fn runners(&self) -> Vec<String> {
        let all = self.library.modules().iter().flat_map(|module| module.builtins.iter());
        let runners = all.filter(|builtin| builtin.kind() == BuiltinKind::Runner);
        std::iter::once("`local`".to_owned())
            .chain(runners.map(|builtin| format!("`{}(…)`", builtin.full_name())))
            .collect()
    }

    /// A runner that is called elsewhere.
    pub(super) fn misplaced_runner(&mut self, builtin: &Builtin, span: Span) {
        let name = builtin.full_name();
        let what = format!("`{name}` says where commands run, and stands behind `using`");
        self.report(
            Diagnostic::error(Code::MISPLACED, span, what)
                .label("only behind `using`")
                .help(format!("write it as a clause of the stage: `using {name}(…)`")),
        );
    }

    /// What a stage's commands run on, if that is another machine: the name of the runner.
    pub(super) fn remote_runner(&self, stage: &Stage) -> Option<(String, Span)> {
        let using = |clause: &pipe_grammar::tree::Clause| match clause.kind {
            ClauseKind::Using(runner) => Some(runner),
            _ => None,
        };
        let runner = stage.clauses.iter().find_map(using).or(self.runner_of_all)?;
        self.remote_call(runner)
    }

    fn remote_call(&self, id: ExprId) -> Option<(String, Span)> {
        match &self.file.expr(id).kind {
            ExprKind::Group(inner) => self.remote_call(*inner),
            ExprKind::If { then, otherwise, .. } => {
                self.remote_call(*then).or_else(|| self.remote_call(*otherwise))
            }
            ExprKind::Call { .. } => match self.checked.targets.get(&id) {
                Some(Target::Builtin { builtin, .. })
                    if matches!(builtin.implementation, Implementation::RemoteRunner(_)) =>
                {
                    Some((builtin.full_name(), self.span(id)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Refuses a call that acts on the files of this machine while the stage's are elsewhere.
    pub(super) fn reaches_the_stage(
        &mut self,
        id: ExprId,
        builtin: &Builtin,
        signature: &Signature,
    ) {
        let acts_here = match builtin.kind() {
            BuiltinKind::Fact => signature.parameters.iter().flatten().any(reads_files),
            BuiltinKind::Runner => false,
            BuiltinKind::Step | BuiltinKind::Held => {
                !EVERYWHERE.contains(&(builtin.module, builtin.name))
            }
        };
        if !acts_here {
            return;
        }
        let name = builtin.full_name();
        self.acts_here(self.span(id), &format!("`{name}`"));
    }

    /// Something that acts on this machine: refused where the stage is elsewhere, noted in a
    /// function.
    pub(super) fn acts_here(&mut self, span: Span, what: &str) {
        if self.place.function {
            self.place.found_local.get_or_insert_with(|| what.to_owned());
        }
        let Some((runner, using)) = self.place.remote.clone() else { return };
        let message = format!("{what} acts on this machine, and this stage's files are elsewhere");
        self.report(
            Diagnostic::error(Code::MISPLACED, span, message)
                .label("does not reach the stage's files")
                .also(using, format!("commands run by `{runner}`"))
                .help("use a command (`$ …`), or do it in a stage of its own")
                .help("files come back by `artifact.save` and `junit`"),
        );
    }

    /// Whether an argument of a call is the text of a script.
    pub(super) fn is_script(&self, call: ExprId, argument: ExprId) -> bool {
        let runs = match self.checked.targets.get(&call) {
            Some(Target::Builtin { builtin, .. }) => {
                matches!(builtin.implementation, Implementation::Command)
            }
            _ => false,
        };
        runs && crate::eval::script_of(self.file, argument).is_some()
    }

    /// `sh(…)`: the script is a text in the call, and its values are the shell's words.
    pub(super) fn script(&mut self, arguments: &[Argument]) {
        let named = |wanted: &str| {
            arguments.iter().enumerate().find_map(|(number, argument)| match &argument.name {
                Some(name) => (&*name.text == wanted).then_some(argument.value),
                None => (number == 0 && wanted == "script").then_some(argument.value),
            })
        };
        let Some(script) = named("script") else { return };
        let Some(command) = crate::eval::script_of(self.file, script) else {
            let span = self.span(script);
            self.report(
                Diagnostic::error(
                    Code::WRONG_TYPE,
                    span,
                    "the script is a text in the call itself",
                )
                .label("so that the shell never reads a value as code")
                .help("write it here as `\"\"\"…\"\"\"`, its values as `#{…}` in it"),
            );
            return;
        };
        let shell = named("shell").filter(|id| !matches!(self.file.expr(*id).kind, ExprKind::Null));
        let dialect = match shell {
            None => Some(Dialect::Sh),
            Some(id) => {
                let known = self.plain(id).and_then(|name| Interpreter::find(&name));
                known.and_then(|found| found.dialect)
            }
        };
        if let Some(dialect) = dialect {
            return self.command_of(&command, dialect);
        }
        if let Some(hole) = command.hole_span(0) {
            let shown = self.slice(hole).to_owned();
            self.report(
                Diagnostic::error(
                    Code::COMMAND_QUOTING,
                    hole,
                    "only a shell's script takes values in the text",
                )
                .label(format!("`{shown}` would become code"))
                .help("hand it over by the environment: `env: { VALUE: … }`"),
            );
        }
        for hole in command.holes() {
            self.expr(hole, None);
        }
    }
}

/// Whether a parameter names files.
pub(crate) fn reads_files(parameter: &Parameter) -> bool {
    let ty = match &parameter.ty {
        Type::Optional(inner) => inner,
        ty => ty,
    };
    matches!(ty, Type::Path | Type::Globs) || matches!(ty, Type::List(item) if **item == Type::Path)
}
