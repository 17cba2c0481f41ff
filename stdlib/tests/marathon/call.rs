//! Calls of the built-ins, as the interpreter makes them, at a quick pace.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use pipe_stdlib::{
    client::marathon::Pace,
    core::{
        Arguments, Call, Connections, Failure, Intent, MarathonConnection, Outcome, Report, Stream,
        Type, Value, World, convert,
    },
    library,
    marathon::{
        Timing, deploy_with, destroy_with, diff_with, restart_with, rollback_with, scale_with,
        status_with,
    },
};
use tokio_util::sync::CancellationToken;

use crate::server::{APP, Marathon};

/// What was said and intended.
#[derive(Default)]
pub(crate) struct Said {
    lines: Mutex<Vec<String>>,
    intents: Mutex<Vec<Intent>>,
}

impl Said {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn intents(&self) -> Vec<Intent> {
        self.intents.lock().unwrap().clone()
    }
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

    fn intended(&self) -> Vec<Intent> {
        self.intents.lock().unwrap().clone()
    }
}

/// A call that is over.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) said: Vec<String>,
    pub(crate) intents: Vec<Intent>,
    pub(crate) took: Duration,
}

impl Done {
    /// Whether a line contains this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.said.iter().any(|line| line.contains(text)), "`{text}` in {:#?}", self.said);
    }

    pub(crate) fn never_says(&self, text: &str) {
        assert!(!self.said.iter().any(|line| line.contains(text)), "`{text}` in {:#?}", self.said);
    }

    #[track_caller]
    pub(crate) fn record(&self) -> serde_json::Value {
        match &self.outcome {
            Ok(value) => value.to_json(),
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

    /// Everything that the failure shows as evidence.
    #[track_caller]
    pub(crate) fn evidence(&self) -> String {
        let parts = self.failure().evidence.iter();
        parts.map(|(title, lines)| format!("{title}\n{}\n", lines.join("\n"))).collect()
    }
}

/// Seconds become tens of milliseconds.
pub(crate) fn quick() -> Timing {
    Timing {
        poll: Duration::from_millis(25),
        reminder: Duration::from_secs(30),
        silence: Duration::from_millis(600),
        look: Duration::from_millis(300),
        within: Duration::from_secs(8),
        settle: Duration::from_millis(150),
        hurry: Duration::from_secs(3),
        balancer: Duration::from_millis(100),
        pace: Pace {
            connect: Duration::from_secs(1),
            read: Duration::from_secs(1),
            write: Duration::from_secs(1),
            patience: Duration::from_millis(800),
            pause: Duration::from_millis(20),
            attach: Duration::from_millis(400),
            silence: Duration::from_secs(20),
            look: Duration::from_millis(300),
        },
    }
}

/// A call to come.
pub(crate) struct Calling {
    pub(crate) connections: Connections,
    pub(crate) arguments: Arguments,
    pub(crate) timing: Timing,
    pub(crate) cancel: CancellationToken,
    pub(crate) root: PathBuf,
    /// What the run has intended before.
    pub(crate) intents: Vec<Intent>,
}

pub(crate) fn connection(url: &str) -> MarathonConnection {
    MarathonConnection {
        name: None,
        url: url.to_owned(),
        token: None,
        username: None,
        password: None,
        ca: None,
        local: false,
    }
}

impl Calling {
    pub(crate) fn new(marathon: &Marathon, definition: &serde_json::Value) -> Self {
        Self::bare(marathon).with("definition", Value::from_json(definition))
    }

    /// A call that names the app.
    pub(crate) fn of_app(marathon: &Marathon) -> Self {
        Self::bare(marathon).with("app", APP)
    }

    fn bare(marathon: &Marathon) -> Self {
        Self {
            connections: Connections {
                marathon: vec![connection(&marathon.url)],
                ..Connections::default()
            },
            arguments: Arguments::default(),
            timing: quick(),
            cancel: CancellationToken::new(),
            root: std::env::temp_dir(),
            intents: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.arguments.bind(name, value.into(), true);
        self
    }

    pub(crate) fn within(self, millis: u64) -> Self {
        self.with("within", Value::Duration(Duration::from_millis(millis)))
    }

    /// A call of the same run as another one.
    pub(crate) fn after(mut self, done: &Done) -> Self {
        self.intents.clone_from(&done.intents);
        self
    }

    pub(crate) async fn deploy(self) -> Done {
        self.call("deploy", async |c, a, t| deploy_with(c, a, &t).await).await
    }

    pub(crate) async fn scale(self) -> Done {
        self.call("scale", async |c, a, t| scale_with(c, a, &t).await).await
    }

    pub(crate) async fn restart(self) -> Done {
        self.call("restart", async |c, a, t| restart_with(c, a, &t).await).await
    }

    pub(crate) async fn rollback(self) -> Done {
        self.call("rollback", async |c, a, t| rollback_with(c, a, &t).await).await
    }

    pub(crate) async fn destroy(self) -> Done {
        self.call("destroy", async |c, a, t| destroy_with(c, a, &t).await).await
    }

    pub(crate) async fn status(self) -> Done {
        self.call("status", async |c, a, t| status_with(c, a, &t).await).await
    }

    pub(crate) async fn diff(self) -> Done {
        self.call("diff", async |c, a, t| diff_with(c, a, &t).await).await
    }

    /// Binds the defaults of the built-in and runs it. What it gives fits its declaration.
    async fn call(
        mut self,
        name: &str,
        what: impl AsyncFnOnce(Call<'_>, Arguments, Timing) -> Outcome,
    ) -> Done {
        let signature = library().signature(library().find(Some("marathon"), name).unwrap());
        for parameter in signature.parameters.as_ref().unwrap() {
            if !self.arguments.is_given(&parameter.name) {
                let default = parameter.default.clone().unwrap_or_default();
                self.arguments.bind(parameter.name.clone(), default, false);
            }
        }
        let world = World::new(self.root.clone(), self.root.clone(), BTreeMap::new());
        let said = Said { intents: Mutex::new(self.intents), ..Said::default() };
        let call = Call {
            world: &world,
            connections: &self.connections,
            connection: None,
            dir: &self.root,
            report: &said,
            cancel: &self.cancel,
            run: "test",
            run_folder: &self.root,
            stage: "test",
            session: None,
        };
        let start = Instant::now();
        let outcome = what(call, self.arguments, self.timing).await;
        let took = start.elapsed();
        if let Ok(value) = &outcome
            && !matches!(signature.result, Type::Nothing)
        {
            convert(value.clone(), &signature.result).unwrap();
        }
        Done {
            outcome,
            said: said.lines.into_inner().unwrap(),
            intents: said.intents.into_inner().unwrap(),
            took,
        }
    }
}
