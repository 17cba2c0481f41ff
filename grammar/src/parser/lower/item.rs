//! Declarations.

use pest::iterators::{Pair, Pairs};

use super::{Lower, Rule, inner};
use crate::{
    diagnostic::{Code, Diagnostic},
    parser::docs,
    tree::{
        Block, Connect, Edition, Function, Handler, Import, Item, ItemKind, Let, Limit, Outcome,
        Param, Parameter, Pipeline, Require, Secret, Stage, TypeAlias, TypeExpr,
    },
};

impl Lower<'_, '_> {
    /// Takes in one item that pest has read; `broken`: a part of it is already blamed.
    pub(in crate::parser) fn item(&mut self, base: usize, pairs: Pairs<'_, Rule>, broken: bool) {
        self.base = base;
        self.broken = broken;
        let inner = pairs.flat_map(inner);
        let Some(pair) = inner.into_iter().find(|p| p.as_rule() != Rule::EOI) else { return };
        let span = self.pair_span(&pair);
        if broken {
            self.file.broken.push(span);
        }
        let docs = docs::above(self.text, span.start as usize).into();
        match self.item_kind(pair) {
            Some(kind) => self.file.items.push(Item { kind, span, docs }),
            None => self.problems.push(Diagnostic::error(
                Code::INTERNAL,
                span,
                "a mistake in `pipe` itself: this was read and not understood",
            )),
        }
    }

    /// Keeps the name of a stage, binding or parameter that could not be read, so that those who
    /// mention it are not blamed.
    pub(in crate::parser) fn stub(&mut self, base: usize, part: &str) {
        self.base = 0;
        let begin = base + part.len() - part.trim_start_matches('\u{feff}').trim_start().len();
        let begin = self.skip_comments(begin, base + part.len());
        let rest = &self.text[begin..base + part.len()];
        self.file.broken.push(self.span(begin, begin + rest.trim_end().len()));
        let Some((word, rest_of_line)) = rest.split_once([' ', '\t']) else { return };
        let name_at = begin + rest.len() - rest_of_line.trim_start_matches([' ', '\t']).len();
        let length = self.text[name_at..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.text.len() - name_at);
        if length == 0 {
            return;
        }
        let name_span = self.span(name_at, name_at + length);
        let name = crate::tree::Name { text: self.text_of(name_span), span: name_span };
        let span = self.span(begin, begin + rest.trim_end().len());
        let value = self.push(crate::tree::ExprKind::Broken, name_span, &[]);
        let kind = match word {
            "stage" => ItemKind::Stage(Stage {
                name,
                title: None,
                clauses: Vec::new(),
                body: Block { statements: Vec::new(), span },
                broken: true,
            }),
            "let" | "param" | "secret" | "type" | "fn" | "function" | "func" | "def" | "var"
            | "const" | "val" => ItemKind::Let(Let { name, ty: None, value }),
            _ => return,
        };
        self.file.items.push(Item { kind, span, docs: "".into() });
    }

    fn skip_comments(&self, mut at: usize, end: usize) -> usize {
        while at < end && self.text[at..].starts_with('#') {
            let line = self.text[at..end].find('\n').map_or(end, |n| at + n + 1);
            at = line + self.text[line..end].len() - self.text[line..end].trim_start().len();
        }
        at
    }

    fn item_kind(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        Some(match pair.as_rule() {
            Rule::edition => {
                let year = inner(pair).find(|p| p.as_rule() == Rule::number)?;
                let year_span = self.pair_span(&year);
                ItemKind::Edition(Edition { year: self.text_of(year_span), year_span })
            }
            Rule::pipeline => self.pipeline(pair)?,
            Rule::import => {
                let mut inner = inner(pair);
                let path = inner.find(|p| p.as_rule() == Rule::string)?;
                let path = self.string(path)?;
                let alias = inner.find(|p| p.as_rule() == Rule::name).map(|p| self.new_name(&p));
                ItemKind::Import(Import { path, alias })
            }
            Rule::type_alias => {
                let mut inner = inner(pair);
                let name = inner.find(|p| p.as_rule() == Rule::name)?;
                let name = self.new_type_name(&name);
                let ty = inner.find(|p| p.as_rule() == Rule::type_expr)?;
                ItemKind::Type(TypeAlias { name, ty: self.type_expr(ty)? })
            }
            Rule::param => self.param(pair)?,
            Rule::secret => ItemKind::Secret(self.secret(pair)?),
            Rule::connect => {
                let mut inner = inner(pair);
                let call = inner.find(|p| p.as_rule() == Rule::expr)?;
                let call = self.expr(call)?;
                let alias = inner.find(|p| p.as_rule() == Rule::name).map(|p| self.new_name(&p));
                ItemKind::Connect(Connect { call, alias })
            }
            Rule::binding => ItemKind::Let(self.binding(pair)?),
            Rule::require => {
                let mut inner = inner(pair).filter(|p| p.as_rule() == Rule::expr);
                let (condition, message) = (inner.next()?, inner.next()?);
                ItemKind::Require(Require {
                    condition: self.expr(condition)?,
                    message: self.expr(message)?,
                })
            }
            Rule::function => self.function(pair)?,
            Rule::stage => ItemKind::Stage(self.stage(pair)?),
            Rule::handler => ItemKind::Handler(self.handler(pair)?),
            _ => return None,
        })
    }

    fn pipeline(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        let mut name = None;
        let mut clauses = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::string => name = Some(self.string(part)?),
                Rule::clause => clauses.push(self.clause(part)?),
                _ => {}
            }
        }
        Some(ItemKind::Pipeline(Pipeline { name: name?, clauses }))
    }

    fn param(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        let (mut name, mut ty, mut limit, mut default) = (None, None, None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::type_expr => ty = Some(self.type_expr(part)?),
                Rule::limit => {
                    let mut inner = inner(part);
                    let word = inner.next()?.as_rule();
                    let value = self.expr(inner.next()?)?;
                    limit = Some(match word {
                        Rule::kw_in => Limit::In(value),
                        _ => Limit::Matches(value),
                    });
                }
                Rule::expr => default = Some(self.expr(part)?),
                _ => {}
            }
        }
        Some(ItemKind::Param(Param { name: name?, ty: ty?, limit, default }))
    }

    pub(super) fn secret(&mut self, pair: Pair<'_, Rule>) -> Option<Secret> {
        let mut inner = inner(pair);
        let name = inner.find(|p| p.as_rule() == Rule::name)?;
        let name = self.new_name(&name);
        let value = inner.find(|p| p.as_rule() == Rule::expr)?;
        Some(Secret { name, value: self.expr(value)? })
    }

    /// `let` and `output` have the same shape.
    pub(super) fn binding(&mut self, pair: Pair<'_, Rule>) -> Option<Let> {
        let (mut name, mut ty, mut value) = (None, None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::type_expr => ty = Some(self.type_expr(part)?),
                Rule::expr => value = Some(self.expr(part)?),
                _ => {}
            }
        }
        Some(Let { name: name?, ty, value: value? })
    }

    fn function(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        let (mut name, mut parameters, mut result, mut body) = (None, Vec::new(), None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::parameters => parameters = self.parameters(part)?,
                Rule::type_expr => result = Some(self.type_expr(part)?),
                Rule::block => body = Some(self.block(part)?),
                _ => {}
            }
        }
        Some(ItemKind::Function(Function { name: name?, parameters, result, body: body? }))
    }

    fn parameters(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Parameter>> {
        inner(pair)
            .filter(|p| p.as_rule() == Rule::parameter)
            .map(|part| {
                let start = self.pair_span(&part).start as usize;
                let docs = docs::above(self.text, start).into();
                let mut inner = inner(part);
                let name = self.name(&inner.next()?);
                let ty = inner.find(|p| p.as_rule() == Rule::type_expr)?;
                let ty = self.type_expr(ty)?;
                let default = match inner.find(|p| p.as_rule() == Rule::expr) {
                    Some(default) => Some(self.expr(default)?),
                    None => None,
                };
                Some(Parameter { name, ty, default, docs })
            })
            .collect()
    }

    pub(super) fn handler(&mut self, pair: Pair<'_, Rule>) -> Option<Handler> {
        let start = self.pair_span(&pair);
        let (mut outcome, mut head, mut body) = (Outcome::Always, start, None);
        for part in inner(pair) {
            let span = self.pair_span(&part);
            match part.as_rule() {
                Rule::kw_on => {}
                Rule::kw_always => head = span,
                Rule::outcome => {
                    head = start.to(span);
                    head.end = span.end;
                    outcome = match part.as_str() {
                        "success" => Outcome::Success,
                        "failure" => Outcome::Failure,
                        _ => Outcome::Cancelled,
                    };
                }
                _ => body = Some(Box::new(self.statement(part)?)),
            }
        }
        Some(Handler { outcome, head, body: body? })
    }

    pub(in crate::parser) fn signature(
        &mut self,
        pairs: Pairs<'_, Rule>,
    ) -> Option<(Option<Vec<Parameter>>, Option<TypeExpr>)> {
        let (mut parameters, mut result) = (None, None);
        for part in pairs.flat_map(inner) {
            match part.as_rule() {
                Rule::parameters => parameters = Some(self.parameters(part)?),
                Rule::type_expr => result = Some(self.type_expr(part)?),
                _ => {}
            }
        }
        Some((parameters, result))
    }

    pub(in crate::parser) fn lone_type(&mut self, pairs: Pairs<'_, Rule>) -> Option<TypeExpr> {
        let ty = pairs.flat_map(inner).find(|p| p.as_rule() == Rule::type_expr)?;
        self.type_expr(ty)
    }
}
