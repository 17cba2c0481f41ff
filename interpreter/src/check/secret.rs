//! Where secrets come from, and where they may not go.

use pipe_grammar::{
    Code, Diagnostic,
    tree::{Element, ExprId, ExprKind, Field, Let, Piece, Secret},
};
use pipe_stdlib::core::Type;

use super::{Checker, Target};

impl Checker<'_> {
    /// `secret x = env("X")`, `file("path")` at the top.
    pub(super) fn secret_source(&mut self, secret: &Secret) -> Type {
        let span = self.span(secret.value);
        let file = self.file;
        let source = match &file.expr(secret.value).kind {
            ExprKind::Call { callee, arguments, .. } => match &file.expr(*callee).kind {
                ExprKind::Name(name) => Some((&**name, arguments)),
                _ => None,
            },
            _ => None,
        };
        match source {
            Some(("env", _)) => {
                self.expr(secret.value, None);
            }
            Some(("file", arguments)) => {
                if let [one] = &arguments[..] {
                    self.expect(one.value, &Type::Path, "`path`");
                } else {
                    let what = "`file` takes one path";
                    self.report(Diagnostic::error(Code::MISSING_ARGUMENT, span, what));
                }
            }
            _ => {
                let name = secret.name.text.to_uppercase();
                self.report(
                    Diagnostic::error(
                        Code::PLAIN_SECRET,
                        span,
                        "a secret comes from outside the file",
                    )
                    .label("everybody who reads the file can read this")
                    .help(format!("write `env(\"{name}\")` or `file(\"/run/secrets/…\")`")),
                );
            }
        }
        Type::Secret
    }

    /// A secret where something else is asked for: names the safe way.
    pub(super) fn leaked(&self, id: ExprId, wanted: &Type, what: &str) -> Diagnostic {
        let id = self.guilty(id);
        let span = self.span(id);
        let problem =
            Diagnostic::error(Code::SECRET_LEAK, span, format!("{what} can't be a secret"))
                .label("others could read it here");
        let problem = match self.origin(id) {
            Some(origin) if origin != span => problem.also(origin, "declared as a secret"),
            _ => problem,
        };
        let help = match wanted.required() {
            Type::App | Type::Any => {
                "Marathon shows its definitions to everybody: pass it by a secret store of the cluster"
            }
            Type::Map(_) | Type::Record(_) => {
                "pass it where a secret may go: `env`, `stdin:`, `headers:`, `password:`, `token:`"
            }
            _ => {
                "pass it where a secret may go: `env { NAME: secret }`, `stdin:`, `headers:`, `password:`, `token:`"
            }
        };
        problem.help(help)
    }

    /// The smallest part of an expression that brings a secret into it.
    fn guilty(&self, id: ExprId) -> ExprId {
        let secret = |id: &ExprId| self.checked.types[id.0 as usize].holds_secret();
        let part = match &self.file.expr(id).kind {
            ExprKind::Group(inner) => Some(*inner),
            ExprKind::String { pieces, .. } => pieces.iter().find_map(|piece| match piece {
                Piece::Hole(hole, _) => Some(*hole).filter(secret),
                Piece::Text(..) => None,
            }),
            ExprKind::Record(fields) => {
                fields.iter().find_map(|field| {
                    let (Field::Pair { value, .. }
                    | Field::Short { value, .. }
                    | Field::Spread(value)) = field;
                    Some(*value).filter(secret)
                })
            }
            ExprKind::List(elements) => elements.iter().find_map(|element| {
                let (Element::Item(item) | Element::If(item, _) | Element::Spread(item)) = element;
                Some(*item).filter(secret)
            }),
            _ => None,
        };
        part.map_or(id, |part| self.guilty(part))
    }

    /// A `let` of a variable that looks like a secret.
    pub(super) fn plain_secret(&mut self, binding: &Let) {
        let Some(Target::Builtin { builtin, .. }) = self.checked.targets.get(&binding.value) else {
            return;
        };
        let name = binding.name.text.to_lowercase();
        let telling = ["password", "passwd", "token", "secret", "api_key", "apikey", "private_key"];
        if builtin.name != "env"
            || !builtin.module.is_empty()
            || !telling.iter().any(|t| name.contains(t))
        {
            return;
        }
        let source = self.slice(self.span(binding.value)).to_owned();
        self.report(
            Diagnostic::warning(
                Code::PLAIN_SECRET,
                binding.name.span,
                format!("`{}` looks like a secret", binding.name.text),
            )
            .label("a plain string is shown in logs and plans")
            .help(format!("declare `secret {} = {source}`", binding.name.text)),
        );
    }

    /// A plain string where a secret belongs.
    pub(super) fn plain_password(&mut self, parameter: &str, ty: &Type, value: ExprId) {
        let hidden =
            ty.required() == Type::Hidden && matches!(parameter, "password" | "token" | "key");
        let plain = self.checked.types[value.0 as usize].is_string();
        if !hidden || !plain {
            return;
        }
        let span = self.span(value);
        self.report(
            Diagnostic::warning(
                Code::PLAIN_SECRET,
                span,
                format!("`{parameter}` is a plain string"),
            )
            .label("shown in logs and plans")
            .help(format!("declare `secret {parameter} = env(\"…\")` and pass that")),
        );
    }
}
