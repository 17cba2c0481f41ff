//! Calls: built-ins, functions of the file, methods.

use std::path::Path;

use pipe_grammar::{
    Diagnostic, Source, Span,
    tree::{Argument, ExprId, ExprKind, Function, ItemKind, Text},
};
use pipe_stdlib::{
    core::{
        Arguments, Failure, HeldType, Implementation, Kind, Signature, Spot, Type, Value, convert,
    },
    marathon::{On, place},
};

use super::{Eval, Failed, Frame, HeldCall, Scope, StepCall, Stop};
use crate::check::Target;

/// Where the arguments of a call stand, by parameter.
type Places = Vec<(String, ExprId)>;

impl Eval<'_> {
    pub(super) async fn call(self, id: ExprId) -> Result<Value, Stop> {
        let file = &self.program.file;
        let ExprKind::Call { callee, arguments, .. } = &file.expr(id).kind else {
            return Err(Stop::evaluation(file.span(id), "this is no call"));
        };
        match self.program.checked.targets.get(&id) {
            Some(Target::Builtin { builtin, connection }) => {
                let signature = self.program.library.signature(builtin);
                if matches!(builtin.implementation, Implementation::Command) {
                    return self.script(id, signature, arguments).await;
                }
                let (bound, places) = self.bind(signature, arguments).await?;
                if builtin.kind() == Kind::Fact {
                    let value = self.host.fact(self.frame, builtin, &bound);
                    return value.map_err(|failure| self.failure(id, &failure, &places));
                }
                let call = StepCall {
                    builtin,
                    connection: connection.as_ref(),
                    arguments: bound,
                    span: file.span(id),
                    places: &places,
                    result: &signature.result,
                };
                let value = self.host.step(self.frame, call).await?;
                if let Value::Held(held) = &value {
                    self.frame.holds.add(held.clone(), file.span(id));
                }
                Ok(value)
            }
            Some(Target::HeldMethod(held)) => self.held_method(id, held, *callee, arguments).await,
            Some(Target::Function(name)) => self.function(name, arguments).await,
            Some(Target::Method(method)) => {
                let ExprKind::Member { base, .. } = &file.expr(*callee).kind else {
                    return Err(Stop::evaluation(file.span(id), "this is no method"));
                };
                let this = self.value(*base).await?;
                let signature = method
                    .signature(&Type::of(&this))
                    .map_err(|why| Stop::evaluation(file.span(id), why))?;
                let (bound, places) = self.bind(&signature, arguments).await?;
                (method.body)(&this, &bound).map_err(|failure| self.failure(id, &failure, &places))
            }
            _ => Err(Stop::evaluation(file.span(id), "nothing is known to call here")),
        }
    }

    /// Evaluates the arguments of a call and fills in the defaults.
    pub(crate) async fn bind(
        self,
        signature: &Signature,
        arguments: &[Argument],
    ) -> Result<(Arguments, Places), Stop> {
        let mut bound = Arguments::default();
        let mut places = Places::new();
        for parameter in signature.parameters.iter().flatten() {
            let given = arguments.iter().enumerate().find(|(number, argument)| {
                let first = signature.parameters.as_ref().and_then(|p| p.first());
                match &argument.name {
                    Some(name) => name.text == parameter.name,
                    None => *number == 0 && first.is_some_and(|f| f.name == parameter.name),
                }
            });
            let value = match given {
                Some((_, argument)) => {
                    places.push((parameter.name.to_string(), argument.value));
                    let value = self.value(argument.value).await?;
                    self.converted(argument.value, value, &parameter.ty)?
                }
                None => parameter.default.clone().unwrap_or_default(),
            };
            bound.bind(parameter.name.clone(), value, given.is_some());
        }
        Ok((bound, places))
    }

    async fn held_method(
        self,
        id: ExprId,
        ty: &HeldType,
        callee: ExprId,
        arguments: &[Argument],
    ) -> Result<Value, Stop> {
        let file = &self.program.file;
        let ExprKind::Member { base, name } = &file.expr(callee).kind else {
            return Err(Stop::evaluation(file.span(id), "this is no method"));
        };
        let Value::Held(held) = self.value(*base).await? else {
            return Err(Stop::evaluation(file.span(*base), "this is not held any more"));
        };
        let Some(signature) = self.program.library.held_method(ty, &name.text) else {
            return Err(Stop::evaluation(name.span, "there is no such method"));
        };
        let (arguments, places) = self.bind(&signature, arguments).await?;
        let call = HeldCall {
            held: &held,
            method: &name.text,
            shown: self.program.slice(file.span(callee)),
            arguments,
            span: file.span(id),
            places: &places,
        };
        self.host.held_call(self.frame, call).await
    }

    async fn function(self, name: &Text, arguments: &[Argument]) -> Result<Value, Stop> {
        let program = self.program;
        let found = program.file.items.iter().find_map(|item| match &item.kind {
            ItemKind::Function(function) if function.name.text == *name => Some(function),
            _ => None,
        });
        let Some(function) = found else {
            return Err(Stop::evaluation(Span::default(), format!("no function `{name}`")));
        };
        let frame = self.frame.at(self.frame.call());
        let frame = Frame { scope: Scope::default().inner(), handler: false, ..frame };
        self.parameters(function, arguments, &frame).await?;
        match self.at(&frame).block(&function.body).await {
            Err(Stop::Return(value)) => match &function.result {
                Some(written) => {
                    let wanted = program.checked.written.get(&written.span);
                    let value = wanted.map_or(Ok(value.clone()), |wanted| convert(value, wanted));
                    value.map_err(|misfit| {
                        let what = format!(
                            "`{name}` should give {}, and gave {}",
                            misfit.wanted, misfit.found
                        );
                        Stop::evaluation(written.span, what)
                    })
                }
                None => Ok(value),
            },
            Err(stop) => Err(stop),
            Ok(()) => Ok(Value::Null),
        }
    }

    async fn parameters(
        self,
        function: &Function,
        arguments: &[Argument],
        frame: &Frame,
    ) -> Result<(), Stop> {
        for (place, parameter) in function.parameters.iter().enumerate() {
            let given =
                arguments.iter().enumerate().find(|(number, argument)| match &argument.name {
                    Some(name) => name.text == parameter.name.text,
                    None => *number == 0 && place == 0,
                });
            let (id, value) = match (given, parameter.default) {
                (Some((_, argument)), _) => (argument.value, self.value(argument.value).await?),
                (None, Some(default)) => (default, self.value(default).await?),
                (None, None) => {
                    frame.scope.bind(&parameter.name.text, Value::Null);
                    continue;
                }
            };
            let wanted = self.program.checked.written.get(&parameter.ty.span);
            let value = match wanted {
                Some(wanted) => self.converted(id, value, wanted)?,
                None => value,
            };
            frame.scope.bind(&parameter.name.text, value);
        }
        Ok(())
    }

    /// Gives a failure of a built-in its place.
    pub fn failure(self, id: ExprId, failure: &Failure, places: &[(String, ExprId)]) -> Stop {
        placed(self.program, &self.frame.dir, self.program.file.span(id), failure, places)
    }
}

/// Gives a failure its place: the call, the guilty argument, or a place inside a file that the call
/// read; then the call is told of beside it.
pub(crate) fn placed(
    program: &crate::program::Program,
    dir: &Path,
    call: Span,
    failure: &Failure,
    places: &[(String, ExprId)],
) -> Stop {
    if failure.kind == pipe_stdlib::core::FailureKind::Cancelled {
        return Stop::Cancelled;
    }
    let resolve = Resolve { program, dir, call, places };
    let here = resolve.span(&failure.spot);
    let inner = resolve.inner(&failure.spot);
    let mut diagnostic =
        Diagnostic::error(failure.code, inner.unwrap_or(here), failure.message.clone())
            .label(failure.label.clone());
    for (title, lines) in &failure.evidence {
        diagnostic = diagnostic.help(format!("{title}:"));
        for line in lines {
            diagnostic = diagnostic.help(format!("    {line}"));
        }
    }
    for line in &failure.help {
        diagnostic = diagnostic.help(line.clone());
    }
    for problem in &failure.problems {
        let inner = resolve.inner(&problem.spot);
        let place = inner.unwrap_or_else(|| resolve.span(&problem.spot));
        let mut related = Diagnostic::error(failure.code, place, problem.message.clone())
            .label(problem.label.clone());
        for line in &problem.help {
            related = related.help(line.clone());
        }
        diagnostic = diagnostic.related(related);
    }
    if inner.is_some() {
        diagnostic =
            diagnostic.related(Diagnostic::note(failure.code, here, "this call read the file"));
    }
    let mut failed = Failed::new(diagnostic);
    failed.kind = failure.kind;
    Stop::Failed(Box::new(failed))
}

struct Resolve<'a> {
    program: &'a crate::program::Program,
    dir: &'a Path,
    call: Span,
    places: &'a [(String, ExprId)],
}

impl Resolve<'_> {
    /// The place in the Pipelinefile.
    fn span(&self, spot: &Spot) -> Span {
        match spot {
            Spot::Argument(name) => {
                self.argument(name).map_or(self.call, |id| self.program.file.span(id))
            }
            Spot::Pointer { argument, pointer } => {
                let id = self.argument(argument);
                id.map_or(self.call, |id| self.in_record(id, pointer))
            }
            Spot::Call | Spot::File { .. } => self.call,
        }
    }

    fn argument(&self, name: &str) -> Option<ExprId> {
        self.places.iter().find(|(found, _)| found == name).map(|(_, id)| *id)
    }

    /// The field of a record literal that a JSON pointer means, as far as it is written out.
    fn in_record(&self, id: ExprId, pointer: &str) -> Span {
        use pipe_grammar::tree::Field;
        let file = &self.program.file;
        let wanted: Vec<String> =
            pointer.split('/').skip(1).map(|k| k.replace("~1", "/").replace("~0", "~")).collect();
        let ExprKind::Record(fields) = &file.expr(id).kind else { return file.span(id) };
        let mut best: Option<(usize, Span, ExprId)> = None;
        for field in fields {
            let (path, value) = match field {
                Field::Pair { path, value } => {
                    (path.iter().map(|k| k.text.to_string()).collect::<Vec<_>>(), *value)
                }
                Field::Short { name, value } => (vec![name.text.to_string()], *value),
                Field::Spread(_) => continue,
            };
            let common = path.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
            if common == path.len() && best.is_none_or(|(most, ..)| common > most) {
                best = Some((common, file.span(value), value));
            }
        }
        match best {
            Some((common, _, value)) if common < wanted.len() => {
                let rest: String = wanted[common..].iter().map(|k| format!("/{k}")).collect();
                self.in_record(value, &rest)
            }
            Some((_, span, _)) => span,
            None => file.span(id),
        }
    }

    /// The place inside a file that the call read.
    fn inner(&self, spot: &Spot) -> Option<Span> {
        match spot {
            Spot::File { path, bytes } => {
                let text = std::fs::read_to_string(path).ok()?;
                Some(self.in_file(path, text, bytes.clone()))
            }
            Spot::Pointer { argument, pointer } => {
                let id = self.argument(argument)?;
                let path = self.dir.join(self.plain(id)?);
                let text = std::fs::read_to_string(&path).ok()?;
                let bytes = place(&path.to_string_lossy(), &text, pointer, On::Value)?;
                Some(self.in_file(&path, text, bytes))
            }
            Spot::Call | Spot::Argument(_) => None,
        }
    }

    fn plain(&self, id: ExprId) -> Option<String> {
        match pipe_stdlib::core::literal_value(&self.program.file, id)? {
            Value::String(text) | Value::Path(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn in_file(&self, path: &Path, text: String, bytes: std::ops::Range<usize>) -> Span {
        let name = &self.program.shown(path);
        self.program.sources(|sources| {
            let id = sources.find(name).unwrap_or_else(|| sources.add(Source::new(name, text)));
            Span::new(id, bytes.start, bytes.end)
        })
    }
}
