//! Blocks and statements.

use super::layout::Printer;
use crate::tree::{Block, Branch, Handler, Modifier, ModifierKind, Statement, StatementKind};

impl Printer<'_> {
    /// The block behind a head, on the same line.
    pub(super) fn body(&mut self, block: &Block) {
        if self.between(block.span.start as usize) {
            return self.open_block(block);
        }
        self.space();
        if !self.closed_block(block) {
            self.open_block(block);
        }
    }

    /// Writes a block on one line if the author did, it holds one plain statement and it fits; or
    /// if it holds nothing.
    fn closed_block(&mut self, block: &Block) -> bool {
        let range = block.span.range();
        match block.statements.as_slice() {
            [] if !self.origin.has_comment(range.clone()) => {
                self.push("{}");
                true
            }
            _ if self.origin.is_broken(range) => false,
            [statement] if is_plain(&statement.kind) => self.attempt_line(|printer| {
                printer.push("{ ");
                printer.statement(statement);
                printer.push(" }");
            }),
            _ => false,
        }
    }

    /// Writes a block with each statement on a line of its own.
    pub(super) fn open_block(&mut self, block: &Block) {
        let ends = (block.span.start as usize, block.span.end as usize - 1);
        let items: Vec<_> = block.statements.iter().map(|s| s.span.range()).collect();
        self.lines(ends, &items, "", |printer, n| printer.statement(&block.statements[n]));
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let(binding) => self.binding("let ", binding),
            StatementKind::Output(binding) => self.binding("output ", binding),
            StatementKind::Secret(secret) => self.secret(secret),
            StatementKind::Expr(value) => self.expr(*value, 0),
            StatementKind::Command(command) => self.command(command),
            StatementKind::Step { title, body } => {
                self.word("step", *title, 2);
                self.body(body);
            }
            StatementKind::If { branches, otherwise } => {
                self.conditional(statement, branches, otherwise.as_ref());
            }
            StatementKind::For { parallel, name, list, body } => {
                if *parallel {
                    self.push("parallel ");
                }
                self.loop_head(name);
                self.expr(*list, 2);
                self.body(body);
            }
            StatementKind::Parallel(body) => {
                self.push("parallel");
                self.body(body);
            }
            StatementKind::Return(None) => self.push("return"),
            StatementKind::Return(Some(value)) => self.word("return", *value, 0),
            StatementKind::Fail(value) => self.word("fail", *value, 0),
            StatementKind::Skip(value) => self.word("skip", *value, 0),
            StatementKind::Env(value) => self.word("env", *value, 0),
            StatementKind::Modified { modifiers, body } => {
                for modifier in modifiers {
                    self.modifier(modifier);
                }
                self.modified(body);
            }
            StatementKind::Block(block) => self.body(block),
            StatementKind::Handler(handler) => self.handler(handler),
            // A text with such a one is not formatted.
            StatementKind::Broken => self.push(self.origin.slice(statement.span)),
        }
    }

    pub(super) fn handler(&mut self, handler: &Handler) {
        self.push(handler.outcome.name());
        if !matches!(handler.body.kind, StatementKind::Block(_)) {
            self.space();
        }
        self.statement(&handler.body);
    }

    /// What stands behind modifiers; each has left a blank.
    fn modified(&mut self, body: &Statement) {
        match &body.kind {
            StatementKind::Block(block) => {
                if !self.closed_block(block) {
                    self.open_block(block);
                }
            }
            _ => self.statement(body),
        }
    }

    fn modifier(&mut self, modifier: &Modifier) {
        let kind = &modifier.kind;
        match kind {
            ModifierKind::Retry(retry) => self.retry(retry, 2),
            ModifierKind::Timeout(value) | ModifierKind::Env(value) | ModifierKind::Cd(value) => {
                self.word(kind.keyword(), *value, 2);
            }
            ModifierKind::MayFail(condition) => self.may_fail(*condition, 2),
            ModifierKind::Hold { during, every } => {
                self.word("hold", *during, 2);
                self.space();
                self.word("every", *every, 2);
            }
        }
        self.space();
    }

    fn conditional(
        &mut self,
        statement: &Statement,
        branches: &[Branch],
        otherwise: Option<&Block>,
    ) {
        let on_one_line = !self.origin.is_broken(statement.span.range())
            && self.attempt_line(|printer| {
                let mut closed = true;
                for (place, branch) in branches.iter().enumerate() {
                    printer.push(if place > 0 { " else if " } else { "if " });
                    printer.expr(branch.condition, 2);
                    printer.space();
                    closed &= printer.closed_block(&branch.body);
                }
                if let Some(block) = otherwise {
                    printer.push(" else ");
                    closed &= printer.closed_block(block);
                }
                if !closed {
                    printer.newline();
                }
            });
        if on_one_line {
            return;
        }
        let mut end = 0;
        for (place, branch) in branches.iter().enumerate() {
            if place > 0 {
                self.otherwise(end, branch.body.span.start as usize);
            }
            self.push("if ");
            self.expr(branch.condition, 2);
            self.space();
            self.open_block(&branch.body);
            end = branch.body.span.end as usize;
        }
        if let Some(block) = otherwise {
            self.otherwise(end, block.span.start as usize);
            self.open_block(block);
        }
    }

    /// `else`, behind the brace; below it where a comment stands between them.
    fn otherwise(&mut self, end: usize, limit: usize) {
        let word = self.origin.token_at(end).min(limit);
        self.between(word);
        self.space();
        self.push("else ");
    }
}

/// Whether a statement may share a line with the braces around it.
fn is_plain(kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Let(_)
        | StatementKind::Output(_)
        | StatementKind::Secret(_)
        | StatementKind::Expr(_)
        | StatementKind::Return(_)
        | StatementKind::Fail(_)
        | StatementKind::Skip(_)
        | StatementKind::Env(_) => true,
        StatementKind::Modified { body, .. } => is_plain(&body.kind),
        StatementKind::Handler(handler) => is_plain(&handler.body.kind),
        _ => false,
    }
}
