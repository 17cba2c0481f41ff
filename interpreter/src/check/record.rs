//! Records: their fields, dotted keys and spreads.

use std::sync::Arc;

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::did_you_mean,
    tree::{ExprId, ExprKind, Field, Text},
};
use pipe_stdlib::core::{FieldType, RecordType, Type};

use super::{Checker, literal};

/// The fields that a record literal has so far.
#[derive(Default)]
struct Fields {
    fields: Vec<(Text, Entry)>,
}

enum Entry {
    Value(Type, Span),
    Inner(Fields, Span),
}

impl Checker<'_> {
    pub(super) fn record(&mut self, id: ExprId, fields: &[Field], wanted: Option<&Type>) -> Type {
        let mut found = Fields::default();
        let mut open = false;
        for field in fields {
            match field {
                Field::Pair { path, value } => {
                    let keys: Vec<Text> = path.iter().map(|key| key.text.clone()).collect();
                    let inner = field_type(wanted, &keys);
                    let ty = self.expr(*value, inner.as_ref());
                    let ty = self.something(*value, ty);
                    let span = path.iter().map(|key| key.span).reduce(Span::to).unwrap_or_default();
                    self.check_field(wanted, &keys, span, *value, &ty);
                    if let Err(refused) = found.set(&keys, ty, span) {
                        self.report(refused.problem(&keys, span));
                    }
                }
                Field::Short { name, value } => {
                    let keys = [name.text.clone()];
                    let inner = field_type(wanted, &keys);
                    let ty = self.expr(*value, inner.as_ref());
                    self.check_field(wanted, &keys, name.span, *value, &ty);
                    if let Err(refused) = found.set(&keys, ty, name.span) {
                        self.report(refused.problem(&keys, name.span));
                    }
                }
                Field::Spread(value) => {
                    let ty = self.expr(*value, wanted);
                    let span = self.span(*value);
                    match ty {
                        Type::Record(record) => {
                            for field in &record.fields {
                                found.replace(&field.name, field.ty.clone(), span);
                            }
                        }
                        // What a map or a json holds is known when it is there.
                        Type::Map(_) | Type::Json | Type::Unknown => open = true,
                        other => {
                            let what = format!(
                                "`...` takes a record or a map, not {}",
                                literal::a(&other)
                            );
                            self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
                        }
                    }
                }
            }
        }
        if let Some(Type::Record(record)) = wanted
            && !open
        {
            self.missing_fields(id, record, &found);
        }
        match wanted {
            // Judged field by field above.
            Some(ty @ (Type::Record(_) | Type::Map(_) | Type::Environment)) => ty.clone(),
            _ if open => {
                let values: Vec<Type> = found.types();
                let all = values.into_iter().reduce(|a, b| a.join(&b).unwrap_or(Type::Json));
                match all {
                    Some(ty) if !ty.holds_secret() => Type::Map(Arc::new(ty)),
                    _ => Type::Json,
                }
            }
            _ => found.record(),
        }
    }

    fn check_field(
        &mut self,
        wanted: Option<&Type>,
        keys: &[Text],
        span: Span,
        value: ExprId,
        found: &Type,
    ) {
        let shown = keys.iter().map(|k| &**k).collect::<Vec<_>>().join(".");
        match wanted {
            Some(Type::Record(record)) => match lookup(record, keys) {
                Ok(ty) => {
                    if !found.fits(&ty) {
                        let problem = self.mismatch(value, found, &ty, &format!("`{shown}`"));
                        self.report(problem);
                    }
                }
                Err((record, key)) => {
                    let what = format!(
                        "{} has no field `{key}`",
                        literal::a(&Type::Record(record.clone().into()))
                    );
                    let names: Vec<&str> = record.fields.iter().map(|f| &*f.name).collect();
                    let problem = Diagnostic::error(Code::UNKNOWN_FIELD, span, what)
                        .label("no such field")
                        .help_if(did_you_mean(&key, names.iter().copied()))
                        .help(format!("it has: {}", names.join(", ")));
                    self.report(problem);
                }
            },
            Some(Type::Map(inner)) if !found.fits(inner) => {
                let problem = self.mismatch(value, found, inner, &format!("`{shown}`"));
                self.report(problem);
            }
            Some(Type::Environment) => self.environment_value(&shown, value, found),
            _ => {}
        }
    }

    /// The value of an environment variable: something with a text, a secret too.
    fn environment_value(&mut self, name: &str, value: ExprId, found: &Type) {
        if found.is_text() {
            return;
        }
        let problem = match found {
            Type::Optional(_) => self.mismatch(value, found, &Type::String, &format!("`{name}`")),
            _ => {
                let what = format!("the variable `{name}` takes a text, not {}", literal::a(found));
                Diagnostic::error(Code::WRONG_TYPE, self.span(value), what)
            }
        };
        self.report(problem);
    }

    fn missing_fields(&mut self, id: ExprId, record: &RecordType, found: &Fields) {
        let missing: Vec<String> = record
            .fields
            .iter()
            .filter(|field| !field.optional && field.default.is_none())
            .filter(|field| !matches!(field.ty, Type::Optional(_)))
            .filter(|field| !found.fields.iter().any(|(name, _)| *name == field.name))
            .map(|field| format!("`{}`", field.name))
            .collect();
        if missing.is_empty() {
            return;
        }
        let whole = literal::a(&Type::Record(record.clone().into()));
        let list = pipe_grammar::diagnostic::list_and(&missing);
        let what = format!("{whole} needs {list}");
        let span = self.span(id);
        self.report(
            Diagnostic::error(Code::WRONG_TYPE, span, what)
                .label(format!("{list} missing"))
                .help("a field that may be missing is declared as `name?: type` or has a default"),
        );
    }

    /// The environment of a stage, a modifier, a statement.
    pub(super) fn environment(&mut self, record: ExprId) {
        self.expr(record, Some(&Type::Environment));
        if let ExprKind::Record(fields) = &self.file.expr(record).kind {
            let mut problems = Vec::new();
            for field in fields {
                if let Field::Pair { path, .. } = field
                    && path.len() > 1
                {
                    let span = path.iter().map(|k| k.span).reduce(Span::to).unwrap_or_default();
                    problems.push(
                        Diagnostic::error(Code::WRONG_TYPE, span, "a variable's name has no dots")
                            .help("quote it if it really has: `\"a.b\": …`"),
                    );
                }
            }
            problems.into_iter().for_each(|p| self.report(p));
        }
    }
}

/// The type that a field is asked to have.
fn field_type(wanted: Option<&Type>, keys: &[Text]) -> Option<Type> {
    match wanted? {
        Type::Record(record) => lookup(record, keys).ok(),
        Type::Map(inner) if keys.len() == 1 => Some((**inner).clone()),
        _ => None,
    }
}

/// The type under a path of keys, or the record that lacks one of them.
fn lookup(record: &RecordType, keys: &[Text]) -> Result<Type, (RecordType, Text)> {
    let [key, rest @ ..] = keys else { return Ok(Type::Unknown) };
    let field = record.field(key).ok_or_else(|| (record.clone(), key.clone()))?;
    if rest.is_empty() {
        return Ok(field.ty.clone());
    }
    match field.ty.required() {
        Type::Record(inner) => lookup(&inner, rest),
        Type::Map(inner) if rest.len() == 1 => Ok((*inner).clone()),
        _ => Ok(Type::Unknown),
    }
}

impl Fields {
    /// Sets a path; tells what is in its way.
    fn set(&mut self, keys: &[Text], ty: Type, span: Span) -> Result<(), Refused> {
        let [key, rest @ ..] = keys else { return Ok(()) };
        let place = self.fields.iter().position(|(name, _)| name == key);
        match (place.map(|at| &mut self.fields[at].1), rest) {
            (None, []) => self.fields.push((key.clone(), Entry::Value(ty, span))),
            (None, rest) => {
                let mut inner = Self::default();
                inner.set(rest, ty, span)?;
                self.fields.push((key.clone(), Entry::Inner(inner, span)));
            }
            (Some(Entry::Inner(inner, _)), rest) if !rest.is_empty() => {
                return inner.set(rest, ty, span);
            }
            // A path into what stands left of it: `{ ...base, a.b: 1 }`, `{ a: x, a.b: 1 }`.
            (Some(entry @ Entry::Value(..)), rest) if !rest.is_empty() => {
                if let Entry::Value(ty, at) = entry
                    && !may_hold_fields(ty)
                {
                    return Err(Refused::NoRecord(key.clone(), ty.clone(), *at));
                }
                let mut inner = Self::default();
                if let Entry::Value(Type::Record(record), at) = entry {
                    for field in &record.fields {
                        inner.replace(&field.name, field.ty.clone(), *at);
                    }
                }
                inner.force(rest, ty, span);
                *entry = Entry::Inner(inner, span);
            }
            (Some(Entry::Value(_, first) | Entry::Inner(_, first)), _) => {
                return Err(Refused::Twice(*first));
            }
        }
        Ok(())
    }

    /// Sets a path, over what was there.
    fn force(&mut self, keys: &[Text], ty: Type, span: Span) {
        if let [key] = keys {
            self.replace(key, ty, span);
        } else if self.set(keys, ty, span).is_err() {
            // A path below a path that is set: the later one holds.
        }
    }

    fn replace(&mut self, key: &Text, ty: Type, span: Span) {
        let entry = Entry::Value(ty, span);
        match self.fields.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = entry,
            None => self.fields.push((key.clone(), entry)),
        }
    }

    fn types(&self) -> Vec<Type> {
        self.fields.iter().map(|(_, entry)| entry.ty()).collect()
    }

    fn record(&self) -> Type {
        let fields = self.fields.iter().map(|(name, entry)| FieldType {
            name: name.clone(),
            ty: entry.ty(),
            optional: false,
            default: None,
        });
        Type::Record(Arc::new(RecordType { name: None, fields: fields.collect() }))
    }
}

impl Entry {
    fn ty(&self) -> Type {
        match self {
            Self::Value(ty, _) => ty.clone(),
            Self::Inner(fields, _) => fields.record(),
        }
    }
}

/// Why a path can't be set.
enum Refused {
    /// It is set already, there.
    Twice(Span),
    /// A key on the way holds something without fields, since there.
    NoRecord(Text, Type, Span),
}

impl Refused {
    fn problem(self, keys: &[Text], span: Span) -> Diagnostic {
        let shown = keys.iter().map(|k| &**k).collect::<Vec<_>>().join(".");
        match self {
            Self::Twice(first) => {
                Diagnostic::error(Code::DUPLICATE_NAME, span, format!("`{shown}` is set twice"))
                    .label("set again")
                    .also(first, "set here")
            }
            Self::NoRecord(key, ty, first) => {
                let what = format!("`{key}` is {}, and has no fields to set", literal::a(&ty));
                Diagnostic::error(Code::WRONG_TYPE, span, what)
                    .label("would be a field of it")
                    .also(first, format!("this is {}", literal::a(&ty)))
                    .help(format!("a key with a dot in it is quoted: `\"{shown}\": …`"))
            }
        }
    }
}

/// Whether a value may have fields: then a path may lead into it.
fn may_hold_fields(ty: &Type) -> bool {
    matches!(
        ty.required(),
        Type::Record(_) | Type::Map(_) | Type::Json | Type::Unknown | Type::Null
    )
}
