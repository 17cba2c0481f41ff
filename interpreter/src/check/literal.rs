//! Literals where a type asks for something special, and types in words.

use std::sync::Arc;

use pipe_grammar::{
    Code, Diagnostic, Span,
    diagnostic::{article, did_you_mean, list_or},
};
use pipe_stdlib::core::{Literal, Type};

use super::expression::record_type;

/// A type that is written longer than this tells nobody anything in a message.
const LONG: usize = 50;

/// A type with its article: `a string`, `an int`, `a list<string>`.
pub(crate) fn a(ty: &Type) -> String {
    match ty {
        Type::Null => "null".to_owned(),
        Type::Nothing => "nothing".to_owned(),
        Type::Unknown => "something unknown".to_owned(),
        Type::Literals(_) => format!("one of {ty}"),
        Type::Optional(inner) => format!("{} or null", a(inner)),
        Type::App => "an app definition (a path or a record)".to_owned(),
        Type::Environment => "a map of strings, numbers and secrets".to_owned(),
        Type::Any => "a value without a secret".to_owned(),
        Type::Json => "a json".to_owned(),
        Type::Record(record) if record.name.is_none() && ty.to_string().len() > LONG => {
            "a record".to_owned()
        }
        ty => article(&ty.to_string()),
    }
}

pub(super) fn int(value: i64, members: &Arc<[Literal]>) -> Type {
    let member = Literal::Int(value);
    if members.contains(&member) { Type::Literals([member].into()) } else { Type::Int }
}

/// A text that a union does not have.
pub(super) fn outside(span: Span, text: &str, members: &[Literal]) -> Diagnostic {
    let names: Vec<&str> = members
        .iter()
        .filter_map(|member| match member {
            Literal::Text(text) => Some(&**text),
            Literal::Int(_) => None,
        })
        .collect();
    let all: Vec<String> = members.iter().map(|m| format!("`{m}`")).collect();
    Diagnostic::error(
        Code::WRONG_TYPE,
        span,
        format!("`\"{text}\"` is not one of {}", list_or(&all)),
    )
    .label("not a member of the union")
    .help_if(did_you_mean(text, names))
}

/// The type of `pipeline`.
pub(super) fn pipeline() -> Type {
    record_type(
        "pipeline",
        &[
            ("name", Type::String),
            ("run", Type::String),
            ("workspace", Type::Path),
            ("started", Type::String),
        ],
    )
}

/// The type of `failure`.
pub(super) fn failure() -> Type {
    let kinds = ["command", "step", "timeout", "infrastructure"];
    let kinds = kinds.map(|kind| Literal::Text(kind.into()));
    record_type(
        "failure",
        &[
            ("stage", Type::String),
            ("step", Type::String.optional()),
            ("message", Type::String),
            ("kind", Type::Literals(kinds.into())),
            ("log", Type::Path),
        ],
    )
}
