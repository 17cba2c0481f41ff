//! Types as written.

use pest::iterators::Pair;

use super::{Lower, Rule, expression::bad_literal, inner};
use crate::{
    parser::literal,
    tree::{ExprKind, Name, TypeExpr, TypeField, TypeKind},
};

impl Lower<'_, '_> {
    pub(super) fn type_expr(&mut self, pair: Pair<'_, Rule>) -> Option<TypeExpr> {
        let span = self.pair_span(&pair);
        let mut members = inner(pair)
            .filter(|p| p.as_rule() == Rule::type_term)
            .map(|p| self.type_term(p))
            .collect::<Option<Vec<_>>>()?;
        match members.len() {
            0 => None,
            1 => members.pop(),
            _ => Some(TypeExpr { kind: TypeKind::Union(members), span }),
        }
    }

    fn type_term(&mut self, pair: Pair<'_, Rule>) -> Option<TypeExpr> {
        let whole = self.pair_span(&pair);
        let mut parts = inner(pair);
        let first = parts.next()?;
        let span = self.pair_span(&first);
        let kind = match first.as_rule() {
            Rule::type_group => {
                let inner = inner(first).find(|p| p.as_rule() == Rule::type_expr)?;
                TypeKind::Group(Box::new(self.type_expr(inner)?))
            }
            Rule::type_record => TypeKind::Record(
                inner(first)
                    .filter(|p| p.as_rule() == Rule::type_field)
                    .map(|p| self.type_field(p))
                    .collect::<Option<_>>()?,
            ),
            Rule::type_name => self.type_name(first)?,
            Rule::string | Rule::raw_string => {
                let id = self.string(first)?;
                TypeKind::Literal(self.plain_text(id).unwrap_or_else(|| "".into()))
            }
            Rule::type_number => match literal::number(first.as_str().trim()) {
                Ok(ExprKind::Int(value)) => TypeKind::IntLiteral(value),
                Ok(_) => {
                    let refusal = ("only texts and ints can be types".to_owned(), None);
                    self.problems.push(bad_literal(span, refusal));
                    TypeKind::IntLiteral(0)
                }
                Err(refusal) => {
                    self.problems.push(bad_literal(span, refusal));
                    TypeKind::IntLiteral(0)
                }
            },
            _ => return None,
        };
        let mut ty = TypeExpr { kind, span };
        if parts.any(|p| p.as_rule() == Rule::question) {
            ty = TypeExpr { kind: TypeKind::Optional(Box::new(ty)), span: whole };
        }
        Some(ty)
    }

    fn type_name(&mut self, pair: Pair<'_, Rule>) -> Option<TypeKind> {
        let (mut names, mut arguments) = (Vec::new(), Vec::new());
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => names.push(self.name(&part)),
                Rule::type_args => {
                    arguments = inner(part)
                        .filter(|p| p.as_rule() == Rule::type_expr)
                        .map(|p| self.type_expr(p))
                        .collect::<Option<_>>()?;
                }
                _ => {}
            }
        }
        let name = names.pop()?;
        Some(TypeKind::Named { module: names.pop(), name, arguments })
    }

    fn type_field(&mut self, pair: Pair<'_, Rule>) -> Option<TypeField> {
        let (mut name, mut optional, mut ty, mut default) = (None, false, None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::any_name => name = Some(self.name(&part)),
                Rule::string | Rule::raw_string => {
                    let span = self.pair_span(&part);
                    let id = self.string(part)?;
                    let text = self.plain_text(id).unwrap_or_else(|| "".into());
                    name = Some(Name { text, span });
                }
                Rule::question => optional = true,
                Rule::type_expr => ty = Some(self.type_expr(part)?),
                Rule::expr => default = Some(self.expr(part)?),
                _ => {}
            }
        }
        Some(TypeField { name: name?, optional, ty: ty?, default })
    }
}
