//! Expressions: operators by precedence, then calls, members and indices.

use pest::iterators::Pair;

use super::{Lower, RESERVED, Rule, inner};
use crate::{
    diagnostic::{Code, Diagnostic},
    parser::literal,
    span::Span,
    tree::{Argument, BinaryOp, Element, ExprId, ExprKind, Field, Key, Name, UnaryOp},
};

/// Where `not` stands among the precedences of [`BinaryOp::precedence`].
const NOT: u8 = 3;

/// A part of an expression before precedence is known.
enum Token {
    Value(ExprId),
    Infix(BinaryOp, Span),
    Prefix(UnaryOp, Span),
}

impl Lower<'_, '_> {
    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let mut tokens = Vec::new();
        for part in inner(pair) {
            let span = self.pair_span(&part);
            tokens.push(match part.as_rule() {
                Rule::if_expr => return self.if_expr(part),
                Rule::infix_lead | Rule::infix_trail => {
                    Token::Infix(BinaryOp::from_symbol(part.as_str())?, span)
                }
                Rule::not => Token::Prefix(UnaryOp::Not, span),
                Rule::negative => Token::Prefix(UnaryOp::Negate, span),
                _ => Token::Value(self.value(part)?),
            });
        }
        let mut tokens = tokens.into_iter().peekable();
        self.climb(&mut tokens, 0)
    }

    /// Precedence climbing: reads operands joined by operators that bind at least as `least`.
    fn climb(
        &mut self,
        tokens: &mut std::iter::Peekable<std::vec::IntoIter<Token>>,
        least: u8,
    ) -> Option<ExprId> {
        // Prefixes wait until their operand is read; `not` takes a whole comparison.
        let mut prefixes = Vec::new();
        let mut left = loop {
            match tokens.next()? {
                Token::Prefix(op, span) => prefixes.push((op, span)),
                Token::Value(id) => break id,
                Token::Infix(..) => return None,
            }
        };
        while let Some((op, span)) = prefixes.pop() {
            if op == UnaryOp::Not {
                left = self.climb_from(left, tokens, NOT + 1)?;
            }
            let whole = span.to(self.span_of(left));
            left = self.push(ExprKind::Unary { op, operand: left }, whole, &[left]);
        }
        self.climb_from(left, tokens, least)
    }

    fn climb_from(
        &mut self,
        mut left: ExprId,
        tokens: &mut std::iter::Peekable<std::vec::IntoIter<Token>>,
        least: u8,
    ) -> Option<ExprId> {
        while let Some(Token::Infix(op, op_span)) = tokens.peek() {
            let (op, op_span) = (*op, *op_span);
            if op.precedence() < least {
                break;
            }
            tokens.next();
            let right = self.climb(tokens, op.precedence() + 1)?;
            let whole = self.span_of(left).to(self.span_of(right));
            if op != BinaryOp::Otherwise
                && let ExprKind::Fail(_) = self.file.expr(right).kind
            {
                let span = self.span_of(right);
                self.problems.push(misplaced_fail(span));
            }
            let kind = ExprKind::Binary { op, op_span, left, right };
            left = self.push(kind, whole, &[left, right]);
        }
        Some(left)
    }

    fn if_expr(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let span = self.pair_span(&pair);
        let mut parts = inner(pair).filter(|p| p.as_rule() == Rule::expr);
        let (condition, then, otherwise) = (parts.next()?, parts.next()?, parts.next()?);
        let condition = self.expr(condition)?;
        let then = self.expr(then)?;
        let otherwise = self.expr(otherwise)?;
        let kind = ExprKind::If { condition, then, otherwise };
        Some(self.push(kind, span, &[condition, then, otherwise]))
    }

    fn value(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let mut parts = inner(pair);
        let mut value = self.primary(parts.next()?)?;
        for part in parts {
            let span = self.span_of(value).to(self.pair_span(&part));
            value = match part.as_rule() {
                Rule::call => {
                    let parens = self.pair_span(&part);
                    let arguments = self.arguments(part)?;
                    let mut children: Vec<ExprId> = arguments.iter().map(|a| a.value).collect();
                    children.push(value);
                    let kind =
                        ExprKind::Call { callee: value, arguments: arguments.into(), parens };
                    self.push(kind, span, &children)
                }
                Rule::index => {
                    let index = inner(part).find(|p| p.as_rule() == Rule::expr)?;
                    let index = self.expr(index)?;
                    self.push(ExprKind::Index { base: value, index }, span, &[value, index])
                }
                Rule::member => {
                    let name = inner(part).find(|p| p.as_rule() == Rule::any_name)?;
                    let name = self.name(&name);
                    self.push(ExprKind::Member { base: value, name }, span, &[value])
                }
                _ => return None,
            };
        }
        Some(value)
    }

    fn arguments(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Argument>> {
        inner(pair)
            .filter(|p| p.as_rule() == Rule::argument)
            .map(|part| {
                let (mut name, mut value) = (None, None);
                for part in inner(part) {
                    match part.as_rule() {
                        Rule::any_name => name = Some(self.name(&part)),
                        Rule::expr => value = Some(self.expr(part)?),
                        _ => {}
                    }
                }
                Some(Argument { name, value: value? })
            })
            .collect()
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let span = self.pair_span(&pair);
        Some(match pair.as_rule() {
            Rule::name => self.name_value(&pair),
            Rule::string | Rule::raw_string => self.string(pair)?,
            Rule::number => {
                let kind = literal::number(pair.as_str()).unwrap_or_else(|refusal| {
                    self.problems.push(bad_literal(span, refusal));
                    ExprKind::Broken
                });
                self.push(kind, span, &[])
            }
            Rule::list => self.list(pair)?,
            Rule::record => self.record(pair)?,
            Rule::group => {
                let inner = inner(pair).find(|p| p.as_rule() == Rule::expr)?;
                let inner = self.expr(inner)?;
                self.push(ExprKind::Group(inner), span, &[inner])
            }
            Rule::capture => self.capture(pair)?,
            Rule::fail_value => {
                let text = inner(pair).find(|p| p.as_rule() == Rule::string)?;
                let text = self.string(text)?;
                self.push(ExprKind::Fail(text), span, &[text])
            }
            _ => return None,
        })
    }

    fn name_value(&mut self, pair: &Pair<'_, Rule>) -> ExprId {
        let name = self.name(pair);
        let kind = match &*name.text {
            "null" => ExprKind::Null,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            word if RESERVED.contains(&word) => {
                self.problems.push(reserved_value(&name));
                ExprKind::Broken
            }
            _ => ExprKind::Name(name.text),
        };
        self.push(kind, name.span, &[])
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let span = self.pair_span(&pair);
        let mut elements = Vec::new();
        let mut children = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::element => {
                    let mut inner = inner(part).filter(|p| p.as_rule() != Rule::kw_if);
                    let first = inner.next()?;
                    let element = if first.as_rule() == Rule::spread {
                        Element::Spread(self.only_expr(first)?)
                    } else {
                        let item = self.expr(first)?;
                        match inner.next() {
                            Some(condition) => Element::If(item, self.expr(condition)?),
                            None => Element::Item(item),
                        }
                    };
                    match element {
                        Element::Item(id) | Element::Spread(id) => children.push(id),
                        Element::If(id, condition) => children.extend([id, condition]),
                    }
                    elements.push(element);
                }
                Rule::comprehension => return self.comprehension(part, elements, span),
                _ => {}
            }
        }
        Some(self.push(ExprKind::List(elements.into()), span, &children))
    }

    fn comprehension(
        &mut self,
        pair: Pair<'_, Rule>,
        elements: Vec<Element>,
        span: Span,
    ) -> Option<ExprId> {
        let [Element::Item(item)] = elements[..] else {
            let message = "a comprehension makes one item from each of a list";
            self.problems.push(
                Diagnostic::error(Code::SYNTAX, span, message)
                    .label("`...` and `if` can't stand before `for`"),
            );
            return Some(self.push(ExprKind::Broken, span, &[]));
        };
        let (mut loops, mut condition) = (Vec::new(), None);
        let (mut name, mut is_condition) = (None, false);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::kw_if => is_condition = true,
                Rule::expr if is_condition => condition = Some(self.expr(part)?),
                Rule::expr => loops.push((name.take()?, self.expr(part)?)),
                _ => {}
            }
        }
        let mut children: Vec<ExprId> = loops.iter().map(|(_, list)| *list).collect();
        children.push(item);
        children.extend(condition);
        let kind = ExprKind::Comprehension { item, loops: loops.into(), condition };
        Some(self.push(kind, span, &children))
    }

    pub(super) fn record(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let span = self.pair_span(&pair);
        let mut fields = Vec::new();
        let mut children = Vec::new();
        for part in inner(pair).filter(|p| p.as_rule() == Rule::field) {
            let field = self.field(part)?;
            match &field {
                Field::Pair { value, .. } | Field::Short { value, .. } | Field::Spread(value) => {
                    children.push(*value);
                }
            }
            fields.push(field);
        }
        Some(self.push(ExprKind::Record(fields.into()), span, &children))
    }

    fn field(&mut self, pair: Pair<'_, Rule>) -> Option<Field> {
        let mut parts = inner(pair);
        let first = parts.next()?;
        Some(match first.as_rule() {
            Rule::spread => Field::Spread(self.only_expr(first)?),
            Rule::any_name => {
                let value = self.name_value(&first);
                Field::Short { name: self.name(&first), value }
            }
            _ => {
                let path = inner(first).map(|p| self.key(p)).collect::<Option<Vec<_>>>()?;
                let value = parts.find(|p| p.as_rule() == Rule::expr)?;
                Field::Pair { path: path.into(), value: self.expr(value)? }
            }
        })
    }

    fn key(&mut self, pair: Pair<'_, Rule>) -> Option<Key> {
        let span = self.pair_span(&pair);
        if pair.as_rule() == Rule::any_name {
            return Some(Key { text: self.text_of(span), span });
        }
        let id = self.string(pair)?;
        let text = self.plain_text(id).unwrap_or_else(|| {
            self.problems.push(
                Diagnostic::error(Code::SYNTAX, span, "a key is a text without `#{…}`")
                    .label("a key is known before anything runs"),
            );
            "".into()
        });
        Some(Key { text, span })
    }
}

pub(super) fn bad_literal(span: Span, (message, help): literal::Refusal) -> Diagnostic {
    Diagnostic::error(Code::BAD_LITERAL, span, message).help_if(help)
}

fn reserved_value(name: &Name) -> Diagnostic {
    let message = format!("`{}` is a reserved word, not a value", name.text);
    Diagnostic::error(Code::RESERVED_WORD, name.span, message).label("a value was expected here")
}

fn misplaced_fail(span: Span) -> Diagnostic {
    Diagnostic::error(Code::SYNTAX, span, "`fail` is a value only behind `??`")
        .label("not here")
        .help("write `x ?? fail \"…\"`, or `fail \"…\"` as a statement")
}
