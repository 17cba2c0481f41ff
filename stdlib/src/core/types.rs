//! The types of the language.

use std::fmt;

use pipe_grammar::{
    Span,
    tree::{File, TypeExpr, TypeKind},
};

use super::{HeldType, Str, Value, literal};
use std::sync::Arc;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Of something that is in error already: fits everything, so that one mistake yields one
    /// message.
    Unknown,
    /// What a step without an answer gives.
    Nothing,
    /// `null` alone.
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `string`
    String,
    /// `duration`
    Duration,
    /// `size`
    Size,
    /// `path`
    Path,
    /// `secret`
    Secret,
    /// `json`: its shape is known when it is read.
    Json,
    /// `"a" | "b"`
    Literals(Arc<[Literal]>),
    /// `list<T>`
    List(Arc<Type>),
    /// `map<T>`
    Map(Arc<Type>),
    /// `{ a: string }`
    Record(Arc<RecordType>),
    /// `T?`
    Optional(Arc<Type>),
    /// A held value.
    Held(&'static HeldType),
    /// A parameter of a built-in: a text or a list of texts.
    Texts,
    /// A parameter of a built-in: a path with `*`, or a list of them.
    Globs,
    /// A parameter of a built-in: a string or a secret.
    Hidden,
    /// A parameter of a built-in: a map of strings, ints, bools and secrets.
    Environment,
    /// A parameter of a built-in: a path to JSON, a record, or json.
    App,
    /// A parameter of a built-in: every value without a secret in it.
    Any,
}

/// A member of a union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `"staging"`
    Text(Str),
    /// `1`
    Int(i64),
}

/// The type of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordType {
    /// The name it was given; for messages only.
    pub name: Option<Str>,
    /// In the order written.
    pub fields: Vec<FieldType>,
}

/// A field of a record type.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldType {
    /// Its name.
    pub name: Str,
    /// Its type.
    pub ty: Type,
    /// May it be missing? Then it is null, and its type is an optional one.
    pub optional: bool,
    /// Its value when it is missing.
    pub default: Option<Value>,
}

impl RecordType {
    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldType> {
        self.fields.iter().find(|field| &*field.name == name)
    }
}

impl Type {
    /// `list<T>`
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// `T?`; an optional one stays as it is.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Unknown | Self::Null | Self::Json => self,
            other => Self::Optional(Arc::new(other)),
        }
    }

    /// `T` of `T?`.
    #[must_use]
    pub fn required(&self) -> Self {
        match self {
            Self::Optional(inner) => (**inner).clone(),
            other => other.clone(),
        }
    }

    /// Whether null fits.
    #[must_use]
    pub fn takes_null(&self) -> bool {
        matches!(self, Self::Optional(_) | Self::Null | Self::Json | Self::Unknown | Self::Any)
    }

    /// Whether a secret is in it.
    #[must_use]
    pub fn holds_secret(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) => inner.holds_secret(),
            Self::Record(record) => record.fields.iter().any(|field| field.ty.holds_secret()),
            _ => false,
        }
    }

    /// Whether a value of this type may stand in `#{…}`: it has one plain text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            Self::String
                | Self::Path
                | Self::Int
                | Self::Bool
                | Self::Float
                | Self::Json
                | Self::Secret
                | Self::Literals(_)
                | Self::Unknown
        )
    }

    /// Whether it is a text: a string, or a union of texts.
    #[must_use]
    pub fn is_string(&self) -> bool {
        match self {
            Self::String => true,
            Self::Literals(members) => members.iter().all(|m| matches!(m, Literal::Text(_))),
            _ => false,
        }
    }

    /// Whether every value of this type may stand where `wanted` is asked for. A literal in the
    /// file fits more (a text fits a path or a union); that the checker knows.
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Unknown, _) | (_, Self::Unknown) => true,
            (Self::Null, Self::Optional(_)) => true,
            (Self::Optional(inner), Self::Optional(wanted)) => inner.fits(wanted),
            (from, Self::Optional(wanted)) if !matches!(from, Self::Json) => from.fits(wanted),
            // What a json holds is seen when it is there.
            (Self::Json, to) => !to.holds_secret() && !matches!(to, Self::Hidden | Self::Nothing),
            (from, Self::Json | Self::Any) => {
                !from.holds_secret() && !matches!(from, Self::Nothing | Self::Held(_))
            }
            (Self::Int, Self::Float) => true,
            (from, Self::String) => from.is_string(),
            (Self::Literals(from), Self::Literals(to)) => from.iter().all(|m| to.contains(m)),
            (Self::Literals(from), Self::Int) => from.iter().all(|m| matches!(m, Literal::Int(_))),
            (Self::List(from), Self::List(to)) => from.fits(to),
            (Self::Map(from), Self::Map(to)) => from.fits(to),
            (Self::Record(from), Self::Map(to)) => from.fields.iter().all(|f| f.ty.fits(to)),
            (Self::Record(from), Self::Record(to)) => {
                from.fields.iter().all(|field| to.field(&field.name).is_some())
                    && to.fields.iter().all(|field| match from.field(&field.name) {
                        Some(given) => given.ty.fits(&field.ty),
                        None => field.optional || field.default.is_some(),
                    })
            }
            (from, Self::Texts) => match from {
                Self::List(item) => item.is_string() || matches!(**item, Self::Path),
                from => from.is_string() || *from == Self::Path,
            },
            // A pattern is a text until it has found something.
            (from, Self::Globs) => match from {
                Self::List(item) => item.is_string() || matches!(**item, Self::Path),
                from => from.is_string() || *from == Self::Path,
            },
            (from, Self::Hidden) => *from == Self::Secret || from.is_string(),
            (from, Self::Environment) => match from {
                Self::Environment => true,
                Self::Map(value) => value.is_environment_value(),
                Self::Record(record) => {
                    record.fields.iter().all(|field| field.ty.is_environment_value())
                }
                _ => false,
            },
            (from, Self::App) => match from {
                Self::Path => true,
                Self::Record(_) | Self::Map(_) => !from.holds_secret(),
                _ => false,
            },
            (from, to) => from == to,
        }
    }

    fn is_environment_value(&self) -> bool {
        matches!(
            self,
            Self::Int | Self::Bool | Self::Secret | Self::Path | Self::Json | Self::Float
        ) || self.is_string()
    }

    /// The type that values of both have, if there is one: of the two branches of an `if`, of the
    /// items of a list.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        if self.fits(other) {
            return Some(if *other == Self::Unknown { self.clone() } else { other.clone() });
        }
        if other.fits(self) {
            return Some(self.clone());
        }
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => Some(other.clone().optional()),
            (Self::Optional(a), b) | (b, Self::Optional(a)) => {
                a.join(&b.required()).map(Self::optional)
            }
            (Self::Literals(a), Self::Literals(b)) => {
                let new = b.iter().filter(|m| !a.contains(m));
                Some(Self::Literals(a.iter().chain(new).cloned().collect()))
            }
            (a, b) if a.is_string() && b.is_string() => Some(Self::String),
            (Self::List(a), Self::List(b)) => a.join(b).map(Self::list),
            _ => None,
        }
    }

    /// The type of a value at hand; of an empty list it is a list of anything.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Duration(_) => Self::Duration,
            Value::Size(_) => Self::Size,
            Value::String(_) => Self::String,
            Value::Path(_) => Self::Path,
            Value::Secret(_) => Self::Secret,
            Value::List(items) => Self::list(
                items
                    .iter()
                    .map(Self::of)
                    .reduce(|a, b| a.join(&b).unwrap_or(Self::Json))
                    .unwrap_or(Self::Unknown),
            ),
            Value::Held(_) => Self::Unknown,
            Value::Record(fields) => Self::Record(Arc::new(RecordType {
                name: None,
                fields: fields
                    .iter()
                    .map(|(name, value)| FieldType {
                        name: name.clone(),
                        ty: Self::of(value),
                        optional: false,
                        default: None,
                    })
                    .collect(),
            })),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Int(value) => write!(f, "{value}"),
        }
    }
}

/// As it is written in a Pipelinefile.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("something"),
            Self::Nothing => f.write_str("nothing"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::String => f.write_str("string"),
            Self::Duration => f.write_str("duration"),
            Self::Size => f.write_str("size"),
            Self::Path => f.write_str("path"),
            Self::Secret => f.write_str("secret"),
            Self::Json => f.write_str("json"),
            Self::Literals(members) => {
                let members: Vec<String> = members.iter().map(ToString::to_string).collect();
                f.write_str(&members.join(" | "))
            }
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Map(value) => write!(f, "map<{value}>"),
            Self::Record(record) => match &record.name {
                Some(name) => f.write_str(name),
                None => record.write_fields(f),
            },
            Self::Optional(inner) => match &**inner {
                Self::Literals(members) if members.len() > 1 => write!(f, "({inner})?"),
                inner => write!(f, "{inner}?"),
            },
            Self::Held(held) => f.write_str(held.name),
            Self::Texts => f.write_str("string or list<string>"),
            Self::Globs => f.write_str("path or list<path>"),
            Self::Hidden => f.write_str("string or secret"),
            Self::Environment => f.write_str("map of strings, numbers and secrets"),
            Self::App => f.write_str("path to an app definition, or a record"),
            Self::Any => f.write_str("any value without a secret"),
        }
    }
}

impl RecordType {
    fn write_fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fields.is_empty() {
            return f.write_str("{}");
        }
        f.write_str("{ ")?;
        for (number, field) in self.fields.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            let mark = if field.optional { "?" } else { "" };
            let ty = if field.optional { field.ty.required() } else { field.ty.clone() };
            write!(f, "{comma}{}{mark}: {ty}", field.name)?;
        }
        f.write_str(" }")
    }
}

/// What is wrong with a type as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeProblem {
    /// No type has this name.
    UnknownName(Span, String),
    /// `list` without `<…>`, or `int<…>`.
    Arguments(Span, String),
    /// A union of something else than texts or ints.
    NoLiteral(Span),
    /// A default that is no literal, or does not fit.
    Default(Span),
}

/// Turns a type as written into a type.
///
/// `named` answers for names that the language itself does not have.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn lower_type(
    file: &File,
    written: &TypeExpr,
    named: &dyn Fn(Option<&str>, &str) -> Option<Type>,
) -> Result<Type, TypeProblem> {
    let lower = |inner: &TypeExpr| lower_type(file, inner, named);
    Ok(match &written.kind {
        TypeKind::Named { module, name, arguments } => {
            let module = module.as_ref().map(|m| &*m.text);
            let wrong = || TypeProblem::Arguments(written.span, name.text.to_string());
            match (module, &*name.text, arguments.as_slice()) {
                (None, "list", [item]) => Type::list(lower(item)?),
                (None, "map", [value]) => Type::Map(Arc::new(lower(value)?)),
                (None, "list" | "map", _) => return Err(wrong()),
                (module, text, []) => simple(text)
                    .filter(|_| module.is_none())
                    .or_else(|| named(module, text))
                    .ok_or_else(|| TypeProblem::UnknownName(name.span, text.to_owned()))?,
                _ => return Err(wrong()),
            }
        }
        TypeKind::Record(fields) => {
            let fields = fields
                .iter()
                .map(|field| {
                    let ty = lower(&field.ty)?;
                    let default = match field.default {
                        Some(id) => {
                            let value = literal::evaluate(file, id);
                            let wrong = || TypeProblem::Default(file.span(id));
                            Some(
                                value
                                    .and_then(|v| super::convert(v, &ty).ok())
                                    .ok_or_else(wrong)?,
                            )
                        }
                        None => None,
                    };
                    let ty = if field.optional { ty.optional() } else { ty };
                    let name = field.name.text.clone();
                    Ok(FieldType { name, ty, optional: field.optional, default })
                })
                .collect::<Result<_, _>>()?;
            Type::Record(Arc::new(RecordType { name: None, fields }))
        }
        TypeKind::Union(members) => union(members, &lower)?,
        TypeKind::Literal(text) => Type::Literals([Literal::Text(text.clone())].into()),
        TypeKind::IntLiteral(value) => Type::Literals([Literal::Int(*value)].into()),
        TypeKind::Optional(inner) => lower(inner)?.optional(),
        TypeKind::Group(inner) => lower(inner)?,
    })
}

fn union(
    members: &[TypeExpr],
    lower: &dyn Fn(&TypeExpr) -> Result<Type, TypeProblem>,
) -> Result<Type, TypeProblem> {
    let mut literals = Vec::new();
    let mut optional = false;
    for member in members {
        let ty = lower(member)?;
        optional |= matches!(ty, Type::Optional(_));
        match ty.required() {
            Type::Literals(more) => literals.extend(more.iter().cloned()),
            Type::Unknown => return Ok(Type::Unknown),
            _ => return Err(TypeProblem::NoLiteral(member.span)),
        }
    }
    let union = Type::Literals(literals.into());
    Ok(if optional { union.optional() } else { union })
}

/// The types that have a name of the language.
fn simple(name: &str) -> Option<Type> {
    Some(match name {
        "string" => Type::String,
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "duration" => Type::Duration,
        "size" => Type::Size,
        "path" => Type::Path,
        "secret" => Type::Secret,
        "json" => Type::Json,
        _ => return None,
    })
}

/// The types that only parameters of built-ins have.
pub(crate) fn parameter_type(name: &str) -> Option<Type> {
    Some(match name {
        "texts" => Type::Texts,
        "globs" => Type::Globs,
        "hidden" => Type::Hidden,
        "environment" => Type::Environment,
        "app" => Type::App,
        "any" => Type::Any,
        _ => return None,
    })
}

/// The names of the language's own types, for suggestions.
pub const TYPE_NAMES: [&str; 11] =
    ["string", "int", "float", "bool", "duration", "size", "path", "secret", "json", "list", "map"];
