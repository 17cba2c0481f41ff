//! Types as written.

use pipe_grammar::{
    Code, Diagnostic,
    diagnostic::did_you_mean,
    tree::{TypeExpr, TypeKind},
};
use pipe_stdlib::core::{TYPE_NAMES, Type, TypeProblem, lower_type};

use super::{Checker, global::Kind};

impl Checker<'_> {
    /// The type that is written, once looked up remembered by its place.
    pub(super) fn written(&mut self, written: &TypeExpr) -> Type {
        if let Some(ty) = self.checked.written.get(&written.span) {
            return ty.clone();
        }
        self.keys_once(written);
        // The names come first: looking one up may check another declaration.
        let mut names = Vec::new();
        collect(written, &mut names);
        let mut known = Vec::new();
        for (module, name) in names {
            let found = self.named_type(module.as_deref(), &name);
            let found = found.or_else(|| match module {
                None => self.library.named_type(&name),
                Some(_) => None,
            });
            known.push((module, name, found));
        }
        let named = |module: Option<&str>, name: &str| {
            let found = known.iter().find(|(m, n, _)| m.as_deref() == module && n == name);
            found.and_then(|(_, _, ty)| ty.clone())
        };
        let ty = lower_type(self.file, written, &named).unwrap_or_else(|problem| {
            let diagnostic = self.type_problem(&problem);
            self.report(diagnostic);
            Type::Unknown
        });
        self.checked.written.insert(written.span, ty.clone());
        ty
    }

    /// A record type that has a key twice.
    fn keys_once(&mut self, written: &TypeExpr) {
        let TypeKind::Record(fields) = &written.kind else { return };
        for (number, field) in fields.iter().enumerate() {
            if let Some(first) = fields[..number].iter().find(|f| f.name.text == field.name.text) {
                let what = format!("the type has two fields `{}`", field.name.text);
                let problem = Diagnostic::error(Code::DUPLICATE_NAME, field.name.span, what)
                    .label("called so again")
                    .also(first.name.span, "the first one");
                self.report(problem);
            }
        }
    }

    fn type_problem(&self, problem: &TypeProblem) -> Diagnostic {
        match problem {
            TypeProblem::UnknownName(span, name) => {
                let own = self.globals.iter().filter(|(_, g)| g.kind == Kind::Type);
                // Of an imported file without its prefix, as it is written behind the dot.
                let own = own.map(|(name, _)| name.rsplit('.').next().unwrap_or(name));
                let habit = match name.as_str() {
                    "str" | "String" | "text" => Some("string"),
                    "integer" | "number" | "Int" => Some("int"),
                    "boolean" | "Bool" => Some("bool"),
                    "array" => Some("list<…>"),
                    "object" | "dict" => Some("map<…>"),
                    _ => None,
                };
                let help = habit.map(|habit| format!("did you mean `{habit}`?"));
                let help = help.or_else(|| did_you_mean(name, TYPE_NAMES.into_iter().chain(own)));
                let all = format!("there are: {}", TYPE_NAMES.join(", "));
                Diagnostic::error(Code::UNKNOWN_TYPE, *span, format!("no type is called `{name}`"))
                    .label("unknown type")
                    .help(help.unwrap_or(all))
            }
            TypeProblem::Arguments(span, name) => {
                let second = self.slice(*span).split_once(',').map(|(_, rest)| rest.trim());
                let second = second.map(|rest| rest.trim_end_matches('>').trim());
                let (what, help) = match (name.as_str(), second) {
                    ("list", _) => {
                        ("`list` needs the type of its items", "write `list<string>`".to_owned())
                    }
                    ("map", Some(value)) => (
                        "`map` takes one type, that of its values: its keys are texts",
                        format!("write `map<{value}>`"),
                    ),
                    ("map", None) => {
                        ("`map` needs the type of its values", "write `map<string>`".to_owned())
                    }
                    _ => ("this type takes no other type", "remove the `<…>`".to_owned()),
                };
                Diagnostic::error(Code::UNKNOWN_TYPE, *span, what).help(help)
            }
            TypeProblem::NoLiteral(span) => {
                let what = "a union has only texts or ints as members";
                Diagnostic::error(Code::UNKNOWN_TYPE, *span, what)
                    .label("this is a type")
                    .help("write `\"a\" | \"b\"`; for a value that may be missing `T?`")
            }
            TypeProblem::Default(span) => {
                let what = "a field's default is a literal of its type";
                Diagnostic::error(Code::WRONG_TYPE, *span, what).label("does not fit")
            }
        }
    }
}

fn collect(written: &TypeExpr, names: &mut Vec<(Option<String>, String)>) {
    match &written.kind {
        TypeKind::Named { module, name, arguments } => {
            if module.is_some() || !TYPE_NAMES.contains(&&*name.text) {
                names.push((module.as_ref().map(|m| m.text.to_string()), name.text.to_string()));
            }
            arguments.iter().for_each(|inner| collect(inner, names));
        }
        TypeKind::Record(fields) => fields.iter().for_each(|f| collect(&f.ty, names)),
        TypeKind::Union(members) => members.iter().for_each(|m| collect(m, names)),
        TypeKind::Optional(inner) | TypeKind::Group(inner) => collect(inner, names),
        TypeKind::Literal(_) | TypeKind::IntLiteral(_) => {}
    }
}
