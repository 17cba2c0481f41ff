//! What a condition lets one know: where `x != null` holds, `x` is not null.

use pipe_grammar::{
    Code, Diagnostic,
    tree::{BinaryOp, ExprId, ExprKind, UnaryOp},
};
use pipe_stdlib::core::Type;

use super::{Checker, Target, literal};

/// What is known where a condition holds, and where it does not: a name or fact path, its type.
#[derive(Default)]
pub(super) struct Known {
    pub(super) when_true: Vec<(String, Type)>,
    pub(super) when_false: Vec<(String, Type)>,
}

impl Checker<'_> {
    /// Checks a condition as a value of its own.
    pub(super) fn condition_value(&mut self, id: ExprId) {
        self.condition(id);
    }

    /// Checks a condition, and says what it lets one know.
    pub(super) fn condition(&mut self, id: ExprId) -> Known {
        let file = self.file;
        let known = match &file.expr(id).kind {
            ExprKind::Group(inner) => self.condition(*inner),
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                let known = self.condition(*operand);
                Known { when_true: known.when_false, when_false: known.when_true }
            }
            ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
                let a = self.condition(*left);
                let b = self.knowing(a.when_true.clone(), |this| this.condition(*right));
                let when_true = a.when_true.into_iter().chain(b.when_true).collect();
                Known { when_true, when_false: Vec::new() }
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right, .. } => {
                let a = self.condition(*left);
                let b = self.knowing(a.when_false.clone(), |this| this.condition(*right));
                let when_false = a.when_false.into_iter().chain(b.when_false).collect();
                Known { when_true: Vec::new(), when_false }
            }
            ExprKind::Binary { op, left, right, .. } => {
                let (op, left, right) = (*op, *left, *right);
                self.bool(id);
                self.compared_names(op, left, right)
            }
            _ => {
                self.bool(id);
                let is_set = match self.checked.targets.get(&id) {
                    Some(Target::IsSet(name)) => vec![(format!("{name}.is_set"), Type::Bool)],
                    _ => Vec::new(),
                };
                Known { when_true: is_set, when_false: Vec::new() }
            }
        };
        self.checked.types[id.0 as usize] = Type::Bool;
        known
    }

    fn bool(&mut self, id: ExprId) {
        let ty = self.expr(id, None);
        if matches!(ty, Type::Bool | Type::Unknown | Type::Json) {
            return;
        }
        let span = self.span(id);
        let shown = self.slice(span).to_owned();
        let help = match &ty {
            Type::Optional(_) => Some(format!("write `{shown} != null`")),
            Type::Secret => Some(format!("write `{shown}.is_set`")),
            Type::List(_) => Some(format!("write `{shown}.length() > 0`")),
            ty if ty.is_string() => Some(format!("write `{shown} != \"\"`")),
            Type::Int => Some(format!("write `{shown} != 0`")),
            _ => None,
        };
        let what = format!("a condition is a bool, not {}", literal::a(&ty));
        let problem = Diagnostic::error(Code::WRONG_TYPE, span, what)
            .label(format!("this is {}", literal::a(&ty)))
            .help_if(help);
        self.report(problem);
    }

    fn compared_names(&mut self, op: BinaryOp, left: ExprId, right: ExprId) -> Known {
        let null = |this: &Self, id| matches!(this.file.expr(id).kind, ExprKind::Null);
        let (name, other) = if null(self, left) { (right, left) } else { (left, right) };
        let Some(path) = self.path(name) else { return Known::default() };
        let required = self.checked.types[name.0 as usize].required();
        let fact = vec![(path, required)];
        match op {
            BinaryOp::NotEqual if null(self, other) => {
                Known { when_true: fact, when_false: Vec::new() }
            }
            BinaryOp::Equal if null(self, other) => {
                Known { when_true: Vec::new(), when_false: fact }
            }
            BinaryOp::Equal if !self.checked.types[other.0 as usize].takes_null() => {
                Known { when_true: fact, when_false: Vec::new() }
            }
            BinaryOp::Matches => Known { when_true: fact, when_false: Vec::new() },
            _ => Known::default(),
        }
    }

    /// `x`, `git.branch`, `pr.author`: what narrowing can hold on to.
    pub(super) fn path(&self, id: ExprId) -> Option<String> {
        match &self.file.expr(id).kind {
            ExprKind::Name(name) => Some(name.to_string()),
            ExprKind::Member { base, name } => Some(format!("{}.{}", self.path(*base)?, name.text)),
            ExprKind::Group(inner) => self.path(*inner),
            _ => None,
        }
    }

    /// The narrower type that a name or path is known to have here.
    pub(super) fn known_as(&self, path: &str) -> Option<Type> {
        self.narrowed.iter().rev().find(|(known, _)| known == path).map(|(_, ty)| ty.clone())
    }

    /// Whether a secret is known to be set here.
    pub(super) fn is_known_set(&self, name: &str) -> bool {
        self.known_as(&format!("{name}.is_set")).is_some()
    }
}
