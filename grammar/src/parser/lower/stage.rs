//! Stages and their clauses.

use pest::iterators::Pair;

use super::{Lower, Rule, inner};
use crate::tree::{After, Clause, ClauseKind, ExprId, Name, Retry, Stage, WorkspaceKind};

impl Lower<'_, '_> {
    pub(super) fn stage(&mut self, pair: Pair<'_, Rule>) -> Option<Stage> {
        let (mut name, mut title, mut clauses, mut body) = (None, None, Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = Some(self.new_name(&part)),
                Rule::string => title = Some(self.string(part)?),
                Rule::clause => clauses.push(self.clause(part)?),
                Rule::block => body = Some(self.block(part)?),
                _ => {}
            }
        }
        Some(Stage { name: name?, title, clauses, body: body?, broken: self.broken })
    }

    pub(super) fn clause(&mut self, pair: Pair<'_, Rule>) -> Option<Clause> {
        let span = self.pair_span(&pair);
        let part = inner(pair).next()?;
        let kind = match part.as_rule() {
            Rule::for_clause => self.for_clause(part)?,
            Rule::needs => ClauseKind::Needs(self.names(part)),
            Rule::after => {
                let names = self.names(part);
                match names.as_slice() {
                    [one] if &*one.text == "nothing" => ClauseKind::After(After::Nothing),
                    _ => ClauseKind::After(After::Stages(names)),
                }
            }
            Rule::when => ClauseKind::When(self.only_expr(part)?),
            Rule::using => ClauseKind::Using(self.only_expr(part)?),
            Rule::approve => self.approve(part)?,
            Rule::lock => ClauseKind::Lock(self.only_expr(part)?),
            Rule::retry => ClauseKind::Retry(self.retry(part)?),
            Rule::timeout => ClauseKind::Timeout(self.only_expr(part)?),
            Rule::may_fail => ClauseKind::MayFail(self.maybe_expr(part)?),
            Rule::at_once => ClauseKind::AtOnce(self.only_expr(part)?),
            Rule::keep_going => ClauseKind::KeepGoing,
            Rule::env => ClauseKind::Env(self.env(part)?),
            Rule::cd => ClauseKind::Cd(self.only_expr(part)?),
            Rule::workspace => {
                let own = inner(part).any(|p| p.as_str() == "own");
                ClauseKind::Workspace(if own { WorkspaceKind::Own } else { WorkspaceKind::Clean })
            }
            _ => return None,
        };
        Some(Clause { kind, span })
    }

    fn names(&mut self, pair: Pair<'_, Rule>) -> Vec<Name> {
        let names = inner(pair).filter(|p| p.as_rule() == Rule::name);
        names.map(|p| self.name(&p)).collect()
    }

    /// The one expression of a clause or modifier.
    pub(super) fn only_expr(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let part = inner(pair).find(|p| p.as_rule() == Rule::expr)?;
        self.expr(part)
    }

    /// The expression that may be there. The outer `None` is a mistake of ours.
    pub(super) fn maybe_expr(&mut self, pair: Pair<'_, Rule>) -> Option<Option<ExprId>> {
        match inner(pair).find(|p| p.as_rule() == Rule::expr) {
            Some(part) => self.expr(part).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn env(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let record = inner(pair).find(|p| p.as_rule() == Rule::record)?;
        self.record(record)
    }

    fn for_clause(&mut self, pair: Pair<'_, Rule>) -> Option<ClauseKind> {
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
        Some(ClauseKind::For { loops, condition })
    }

    fn approve(&mut self, pair: Pair<'_, Rule>) -> Option<ClauseKind> {
        let (mut question, mut condition, mut within) = (None, None, None);
        let mut word = Rule::kw_approve;
        for part in inner(pair) {
            match (part.as_rule(), word) {
                (Rule::expr, Rule::kw_if) => condition = Some(self.expr(part)?),
                (Rule::expr, Rule::kw_within) => within = Some(self.expr(part)?),
                (Rule::expr, _) => question = Some(self.expr(part)?),
                (next, _) => word = next,
            }
        }
        Some(ClauseKind::Approve { question: question?, condition, within })
    }

    pub(super) fn retry(&mut self, pair: Pair<'_, Rule>) -> Option<Retry> {
        let mut retry = Retry { count: None, within: None, every: None };
        let mut word = Rule::kw_retry;
        for part in inner(pair) {
            match (part.as_rule(), word) {
                (Rule::expr, Rule::kw_within) => retry.within = Some(self.expr(part)?),
                (Rule::expr, Rule::kw_every) => retry.every = Some(self.expr(part)?),
                (Rule::expr, _) => retry.count = Some(self.expr(part)?),
                (next, _) => word = next,
            }
        }
        Some(retry)
    }
}
