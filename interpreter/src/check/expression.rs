//! The types of expressions.

use std::sync::Arc;

use pipe_grammar::{
    Code, Diagnostic,
    tree::{BinaryOp, Element, ExprId, ExprKind, Name, Piece, Text, UnaryOp},
};
use pipe_stdlib::core::{FieldType, Literal, RecordType, Type};

use super::{Checker, Target, global::Kind, literal, suggest};

impl Checker<'_> {
    /// The type of an expression. `wanted` is what its place asks for: a literal becomes that
    /// where it can. Whether the type fits is for [`Checker::expect`].
    pub(super) fn expr(&mut self, id: ExprId, wanted: Option<&Type>) -> Type {
        let ty = self.infer(id, wanted);
        self.checked.types[id.0 as usize] = ty.clone();
        ty
    }

    /// Checks an expression whose value must be of a type; `what` names its place.
    pub(super) fn expect(&mut self, id: ExprId, wanted: &Type, what: &str) -> Type {
        let found = self.expr(id, Some(wanted));
        if found == Type::Nothing {
            self.something(id, found);
        } else if !found.fits(wanted) {
            let problem = self.mismatch(id, &found, wanted, what);
            self.report(problem);
        }
        wanted.clone()
    }

    /// A step that answers nothing is no value.
    pub(super) fn something(&mut self, id: ExprId, ty: Type) -> Type {
        if ty != Type::Nothing {
            return ty;
        }
        let span = self.span(id);
        self.report(
            Diagnostic::error(Code::WRONG_TYPE, span, "this gives no value")
                .label("it acts, and answers nothing")
                .help("call it as a statement of its own"),
        );
        Type::Unknown
    }

    fn infer(&mut self, id: ExprId, wanted: Option<&Type>) -> Type {
        let file = self.file;
        let inner = wanted.map(Type::required);
        match &file.expr(id).kind {
            ExprKind::Null => Type::Null,
            ExprKind::Bool(_) => Type::Bool,
            ExprKind::Int(value) => match inner {
                Some(Type::Float) => Type::Float,
                Some(Type::Literals(members)) => literal::int(*value, &members),
                _ => Type::Int,
            },
            ExprKind::Float(_) => Type::Float,
            ExprKind::Duration(_) => Type::Duration,
            ExprKind::Size(_) => Type::Size,
            ExprKind::String { pieces, .. } => self.string(id, pieces, inner.as_ref()),
            ExprKind::Name(name) => self.name(id, name),
            ExprKind::List(elements) => self.list(elements, inner.as_ref()),
            ExprKind::Comprehension { item, loops, condition } => self.scoped(|this| {
                this.loops(loops);
                let facts = condition.map(|c| this.condition(c).when_true).unwrap_or_default();
                if let Some(condition) = *condition {
                    this.constant(condition, ["this list has every item", "this list is empty"]);
                }
                let wanted = match &inner {
                    Some(Type::List(item)) => Some((**item).clone()),
                    _ => None,
                };
                let item_type = this.knowing(facts, |this| this.expr(*item, wanted.as_ref()));
                Type::list(this.something(*item, item_type))
            }),
            ExprKind::Record(fields) => self.record(id, fields, inner.as_ref()),
            ExprKind::Call { callee, arguments, parens } => {
                self.call(id, *callee, arguments, *parens)
            }
            ExprKind::Member { base, name } => self.member(id, *base, name),
            ExprKind::Index { base, index } => self.index(*base, *index),
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                self.condition_value(*operand);
                Type::Bool
            }
            ExprKind::Unary { op: UnaryOp::Negate, operand } => self.negate(*operand),
            ExprKind::Binary { op, op_span, left, right } => {
                self.binary(id, *op, *op_span, *left, *right, wanted)
            }
            ExprKind::If { condition, then, otherwise } => {
                let facts = self.condition(*condition);
                self.constant(
                    *condition,
                    ["this is always the value of `then`", "this is always the value of `else`"],
                );
                let a = self.knowing(facts.when_true, |this| this.expr(*then, wanted));
                let b = self.knowing(facts.when_false, |this| this.expr(*otherwise, wanted));
                let (a, b) = (self.something(*then, a), self.something(*otherwise, b));
                a.join(&b).unwrap_or_else(|| {
                    let problem = self.different_branches(*then, &a, *otherwise, &b);
                    self.report(problem);
                    Type::Unknown
                })
            }
            ExprKind::Capture(command) => {
                self.step_allowed(id, "`$(…)` runs a command");
                self.command(command);
                Type::String
            }
            ExprKind::Fail(text) => {
                self.expect(*text, &Type::String, "`fail`");
                Type::Unknown
            }
            ExprKind::Group(inner) => self.expr(*inner, wanted),
            ExprKind::Broken => Type::Unknown,
        }
    }

    /// The texts of a string and what stands in its holes.
    fn string(&mut self, id: ExprId, pieces: &[Piece], wanted: Option<&Type>) -> Type {
        let mut secret = false;
        let mut holes = false;
        for piece in pieces {
            if let Piece::Hole(hole, _) = piece {
                holes = true;
                let ty = self.expr(*hole, None);
                let ty = self.something(*hole, ty);
                secret |= ty == Type::Secret;
                self.text_hole(*hole, &ty);
            }
        }
        self.dollar_names(pieces);
        if secret {
            return Type::Secret;
        }
        match wanted {
            Some(Type::Path | Type::Globs | Type::App) => Type::Path,
            Some(Type::List(item)) if **item == Type::Path => Type::String,
            Some(Type::Literals(members)) if !holes => {
                let text = self.plain(id).unwrap_or_default();
                let member = Literal::Text(text.as_str().into());
                if members.contains(&member) {
                    return Type::Literals([member].into());
                }
                if members.iter().any(|m| matches!(m, Literal::Text(_))) {
                    let problem = literal::outside(self.span(id), &text, members);
                    self.report(problem);
                    return Type::Unknown;
                }
                Type::String
            }
            _ => Type::String,
        }
    }

    /// The text of a string without holes.
    pub(super) fn plain(&self, id: ExprId) -> Option<String> {
        match &self.file.expr(id).kind {
            ExprKind::Group(inner) => self.plain(*inner),
            ExprKind::String { pieces, .. } => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text, _) => Some(&**text),
                    Piece::Hole(..) => None,
                })
                .collect::<Option<String>>(),
            _ => None,
        }
    }

    /// Only what has one plain text may stand in `#{…}`.
    pub(super) fn text_hole(&mut self, hole: ExprId, ty: &Type) {
        let span = self.span(hole);
        let shown = self.slice(span).to_owned();
        let problem = match ty {
            ty if ty.is_text() => return,
            Type::Optional(inner) => {
                let what = format!("`{shown}` may be null, and null has no text");
                let other = if inner.is_string() { "\"…\"" } else { "…" };
                Diagnostic::error(Code::OPTIONAL_VALUE, span, what)
                    .label(format!("this is {}", literal::a(ty)))
                    .help(format!("say what stands there then: `#{{{shown} ?? {other}}}`"))
            }
            Type::Duration => {
                Diagnostic::error(Code::WRONG_TYPE, span, "a duration needs a unit to become text")
                    .label("this is a duration")
                    .help(format!("write `#{{{shown}.seconds}}` or `#{{{shown}.millis}}`"))
            }
            Type::Size => {
                Diagnostic::error(Code::WRONG_TYPE, span, "a size needs a unit to become text")
                    .label("this is a size")
                    .help(format!("write `#{{{shown}.bytes}}`"))
            }
            Type::List(_) => Diagnostic::error(Code::WRONG_TYPE, span, "a list has no single text")
                .label(format!("this is a {ty}"))
                .help(format!("join it: `#{{{shown}.join(\", \")}}`")),
            ty => Diagnostic::error(
                Code::WRONG_TYPE,
                span,
                format!("{} has no single text", literal::a(ty)),
            )
            .label(format!("this is {}", literal::a(ty)))
            .help_if(
                matches!(ty, Type::Record(_))
                    .then_some("take one of its fields, or `json.format(…)`"),
            ),
        };
        self.report(problem);
    }

    fn name(&mut self, id: ExprId, name: &Text) -> Type {
        let known = self.known_as(name);
        if let Some(ty) = self.local(name) {
            return known.unwrap_or(ty);
        }
        let span = self.span(id);
        if let Some(kind) = self.global(name).map(|global| global.kind) {
            let full = self.qualified(name);
            self.use_global(&full);
            return match kind {
                Kind::Param | Kind::Let | Kind::Secret => {
                    self.checked.targets.insert(id, Target::Global(full.clone()));
                    let ty = self.global_type(&full);
                    known.unwrap_or(ty)
                }
                Kind::Function => {
                    self.report(
                        Diagnostic::error(
                            Code::WRONG_TYPE,
                            span,
                            format!("the function `{name}` is no value"),
                        )
                        .help(format!("call it: `{name}(…)`")),
                    );
                    Type::Unknown
                }
                Kind::Type => {
                    let what = format!("the type `{name}` is no value");
                    self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
                    Type::Unknown
                }
                Kind::Stage(_) => {
                    let what = format!("the stage `{name}` is no value");
                    let help = format!(
                        "read one of its outputs: `{name}.…`, or wait for it with `needs {name}`"
                    );
                    self.report(Diagnostic::error(Code::WRONG_TYPE, span, what).help(help));
                    Type::Unknown
                }
            };
        }
        if let Some(ty) = self.special(id, name) {
            return ty;
        }
        if self.module_prefix(name).is_some() {
            let what = format!("the import `{name}` is no value");
            self.report(
                Diagnostic::error(Code::WRONG_TYPE, span, what)
                    .help(format!("take something of it: `{name}.…`")),
            );
            return Type::Unknown;
        }
        if self.is_broken_name(name) {
            return Type::Unknown;
        }
        let problem = self.unknown_name(name, span);
        self.report(problem);
        // Whoever misspells a name uses it.
        let names: Vec<Text> = self.globals.keys().cloned().collect();
        for meant in pipe_grammar::diagnostic::similar(name, names.iter().map(|name| &**name)) {
            if let Some(global) = self.globals.get_mut(meant) {
                global.used = true;
            }
            self.local(meant);
        }
        Type::Unknown
    }

    /// `pipeline`, `failure`, and facts without a module.
    fn special(&mut self, id: ExprId, name: &str) -> Option<Type> {
        if name == "pipeline" {
            return Some(literal::pipeline());
        }
        if matches!(name, "failure" | "failures") {
            if self.place.failure {
                let failure = literal::failure();
                return Some(if name == "failure" { failure } else { Type::list(failure) });
            }
            let span = self.span(id);
            self.report(
                Diagnostic::error(
                    Code::UNKNOWN_NAME,
                    span,
                    format!("`{name}` is there only when something has failed"),
                )
                .label("nothing has failed here")
                .help("read it in `on failure { … }`"),
            );
            return Some(Type::Unknown);
        }
        if let Some(builtin) = self.library.find(None, name) {
            let span = self.span(id);
            let full = self.library.signature(builtin).written(name);
            self.report(
                Diagnostic::error(
                    Code::WRONG_TYPE,
                    span,
                    format!("the function `{name}` is no value"),
                )
                .help(format!("call it: `{full}`")),
            );
            return Some(Type::Unknown);
        }
        if let Some(module) = self.library.module(name) {
            let span = self.span(id);
            self.report(
                Diagnostic::error(
                    Code::WRONG_TYPE,
                    span,
                    format!("the module `{name}` is no value"),
                )
                .help(format!("`{name}` offers: {}", suggest::offers(module))),
            );
            return Some(Type::Unknown);
        }
        None
    }

    /// Notes that what is checked mentions a name of the file.
    pub(super) fn use_global(&mut self, name: &Text) {
        let Some(global) = self.globals.get_mut(name) else { return };
        // A thing that mentions itself is not used by that.
        if self.place.user.as_ref() == Some(name) {
            return;
        }
        global.used = true;
        let kind = global.kind;
        if let Some(user) = &self.place.user {
            let guarded = kind == Kind::Secret && self.is_known_set(name);
            if !guarded {
                let uses = self.checked.uses.entry(user.clone()).or_default();
                uses.names.insert(name.clone());
            }
        }
    }

    fn list(&mut self, elements: &[Element], wanted: Option<&Type>) -> Type {
        let item = match wanted {
            Some(Type::List(item)) => Some((**item).clone()),
            Some(Type::Texts) => Some(Type::String),
            Some(Type::Globs) => Some(Type::Path),
            _ => None,
        };
        let mut all: Option<Type> = item.clone();
        for element in elements {
            let (id, ty) = match *element {
                Element::Item(id) => (id, self.expr(id, item.as_ref())),
                Element::If(id, condition) => {
                    let facts = self.condition(condition);
                    let outcomes = ["this item is always there", "this item is never there"];
                    self.constant(condition, outcomes);
                    (id, self.knowing(facts.when_true, |this| this.expr(id, item.as_ref())))
                }
                Element::Spread(id) => {
                    let list = item.clone().map(Type::list);
                    let ty = self.expr(id, list.as_ref());
                    (id, self.items_of(id, &ty))
                }
            };
            let ty = self.something(id, ty);
            let pattern = wanted == Some(&Type::Globs) && ty.is_string();
            if let Some(item) = &item {
                if !ty.fits(item) && !pattern {
                    let problem = self.mismatch(id, &ty, item, "this list");
                    self.report(problem);
                }
                continue;
            }
            all = match all {
                None => Some(ty),
                Some(before) => match before.join(&ty) {
                    Some(joined) => Some(joined),
                    None => {
                        let problem = self.mismatch(id, &ty, &before, "this list");
                        self.report(problem);
                        Some(before)
                    }
                },
            };
        }
        Type::list(all.unwrap_or(Type::Unknown))
    }

    /// The type of what a list holds.
    pub(super) fn items_of(&mut self, id: ExprId, ty: &Type) -> Type {
        match ty {
            Type::List(item) => (**item).clone(),
            Type::Json => Type::Json,
            Type::Unknown => Type::Unknown,
            Type::Globs => Type::Path,
            other => {
                let span = self.span(id);
                let shown = self.slice(span).to_owned();
                let code = match other {
                    Type::Optional(_) => Code::OPTIONAL_VALUE,
                    _ => Code::WRONG_TYPE,
                };
                let (what, help) = match other {
                    Type::Optional(_) => {
                        (format!("`{shown}` may be null"), format!("write `{shown} ?? []`"))
                    }
                    Type::Map(_) => (
                        format!("`{shown}` is a map, not a list"),
                        format!("write `{shown}.keys()` or `{shown}.values()`"),
                    ),
                    Type::String => (
                        format!("`{shown}` is a string, not a list"),
                        format!("write `{shown}.lines()` or `{shown}.split(\",\")`"),
                    ),
                    Type::Int => (
                        "an int is no list".to_owned(),
                        format!("count with a range: `1..{shown}`"),
                    ),
                    _ => (format!("{} is no list", literal::a(other)), String::new()),
                };
                let problem = Diagnostic::error(code, span, what)
                    .label("a list was expected")
                    .help_if((!help.is_empty()).then_some(help));
                self.report(problem);
                Type::Unknown
            }
        }
    }

    /// The variables of `for … in …`, bound one inside the other.
    pub(super) fn loops(&mut self, loops: &[(Name, ExprId)]) {
        for (name, list) in loops {
            let ty = self.expr(*list, None);
            let item = self.items_of(*list, &ty);
            self.bind(name, item, false);
        }
    }

    fn index(&mut self, base: ExprId, index: ExprId) -> Type {
        let base_type = self.expr(base, None);
        match base_type {
            Type::List(item) => {
                self.expect(index, &Type::Int, "an index");
                (*item).clone()
            }
            Type::Map(value) => {
                self.expect(index, &Type::String, "a key");
                (*value).clone().optional()
            }
            Type::Json => {
                let ty = self.expr(index, None);
                if !matches!(ty, Type::Int | Type::Json | Type::Unknown) && !ty.is_string() {
                    let problem = self.mismatch(index, &ty, &Type::Int, "an index");
                    self.report(problem);
                }
                Type::Json
            }
            Type::Unknown => {
                self.expr(index, None);
                Type::Unknown
            }
            other => {
                self.expr(index, None);
                let span = self.span(base);
                let what = format!("{} can't be looked into by `[…]`", literal::a(&other));
                let help = matches!(other, Type::Record(_)).then_some("a field is `.name`");
                self.report(Diagnostic::error(Code::WRONG_TYPE, span, what).help_if(help));
                Type::Unknown
            }
        }
    }

    fn negate(&mut self, operand: ExprId) -> Type {
        let ty = self.expr(operand, None);
        if matches!(ty, Type::Int | Type::Float | Type::Unknown) {
            return ty;
        }
        let span = self.span(operand);
        let what = format!("`-` takes a number, not {}", literal::a(&ty));
        self.report(Diagnostic::error(Code::WRONG_OPERANDS, span, what));
        Type::Unknown
    }

    fn different_branches(
        &self,
        then: ExprId,
        a: &Type,
        otherwise: ExprId,
        b: &Type,
    ) -> Diagnostic {
        let what = "the two branches of this `if` have different types";
        Diagnostic::error(Code::WRONG_TYPE, self.span(otherwise), what)
            .label(format!("this is {}", literal::a(b)))
            .also(self.span(then), format!("this is {}", literal::a(a)))
    }

    /// What an operator joins two sides to.
    pub(super) fn otherwise(
        &mut self,
        id: ExprId,
        left: ExprId,
        right: ExprId,
        wanted: Option<&Type>,
    ) -> Type {
        let wanted_left = wanted.map(|ty| ty.clone().optional());
        // What only waits for an output does not need its stage.
        let a = self.soft(|this| this.expr(left, wanted_left.as_ref()));
        let a = self.something(left, a);
        let b = self.expr(right, wanted);
        let b = self.something(right, b);
        if !a.takes_null() {
            let span = self.span(left);
            let shown = self.slice(span).to_owned();
            self.report(
                Diagnostic::warning(
                    Code::CONSTANT_CONDITION,
                    span,
                    format!("`{shown}` is never null"),
                )
                .label(format!("this is {}", literal::a(&a)))
                .help("remove the `??` and what stands behind it"),
            );
            return a;
        }
        let required = match &a {
            Type::Null => b.clone(),
            other => other.required(),
        };
        required.join(&b).unwrap_or_else(|| {
            let span = self.span(id);
            let what = "the two sides of `??` have different types";
            self.report(Diagnostic::error(Code::WRONG_OPERANDS, span, what).label(format!(
                "{} on the left, {} on the right",
                literal::a(&required),
                literal::a(&b)
            )));
            Type::Unknown
        })
    }

    /// The type of a binary operation; the operators have a file of their own.
    fn binary(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        op_span: pipe_grammar::Span,
        left: ExprId,
        right: ExprId,
        wanted: Option<&Type>,
    ) -> Type {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                self.condition(id);
                Type::Bool
            }
            BinaryOp::Otherwise => self.otherwise(id, left, right, wanted),
            _ => self.operator(op, op_span, left, right),
        }
    }
}

/// `{ name: T, … }` with a name of its own.
pub(super) fn record_type(name: &str, fields: &[(&str, Type)]) -> Type {
    Type::Record(Arc::new(RecordType {
        name: Some(name.into()),
        fields: fields
            .iter()
            .map(|(name, ty)| FieldType {
                name: (*name).into(),
                ty: ty.clone(),
                optional: false,
                default: None,
            })
            .collect(),
    }))
}
