//! What is known before a run: params, lets, secrets, the facts of built-ins. Each is evaluated
//! once, when it is first needed, and stays the same for the whole run.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use indexmap::IndexMap;
use pipe_grammar::{
    Code, Diagnostic, Span,
    tree::{ExprId, ExprKind, ItemKind, Name, Secret as SecretItem, Text},
};
use pipe_stdlib::core::{
    Arguments, Builtin, Failure, HeldValue, Implementation, Secret, Value, World, convert,
    literal_value,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Inputs;
use crate::{
    check::Target,
    eval::{CommandDone, CommandRun, Eval, Failed, Frame, HeldCall, Host, Later, StepCall, Stop},
    program::Program,
};

/// A secret of fewer characters can't be masked without masking half of everything.
const SHORTEST_SECRET: usize = 6;

/// What is known before a run.
pub struct Facts {
    pub(super) program: Arc<Program>,
    pub(super) world: Arc<World>,
    pub(super) params: IndexMap<Text, Value>,
    run: String,
    started: String,
    slots: Arc<Semaphore>,
    known: Mutex<HashMap<String, Result<Value, Stop>>>,
    /// Facts of built-ins without parameters, read once.
    read: Mutex<HashMap<String, Result<Value, Failure>>>,
}

impl Facts {
    pub(super) fn new(program: Arc<Program>, world: Arc<World>, inputs: &Inputs) -> Self {
        let run = inputs.run.clone();
        let started = match &inputs.recorded {
            Some(recorded) => recorded.started.clone(),
            None => world.now().to_string(),
        };
        Self {
            program,
            world,
            params: IndexMap::new(),
            run,
            started,
            slots: Arc::new(Semaphore::new(1)),
            known: Mutex::default(),
            read: Mutex::default(),
        }
    }

    /// The id of the run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The pipeline's name: its own, or that of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        let own = self.program.file.items.iter().find_map(|item| match &item.kind {
            ItemKind::Pipeline(pipeline) => literal_value(&self.program.file, pipeline.name),
            _ => None,
        });
        match own {
            Some(Value::String(name)) => name.to_string(),
            _ => {
                let folder = self.world.root().file_name();
                folder.map_or("pipeline".to_owned(), |name| name.to_string_lossy().into_owned())
            }
        }
    }

    /// A frame at the top of the file.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame::new(self.world.root().to_path_buf(), CancellationToken::new())
    }

    /// The value of an expression that holds facts only.
    ///
    /// # Errors
    ///
    /// When it can't be evaluated, or is known later.
    pub fn value(&self, id: ExprId) -> Result<Value, Stop> {
        let frame = self.frame();
        self.value_in(&frame, id)
    }

    /// The same in a frame.
    ///
    /// # Errors
    ///
    /// As of [`Facts::value`].
    pub fn value_in(&self, frame: &Frame, id: ExprId) -> Result<Value, Stop> {
        let eval = Eval { program: &self.program, host: self, frame };
        // Facts never wait, so the first poll is the last.
        let value = eval.value(id).now_or_never();
        value.unwrap_or_else(|| Err(Stop::Later("something outside".to_owned())))
    }

    pub(super) fn stage_names(&self) -> Vec<Text> {
        self.program.file.stages().map(|stage| stage.name.text.clone()).collect()
    }

    /// The title of a stage, if it has one that is known.
    pub(super) fn title(&self, number: usize) -> Option<String> {
        let title = self.program.file.stages().nth(number)?.title?;
        self.value(title).ok()?.as_str().map(str::to_owned)
    }

    /// Checks every `require`.
    pub(super) fn requirements(&self, problems: &mut Vec<Diagnostic>) {
        for item in &self.program.file.items {
            let ItemKind::Require(require) = &item.kind else { continue };
            match self.value(require.condition) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => {
                    let text = self.value(require.message);
                    let text = text.ok().and_then(|t| t.as_str().map(str::to_owned));
                    let span = self.program.file.span(require.condition);
                    let shown = super::decide::values(self, require.condition);
                    let problem =
                        Diagnostic::error(Code::REQUIREMENT_FAILED, span, text.unwrap_or_default())
                            .label("this does not hold");
                    problems.push(problem.help_if((!shown.is_empty()).then(|| shown.join(", "))));
                }
                Err(stop) => problems.extend(super::problem(stop)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Result<Value, Stop>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn evaluate(&self, name: &str) -> Result<Value, Stop> {
        if let Some(value) = self.params.get(name) {
            return Ok(value.clone());
        }
        for item in &self.program.file.items {
            match &item.kind {
                ItemKind::Let(binding) if &*binding.name.text == name => {
                    let value = self.value(binding.value)?;
                    let written = binding.ty.as_ref();
                    let wanted = written.and_then(|ty| self.program.checked.written.get(&ty.span));
                    let Some(wanted) = wanted else { return Ok(value) };
                    return convert(value, wanted).map_err(|misfit| {
                        let span = self.program.file.span(binding.value);
                        let what = format!("`{name}` should be {wanted}, and is {}", misfit.found);
                        Stop::evaluation(span, what)
                    });
                }
                ItemKind::Secret(secret) if &*secret.name.text == name => {
                    return self.secret(secret).map(Value::Secret);
                }
                _ => {}
            }
        }
        Err(Stop::failed(Diagnostic::placeless(
            Code::UNKNOWN_NAME,
            format!("nothing is called `{name}` here"),
        )))
    }

    /// Where a secret comes from, in words, and its text if it is there.
    /// Where the private copy of a secret's file lies while the run goes on.
    fn private(&self, secret: &str) -> PathBuf {
        let folder = self.world.root().join(crate::run::FOLDER).join("runs").join(&self.run);
        folder.join("secrets").join(secret)
    }

    /// The files of secrets whose `path` is used, each with the place of its private copy.
    #[must_use]
    pub fn secret_files(&self) -> Vec<(PathBuf, PathBuf)> {
        let used: BTreeSet<&Text> = self
            .program
            .checked
            .targets
            .values()
            .filter_map(|target| match target {
                Target::SecretFile(name) => Some(name),
                _ => None,
            })
            .collect();
        let items = self.program.file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Secret(secret) if used.contains(&secret.name.text) => Some(secret),
            _ => None,
        });
        let path = |secret: &SecretItem| {
            let ExprKind::Call { arguments, .. } = &self.program.file.expr(secret.value).kind
            else {
                return None;
            };
            let written = self.value(arguments.first()?.value).ok()?;
            let path = self.world.path(self.world.root(), written.as_str()?).ok()?;
            path.is_file().then(|| (path, self.private(&secret.name.text)))
        };
        items.filter_map(path).collect()
    }

    fn source(&self, secret: &SecretItem) -> (String, Option<String>) {
        let file = &self.program.file;
        let ExprKind::Call { callee, arguments, .. } = &file.expr(secret.value).kind else {
            return ("nowhere".to_owned(), None);
        };
        let kind = match &file.expr(*callee).kind {
            ExprKind::Name(name) => name.to_string(),
            _ => String::new(),
        };
        let first = arguments.first().and_then(|a| self.value(a.value).ok());
        let first = first.as_ref().and_then(Value::as_str).unwrap_or("").to_owned();
        if kind == "file" {
            let path = self.world.path(self.world.root(), &first).ok();
            let text = path.and_then(|path| std::fs::read_to_string(path).ok());
            return (
                format!("the file `{first}`"),
                text.map(|t| t.trim_end_matches(['\n', '\r']).to_owned()),
            );
        }
        let default =
            arguments.iter().find(|a| a.name.as_ref().is_some_and(|n| &*n.text == "default"));
        let text = self.world.variable(&first).filter(|text| !text.is_empty()).map(str::to_owned);
        let text = text.or_else(|| {
            let value = self.value(default?.value).ok()?;
            value.as_str().map(str::to_owned)
        });
        (format!("`{first}`"), text)
    }

    fn secret(&self, secret: &SecretItem) -> Result<Secret, Stop> {
        let name = &secret.name;
        let (source, text) = self.source(secret);
        let Some(text) = text else {
            let what = format!("the secret `{}` is not there: {source} is not set", name.text);
            let problem =
                Diagnostic::error(Code::MISSING_SECRET, name.span, what).label("declared here");
            let variable = source.trim_matches('`').to_owned();
            let help = if source.starts_with('`') {
                format!("set it: `{variable}=… pipe run`")
            } else {
                format!("make {source}, readable by you alone")
            };
            return Err(Stop::failed(problem.help(help)));
        };
        self.long_enough(name, &text)?;
        Ok(Secret::new(text))
    }

    fn long_enough(&self, name: &Name, text: &str) -> Result<(), Stop> {
        if text.chars().count() >= SHORTEST_SECRET {
            return Ok(());
        }
        let what =
            format!("the secret `{}` has fewer than {SHORTEST_SECRET} characters", name.text);
        Err(Stop::failed(
            Diagnostic::error(Code::SHORT_SECRET, name.span, what)
                .label("too short to be hidden in logs")
                .help("use a longer one; what is no secret is declared as a `param` or `let`"),
        ))
    }

    /// All secrets that are known by now, to be masked.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let known = self.lock();
        let secrets = known.values().filter_map(|value| match value {
            Ok(Value::Secret(secret)) => Some(secret.clone()),
            _ => None,
        });
        secrets.collect()
    }
}

/// Reads a fact.
fn read(world: &World, builtin: &'static Builtin, arguments: &Arguments) -> Result<Value, Failure> {
    match builtin.implementation {
        Implementation::Fact(read) => read(world, arguments),
        _ => Err(Failure::internal("a step was read as a fact")),
    }
}

impl Host for Facts {
    fn global(&self, name: &str) -> Result<Value, Stop> {
        if let Some(known) = self.lock().get(name) {
            return known.clone();
        }
        let value = self.evaluate(name);
        self.lock().insert(name.to_owned(), value.clone());
        value
    }

    fn secret_file(&self, secret: &str) -> Value {
        Value::Path(self.private(secret).display().to_string().into())
    }

    fn is_set(&self, secret: &str) -> bool {
        self.program.file.items.iter().any(|item| match &item.kind {
            ItemKind::Secret(found) if &*found.name.text == secret => {
                self.source(found).1.is_some()
            }
            _ => false,
        })
    }

    fn special(&self, name: &str, frame: &Frame) -> Option<Value> {
        let world = frame.world.as_ref().unwrap_or(&self.world);
        (name == "pipeline").then(|| {
            Value::record([
                ("name", self.name().into()),
                ("run", self.run.as_str().into()),
                ("workspace", Value::Path(world.root().display().to_string().into())),
                ("started", self.started.as_str().into()),
            ])
        })
    }

    fn output(&self, stage: &str, _: &str) -> Result<Value, Stop> {
        Err(Stop::Later(format!("stage `{stage}`")))
    }

    fn fact(
        &self,
        frame: &Frame,
        builtin: &'static Builtin,
        arguments: &Arguments,
    ) -> Result<Value, Failure> {
        // A clock goes on; everything else without parameters stays what it was.
        if builtin.module == "time" || self.program.library.signature(builtin).parameters.is_some()
        {
            let world = frame.world.as_ref().unwrap_or(&self.world);
            return read(&world.at(&frame.dir), builtin, arguments);
        }
        let name = builtin.full_name();
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name).or_insert_with(|| read(&self.world, builtin, arguments)).clone()
    }

    fn step<'a>(&'a self, _: &'a Frame, call: StepCall<'a>) -> Later<'a, Result<Value, Stop>> {
        Box::pin(async move { Err(Stop::Later(format!("`{}`", call.builtin.full_name()))) })
    }

    fn command<'a>(
        &'a self,
        _: &'a Frame,
        _: CommandRun<'a>,
    ) -> Later<'a, Result<CommandDone, Stop>> {
        Box::pin(async { Err(Stop::Later("a command".to_owned())) })
    }

    fn held_call<'a>(&'a self, _: &'a Frame, call: HeldCall<'a>) -> Later<'a, Result<Value, Stop>> {
        Box::pin(async move { Err(Stop::Later(format!("`{}`", call.shown))) })
    }

    fn undo<'a>(&'a self, _: &'a Frame, _: &'a HeldValue, _: Span) -> Later<'a, Result<(), Stop>> {
        Box::pin(async { Ok(()) })
    }

    fn begin_step(&self, frame: &Frame, _: &str, _: Span) -> Frame {
        frame.clone()
    }

    fn end_step(&self, _: &Frame, _: Result<(), &Stop>) {}

    fn forgiven(&self, _: &Frame) -> bool {
        false
    }

    fn unstable(&self, _: &Frame, _: &Failed) {}

    fn say(&self, _: &Frame, _: &str) {}

    fn born(&self, name: &Name, secret: &Secret) -> Result<(), Stop> {
        self.long_enough(name, secret.reveal())
    }

    fn path(&self, frame: &Frame, written: &str) -> Result<PathBuf, Failure> {
        self.world.path(&frame.dir, written)
    }

    fn world(&self) -> &World {
        &self.world
    }

    fn slots(&self) -> &Arc<Semaphore> {
        &self.slots
    }

    fn fail_fast(&self) -> bool {
        false
    }

    fn cancel_grace(&self) -> Duration {
        Duration::ZERO
    }
}
