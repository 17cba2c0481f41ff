//! Types as written.

use super::{ExprId, Name, Text};
use crate::span::Span;

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// Which.
    pub kind: TypeKind,
    /// All of it.
    pub span: Span,
}

/// What a type says.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `string`, `lib.Service`, `list<int>`
    Named {
        /// The import it comes from.
        module: Option<Name>,
        /// Its name.
        name: Name,
        /// Between the angle brackets.
        arguments: Vec<TypeExpr>,
    },
    /// `{ a: string, b?: int = 1 }`
    Record(Vec<TypeField>),
    /// `"a" | "b"`
    Union(Vec<TypeExpr>),
    /// `"a"`
    Literal(Text),
    /// `1`
    IntLiteral(i64),
    /// `T?`
    Optional(Box<TypeExpr>),
    /// `(T)`
    Group(Box<TypeExpr>),
}

/// A field of a record type.
#[derive(Clone, Debug)]
pub struct TypeField {
    /// Its name.
    pub name: Name,
    /// `?`: may be missing.
    pub optional: bool,
    /// Its type.
    pub ty: TypeExpr,
    /// Used when it is missing.
    pub default: Option<ExprId>,
}
