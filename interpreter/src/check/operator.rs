//! Operators between two values.

use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{BinaryOp, ExprId, ExprKind},
};
use pipe_stdlib::core::{Glob, Literal, Type};

use super::{Checker, literal};

impl Checker<'_> {
    /// The type of `left op right`, for every operator but `and`, `or` and `??`.
    pub(super) fn operator(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: ExprId,
        right: ExprId,
    ) -> Type {
        let a = self.expr(left, None);
        let a = self.something(left, a);
        if op == BinaryOp::Matches {
            return self.matches(left, &a, right);
        }
        if op == BinaryOp::In {
            return self.contained(left, &a, right);
        }
        let b = self.expr(right, compared(op, &a).as_ref());
        let b = self.something(right, b);
        if a == Type::Unknown || b == Type::Unknown {
            return unknown_result(op);
        }
        let result = match op {
            BinaryOp::Equal | BinaryOp::NotEqual => return self.equal(op, left, &a, right, &b),
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                ordered(&a, &b).then_some(Type::Bool)
            }
            BinaryOp::Range => (a == Type::Int && b == Type::Int).then(|| Type::list(Type::Int)),
            BinaryOp::Add => add(&a, &b),
            BinaryOp::Subtract => subtract(&a, &b),
            BinaryOp::Multiply => multiply(&a, &b),
            BinaryOp::Divide => (is_number(&a) && is_number(&b)).then_some(Type::Float),
            _ => Some(Type::Unknown),
        };
        result.unwrap_or_else(|| {
            let problem = self.wrong_operands(op, op_span, left, &a, right, &b);
            self.report(problem);
            unknown_result(op)
        })
    }

    fn wrong_operands(
        &self,
        op: BinaryOp,
        op_span: Span,
        left: ExprId,
        a: &Type,
        right: ExprId,
        b: &Type,
    ) -> Diagnostic {
        let optional =
            [(left, a), (right, b)].into_iter().find(|(_, t)| matches!(t, Type::Optional(_)));
        if let Some((id, ty)) = optional {
            let span = self.span(id);
            let shown = self.slice(span);
            let what = format!("`{shown}` may be null, and `{}` takes no null", op.symbol());
            return Diagnostic::error(Code::OPTIONAL_VALUE, span, what)
                .label(format!("this is {}", literal::a(ty)))
                .help(format!("say what stands there then: `({shown} ?? …)`"));
        }
        let what = format!("`{}` can't take {} and {}", op.symbol(), literal::a(a), literal::a(b));
        let problem = Diagnostic::error(Code::WRONG_OPERANDS, op_span, what)
            .also(self.span(left), format!("this is {}", literal::a(a)))
            .also(self.span(right), format!("this is {}", literal::a(b)));
        let shown = |id| self.slice(self.span(id));
        match (op, a, b) {
            (BinaryOp::Add, Type::List(_), item) if !matches!(item, Type::List(_)) => {
                return problem.help(format!("write `{} + [{}]`", shown(left), shown(right)));
            }
            (_, Type::Duration, Type::Int) => {
                return problem.help(format!("say of what: `{}s`", shown(right)));
            }
            (_, Type::Size, Type::Int) => {
                return problem.help(format!("say of what: `{}MiB`", shown(right)));
            }
            _ => {}
        }
        let text = |t: &Type| t.is_string() || *t == Type::Path;
        if op == BinaryOp::Add && (text(a) || text(b)) {
            let hole = |id| match self.plain(id) {
                Some(text) => text,
                None => format!("#{{{}}}", self.slice(self.span(id))),
            };
            return problem.help(format!("write `\"{}{}\"`", hole(left), hole(right)));
        }
        problem
    }

    /// Values of one type can be compared; a json with every scalar.
    fn equal(&mut self, op: BinaryOp, left: ExprId, a: &Type, right: ExprId, b: &Type) -> Type {
        for (id, ty) in [(left, a), (right, b)] {
            if ty.holds_secret() {
                let problem = self.compared_secret(id);
                self.report(problem);
                return Type::Bool;
            }
        }
        let (plain_a, plain_b) = (a.required(), b.required());
        let null = matches!(plain_a, Type::Null) || matches!(plain_b, Type::Null);
        if null {
            let (id, other) = if plain_a == Type::Null { (right, b) } else { (left, a) };
            if !other.takes_null() {
                let span = self.span(id);
                let shown = self.slice(span).to_owned();
                let always = if op == BinaryOp::Equal { "false" } else { "true" };
                self.report(
                    Diagnostic::warning(
                        Code::CONSTANT_CONDITION,
                        span,
                        format!("`{shown}` is never null"),
                    )
                    .label(format!("so this is always {always}")),
                );
            }
            return Type::Bool;
        }
        if let (Type::Literals(members), Some(text)) = (&plain_a, self.plain(right)) {
            if !members.contains(&Literal::Text(text.as_str().into())) {
                let problem = literal::outside(self.span(right), &text, members);
                self.report(problem);
            }
            return Type::Bool;
        }
        let json = plain_a == Type::Json || plain_b == Type::Json;
        if !json && !plain_a.fits(&plain_b) && !plain_b.fits(&plain_a) {
            let span = self.span(right);
            let number = self.plain(right).filter(|text| text.parse::<i64>().is_ok());
            let help = number
                .filter(|_| plain_a == Type::Int)
                .map(|text| format!("without quotes: `{text}`"));
            let what =
                format!("{} and {} are never equal", literal::a(&plain_a), literal::a(&plain_b));
            self.report(
                Diagnostic::error(Code::WRONG_OPERANDS, span, what)
                    .label(format!("this is {}", literal::a(b)))
                    .also(self.span(left), format!("this is {}", literal::a(a)))
                    .help_if(help),
            );
        }
        Type::Bool
    }

    fn compared_secret(&self, id: ExprId) -> Diagnostic {
        let span = self.span(id);
        let shown = self.slice(span);
        Diagnostic::error(Code::SECRET_LEAK, span, "a secret can't be compared")
            .label("the outcome would tell something of it")
            .help(format!("whether it is set, `{shown}.is_set` says"))
    }

    fn matches(&mut self, left: ExprId, a: &Type, right: ExprId) -> Type {
        self.glob_literal(right, &Type::String);
        let plain = a.required();
        if !(plain.is_string() || matches!(plain, Type::Path | Type::Unknown | Type::Json)) {
            let problem = if plain == Type::Secret {
                self.compared_secret(left)
            } else {
                let what = format!("`matches` takes a string, not {}", literal::a(a));
                Diagnostic::error(Code::WRONG_OPERANDS, self.span(left), what)
            };
            self.report(problem);
        }
        Type::Bool
    }

    /// The right side of `matches`: a pattern that is known now.
    pub(super) fn glob_literal(&mut self, id: ExprId, of: &Type) {
        self.expr(id, None);
        let span = self.span(id);
        let Some(pattern) = self.plain(id) else {
            self.report(
                Diagnostic::error(Code::WRONG_OPERANDS, span, "a pattern is written out")
                    .label("`matches` takes a text without `#{…}`")
                    .help("`*` is any run without `/`, `**` with it, `?` one, `{a,b}` either"),
            );
            return;
        };
        if !(of.is_string() || matches!(of, Type::Path | Type::Unknown)) {
            let what = format!("`matches` is for strings, not for {}", literal::a(of));
            self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
        }
        if let Err(why) = Glob::new(&pattern) {
            self.report(Diagnostic::error(Code::WRONG_OPERANDS, span, why));
        }
    }

    /// The limit of a parameter: `in 1..50`.
    pub(super) fn int_range(&mut self, id: ExprId, of: &Type) {
        let ty = self.expr(id, None);
        let span = self.span(id);
        let range =
            matches!(&self.file.expr(id).kind, ExprKind::Binary { op: BinaryOp::Range, .. });
        if !range && ty != Type::Unknown {
            self.report(
                Diagnostic::error(Code::WRONG_TYPE, span, "a limit is a range of ints")
                    .help("write `in 1..50`; for some values a union: `\"a\" | \"b\"`"),
            );
        } else if !matches!(of.required(), Type::Int | Type::Unknown) {
            let what = format!("a range limits ints, not {}", literal::a(of));
            self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
        }
    }

    fn contained(&mut self, left: ExprId, a: &Type, right: ExprId) -> Type {
        let wanted = Type::list(a.required());
        let b = self.expr(right, Some(&wanted));
        let item = match &b {
            Type::List(item) => (**item).clone(),
            Type::Map(_) => Type::String,
            Type::Json | Type::Unknown => return Type::Bool,
            other => {
                let span = self.span(right);
                let what =
                    format!("`in` looks into a list or a map, not into {}", literal::a(other));
                let help = other.is_string().then(|| {
                    format!(
                        "write `{}.contains({})`",
                        self.slice(span),
                        self.slice(self.span(left))
                    )
                });
                self.report(Diagnostic::error(Code::WRONG_OPERANDS, span, what).help_if(help));
                return Type::Bool;
            }
        };
        let plain = a.required();
        if plain == Type::Secret {
            let problem = self.compared_secret(left);
            self.report(problem);
        } else if !plain.fits(&item) && !item.fits(&plain) {
            let what = format!("{} is never in a list of {item}", literal::a(a));
            let span = self.span(left);
            self.report(Diagnostic::error(Code::WRONG_OPERANDS, span, what));
        }
        Type::Bool
    }
}

/// What the right side should be, given the left: so that a literal is a member of its union.
fn compared(op: BinaryOp, a: &Type) -> Option<Type> {
    match (op, a.required()) {
        // Outside the union is reported with the comparison.
        (BinaryOp::Equal | BinaryOp::NotEqual, Type::Path) => Some(Type::Path),
        (BinaryOp::Equal | BinaryOp::NotEqual, Type::Float) => Some(Type::Float),
        _ => None,
    }
}

fn unknown_result(op: BinaryOp) -> Type {
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply => Type::Unknown,
        BinaryOp::Range => Type::Unknown,
        BinaryOp::Divide => Type::Float,
        _ => Type::Bool,
    }
}

fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float)
}

fn numbers(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Int, Type::Int) => Some(Type::Int),
        (a, b) if is_number(a) && is_number(b) => Some(Type::Float),
        _ => None,
    }
}

fn ordered(a: &Type, b: &Type) -> bool {
    (is_number(a) && is_number(b))
        || (a == b && matches!(a, Type::Duration | Type::Size))
        || (a.is_string() && b.is_string())
        || (matches!(a, Type::Json) && (is_number(b) || b.is_string()))
        || (matches!(b, Type::Json) && (is_number(a) || a.is_string()))
}

fn add(a: &Type, b: &Type) -> Option<Type> {
    let text = |ty: &Type| ty.is_string() || matches!(ty, Type::Path | Type::Secret);
    match (a, b) {
        (a, b) if text(a) && text(b) => {
            let secret = *a == Type::Secret || *b == Type::Secret;
            Some(if secret { Type::Secret } else { Type::String })
        }
        (Type::List(_), Type::List(_)) => a.join(b),
        (Type::Duration, Type::Duration) | (Type::Size, Type::Size) => Some(a.clone()),
        (a, b) => numbers(a, b),
    }
}

fn subtract(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Duration, Type::Duration) | (Type::Size, Type::Size) => Some(a.clone()),
        (a, b) => numbers(a, b),
    }
}

fn multiply(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Duration | Type::Size, n) if is_number(n) => Some(a.clone()),
        (n, Type::Duration | Type::Size) if is_number(n) => Some(b.clone()),
        (a, b) => numbers(a, b),
    }
}
