//! Calls: what is called, and with what.

use pipe_grammar::{
    Code, Diagnostic, SourceId, Span,
    diagnostic::{count, did_you_mean, list_and},
    tree::{Argument, ExprId, ExprKind, ItemKind, Text},
};
use pipe_stdlib::core::{
    Builtin, Implementation, Kind as BuiltinKind, Parameter, Signature, Type, methods,
};

use super::{Checker, Target, global::Kind, literal};

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        id: ExprId,
        callee: ExprId,
        arguments: &[Argument],
        parens: Span,
    ) -> Type {
        let file = self.file;
        match &file.expr(callee).kind {
            ExprKind::Name(name) => self.call_name(id, callee, name, arguments),
            ExprKind::Member { base, name } => {
                if let ExprKind::Name(module) = &file.expr(*base).kind {
                    if let Some(prefix) = self.module_prefix(module) {
                        let full: Text = format!("{prefix}{}", name.text).into();
                        if self.globals.get(&full).is_some_and(|g| g.kind == Kind::Function) {
                            return self.call_function(id, &full, arguments);
                        }
                        if self.globals.contains_key(&full) {
                            let ty = self.expr(callee, None);
                            return self.not_callable(callee, &ty, arguments, parens);
                        }
                        let problem = self.not_imported(module, &prefix, name);
                        self.report(problem);
                        return self.arguments_alone(arguments);
                    }
                    if let Some((module, connection)) = self.module(module) {
                        let Some(builtin) = self.library.find(Some(module), &name.text) else {
                            let problem = self.unknown_function(module, name);
                            self.report(problem);
                            return self.arguments_alone(arguments);
                        };
                        return self.call_builtin(id, callee, builtin, connection, arguments);
                    }
                    if self.stage_number(module).is_some() {
                        let ty = self.expr(callee, None);
                        return self.not_callable(callee, &ty, arguments, parens);
                    }
                }
                self.call_method(id, callee, *base, name, arguments, parens)
            }
            _ => {
                let ty = self.expr(callee, None);
                self.not_callable(callee, &ty, arguments, parens)
            }
        }
    }

    /// The module that a name means here: its own, or that of a connection called so.
    fn module(&self, name: &Text) -> Option<(&'static str, Option<Text>)> {
        if let Some(connection) =
            self.checked.connections.iter().find(|c| c.alias.as_ref() == Some(name))
        {
            return Some((connection.connector.name, Some(name.clone())));
        }
        if self.is_bound(name) {
            return None;
        }
        self.library.module(name).map(|module| (module.name, None))
    }

    fn call_name(
        &mut self,
        id: ExprId,
        callee: ExprId,
        name: &Text,
        arguments: &[Argument],
    ) -> Type {
        let span = self.span(callee);
        let function = self.global(name).is_some_and(|g| g.kind == Kind::Function);
        if function && self.local(name).is_none() {
            let full = self.qualified(name);
            return self.call_function(id, &full, arguments);
        }
        if !self.is_bound(name)
            && let Some(builtin) = self.library.find(None, name)
        {
            return self.call_builtin(id, callee, builtin, None, arguments);
        }
        if self.is_bound(name) {
            let ty = self.expr(callee, None);
            return self.not_callable(callee, &ty, arguments, span);
        }
        let problem = match self.library.module(name) {
            Some(module) => Diagnostic::error(
                Code::NOT_CALLABLE,
                span,
                format!("`{name}` is a module, not a function"),
            )
            .help(format!("it offers: {}", super::suggest::offers(module))),
            None if self.is_broken_name(name) => return self.arguments_alone(arguments),
            None => {
                let functions = self.globals.iter().filter(|(_, g)| g.kind == Kind::Function);
                let names = functions
                    .map(|(name, _)| &**name)
                    .chain(self.library.alone().iter().map(|b| b.name));
                let all = self.library.modules().iter();
                let elsewhere = all
                    .flat_map(|m| m.builtins.iter())
                    .find(|b| b.name == &**name)
                    .map(|b| format!("did you mean `{}`?", b.full_name()));
                Diagnostic::error(
                    Code::UNKNOWN_FUNCTION,
                    span,
                    format!("no function is called `{name}`"),
                )
                .label("unknown function")
                .help_if(did_you_mean(name, names).or(elsewhere))
            }
        };
        self.report(problem);
        self.arguments_alone(arguments)
    }

    fn call_function(&mut self, id: ExprId, name: &Text, arguments: &[Argument]) -> Type {
        self.use_global(name);
        let Some((signature, steps)) = self.function_signature(name) else {
            return self.arguments_alone(arguments);
        };
        if let Some(inside) = self.local_functions.get(name).cloned() {
            let span = self.span(id);
            self.acts_here(span, &format!("`{name}` calls {inside}, which"));
        }
        if steps {
            self.step_allowed(id, &format!("`{name}` holds steps"));
        }
        self.checked.targets.insert(id, Target::Function(name.clone()));
        self.arguments(id, name, &signature, arguments);
        signature.result
    }

    fn call_builtin(
        &mut self,
        id: ExprId,
        callee: ExprId,
        builtin: &'static Builtin,
        connection: Option<Text>,
        arguments: &[Argument],
    ) -> Type {
        let signature = self.library.signature(builtin);
        let name = builtin.full_name();
        if signature.parameters.is_none() {
            let span = self.span(id);
            self.report(
                Diagnostic::error(
                    Code::NOT_CALLABLE,
                    span,
                    format!("`{name}` is a value, not a function"),
                )
                .label("it is not called")
                .help(format!("write `{name}`")),
            );
            return signature.result.clone();
        }
        let kind = builtin.kind();
        if kind == BuiltinKind::Runner && !self.place.runner {
            let span = self.span(id);
            self.misplaced_runner(builtin, span);
        }
        // Behind `using` it is told that it is no runner.
        if matches!(kind, BuiltinKind::Step | BuiltinKind::Held) && !self.place.runner {
            self.step_allowed(id, &format!("`{name}` acts"));
        }
        if kind != BuiltinKind::Fact {
            if let Some(user) = &self.place.user {
                let uses = self.checked.uses.entry(user.clone()).or_default();
                uses.modules.insert((builtin.module, connection.clone()));
            }
            self.note_step(builtin);
        }
        let target = Target::Builtin { builtin, connection };
        self.checked.targets.insert(callee, target.clone());
        self.checked.targets.insert(id, target);
        self.place.runner = false;
        self.reaches_the_stage(id, builtin, signature);
        if matches!(builtin.implementation, Implementation::Command) {
            self.script(arguments);
        }
        self.arguments(id, &name, signature, arguments);
        self.named_files(builtin, signature, arguments);
        self.named_things(builtin, signature, arguments);
        self.app(signature, arguments);
        if builtin.module == "docker" && builtin.name == "build" {
            self.dockerfile(arguments);
        }
        signature.result.clone()
    }

    fn call_method(
        &mut self,
        id: ExprId,
        callee: ExprId,
        base: ExprId,
        name: &pipe_grammar::tree::Name,
        arguments: &[Argument],
        parens: Span,
    ) -> Type {
        let ty = self.expr(base, None);
        let ty = self.something(base, ty);
        if ty == Type::Unknown {
            return self.arguments_alone(arguments);
        }
        if matches!(ty, Type::Optional(_)) {
            let problem = self.optional_base(base, &ty, name);
            self.report(problem);
            return self.arguments_alone(arguments);
        }
        if ty == Type::Json {
            let shown = self.slice(self.span(base)).to_owned();
            let what = format!("on json `.{}` is a field, not a method", name.text);
            self.report(
                Diagnostic::error(Code::NOT_CALLABLE, name.span, what)
                    .label("json has no methods")
                    .help(format!("give it a type first: `let v: string = {shown}`")),
            );
            return self.arguments_alone(arguments);
        }
        if let Type::Held(held) = ty {
            return self.call_held(id, held, name, arguments, parens);
        }
        let Some(method) = methods(&ty).iter().find(|m| m.name == &*name.text) else {
            if matches!(&ty, Type::Record(record) if record.field(&name.text).is_some()) {
                let field = self.expr(callee, None);
                return self.not_callable(callee, &field, arguments, parens);
            }
            let problem = super::member::no_method(&ty, name);
            self.report(problem);
            return self.arguments_alone(arguments);
        };
        let Ok(signature) = method.signature(&ty) else { return Type::Unknown };
        if signature.parameters.is_none() {
            let what = format!("`{}` is a property, and a property is not called", name.text);
            self.report(
                Diagnostic::error(Code::NOT_CALLABLE, parens, what)
                    .label("remove the parentheses")
                    .help(format!("write `.{}`", name.text)),
            );
            return signature.result;
        }
        self.checked.targets.insert(id, Target::Method(method));
        self.arguments(id, &name.text, &signature, arguments);
        signature.result
    }

    fn not_callable(
        &mut self,
        callee: ExprId,
        ty: &Type,
        arguments: &[Argument],
        _parens: Span,
    ) -> Type {
        if *ty != Type::Unknown {
            let span = self.span(callee);
            let shown = self.slice(span).to_owned();
            self.report(
                Diagnostic::error(Code::NOT_CALLABLE, span, format!("`{shown}` is no function"))
                    .label(format!("this is {}", literal::a(ty))),
            );
        }
        self.arguments_alone(arguments)
    }

    /// Checks arguments whose parameters are not known.
    fn arguments_alone(&mut self, arguments: &[Argument]) -> Type {
        for argument in arguments {
            self.expr(argument.value, None);
        }
        Type::Unknown
    }

    /// Checks the arguments of a call against the parameters.
    pub(super) fn arguments(
        &mut self,
        call: ExprId,
        function: &str,
        signature: &Signature,
        arguments: &[Argument],
    ) {
        let parameters = signature.parameters.as_deref().unwrap_or(&[]);
        let mut given: Vec<(Text, Span)> = Vec::new();
        // Arguments that could not be placed: what is missing is probably among them.
        let mut homeless = 0;
        for (number, argument) in arguments.iter().enumerate() {
            let parameter = match &argument.name {
                Some(name) => match parameters.iter().find(|p| p.name == name.text) {
                    Some(parameter) => parameter,
                    None => {
                        let names: Vec<Text> = given.iter().map(|(name, _)| name.clone()).collect();
                        let problem =
                            unknown_argument(function, name, parameters, &names, arguments);
                        self.report(problem);
                        self.expr(argument.value, None);
                        homeless += 1;
                        continue;
                    }
                },
                None if number == 0 && !parameters.is_empty() => &parameters[0],
                None => {
                    let problem = self.unnamed(function, parameters, argument, number, &given);
                    self.report(problem);
                    self.expr(argument.value, None);
                    homeless += 1;
                    continue;
                }
            };
            let place = argument.name.as_ref().map_or(self.span(argument.value), |n| n.span);
            if let Some((_, first)) = given.iter().find(|(name, _)| *name == parameter.name) {
                let what = format!("`{}` is given twice", parameter.name);
                let problem = Diagnostic::error(Code::DUPLICATE_ARGUMENT, place, what)
                    .label("given again")
                    .also(*first, "given here");
                self.report(problem);
            }
            given.push((parameter.name.clone(), place));
            // Its values are the shell's words, and were looked at as such.
            if &*parameter.name == "script" && self.is_script(call, argument.value) {
                self.checked.types[argument.value.0 as usize] = Type::String;
                continue;
            }
            let what = format!("`{}`", parameter.name);
            self.expect(argument.value, &parameter.ty, &what);
            self.plain_password(&parameter.name, &parameter.ty, argument.value);
        }
        let missing: Vec<&Parameter> = parameters
            .iter()
            .filter(|p| p.is_required() && !given.iter().any(|(name, _)| *name == p.name))
            .collect();
        if missing.len() > homeless {
            let problem = self.missing(call, function, &missing, parameters);
            self.report(problem);
        }
    }

    fn missing(
        &self,
        call: ExprId,
        function: &str,
        missing: &[&Parameter],
        parameters: &[Parameter],
    ) -> Diagnostic {
        let names: Vec<String> = missing.iter().map(|p| format!("`{}`", p.name)).collect();
        let names = list_and(&names);
        let what = format!("`{function}` needs {names}");
        let problem = Diagnostic::error(Code::MISSING_ARGUMENT, self.span(call), what)
            .label(format!("no {names} given"));
        missing.iter().fold(problem, |problem, p| {
            let first = parameters.first().is_some_and(|first| first.name == p.name);
            let example = example(&p.ty);
            let shown = if first { example } else { format!("{}: {example}", p.name) };
            let docs = p.docs.lines().next().unwrap_or("").trim_end_matches('.');
            if docs.is_empty() {
                problem.help(format!("add `{shown}`"))
            } else {
                problem.help(format!("add `{shown}`: {docs}"))
            }
        })
    }

    fn unnamed(
        &self,
        function: &str,
        parameters: &[Parameter],
        argument: &Argument,
        number: usize,
        given: &[(Text, Span)],
    ) -> Diagnostic {
        let span = self.span(argument.value);
        if parameters.is_empty() {
            return Diagnostic::error(
                Code::UNKNOWN_ARGUMENT,
                span,
                format!("`{function}` takes no argument"),
            )
            .label("one too many");
        }
        let shown = self.slice(span).lines().next().unwrap_or("").to_owned();
        let what = "only the first argument may stand without its name";
        let problem = Diagnostic::error(Code::UNNAMED_ARGUMENT, span, what)
            .label(format!("this is the {}", ordinal(number + 1)));
        let free: Vec<&Parameter> = parameters
            .iter()
            .skip(1)
            .filter(|p| !given.iter().any(|(name, _)| *name == p.name))
            .collect();
        match free.as_slice() {
            [] => {
                let all = count("argument", parameters.len());
                problem.help(format!("`{function}` takes {all}"))
            }
            [one] => problem.help(format!("write `{}: {shown}`", one.name)),
            free => {
                let names: Vec<&str> = free.iter().map(|p| &*p.name).collect();
                problem.help(format!("say which it is: {}", names.join(", ")))
            }
        }
    }

    /// What a value is, where something else is asked for.
    pub(super) fn mismatch(
        &self,
        id: ExprId,
        found: &Type,
        wanted: &Type,
        what: &str,
    ) -> Diagnostic {
        let span = self.span(id);
        let shown = self.slice(span);
        let one_line = !shown.contains('\n') && shown.chars().count() <= 60;
        if found.holds_secret() && !wanted.holds_secret() {
            return self.leaked(id, wanted, what);
        }
        if let Type::Optional(inner) = found
            && inner.fits(wanted)
        {
            let wanted = literal::a(&wanted.required());
            let message = format!("`{shown}` may be null, and {what} takes {wanted}");
            return Diagnostic::error(Code::OPTIONAL_VALUE, span, message)
                .label(format!("this is {}", literal::a(found)))
                .help(format!("give another value for that case: `{shown} ?? …`"))
                .help(format!("or ask before: `if {shown} != null {{ … }}`"));
        }
        let message =
            format!("{what} takes {}, not {}", literal::a(&wanted.required()), literal::a(found));
        let problem = Diagnostic::error(Code::WRONG_TYPE, span, message)
            .label(format!("this is {}", literal::a(found)));
        let origin = self.origin(id).filter(|origin| !origin.contains(span) && *origin != span);
        let problem = match origin {
            Some(origin) => problem.also(origin, "because it is declared so"),
            None => problem,
        };
        let help = match (wanted.required(), found) {
            (Type::String, Type::Int | Type::Float | Type::Bool | Type::Path) if one_line => {
                Some(match self.file.expr(id).kind {
                    ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) => {
                        format!("as text: `\"{shown}\"`")
                    }
                    _ => format!("as text: `\"#{{{shown}}}\"`"),
                })
            }
            (Type::Path | Type::App | Type::Globs, found) if found.is_string() => {
                Some(match self.file.expr(id).kind {
                    ExprKind::Name(_) => format!("declare it as a path: `let {shown}: path = …`"),
                    _ if one_line => format!("as a path: `\"#{{{shown}}}\"`"),
                    _ => "write the path as a literal".to_owned(),
                })
            }
            (Type::Duration, Type::Int) if one_line => {
                let number = matches!(self.file.expr(id).kind, ExprKind::Int(_));
                Some(if number {
                    format!("say of what: `{shown}s`, `{shown}m`")
                } else {
                    format!("multiply it by a unit: `{shown} * 1s`, or declare it as a duration")
                })
            }
            (Type::Size, Type::Int) if one_line => {
                let number = matches!(self.file.expr(id).kind, ExprKind::Int(_));
                Some(if number {
                    format!("say of what: `{shown}MiB`")
                } else {
                    format!("multiply it by a unit: `{shown} * 1MiB`")
                })
            }
            (Type::String, Type::List(item)) if item.is_text() && one_line => {
                Some(format!("join it: `{shown}.join(\", \")`, or take one: `{shown}[0]`"))
            }
            (Type::Int, found) if found.is_string() => match self.plain(id) {
                Some(text) if text.parse::<i64>().is_ok() => {
                    Some(format!("without quotes: `{text}`"))
                }
                Some(_) => None,
                None => Some(format!("the number in it: `{shown}.to_int()`")),
            },
            (Type::Bool, found) if found.is_string() => self
                .plain(id)
                .filter(|t| t == "true" || t == "false")
                .map(|t| format!("without quotes: `{t}`")),
            (Type::Duration | Type::Size | Type::Float, found) if found.is_string() => self
                .plain(id)
                .filter(|text| reads_as(text, &wanted.required()))
                .map(|text| format!("without quotes: `{text}`")),
            (Type::Int, Type::Float) => Some(format!("without its fraction: `{shown}.to_int()`")),
            (Type::List(item), found) if found.fits(&item) && one_line => {
                Some(format!("a list of one: `[{shown}]`"))
            }
            (Type::Literals(_), found) if found.is_string() => Some(
                "a text fits only where it is written out; declare it with the union's type"
                    .to_owned(),
            ),
            _ => None,
        };
        problem.help_if(help)
    }
}

/// Whether a text would be a literal of a type without its quotes.
fn reads_as(text: &str, wanted: &Type) -> bool {
    let parsed = pipe_grammar::parse(SourceId::default(), &format!("let value = {text}"));
    let kind = parsed.file.items.first().map(|item| &item.kind);
    let Some(ItemKind::Let(binding)) = kind.filter(|_| parsed.problems.is_empty()) else {
        return false;
    };
    matches!(
        (&parsed.file.expr(binding.value).kind, wanted),
        (ExprKind::Duration(_), Type::Duration)
            | (ExprKind::Size(_), Type::Size)
            | (ExprKind::Int(_) | ExprKind::Float(_), Type::Float)
    )
}

/// A value of a type, for an example.
fn example(ty: &Type) -> String {
    match ty {
        Type::String | Type::Hidden | Type::Texts => "\"…\"".to_owned(),
        Type::Path | Type::Globs => "\".\"".to_owned(),
        Type::App => "\"marathon.json\"".to_owned(),
        Type::Int => "1".to_owned(),
        Type::Float => "1.0".to_owned(),
        Type::Bool => "true".to_owned(),
        Type::Duration => "5m".to_owned(),
        Type::Size => "128MiB".to_owned(),
        Type::List(item) => format!("[{}]", example(item)),
        Type::Literals(members) => members.first().map_or(String::new(), ToString::to_string),
        Type::Map(_) | Type::Environment | Type::Record(_) => "{ … }".to_owned(),
        _ => "…".to_owned(),
    }
}

fn ordinal(number: usize) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        other => format!("{other}th"),
    }
}

fn unknown_argument(
    function: &str,
    name: &pipe_grammar::tree::Name,
    parameters: &[Parameter],
    given: &[Text],
    arguments: &[Argument],
) -> Diagnostic {
    let taken = |p: &&Parameter| {
        given.contains(&p.name)
            || arguments.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == p.name))
    };
    let free: Vec<&str> = parameters.iter().filter(|p| !taken(p)).map(|p| &*p.name).collect();
    let what = format!("`{function}` has no argument `{}`", name.text);
    let problem = Diagnostic::error(Code::UNKNOWN_ARGUMENT, name.span, what)
        .label("unknown argument")
        .help_if(did_you_mean(&name.text, free.iter().copied()));
    if parameters.is_empty() {
        return problem.help("it takes none");
    }
    if free.is_empty() || free.len() > 16 {
        return problem;
    }
    problem.help(format!("not yet given: {}", free.join(", ")))
}
