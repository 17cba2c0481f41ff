//! What a file declares at its top: names, in any order, each once.

use pipe_grammar::{
    Code, Diagnostic, SourceId, Span,
    tree::{ExprId, ItemKind, Limit, Name, Param, Text},
};
use pipe_stdlib::core::{Signature, Type};

use super::{Checker, Place};

/// A name of the file.
pub(super) struct Global {
    /// Where it is declared.
    pub(super) span: Span,
    /// Its place among the items.
    item: usize,
    /// The text that declares it.
    source: SourceId,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether anything mentions it.
    pub(super) used: bool,
    state: State,
}

/// What a name of the file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Param,
    Secret,
    Let,
    Function,
    Type,
    /// With its number among the stages.
    Stage(usize),
}

/// How far the type of a name is known: names may stand in any order.
enum State {
    Unknown,
    UnderWay,
    Known(Type),
    Function(Box<Signature>, bool),
}

impl Kind {
    /// As a message calls it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Param => "parameter",
            Self::Secret => "secret",
            Self::Let => "binding",
            Self::Function => "function",
            Self::Type => "type",
            Self::Stage(_) => "stage",
        }
    }
}

impl Checker<'_> {
    /// The whole file, in an order that lets every message know what it needs.
    pub(super) fn run(&mut self) {
        self.collect();
        self.connections();
        let names: Vec<Text> = self.globals.keys().cloned().collect();
        for name in &names {
            match self.globals[name].kind {
                Kind::Stage(_) | Kind::Function => {}
                _ => {
                    self.global_type(name);
                }
            }
        }
        for name in &names {
            if self.globals[name].kind == Kind::Function {
                self.function_signature(name);
            }
        }
        self.stages();
        self.handlers();
        self.requirements();
        self.unused();
    }

    fn collect(&mut self) {
        let mut stages = 0;
        let mut pipeline: Option<Span> = None;
        for (number, item) in self.file.items.iter().enumerate() {
            let (name, kind) = match &item.kind {
                ItemKind::Param(param) => (&param.name, Kind::Param),
                ItemKind::Secret(secret) => (&secret.name, Kind::Secret),
                ItemKind::Let(binding) => (&binding.name, Kind::Let),
                ItemKind::Function(function) => (&function.name, Kind::Function),
                ItemKind::Type(alias) => (&alias.name, Kind::Type),
                ItemKind::Stage(stage) => {
                    stages += 1;
                    (&stage.name, Kind::Stage(stages - 1))
                }
                ItemKind::Pipeline(_) => {
                    if let Some(first) = pipeline.replace(item.span) {
                        self.report(
                            Diagnostic::error(
                                Code::DUPLICATE_NAME,
                                item.span,
                                "a file has one `pipeline`",
                            )
                            .label("the second one")
                            .also(first, "the first one")
                            .help("join the two"),
                        );
                    }
                    continue;
                }
                ItemKind::Edition(_) if number > 0 && item.span.source == self.file.source => {
                    self.report(
                        Diagnostic::error(Code::MISPLACED, item.span, "`edition` stands first")
                            .label("not the first statement")
                            .help("move it to the first line"),
                    );
                    continue;
                }
                _ => continue,
            };
            if let Some(first) = self.globals.get(&name.text) {
                let problem = duplicate(name, kind, first);
                self.report(problem);
                continue;
            }
            let global = Global {
                span: name.span,
                item: number,
                source: item.span.source,
                kind,
                used: false,
                state: State::Unknown,
            };
            self.globals.insert(name.text.clone(), global);
        }
        self.shadowed_imports();
    }

    /// A name of the file that an import has too.
    fn shadowed_imports(&mut self) {
        let mut problems = Vec::new();
        for module in self.modules {
            let own = self.modules.iter().find(|m| m.source == module.importer);
            let full = own.map_or_else(
                || module.alias.to_string(),
                |m| format!("{}{}", m.prefix, module.alias),
            );
            if let Some(global) = self.globals.get(full.as_str()) {
                let what = format!("`{}` is an import and a {}", module.alias, global.kind.noun());
                problems.push(
                    Diagnostic::error(Code::DUPLICATE_NAME, global.span, what)
                        .label("called so again")
                        .also(module.span, "imported here"),
                );
            }
        }
        problems.into_iter().for_each(|problem| self.report(problem));
    }

    /// The type of a param, secret or let.
    pub(super) fn global_type(&mut self, name: &Text) -> Type {
        let Some(global) = self.globals.get_mut(name) else { return Type::Unknown };
        match &global.state {
            State::Known(ty) => return ty.clone(),
            State::Function(..) => return Type::Unknown,
            State::UnderWay => {
                let span = global.span;
                let problem =
                    Diagnostic::error(Code::CYCLE, span, format!("`{name}` needs itself"))
                        .label(self.ring(name));
                self.report(problem);
                return Type::Unknown;
            }
            State::Unknown => {}
        }
        global.state = State::UnderWay;
        let source = global.source;
        let item = &self.file.items[global.item].kind;
        self.under_way.push(name.clone());
        let place = Place { source, user: Some(name.clone()), ..Place::default() };
        let scopes = std::mem::take(&mut self.scopes);
        let narrowed = std::mem::take(&mut self.narrowed);
        let ty = self.within(place, |this| match item {
            ItemKind::Param(param) => this.param(param),
            ItemKind::Secret(secret) => this.secret_source(secret),
            ItemKind::Let(binding) => match &binding.ty {
                Some(written) => {
                    let wanted = this.written(written);
                    this.expect(binding.value, &wanted, &format!("`{}`", binding.name.text));
                    wanted
                }
                None => {
                    let ty = this.expr(binding.value, None);
                    this.plain_secret(binding);
                    this.something(binding.value, ty)
                }
            },
            ItemKind::Type(alias) => this.written(&alias.ty),
            _ => Type::Unknown,
        });
        self.scopes = scopes;
        self.narrowed = narrowed;
        self.under_way.pop();
        if let Some(global) = self.globals.get_mut(name) {
            global.state = State::Known(ty.clone());
        }
        ty
    }

    /// `one -> two -> one`: how a name comes back to itself.
    fn ring(&self, name: &Text) -> String {
        let start = self.under_way.iter().rposition(|known| known == name).unwrap_or(0);
        let names = self.under_way[start..].iter().chain([name]).map(|name| &**name);
        names.collect::<Vec<_>>().join(" -> ")
    }

    /// The expression that a `let` of the file binds a name to.
    pub(super) fn bound_to(&self, name: &str) -> Option<ExprId> {
        match &self.file.items[self.globals.get(name)?.item].kind {
            ItemKind::Let(binding) => Some(binding.value),
            _ => None,
        }
    }

    /// A type of the file.
    pub(super) fn named_type(&mut self, module: Option<&str>, name: &str) -> Option<Type> {
        let full = match module {
            Some(module) => Text::from(format!("{}{name}", self.module_prefix(module)?)),
            None => self.qualified(name),
        };
        let (name, global) = self.globals.get_key_value(&full)?;
        if global.kind != Kind::Type {
            return None;
        }
        let name = name.clone();
        let ty = self.global_type(&name);
        if let Some(global) = self.globals.get_mut(&name) {
            global.used = true;
        }
        Some(match ty {
            Type::Record(record) => {
                let mut record = (*record).clone();
                record.name = Some(name);
                Type::Record(record.into())
            }
            other => other,
        })
    }

    fn param(&mut self, param: &Param) -> Type {
        let ty = self.written(&param.ty);
        if ty.holds_secret() {
            let name = &param.name.text;
            self.report(
                Diagnostic::error(Code::WRONG_TYPE, param.ty.span, "a parameter can't be a secret")
                    .label("its value would stand in the command line")
                    .help(format!("declare `secret {name} = env(\"{}\")`", name.to_uppercase())),
            );
            return Type::Secret;
        }
        if let Some(default) = param.default {
            self.expect(default, &ty, &format!("`{}`", param.name.text));
        }
        match param.limit {
            Some(Limit::In(range)) => {
                self.int_range(range, &ty);
                self.default_in(param, range);
            }
            Some(Limit::Matches(glob)) => {
                self.glob_literal(glob, &ty);
                self.default_matches(param, glob);
            }
            None => {}
        }
        ty
    }

    fn requirements(&mut self) {
        for item in &self.file.items {
            if let ItemKind::Require(require) = &item.kind {
                let place = Place { user: Some("require".into()), ..Place::default() };
                self.within(place, |this| {
                    this.condition(require.condition);
                    this.constant_requirement(require.condition);
                    this.expect(require.message, &Type::String, "the message");
                });
            }
        }
    }

    /// The signature of a function, and whether it holds steps.
    pub(super) fn function_signature(&mut self, name: &Text) -> Option<(Signature, bool)> {
        let global = self.globals.get_mut(name)?;
        match &global.state {
            State::Function(signature, steps) => return Some(((**signature).clone(), *steps)),
            State::UnderWay => {
                let span = global.span;
                let problem = Diagnostic::error(
                    Code::CYCLE,
                    span,
                    format!("`{name}` calls itself"),
                )
                .label(self.ring(name))
                .help("functions end because none comes back to itself: use `for` over a list");
                self.report(problem);
                return None;
            }
            _ => {}
        }
        global.state = State::UnderWay;
        let source = global.source;
        let ItemKind::Function(function) = &self.file.items[global.item].kind else { return None };
        self.under_way.push(name.clone());
        let (signature, steps) = self.function(function, source);
        self.under_way.pop();
        if let Some(global) = self.globals.get_mut(name) {
            global.state = State::Function(Box::new(signature.clone()), steps);
        }
        Some((signature, steps))
    }
}

fn duplicate(name: &Name, kind: Kind, first: &Global) -> Diagnostic {
    let message =
        if kind == first.kind || matches!((kind, first.kind), (Kind::Stage(_), Kind::Stage(_))) {
            format!("two {}s are called `{}`", kind.noun(), name.text)
        } else {
            format!("a {} and a {} are called `{}`", first.kind.noun(), kind.noun(), name.text)
        };
    Diagnostic::error(Code::DUPLICATE_NAME, name.span, message)
        .label("called so again")
        .also(first.span, "the first one")
        .help("rename one of them")
}
