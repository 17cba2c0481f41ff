//! Blocks and statements.

use std::{sync::Arc, time::Duration};

use pipe_grammar::{
    Code, Diagnostic,
    tree::{Block, ExprId, ExprKind, Let, Outcome, Statement, StatementKind},
};
use pipe_stdlib::core::{Secret, Type, Value, text_of};
use tokio_util::sync::CancellationToken;

use super::{CommandRun, Eval, Frame, Holds, Later, Stop};

/// How long the handlers of a block have after a failure.
pub(super) const FAILURE_GRACE: Duration = Duration::from_secs(600);

impl<'a> Eval<'a> {
    /// Runs a block in a scope of its own, then its handlers.
    pub fn block(self, block: &'a Block) -> Later<'a, Result<(), Stop>> {
        Box::pin(async move {
            let frame = self.frame.inner();
            self.at(&frame).statements(&block.statements).await
        })
    }

    /// Runs statements in the scope of the frame, then their handlers.
    pub async fn statements(self, statements: &[Statement]) -> Result<(), Stop> {
        let mut frame = Frame { holds: Holds::default(), ..self.frame.clone() };
        let mut held = 0;
        let mut result = Ok(());
        for (number, statement) in statements.iter().enumerate() {
            if frame.cancel.is_cancelled() {
                result = Err(Stop::Cancelled);
                break;
            }
            let here = frame.at(format_args!(".{number}"));
            if let StatementKind::Env(record) = statement.kind {
                match self.at(&here).environment(record).await {
                    Ok(more) => frame = frame.with_env(more),
                    Err(stop) => {
                        result = Err(stop);
                        break;
                    }
                }
                continue;
            }
            if let Err(stop) = self.at(&here).statement(statement).await {
                result = Err(stop);
                break;
            }
            if frame.holds.count() > held {
                frame = frame.with_env(frame.holds.environment(held));
                held = frame.holds.count();
            }
        }
        if let (Err(Stop::Cancelled), Some(failed)) = (&result, frame.timed_out()) {
            result = Err(Stop::Failed(Box::new(failed.clone())));
        }
        let result = self.at(&frame).handlers(statements, result).await;
        self.at(&frame).undo(result).await
    }

    /// Runs the handler that the outcome asks for, then `always`. What fails in a handler fails
    /// the block, unless that has failed already.
    async fn handlers(
        self,
        statements: &[Statement],
        result: Result<(), Stop>,
    ) -> Result<(), Stop> {
        let outcome = match &result {
            Ok(()) | Err(Stop::Return(_) | Stop::Skip(_)) => Outcome::Success,
            Err(Stop::Failed(_) | Stop::Later(_)) => Outcome::Failure,
            Err(Stop::Cancelled) => Outcome::Cancelled,
        };
        let mut result = result;
        for wanted in [outcome, Outcome::Always] {
            for (number, statement) in statements.iter().enumerate() {
                let StatementKind::Handler(handler) = &statement.kind else { continue };
                if handler.outcome != wanted {
                    continue;
                }
                let failure = match &result {
                    Err(Stop::Failed(failed)) => Some(Arc::new((**failed).clone())),
                    _ => self.frame.failure.clone(),
                };
                let grace = if outcome == Outcome::Cancelled {
                    self.host.cancel_grace()
                } else {
                    FAILURE_GRACE
                };
                let frame = self.frame.at(format_args!("!{number}"));
                let handled = self.at(&frame).handler(&handler.body, failure, outcome, grace).await;
                if let (Ok(()), Err(stop)) = (&result, handled) {
                    result = Err(stop);
                }
            }
        }
        result
    }

    /// Runs what a handler does. After a failure or a cancellation it has a time of its own, which
    /// the cancellation of what it handles does not touch.
    pub async fn handler(
        self,
        body: &Statement,
        failure: Option<Arc<super::Failed>>,
        outcome: Outcome,
        grace: Duration,
    ) -> Result<(), Stop> {
        let cancel = if outcome == Outcome::Success {
            self.frame.cancel.clone()
        } else {
            CancellationToken::new()
        };
        let limit = self.frame.limit.clone().filter(|_| outcome == Outcome::Success);
        let frame =
            Frame { cancel: cancel.clone(), limit, failure, handler: true, ..self.frame.inner() };
        let frame = frame.at(format_args!("!{}", outcome.name()));
        let eval = self.at(&frame);
        let work = async {
            match &body.kind {
                StatementKind::Block(block) => eval.block(block).await,
                _ => eval.statement(body).await,
            }
        };
        if outcome == Outcome::Success {
            return work.await;
        }
        super::modifier::limited(&cancel, grace, work).await.unwrap_or_else(|| {
            let what = "the handler took longer than it may";
            Err(Stop::failed(Diagnostic::error(Code::TIMED_OUT, body.span, what)))
        })
    }

    /// Runs a statement.
    pub fn statement(self, statement: &'a Statement) -> Later<'a, Result<(), Stop>> {
        Box::pin(async move { self.execute(statement).await })
    }

    async fn execute(self, statement: &Statement) -> Result<(), Stop> {
        match &statement.kind {
            StatementKind::Let(binding) | StatementKind::Output(binding) => {
                let value = self.let_value(binding).await?;
                self.frame.scope.bind(&binding.name.text, value);
            }
            StatementKind::Secret(secret) => {
                let value = self.value(secret.value).await?;
                let hidden = match value {
                    Value::Secret(secret) => secret,
                    other => Secret::new(text_of(&other).unwrap_or_default()),
                };
                self.host.born(&secret.name, &hidden)?;
                self.frame.scope.bind(&secret.name.text, Value::Secret(hidden));
            }
            StatementKind::Expr(id) => {
                self.value(*id).await?;
            }
            StatementKind::Command(command) => {
                let mut values = Vec::new();
                for hole in command.holes() {
                    values.push(self.value(hole).await?);
                }
                let run = CommandRun { command, values, capture: false, script: None };
                self.host.command(self.frame, run).await?;
            }
            StatementKind::Step { title, body } => self.step(*title, body, statement).await?,
            StatementKind::If { branches, otherwise } => {
                for branch in branches {
                    if self.holds(branch.condition).await? {
                        return self.block(&branch.body).await;
                    }
                }
                if let Some(block) = otherwise {
                    self.block(block).await?;
                }
            }
            StatementKind::For { parallel: true, name, list, body } => {
                self.parallel_for(name, *list, body).await?;
            }
            StatementKind::For { name, list, body, .. } => {
                for (number, item) in self.items(*list).await?.into_iter().enumerate() {
                    let frame = self.frame.inner().at(format_args!("[{number}]"));
                    frame.scope.bind(&name.text, item);
                    self.at(&frame).block(body).await?;
                }
            }
            StatementKind::Return(value) => {
                let value = match value {
                    Some(id) => self.value(*id).await?,
                    None => Value::Null,
                };
                return Err(Stop::Return(value));
            }
            StatementKind::Fail(text) => {
                let text = self.message(*text).await?;
                let problem = Diagnostic::error(Code::STAGE_FAILED, statement.span, text);
                return Err(Stop::failed(problem));
            }
            StatementKind::Skip(text) => return Err(Stop::Skip(self.message(*text).await?)),
            StatementKind::Modified { modifiers, body } => self.modified(modifiers, body).await?,
            StatementKind::Block(block) => self.block(block).await?,
            StatementKind::Parallel(block) => self.parallel(block).await?,
            // `env` alone is taken by the block, handlers run at its end.
            StatementKind::Env(_) | StatementKind::Handler(_) => {}
            StatementKind::Broken => {
                return Err(Stop::evaluation(statement.span, "this could not be read"));
            }
        }
        Ok(())
    }

    async fn let_value(self, binding: &Let) -> Result<Value, Stop> {
        let value = self.value(binding.value).await?;
        let written = binding.ty.as_ref().and_then(|ty| self.program.checked.written.get(&ty.span));
        match written {
            Some(wanted) => self.converted(binding.value, value, wanted),
            None => Ok(value),
        }
    }

    async fn message(self, id: ExprId) -> Result<String, Stop> {
        Ok(text_of(&self.value(id).await?).unwrap_or_default())
    }

    async fn step(self, title: ExprId, body: &Block, statement: &Statement) -> Result<(), Stop> {
        let title = self.message(title).await?;
        let frame = self.host.begin_step(self.frame, &title, statement.span);
        let result = self.at(&frame).block(body).await;
        self.host.end_step(&frame, result.as_ref().copied());
        result
    }

    /// The variables that an `env` gives.
    pub async fn environment(self, record: ExprId) -> Result<Vec<(String, Value)>, Stop> {
        let value = self.value(record).await?;
        let fields = value.as_record().cloned().unwrap_or_default();
        Ok(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }

    /// Whether an expression is a literal text; what the shell's guards ask.
    #[must_use]
    pub fn is_literal(self, id: ExprId) -> bool {
        match &self.program.file.expr(id).kind {
            ExprKind::String { pieces, .. } => {
                matches!(pieces.first(), Some(pipe_grammar::tree::Piece::Text(..)))
            }
            ExprKind::Group(inner) => self.is_literal(*inner),
            _ => matches!(self.program.checked.types[id.0 as usize], Type::Literals(_)),
        }
    }
}
