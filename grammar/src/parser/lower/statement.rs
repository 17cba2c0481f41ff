//! Statements.

use pest::{Parser as _, iterators::Pair};

use super::{Lower, Rule, inner};
use crate::{
    parser::{Grammar, expected, habits},
    tree::{Block, Branch, Modifier, ModifierKind, Statement, StatementKind},
};

impl Lower<'_, '_> {
    pub(super) fn block(&mut self, pair: Pair<'_, Rule>) -> Option<Block> {
        let span = self.pair_span(&pair);
        let mut statements = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::open_brace | Rule::close_brace => {}
                Rule::unclosed => self.broken = true,
                Rule::broken_statement => statements.push(self.broken_statement(&part)),
                _ => statements.push(self.statement(part)?),
            }
        }
        Some(Block { statements, span })
    }

    /// A line that is no statement: the slice alone is parsed again for the place of the mistake.
    fn broken_statement(&mut self, pair: &Pair<'_, Rule>) -> Statement {
        let span = self.pair_span(pair);
        let part = pair.as_str();
        self.file.broken.push(span);
        // Where a bracket of the item is blamed already, what follows from it is not told.
        if !self.broken {
            let start = span.start as usize;
            let problem = habits::statement(self, start, part).or_else(|| {
                let error = Grammar::parse(Rule::one_statement, part).err()?;
                Some(expected::problem(self.source, start, part, &error))
            });
            let problem = problem.unwrap_or_else(|| expected::no_statement(span));
            self.problems.push(problem);
        }
        Statement { kind: StatementKind::Broken, span }
    }

    pub(super) fn statement(&mut self, pair: Pair<'_, Rule>) -> Option<Statement> {
        let span = self.pair_span(&pair);
        let kind = match pair.as_rule() {
            Rule::command => StatementKind::Command(self.command(pair)?),
            Rule::binding => StatementKind::Let(self.binding(pair)?),
            Rule::output => StatementKind::Output(self.binding(pair)?),
            Rule::secret => StatementKind::Secret(self.secret(pair)?),
            Rule::expr => StatementKind::Expr(self.expr(pair)?),
            Rule::block => StatementKind::Block(self.block(pair)?),
            Rule::step => {
                let (mut title, mut body) = (None, None);
                for part in inner(pair) {
                    match part.as_rule() {
                        Rule::string => title = Some(self.string(part)?),
                        Rule::block => body = Some(self.block(part)?),
                        _ => {}
                    }
                }
                StatementKind::Step { title: title?, body: body? }
            }
            Rule::conditional => self.conditional(pair)?,
            Rule::each => self.each(pair, false)?,
            Rule::parallel => {
                let part = inner(pair).find(|p| p.as_rule() != Rule::kw_parallel)?;
                match part.as_rule() {
                    Rule::each => self.each(part, true)?,
                    _ => StatementKind::Parallel(self.block(part)?),
                }
            }
            Rule::return_ => StatementKind::Return(self.maybe_expr(pair)?),
            Rule::fail => StatementKind::Fail(self.only_expr(pair)?),
            Rule::skip => StatementKind::Skip(self.only_expr(pair)?),
            Rule::env_rest => StatementKind::Env(self.env(pair)?),
            Rule::handler => StatementKind::Handler(self.handler(pair)?),
            Rule::modified => self.modified(pair)?,
            _ => return None,
        };
        Some(Statement { kind, span })
    }

    fn conditional(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let (mut branches, mut condition, mut otherwise) = (Vec::new(), None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expr => condition = Some(self.expr(part)?),
                Rule::block => {
                    let body = self.block(part)?;
                    match condition.take() {
                        Some(condition) => branches.push(Branch { condition, body }),
                        None => otherwise = Some(body),
                    }
                }
                _ => {}
            }
        }
        Some(StatementKind::If { branches, otherwise })
    }

    fn each(&mut self, pair: Pair<'_, Rule>, parallel: bool) -> Option<StatementKind> {
        let (mut name, mut list, mut body) = (None, None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::expr => list = Some(self.expr(part)?),
                Rule::block => body = Some(self.block(part)?),
                _ => {}
            }
        }
        Some(StatementKind::For { parallel, name: name?, list: list?, body: body? })
    }

    fn modified(&mut self, pair: Pair<'_, Rule>) -> Option<StatementKind> {
        let (mut modifiers, mut body) = (Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::modifier => modifiers.push(self.modifier(part)?),
                _ => body = Some(Box::new(self.statement(part)?)),
            }
        }
        Some(StatementKind::Modified { modifiers, body: body? })
    }

    fn modifier(&mut self, pair: Pair<'_, Rule>) -> Option<Modifier> {
        let span = self.pair_span(&pair);
        let part = inner(pair).next()?;
        let kind = match part.as_rule() {
            Rule::retry => ModifierKind::Retry(self.retry(part)?),
            Rule::timeout => ModifierKind::Timeout(self.only_expr(part)?),
            Rule::env => ModifierKind::Env(self.env(part)?),
            Rule::cd => ModifierKind::Cd(self.only_expr(part)?),
            Rule::may_fail => ModifierKind::MayFail(self.maybe_expr(part)?),
            Rule::hold => {
                let mut inner = inner(part).filter(|p| p.as_rule() == Rule::expr);
                let (during, every) = (inner.next()?, inner.next()?);
                ModifierKind::Hold { during: self.expr(during)?, every: self.expr(every)? }
            }
            _ => return None,
        };
        Some(Modifier { kind, span })
    }
}
