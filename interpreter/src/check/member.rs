//! Fields, outputs, facts of modules, properties.

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::did_you_mean,
    tree::{ExprId, ExprKind, Name, Text},
};
use pipe_stdlib::core::{Kind as BuiltinKind, RecordType, Type, methods};

use super::{Checker, Target, global::Kind, literal, suggest};

impl Checker<'_> {
    pub(super) fn member(&mut self, id: ExprId, base: ExprId, name: &Name) -> Type {
        if let Some(path) = self.path(id)
            && let Some(ty) = self.known_as(&path)
        {
            // Its parts still count as used, and their targets must be known.
            self.plain_member(id, base, name);
            return ty;
        }
        self.plain_member(id, base, name)
    }

    fn plain_member(&mut self, id: ExprId, base: ExprId, name: &Name) -> Type {
        if let ExprKind::Name(base_name) = &self.file.expr(base).kind {
            let base_name = base_name.clone();
            if let Some(number) = self.stage_number(&base_name) {
                return self.output(id, base, &base_name, number, name);
            }
            if let Some(prefix) = self.module_prefix(&base_name) {
                return self.imported(id, &base_name, &prefix, name);
            }
            if !self.is_bound(&base_name) && self.library.module(&base_name).is_some() {
                return self.fact(id, &base_name, name);
            }
            if self.global(&base_name).is_some_and(|g| g.kind == Kind::Secret)
                && &*name.text == "is_set"
            {
                // Whether it is set may be asked without needing it.
                if let Some(global) = self.globals.get_mut(&base_name) {
                    global.used = true;
                }
                self.checked.types[base.0 as usize] = Type::Secret;
                self.checked.targets.insert(id, Target::IsSet(base_name));
                return Type::Bool;
            }
            if self.global(&base_name).is_some_and(|g| g.kind == Kind::Secret)
                && &*name.text == "path"
            {
                return self.secret_file(id, base, &base_name, name);
            }
        }
        let ty = self.expr(base, None);
        let ty = self.something(base, ty);
        self.field(id, base, &ty, name)
    }

    /// `key.path`: a private copy of the file that a secret is read from.
    fn secret_file(&mut self, id: ExprId, base: ExprId, secret: &Text, name: &Name) -> Type {
        self.use_global(secret);
        self.checked.types[base.0 as usize] = Type::Secret;
        let declared = self.file.items.iter().find_map(|item| match &item.kind {
            pipe_grammar::tree::ItemKind::Secret(found) if found.name.text == *secret => {
                Some(found.value)
            }
            _ => None,
        });
        let of_file = declared.is_some_and(|value| match &self.file.expr(value).kind {
            ExprKind::Call { callee, .. } => {
                matches!(&self.file.expr(*callee).kind, ExprKind::Name(name) if &**name == "file")
            }
            _ => false,
        });
        if !of_file {
            let what = format!("the secret `{secret}` is no file, and has no `path`");
            let help = format!("only `secret {secret} = file(…)` has one");
            self.report(Diagnostic::error(Code::UNKNOWN_FIELD, name.span, what).help(help));
            return Type::Path;
        }
        self.checked.targets.insert(id, Target::SecretFile(secret.clone()));
        Type::Path
    }

    /// The number of the stage with this name, if the name means a stage here.
    pub(super) fn stage_number(&self, name: &str) -> Option<usize> {
        if self.scopes.iter().any(|scope| scope.names.contains_key(name)) {
            return None;
        }
        match self.global(name)?.kind {
            Kind::Stage(number) => Some(number),
            _ => None,
        }
    }

    /// `lib.version`: a value of an imported file.
    fn imported(&mut self, id: ExprId, alias: &str, prefix: &str, name: &Name) -> Type {
        let full: Text = format!("{prefix}{}", name.text).into();
        match self.globals.get(&full).map(|global| global.kind) {
            Some(Kind::Let) => {
                self.use_global(&full);
                self.checked.targets.insert(id, Target::Global(full.clone()));
                self.global_type(&full)
            }
            Some(kind) => {
                let what = format!("the {} `{alias}.{}` is no value", kind.noun(), name.text);
                let help = (kind == Kind::Function)
                    .then(|| format!("call it: `{alias}.{}(…)`", name.text));
                self.report(Diagnostic::error(Code::WRONG_TYPE, name.span, what).help_if(help));
                Type::Unknown
            }
            None => {
                let problem = self.not_imported(alias, prefix, name);
                self.report(problem);
                Type::Unknown
            }
        }
    }

    pub(super) fn not_imported(&self, alias: &str, prefix: &str, name: &Name) -> Diagnostic {
        let names: Vec<&str> = self
            .globals
            .keys()
            .filter_map(|full| full.strip_prefix(prefix))
            .filter(|rest| !rest.contains('.'))
            .collect();
        let what = format!("the import `{alias}` has no `{}`", name.text);
        Diagnostic::error(Code::UNKNOWN_NAME, name.span, what)
            .label("unknown name")
            .help_if(did_you_mean(&name.text, names.iter().copied()))
            .help(format!("it has: {}", names.join(", ")))
    }

    /// `git.commit`: a fact of a module.
    fn fact(&mut self, id: ExprId, module: &str, name: &Name) -> Type {
        let Some(builtin) = self.library.find(Some(module), &name.text) else {
            let problem = self.unknown_function(module, name);
            self.report(problem);
            return Type::Unknown;
        };
        let signature = self.library.signature(builtin);
        if signature.parameters.is_some() {
            let full = builtin.full_name();
            let problem = Diagnostic::error(
                Code::WRONG_TYPE,
                self.span(id),
                format!("`{full}` is a function, not a value"),
            )
            .label("it is called with `(…)`")
            .help(format!("`{}`", builtin.examples.first().unwrap_or(&"")));
            self.report(problem);
            return Type::Unknown;
        }
        if builtin.kind() == BuiltinKind::Step {
            self.step_allowed(id, &format!("`{}` acts", builtin.full_name()));
        }
        self.checked.targets.insert(id, Target::Builtin { builtin, connection: None });
        signature.result.clone()
    }

    /// `push.pushed`: an output of a stage.
    fn output(
        &mut self,
        id: ExprId,
        base: ExprId,
        stage: &Text,
        number: usize,
        name: &Name,
    ) -> Type {
        self.use_global(stage);
        let span = self.span(base);
        if !self.may_read_stage(number, span) {
            return Type::Unknown;
        }
        self.checked
            .targets
            .insert(id, Target::Output { stage: stage.clone(), output: name.text.clone() });
        let facts = &self.checked.stages[number];
        let Some(ty) = facts.outputs.get(&name.text).cloned() else {
            if !facts.broken {
                let problem = unknown_output(stage, name, facts.outputs.keys().map(|k| &**k));
                self.report(problem);
            }
            return Type::Unknown;
        };
        let ty = if facts.instances { Type::list(ty) } else { ty };
        self.reads_stage(number, ty)
    }

    fn field(&mut self, id: ExprId, base: ExprId, ty: &Type, name: &Name) -> Type {
        match ty {
            Type::Unknown => Type::Unknown,
            Type::Json => Type::Json,
            Type::Record(record) => match record.field(&name.text) {
                Some(field) => field.ty.clone(),
                None => {
                    let problem = self.no_field(base, record, ty, name);
                    self.report(problem);
                    Type::Unknown
                }
            },
            Type::Held(held) => self.field_of_held(held, name),
            Type::Optional(_) => {
                let problem = self.optional_base(base, ty, name);
                self.report(problem);
                Type::Unknown
            }
            ty => {
                let found = methods(ty).iter().find(|m| m.name == &*name.text);
                let signature = found.and_then(|m| m.signature(ty).ok());
                match (found, signature) {
                    (Some(method), Some(signature)) if signature.parameters.is_none() => {
                        self.checked.targets.insert(id, Target::Method(method));
                        signature.result
                    }
                    (Some(_), _) => {
                        let what = format!("`{}` is a method, and a method is called", name.text);
                        self.report(
                            Diagnostic::error(Code::WRONG_TYPE, name.span, what)
                                .help(format!("write `.{}()`", name.text)),
                        );
                        Type::Unknown
                    }
                    _ => {
                        let problem = no_method(ty, name);
                        self.report(problem);
                        Type::Unknown
                    }
                }
            }
        }
    }

    fn no_field(&self, base: ExprId, record: &RecordType, ty: &Type, name: &Name) -> Diagnostic {
        let shown = self.slice(self.span(base));
        let names: Vec<&str> = record.fields.iter().map(|f| &*f.name).collect();
        let what = format!("`{shown}` has no field `{}`", name.text);
        let problem = Diagnostic::error(Code::UNKNOWN_FIELD, name.span, what)
            .label("no such field")
            .help_if(did_you_mean(&name.text, names.iter().copied()));
        let origin = self.origin(base).filter(|span| !span.contains(name.span));
        let problem = match origin {
            Some(span) => problem.also(span, format!("this is {}", literal::a(ty))),
            None => problem,
        };
        if names.len() <= 10 && !names.is_empty() {
            problem.help(format!("it has: {}", names.join(", ")))
        } else {
            problem
        }
    }

    pub(super) fn optional_base(&self, base: ExprId, ty: &Type, name: &Name) -> Diagnostic {
        let shown = self.slice(self.span(base));
        let what = format!("`{shown}` may be null, and null has no `{}`", name.text);
        Diagnostic::error(Code::OPTIONAL_VALUE, self.span(base), what)
            .label(format!("this is {}", literal::a(ty)))
            .help(format!("ask first: `if {shown} != null {{ … }}`, or give another value: `({shown} ?? …).{}`", name.text))
    }

    /// Where the value of an expression was declared, if it is a name.
    pub(super) fn origin(&self, id: ExprId) -> Option<Span> {
        match &self.file.expr(id).kind {
            ExprKind::Name(name) => self.declared(name).map(|(span, _)| span),
            ExprKind::Group(inner) => self.origin(*inner),
            _ => None,
        }
    }

    pub(super) fn unknown_function(&self, module: &str, name: &Name) -> Diagnostic {
        let Some(found) = self.library.module(module) else {
            return self.unknown_name(module, name.span);
        };
        let names = found.builtins.iter().map(|b| b.name);
        let meant = did_you_mean(&name.text, names)
            .map(|text| text.replace('`', "").replace("did you mean ", "").replace('?', ""));
        let meant = meant.map(|meant| {
            let all: Vec<String> = meant
                .split([',', ' '])
                .filter(|word| !word.is_empty() && *word != "or")
                .map(|word| format!("`{module}.{word}`"))
                .collect();
            format!("did you mean {}?", pipe_grammar::diagnostic::list_or(&all))
        });
        Diagnostic::error(
            Code::UNKNOWN_FUNCTION,
            name.span,
            format!("`{module}` has no `{}`", name.text),
        )
        .label("unknown name")
        .help_if(meant)
        .help(format!("`{module}` offers: {}", suggest::offers(found)))
    }
}

fn unknown_output<'a>(
    stage: &str,
    name: &Name,
    outputs: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let all: Vec<&str> = outputs.clone().collect();
    let what = format!("the stage `{stage}` has no output `{}`", name.text);
    let problem = Diagnostic::error(Code::UNKNOWN_FIELD, name.span, what)
        .label("no such output")
        .help_if(did_you_mean(&name.text, outputs));
    if all.is_empty() {
        problem.help(format!("bind one in it: `output {} = …`", name.text))
    } else {
        problem.help(format!("it has: {}", all.join(", ")))
    }
}

pub(super) fn no_method(ty: &Type, name: &Name) -> Diagnostic {
    let names: Vec<&str> = methods(ty).iter().map(|m| m.name).collect();
    let what = format!("{} has no `{}`", literal::a(ty), name.text);
    let problem = Diagnostic::error(Code::UNKNOWN_FIELD, name.span, what)
        .label("no such field or method")
        .help_if(did_you_mean(&name.text, names.iter().copied()));
    if names.is_empty() { problem } else { problem.help(format!("it has: {}", names.join(", "))) }
}
