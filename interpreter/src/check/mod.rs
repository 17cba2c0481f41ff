//! Everything that can be known about a file before anything runs.
//!
//! Pure: no clock, no environment, no network. Files that the text names literally are read
//! through [`Files`], which the caller gives.

mod app;
mod broken;
mod call;
mod command;
mod connect;
mod constant;
mod expression;
mod file;
mod function;
mod global;
mod handler;
mod held;
mod limit;
mod literal;
mod member;
mod narrow;
mod operator;
mod record;
mod reference;
mod runner;
mod scope;
mod secret;
mod stage;
mod statement;
mod suggest;
mod unused;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;
use pipe_grammar::{
    Code, Diagnostic, Severity, SourceId, Sources, Span,
    tree::{ExprId, File, Text},
};
use pipe_stdlib::{
    Library,
    connect::Connector,
    core::{Builtin, HeldType, Method, Type},
};

use crate::imports::Module;
pub(crate) use command::parts;

pub use file::Files;
pub(crate) use literal::a;
pub(crate) use runner::reads_files;
pub use stage::{Order, StageFacts};

/// What a name, a member or a call stands for.
#[derive(Clone)]
pub enum Target {
    /// A built-in; of a fact without parameters the value itself.
    Builtin {
        /// Which.
        builtin: &'static Builtin,
        /// The `as` name it is called through.
        connection: Option<Text>,
    },
    /// A param, let or secret of the file.
    Global(Text),
    /// A function of the file.
    Function(Text),
    /// A method of a held value.
    HeldMethod(&'static HeldType),
    /// A method of a value, or a property.
    Method(&'static Method),
    /// `secret.is_set`
    IsSet(Text),
    /// `secret.path`
    SecretFile(Text),
    /// `push.pushed`
    Output {
        /// The stage.
        stage: Text,
        /// Its output.
        output: Text,
    },
}

/// What is known about a file.
#[derive(Default)]
pub struct Checked {
    /// What is wrong, in the order of the text.
    pub problems: Vec<Diagnostic>,
    /// The type of each expression.
    pub types: Vec<Type>,
    /// What names, members and calls stand for.
    pub targets: HashMap<ExprId, Target>,
    /// Types as written, by their place.
    pub written: HashMap<Span, Type>,
    /// The stages, in order.
    pub stages: Vec<StageFacts>,
    /// Connections, in order: the kind, the name behind `as`, the call.
    pub connections: Vec<Connection>,
    /// What is wrong in files that the text names.
    pub foreign: Vec<Foreign>,
    /// What each global and each stage (as `stage NAME`) mentions of the globals.
    pub uses: BTreeMap<Text, Uses>,
}

/// A mistake in a file that the text names.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The file as it is named.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Where it is named.
    pub read_at: Span,
    /// The kind of mistake.
    pub code: Code,
    /// Whether it keeps the pipeline from running.
    pub severity: Severity,
    /// What is wrong.
    pub problem: crate::sources::TextProblem,
}

/// A `connect`.
#[derive(Clone)]
pub struct Connection {
    /// Which kind.
    pub connector: &'static Connector,
    /// The name behind `as`.
    pub alias: Option<Text>,
    /// The call.
    pub call: ExprId,
}

/// What a piece of the file mentions.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Lets, params and functions, and secrets that must be there.
    pub names: BTreeSet<Text>,
    /// Modules whose steps are called, with the connection's name.
    pub modules: BTreeSet<(&'static str, Option<Text>)>,
}

/// Checks a file.
#[must_use]
pub fn check(
    file: &File,
    sources: &Sources,
    modules: &[Module],
    library: &'static Library,
    files: &dyn Files,
) -> Checked {
    let mut checker = Checker {
        file,
        sources,
        modules,
        modules_used: vec![false; modules.len()],
        broken: broken::Broken::new(file, sources),
        library,
        files,
        checked: Checked {
            types: vec![Type::Unknown; file.expressions.len()],
            ..Checked::default()
        },
        globals: IndexMap::new(),
        handlers: IndexMap::new(),
        scopes: Vec::new(),
        narrowed: Vec::new(),
        under_way: Vec::new(),
        place: Place::default(),
        local_functions: HashMap::new(),
        runner_of_all: None,
    };
    checker.run();
    let mut checked = checker.checked;
    checked.problems.sort_by_key(|problem| problem.span().map(|span| span.start));
    checked
}

/// Where in the file the checker is.
#[derive(Clone, Default)]
struct Place {
    /// The text whose names are meant: an imported file sees only its own.
    source: SourceId,
    /// What `uses` is recorded under.
    user: Option<Text>,
    /// Steps may be called here.
    steps: bool,
    /// The number of the stage under way.
    stage: Option<usize>,
    /// In the handlers behind the last stage: outputs are `T?`.
    after_all: bool,
    /// In a handler of failure.
    failure: bool,
    /// The result that a `return` must fit.
    result: Option<Type>,
    /// In a function.
    function: bool,
    /// Outputs may be bound here: directly in a stage.
    outputs: bool,
    /// In a function: whether a step was found.
    found_steps: Option<bool>,
    /// Behind `using`.
    runner: bool,
    /// The commands of this stage run on another machine: by what, and where that is said.
    remote: Option<(String, Span)>,
    /// In a function: what acts on this machine.
    found_local: Option<String>,
    /// Behind `??`: reading an output only waits for its stage.
    soft: bool,
}

struct Checker<'a> {
    file: &'a File,
    sources: &'a Sources,
    modules: &'a [Module],
    modules_used: Vec<bool>,
    broken: broken::Broken<'a>,
    library: &'static Library,
    files: &'a dyn Files,
    checked: Checked,
    globals: IndexMap<Text, global::Global>,
    handlers: IndexMap<&'static str, Span>,
    scopes: Vec<scope::Scope>,
    narrowed: Vec<(String, Type)>,
    /// The names whose types are being found out, each for the one before it.
    under_way: Vec<Text>,
    place: Place,
    /// Functions that act on this machine, and by what.
    local_functions: HashMap<Text, String>,
    /// `using` of `pipeline`: what stages without one of their own run on.
    runner_of_all: Option<ExprId>,
}

impl Checker<'_> {
    fn report(&mut self, problem: Diagnostic) {
        self.checked.problems.push(problem);
    }

    fn span(&self, id: ExprId) -> Span {
        self.file.span(id)
    }

    /// What a name of the file under way is called among all: in an imported file the prefix
    /// stands before it.
    fn qualified(&self, name: &str) -> Text {
        match self.modules.iter().find(|module| module.source == self.place.source) {
            Some(module) => format!("{}{name}", module.prefix).into(),
            None => name.into(),
        }
    }

    /// A name of the file under way.
    fn global(&self, name: &str) -> Option<&global::Global> {
        if self.place.source == self.file.source {
            self.globals.get(name)
        } else {
            self.globals.get(&self.qualified(name))
        }
    }

    /// The prefix of what a name is imported by here; notes that it is used.
    fn module_prefix(&mut self, alias: &str) -> Option<Text> {
        if self.scopes.iter().any(|scope| scope.names.contains_key(alias)) {
            return None;
        }
        let place = self
            .modules
            .iter()
            .position(|module| module.importer == self.place.source && &*module.alias == alias)?;
        self.modules_used[place] = true;
        Some(self.modules[place].prefix.clone())
    }

    /// The text under a span.
    fn slice(&self, span: Span) -> &str {
        self.sources.slice(span)
    }

    /// Runs with another place, and comes back to this one.
    fn within<T>(&mut self, place: Place, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.place, place);
        let result = run(self);
        self.place = before;
        result
    }

    /// Runs with names known to have other types, and forgets that afterwards.
    fn knowing<T>(&mut self, facts: Vec<(String, Type)>, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.narrowed.len();
        self.narrowed.extend(facts);
        let result = run(self);
        self.narrowed.truncate(before);
        result
    }
}
