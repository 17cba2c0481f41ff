//! The values of expressions.

use std::sync::Arc;

use pipe_grammar::{
    Code, Diagnostic,
    tree::{BinaryOp, Element, ExprId, ExprKind, Field, Name, Piece, Text, UnaryOp},
};
use pipe_stdlib::core::{Arguments, Kind, Record, Secret, Type, Value, convert, set_path, text_of};

use super::{CommandRun, Frame, Host, Later, StepCall, Stop, arithmetic};
use crate::{check::Target, program::Program};

/// An evaluator at a place of the run.
#[derive(Clone, Copy)]
pub struct Eval<'a> {
    /// The file.
    pub program: &'a Program,
    /// Who acts.
    pub host: &'a dyn Host,
    /// What surrounds the expression.
    pub frame: &'a Frame,
}

impl<'a> Eval<'a> {
    /// The same with another frame.
    #[must_use]
    pub fn at<'b>(self, frame: &'b Frame) -> Eval<'b>
    where
        'a: 'b,
    {
        Eval { program: self.program, host: self.host, frame }
    }

    /// The value of an expression.
    pub fn value(self, id: ExprId) -> Later<'a, Result<Value, Stop>> {
        Box::pin(async move { self.evaluate(id).await })
    }

    async fn evaluate(self, id: ExprId) -> Result<Value, Stop> {
        let expr = self.program.file.expr(id);
        Ok(match &expr.kind {
            ExprKind::Null => Value::Null,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Int(value) => self.literal(id, Value::Int(*value)),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::Duration(millis) => {
                Value::Duration(std::time::Duration::from_millis(*millis))
            }
            ExprKind::Size(bytes) => Value::Size(*bytes),
            ExprKind::String { pieces, .. } => {
                let text = self.text(pieces).await?;
                self.literal(id, text)
            }
            ExprKind::Name(name) => self.name(id, name)?,
            ExprKind::List(elements) => self.list(elements).await?,
            ExprKind::Comprehension { item, loops, condition } => {
                let mut items = Vec::new();
                self.each(loops, *condition, *item, &mut items).await?;
                Value::list(items)
            }
            ExprKind::Record(fields) => self.record(fields).await?,
            ExprKind::Call { .. } => self.call(id).await?,
            ExprKind::Member { base, name } => self.member(id, *base, name).await?,
            ExprKind::Index { base, index } => self.index(*base, *index).await?,
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                Value::Bool(!self.holds(*operand).await?)
            }
            ExprKind::Unary { op: UnaryOp::Negate, operand } => {
                let value = self.value(*operand).await?;
                arithmetic::negate(&value).map_err(|why| Stop::evaluation(expr.span, why))?
            }
            ExprKind::Binary { op, left, right, .. } => self.binary(id, *op, *left, *right).await?,
            ExprKind::If { condition, then, otherwise } => {
                let chosen = if self.holds(*condition).await? { *then } else { *otherwise };
                self.value(chosen).await?
            }
            ExprKind::Capture(command) => {
                let mut values = Vec::new();
                for hole in command.holes() {
                    values.push(self.value(hole).await?);
                }
                let run = CommandRun { command, values, capture: true, script: None };
                let done = self.host.command(self.frame, run).await?;
                let text = String::from_utf8(done.stdout).map_err(|_| {
                    Stop::evaluation(command.span, "the output of this command is no UTF-8 text")
                })?;
                text.trim_end_matches(['\n', '\r']).into()
            }
            ExprKind::Fail(text) => {
                let text = self.value(*text).await?;
                let text = text_of(&text).unwrap_or_default();
                let problem = Diagnostic::error(Code::STAGE_FAILED, expr.span, text);
                return Err(Stop::failed(problem));
            }
            ExprKind::Group(inner) => self.value(*inner).await?,
            ExprKind::Broken => return Err(Stop::evaluation(expr.span, "this could not be read")),
        })
    }

    /// A literal becomes what its place asks for: a path, a float.
    fn literal(self, id: ExprId, value: Value) -> Value {
        match (&self.program.checked.types[id.0 as usize], value) {
            (Type::Path, Value::String(text)) => Value::Path(text),
            #[expect(clippy::cast_precision_loss, reason = "an int fits a float in the language")]
            (Type::Float, Value::Int(value)) => Value::Float(value as f64),
            (_, value) => value,
        }
    }

    /// A text with its holes filled; a secret in one of them makes it one.
    async fn text(self, pieces: &[Piece]) -> Result<Value, Stop> {
        let mut out = String::new();
        let mut secret = false;
        for piece in pieces {
            match piece {
                Piece::Text(text, _) => out.push_str(text),
                Piece::Hole(id, span) => match self.value(*id).await? {
                    Value::Secret(hidden) => {
                        secret = true;
                        out.push_str(hidden.reveal());
                    }
                    value => match text_of(&value) {
                        Some(text) => out.push_str(&text),
                        None => {
                            let found = pipe_stdlib::core::describe(&value);
                            return Err(Stop::evaluation(
                                *span,
                                format!("{found} has no single text"),
                            ));
                        }
                    },
                },
            }
        }
        Ok(if secret { Value::Secret(Secret::new(out)) } else { out.into() })
    }

    fn name(self, id: ExprId, name: &Text) -> Result<Value, Stop> {
        if let Some(value) = self.frame.scope.get(name) {
            return Ok(value);
        }
        if let Some(Target::Global(full)) = self.program.checked.targets.get(&id) {
            return self.host.global(full);
        }
        if let Some(value) = self.host.special(name, self.frame) {
            return Ok(value);
        }
        match self.host.global(name) {
            // The block ended before the name was bound.
            Err(Stop::Failed(_)) if self.frame.handler && !self.is_global(name) => Ok(Value::Null),
            Err(Stop::Failed(failed)) if failed.diagnostic.span().is_none() => {
                Err(Stop::evaluation(self.program.file.span(id), failed.diagnostic.message))
            }
            other => other,
        }
    }

    fn is_global(self, name: &str) -> bool {
        use pipe_grammar::tree::ItemKind;
        self.program.file.items.iter().any(|item| match &item.kind {
            ItemKind::Param(param) => &*param.name.text == name,
            ItemKind::Let(binding) => &*binding.name.text == name,
            ItemKind::Secret(secret) => &*secret.name.text == name,
            _ => false,
        })
    }

    /// Whether a condition holds.
    pub async fn holds(self, id: ExprId) -> Result<bool, Stop> {
        match self.value(id).await? {
            Value::Bool(value) => Ok(value),
            other => {
                let found = pipe_stdlib::core::describe(&other);
                let span = self.program.file.span(id);
                Err(Stop::evaluation(span, format!("a condition is a bool, not {found}")))
            }
        }
    }

    async fn list(self, elements: &[Element]) -> Result<Value, Stop> {
        let mut items = Vec::new();
        for element in elements {
            match *element {
                Element::Item(id) => items.push(self.value(id).await?),
                Element::If(id, condition) => {
                    if self.holds(condition).await? {
                        items.push(self.value(id).await?);
                    }
                }
                Element::Spread(id) => items.extend(self.items(id).await?),
            }
        }
        Ok(Value::list(items))
    }

    /// The items of a list.
    pub async fn items(self, id: ExprId) -> Result<Vec<Value>, Stop> {
        let value = self.value(id).await?;
        match value.as_list() {
            Some(items) => Ok(items.to_vec()),
            None => {
                let found = pipe_stdlib::core::describe(&value);
                let span = self.program.file.span(id);
                Err(Stop::evaluation(span, format!("a list was expected, not {found}")))
            }
        }
    }

    /// Runs through the loops of a comprehension, outermost first.
    fn each<'b>(
        self,
        loops: &'b [(Name, ExprId)],
        condition: Option<ExprId>,
        item: ExprId,
        items: &'b mut Vec<Value>,
    ) -> Later<'b, Result<(), Stop>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let [(name, list), rest @ ..] = loops else {
                let keep = match condition {
                    Some(condition) => self.holds(condition).await?,
                    None => true,
                };
                if keep {
                    items.push(self.value(item).await?);
                }
                return Ok(());
            };
            for value in self.items(*list).await? {
                let frame = self.frame.inner();
                frame.scope.bind(&name.text, value);
                self.at(&frame).each(rest, condition, item, items).await?;
            }
            Ok(())
        })
    }

    async fn record(self, fields: &[Field]) -> Result<Value, Stop> {
        let mut record = Record::new();
        for field in fields {
            match field {
                Field::Pair { path, value } => {
                    let keys: Vec<Text> = path.iter().map(|key| key.text.clone()).collect();
                    let value = self.value(*value).await?;
                    set_path(&mut record, &keys, value);
                }
                Field::Short { name, value } => {
                    let value = self.value(*value).await?;
                    record.insert(name.text.clone(), value);
                }
                Field::Spread(id) => match self.value(*id).await? {
                    Value::Record(fields) => {
                        record.extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
                    }
                    other => {
                        let found = pipe_stdlib::core::describe(&other);
                        let span = self.program.file.span(*id);
                        let what = format!("`...` takes a record, not {found}");
                        return Err(Stop::evaluation(span, what));
                    }
                },
            }
        }
        Ok(Value::Record(Arc::new(record)))
    }

    async fn member(self, id: ExprId, base: ExprId, name: &Name) -> Result<Value, Stop> {
        match self.program.checked.targets.get(&id) {
            Some(Target::Builtin { builtin, connection }) => {
                let arguments = Arguments::default();
                if matches!(builtin.kind(), Kind::Step | Kind::Held) {
                    let span = self.program.file.span(id);
                    let call = StepCall {
                        builtin,
                        connection: connection.as_ref(),
                        arguments,
                        span,
                        places: &[],
                        result: &self.program.library.signature(builtin).result,
                    };
                    return self.host.step(self.frame, call).await;
                }
                self.host
                    .fact(self.frame, builtin, &arguments)
                    .map_err(|failure| self.failure(id, &failure, &[]))
            }
            Some(Target::Output { stage, output }) => self.host.output(stage, output),
            Some(Target::Global(full)) => self.host.global(full),
            Some(Target::SecretFile(secret)) => {
                // What is not there is told as of the secret itself.
                self.host.global(secret)?;
                Ok(self.host.secret_file(secret))
            }
            Some(Target::IsSet(secret)) => Ok(self.host.is_set(secret).into()),
            Some(Target::Method(method)) => {
                let value = self.value(base).await?;
                (method.body)(&value, &Arguments::default())
                    .map_err(|failure| self.failure(id, &failure, &[]))
            }
            _ => {
                let value = match self.value(base).await? {
                    Value::Held(held) => held.0.fields(),
                    value => value,
                };
                match &value {
                    Value::Record(fields) => match fields.get(&name.text) {
                        Some(value) => Ok(value.clone()),
                        None => {
                            let known: Vec<&str> = fields.keys().map(|k| &**k).collect();
                            let problem = Diagnostic::error(
                                Code::EVALUATION,
                                name.span,
                                format!("there is no field `{}` in this value", name.text),
                            )
                            .help_if(pipe_grammar::diagnostic::did_you_mean(
                                &name.text,
                                known.iter().copied(),
                            ))
                            .help(format!("it has: {}", known.join(", ")));
                            Err(Stop::failed(problem))
                        }
                    },
                    other => {
                        let found = pipe_stdlib::core::describe(other);
                        let what = format!("{found} has no field `{}`", name.text);
                        Err(Stop::evaluation(name.span, what))
                    }
                }
            }
        }
    }

    async fn index(self, base: ExprId, index: ExprId) -> Result<Value, Stop> {
        let value = self.value(base).await?;
        let at = self.value(index).await?;
        let span = self.program.file.span(index);
        match (&value, &at) {
            (Value::List(items), Value::Int(number)) => {
                let found = usize::try_from(*number).ok().and_then(|n| items.get(n));
                found.cloned().ok_or_else(|| {
                    let has = pipe_grammar::diagnostic::count("item", items.len());
                    Stop::evaluation(span, format!("there is no item {number}: the list has {has}"))
                })
            }
            (Value::Record(fields), key) => {
                let found = key.as_str().and_then(|key| fields.get(key));
                Ok(found.cloned().unwrap_or_default())
            }
            (other, _) => {
                let found = pipe_stdlib::core::describe(other);
                Err(Stop::evaluation(span, format!("{found} can't be looked into")))
            }
        }
    }

    async fn binary(
        self,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Result<Value, Stop> {
        match op {
            BinaryOp::And => {
                return Ok(Value::Bool(self.holds(left).await? && self.holds(right).await?));
            }
            BinaryOp::Or => {
                return Ok(Value::Bool(self.holds(left).await? || self.holds(right).await?));
            }
            BinaryOp::Otherwise => {
                let value = self.value(left).await?;
                return if value.is_null() { self.value(right).await } else { Ok(value) };
            }
            _ => {}
        }
        let a = self.value(left).await?;
        let b = self.value(right).await?;
        let span = self.program.file.span(id);
        arithmetic::binary(op, &a, &b).map_err(|why| Stop::evaluation(span, why))
    }

    /// Makes a value one of a type as written, or says where it does not fit.
    pub fn converted(self, id: ExprId, value: Value, wanted: &Type) -> Result<Value, Stop> {
        convert(value, wanted).map_err(|misfit| {
            let span = self.program.file.span(id);
            let place = if misfit.pointer.is_empty() {
                "this".to_owned()
            } else {
                format!("`{}`", misfit.pointer)
            };
            let what = format!(
                "{place} should be {}, and is {}",
                crate::check::a(&misfit.wanted),
                misfit.found
            );
            Stop::failed(Diagnostic::error(Code::WRONG_TYPE, span, what))
        })
    }
}
