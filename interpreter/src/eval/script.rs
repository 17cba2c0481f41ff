//! `sh("""…""")`: a script in a call, and where commands run.

use pipe_grammar::tree::{Argument, Command, CommandPart, ExprId, ExprKind, File, Piece, Text};
use pipe_stdlib::core::{Interpreter, Runner, Signature, Value};
use std::sync::Arc;

use super::{CommandRun, Eval, Script, Stop};
use crate::check::Target;

/// A text of the file as a command: its holes are the shell's words. None: it is no literal.
pub(crate) fn script_of(file: &File, id: ExprId) -> Option<Command> {
    match &file.expr(id).kind {
        ExprKind::Group(inner) => script_of(file, *inner),
        ExprKind::String { pieces, .. } => {
            let parts = pieces.iter().map(|piece| match piece {
                Piece::Text(text, span) => CommandPart::Text(text.clone(), *span),
                Piece::Hole(id, span) => CommandPart::Hole(*id, *span),
            });
            Some(Command { parts: parts.collect(), span: file.span(id) })
        }
        _ => None,
    }
}

impl<'a> Eval<'a> {
    /// Runs `sh(…)`.
    pub(super) async fn script(
        self,
        id: ExprId,
        signature: &Signature,
        arguments: &[Argument],
    ) -> Result<Value, Stop> {
        let file = &self.program.file;
        let is_script = |(number, argument): &(usize, &Argument)| match &argument.name {
            Some(name) => &*name.text == "script",
            None => *number == 0,
        };
        let script = arguments.iter().enumerate().find(is_script).map(|(_, found)| found.value);
        let command = script.and_then(|script| script_of(file, script));
        let Some(command) = command else {
            return Err(Stop::evaluation(file.span(id), "the script is a text in the call itself"));
        };
        let mut values = Vec::new();
        for hole in command.holes() {
            values.push(self.value(hole).await?);
        }
        let rest: Vec<Argument> = arguments
            .iter()
            .enumerate()
            .filter(|found| !is_script(found))
            .map(|(_, argument)| argument.clone())
            .collect();
        let (bound, places) = self.bind(signature, &rest).await?;
        let mut frame = self.frame.clone();
        if let Some(more) = bound.value("env").as_record() {
            let more = more.iter().map(|(name, value)| (name.to_string(), value.clone()));
            frame = frame.with_env(more.collect());
        }
        if let Some(dir) = bound.value("dir").as_str() {
            frame.dir = self
                .host
                .path(self.frame, dir)
                .map_err(|failure| self.failure(id, &failure, &places))?;
        }
        let script = Script {
            check: *bound.value("check") != Value::Bool(false),
            stdin: match bound.value("stdin") {
                Value::Secret(secret) => Some(secret.reveal().as_bytes().to_vec()),
                value => value.as_str().map(|text| text.as_bytes().to_vec()),
            },
            interpreter: bound.value("shell").as_str().and_then(Interpreter::find),
        };
        let run = CommandRun { command: &command, values, capture: true, script: Some(script) };
        let done = self.host.command(&frame, run).await?;
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
        Ok(Value::record([
            ("status", Value::Int(i64::from(done.status))),
            ("stdout", text(&done.stdout)),
            ("stderr", text(&done.stderr)),
            ("duration", Value::Duration(done.duration)),
        ]))
    }

    /// What stands behind `using`, and the name of the connection it goes by; none for `local`.
    pub async fn runner(self, id: ExprId) -> Result<Option<(Arc<dyn Runner>, Option<Text>)>, Stop> {
        use pipe_stdlib::core::Implementation;
        let file = &self.program.file;
        match &file.expr(id).kind {
            ExprKind::Group(inner) => Box::pin(self.runner(*inner)).await,
            ExprKind::If { condition, then, otherwise } => {
                let chosen = if self.holds(*condition).await? { *then } else { *otherwise };
                Box::pin(self.runner(chosen)).await
            }
            ExprKind::Call { arguments, .. } => {
                let Some(Target::Builtin { builtin, connection }) =
                    self.program.checked.targets.get(&id)
                else {
                    return Err(Stop::evaluation(file.span(id), "this is no runner"));
                };
                let (Implementation::Runner(make) | Implementation::RemoteRunner(make)) =
                    builtin.implementation
                else {
                    return Err(Stop::evaluation(file.span(id), "this is no runner"));
                };
                let signature = self.program.library.signature(builtin);
                let (bound, places) = self.bind(signature, arguments).await?;
                let runner = make(self.host.world(), &bound);
                match runner {
                    Ok(runner) => Ok(Some((runner, connection.clone()))),
                    Err(failure) => Err(self.failure(id, &failure, &places)),
                }
            }
            _ => Ok(None),
        }
    }
}
