//! What surrounds a statement while it runs: names, folder, environment, cancellation.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use pipe_grammar::tree::Text;
use pipe_stdlib::core::{Session, Value, World};
use tokio_util::sync::CancellationToken;

use super::{Failed, Holds, Slot};
use crate::record::PastStep;

/// The names of a block and of those around it.
#[derive(Clone, Default)]
pub struct Scope(Option<Arc<Names>>);

struct Names {
    names: Mutex<HashMap<Text, Value>>,
    outer: Scope,
}

impl Scope {
    /// A block inside this one.
    #[must_use]
    pub fn inner(&self) -> Self {
        let names = Names { names: Mutex::default(), outer: self.clone() };
        Self(Some(Arc::new(names)))
    }

    /// Gives a value a name in this block.
    pub fn bind(&self, name: &Text, value: Value) {
        if let Some(names) = &self.0 {
            names.lock().insert(name.clone(), value);
        }
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        let names = self.0.as_ref()?;
        let found = names.lock().get(name).cloned();
        found.or_else(|| names.outer.get(name))
    }
}

impl Names {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Text, Value>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time-out, and whether it was reached: then what is cancelled has failed.
pub struct Limit {
    /// What to tell.
    pub failed: Failed,
    reached: AtomicBool,
    outer: Option<Arc<Limit>>,
}

impl Limit {
    /// Notes that the time is over.
    pub fn reach(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    fn found(&self) -> Option<&Failed> {
        let outer = self.outer.as_ref().and_then(|outer| outer.found());
        outer.or_else(|| self.reached.load(Ordering::Relaxed).then_some(&self.failed))
    }
}

/// What surrounds a statement while it runs.
#[derive(Clone)]
pub struct Frame {
    /// Names.
    pub scope: Scope,
    /// The number of the stage; none in the handlers behind the last.
    pub stage: Option<usize>,
    /// The number of the stage's instance, from 0; none for a stage without `for`.
    pub instance: Option<usize>,
    /// The titles of the steps around it.
    pub steps: Vec<String>,
    /// The number of the `step` around it.
    pub step: Option<usize>,
    /// The folder that commands and paths start in, absolute.
    pub dir: PathBuf,
    /// What `env` adds to the environment, in order; a later one of the same name wins.
    pub env: Arc<Vec<(String, Value)>>,
    /// Set when this is to stop.
    pub cancel: CancellationToken,
    /// The time-out around it.
    pub limit: Option<Arc<Limit>>,
    /// What failed, in a handler of failure.
    pub failure: Option<Arc<Failed>>,
    /// What the innermost block holds.
    pub holds: Holds,
    /// Its place among those that `--jobs` gives.
    pub slot: Slot,
    /// The machine in the stage's own tree of files; none: in the shared one.
    pub world: Option<Arc<World>>,
    /// Where commands run; none: on this machine.
    pub session: Option<Arc<dyn Session>>,
    /// Where in the stage the statement stands: its number, of each block around it; the rounds of
    /// loops, tries and calls between them. The same in every run of the same text.
    pub path: Arc<str>,
    /// How many calls of the statement have begun.
    pub(crate) calls: Arc<AtomicUsize>,
    /// What was done before the run was interrupted in this stage.
    pub past: Option<Arc<HashMap<String, PastStep>>>,
    /// In a handler: names of the block that were never bound are null.
    pub handler: bool,
}

impl Frame {
    /// A frame with nothing around it.
    #[must_use]
    pub fn new(dir: PathBuf, cancel: CancellationToken) -> Self {
        Self {
            scope: Scope::default(),
            stage: None,
            instance: None,
            steps: Vec::new(),
            step: None,
            dir,
            env: Arc::default(),
            cancel,
            limit: None,
            failure: None,
            holds: Holds::default(),
            slot: Slot::default(),
            world: None,
            session: None,
            path: "".into(),
            calls: Arc::default(),
            past: None,
            handler: false,
        }
    }

    /// The same with a block of its own.
    #[must_use]
    pub fn inner(&self) -> Self {
        Self { scope: self.scope.inner(), ..self.clone() }
    }

    /// The same at another place of the stage.
    #[must_use]
    pub fn at(&self, place: impl std::fmt::Display) -> Self {
        let path = format!("{}{place}", self.path).into();
        Self { path, calls: Arc::default(), ..self.clone() }
    }

    /// The place of a call that begins now.
    #[must_use]
    pub fn call(&self) -> String {
        format!("{}@{}", self.path, self.calls.fetch_add(1, Ordering::Relaxed))
    }

    /// The same under a time-out, which says `failed` when it is reached.
    #[must_use]
    pub fn limited(&self, failed: Failed) -> (Self, Arc<Limit>) {
        let limit =
            Arc::new(Limit { failed, reached: AtomicBool::new(false), outer: self.limit.clone() });
        let cancel = self.cancel.child_token();
        (Self { cancel, limit: Some(limit.clone()), ..self.clone() }, limit)
    }

    /// The time-out that cancelled this, if one did.
    #[must_use]
    pub fn timed_out(&self) -> Option<&Failed> {
        self.limit.as_ref()?.found()
    }

    /// The same with more environment.
    #[must_use]
    pub fn with_env(&self, more: Vec<(String, Value)>) -> Self {
        let mut env = (*self.env).clone();
        env.extend(more);
        Self { env: Arc::new(env), ..self.clone() }
    }
}
