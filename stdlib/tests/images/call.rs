//! Calls of the built-ins, as the interpreter makes them.

use std::{collections::BTreeMap, path::Path, sync::Mutex};

use pipe_stdlib::{
    core::{
        Arguments, Call, Connections, Failure, Implementation, Intent, Outcome, Report, Stream,
        Value, World,
    },
    library,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// What was said and intended.
#[derive(Default)]
pub(crate) struct Said {
    lines: Mutex<Vec<String>>,
    intents: Mutex<Vec<Intent>>,
}

impl Report for Said {
    fn say(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }

    fn output(&self, _: Stream, line: &str) {
        self.say(line);
    }

    fn intend(&self, intent: Intent) -> Result<(), Failure> {
        self.intents.lock().unwrap().push(intent);
        Ok(())
    }
}

/// A user's machine: a home folder, an environment, connections.
pub(crate) struct Machine {
    pub(crate) home: TempDir,
    environment: BTreeMap<String, String>,
    pub(crate) connections: Connections,
    pub(crate) cancel: CancellationToken,
}

/// A call that is over.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) said: Vec<String>,
    pub(crate) intents: Vec<Intent>,
}

impl Done {
    /// Whether a line contains this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(
            self.said.iter().any(|line| line.contains(text)),
            "`{text}` in {:#?}\n{:#?}",
            self.said,
            self.outcome
        );
    }

    /// A field of the answer, as text.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        match &self.outcome {
            Ok(value) => value.to_json()[field].as_str().unwrap_or_default().to_owned(),
            Err(failure) => panic!("{failure:#?}\n{:#?}", self.said),
        }
    }

    #[track_caller]
    pub(crate) fn failure(&self) -> &Failure {
        match &self.outcome {
            Err(failure) => failure,
            Ok(value) => panic!("{value:?}\n{:#?}", self.said),
        }
    }
}

impl Machine {
    /// One without an engine.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let environment = [
            ("HOME".to_owned(), home.path().display().to_string()),
            ("DOCKER_HOST".to_owned(), "unix:///nonexistent/docker.sock".to_owned()),
        ];
        Self {
            home,
            environment: environment.into(),
            connections: Connections::default(),
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// `docker.build` of a folder.
    pub(crate) async fn build(&self, root: &Path, arguments: &[(&'static str, Value)]) -> Done {
        let none = || Value::strings::<&str>([]);
        let map = || Value::record::<&str>([]);
        let mut all = Arguments::default();
        all.bind("context", Value::Path(".".into()), true);
        for name in ["dockerfile", "tag", "target", "platform", "builder", "network"] {
            all.bind(name, Value::Null, false);
        }
        for name in ["tags", "platforms"] {
            all.bind(name, none(), false);
        }
        for name in ["args", "labels", "contexts", "annotations", "secrets"] {
            all.bind(name, map(), false);
        }
        all.bind("format", "docker".into(), false);
        for name in ["pull", "no_cache", "push"] {
            all.bind(name, Value::Bool(false), false);
        }
        for (name, value) in arguments {
            all.bind(*name, value.clone(), true);
        }
        self.call("build", root, all).await
    }

    /// `docker.push`.
    pub(crate) async fn push(&self, image: &str, also: &[&str]) -> Done {
        let mut all = Arguments::default();
        all.bind("image", image.into(), true);
        all.bind("also", Value::strings(also.iter().copied()), true);
        self.call("push", self.home.path(), all).await
    }

    /// Another step of the module.
    pub(crate) async fn step(&self, name: &str, arguments: &[(&'static str, Value)]) -> Done {
        let mut all = Arguments::default();
        let none = || Value::strings::<&str>([]);
        match name {
            "copy" => all.bind("platforms", none(), false),
            "manifest" => all.bind("annotations", Value::record::<&str>([]), false),
            "pull" => all.bind("platform", Value::Null, false),
            "inspect" => all.bind("local", Value::Bool(false), false),
            _ => {}
        }
        for (name, value) in arguments {
            all.bind(*name, value.clone(), true);
        }
        self.call(name, self.home.path(), all).await
    }

    async fn call(&self, name: &str, root: &Path, arguments: Arguments) -> Done {
        let world = World::new(root.to_owned(), root.to_owned(), self.environment.clone());
        let said = Said::default();
        let call = Call {
            world: &world,
            connections: &self.connections,
            connection: None,
            dir: root,
            report: &said,
            cancel: &self.cancel,
            run: "test",
            run_folder: root,
            stage: "test",
            session: None,
        };
        let builtin = library().find(Some("docker"), name).unwrap();
        let Implementation::Step(step) = builtin.implementation else { panic!("{name} is a step") };
        let outcome = step(call, arguments).await;
        Done {
            outcome,
            said: said.lines.into_inner().unwrap(),
            intents: said.intents.into_inner().unwrap(),
        }
    }
}
