//! A machine for the tests of built-ins: a folder, an environment, a report that remembers.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::{
    core::{
        Arguments, Call, Connections, Failure, Implementation, Intent, Outcome, Report, Stream,
        TestResult, Type, Value, World, convert,
    },
    library,
};

/// A machine with a folder of its own.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) cancel: CancellationToken,
    pub(crate) said: Said,
    clock: Option<fn() -> jiff::Timestamp>,
    notes: Mutex<Vec<String>>,
}

/// What a built-in has said.
#[derive(Default)]
pub(crate) struct Said {
    lines: Mutex<Vec<String>>,
    unstable: Mutex<Vec<String>>,
    tests: Mutex<Vec<TestResult>>,
    intents: Mutex<Vec<Intent>>,
}

fn all<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
    list.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Said {
    pub(crate) fn lines(&self) -> Vec<String> {
        all(&self.lines)
    }

    pub(crate) fn unstable(&self) -> Vec<String> {
        all(&self.unstable)
    }

    pub(crate) fn tests(&self) -> Vec<TestResult> {
        all(&self.tests)
    }
}

impl Report for Said {
    fn say(&self, text: &str) {
        self.lines.lock().unwrap().push(text.to_owned());
    }

    fn unstable(&self, message: &str) {
        self.unstable.lock().unwrap().push(message.to_owned());
    }

    fn tests(&self, results: Vec<TestResult>) {
        self.tests.lock().unwrap().extend(results);
    }

    fn output(&self, _: Stream, line: &str) {
        self.say(line);
    }

    fn intend(&self, intent: Intent) -> Result<(), Failure> {
        self.intents.lock().unwrap().push(intent);
        Ok(())
    }

    fn intended(&self) -> Vec<Intent> {
        all(&self.intents)
    }
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
            cancel: CancellationToken::new(),
            said: Said::default(),
            clock: None,
            notes: Mutex::default(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn with_clock(self, clock: fn() -> jiff::Timestamp) -> Self {
        Self { clock: Some(clock), ..self }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// What facts have said beside their values.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn world(&self) -> World {
        let root = self.folder.path().to_path_buf();
        let world = World::new(root.clone(), root, self.environment.clone());
        match self.clock {
            Some(clock) => world.with_clock(clock),
            None => world,
        }
    }

    /// Reads a fact, with the defaults of its declaration; the answer fits the declaration.
    pub(crate) fn fact(&self, name: &str, given: &[(&str, Value)]) -> Outcome {
        let (implementation, arguments, result) = bind(name, given);
        let Implementation::Fact(read) = implementation else { panic!("`{name}` is a fact") };
        let world = self.world();
        let value = read(&world, &arguments);
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(world.notes());
        fitting(value, &result)
    }

    /// Runs a step likewise.
    pub(crate) async fn step(&self, name: &str, given: &[(&str, Value)]) -> Outcome {
        let (implementation, arguments, result) = bind(name, given);
        let Implementation::Step(run) = implementation else { panic!("`{name}` is a step") };
        let world = self.world();
        let call = Call {
            world: &world,
            connections: &Connections::default(),
            connection: None,
            dir: self.folder.path(),
            report: &self.said,
            cancel: &self.cancel,
            run: "test",
            run_folder: &self.path(".pipe/runs/test"),
            stage: "test",
            session: None,
        };
        fitting(run(call, arguments).await, &result)
    }
}

fn bind(name: &str, given: &[(&str, Value)]) -> (&'static Implementation, Arguments, Type) {
    let (module, name) = name.split_once('.').map_or((None, name), |(m, n)| (Some(m), n));
    let builtin = library().find(module, name).unwrap();
    let signature = library().signature(builtin);
    let mut arguments = Arguments::default();
    for (name, _) in given {
        assert!(signature.parameter(name).is_some(), "no parameter `{name}`");
    }
    for parameter in signature.parameters.iter().flatten() {
        match given.iter().find(|(name, _)| *name == &*parameter.name) {
            Some((_, value)) => {
                let value = convert(value.clone(), &parameter.ty).unwrap();
                arguments.bind(parameter.name.clone(), value, true);
            }
            None => {
                assert!(!parameter.is_required(), "`{}` is missing", parameter.name);
                let default = parameter.default.clone().unwrap_or_default();
                arguments.bind(parameter.name.clone(), default, false);
            }
        }
    }
    (&builtin.implementation, arguments, signature.result.clone())
}

fn fitting(outcome: Outcome, result: &Type) -> Outcome {
    if let Ok(value) = &outcome {
        match result {
            Type::Nothing => assert_eq!(*value, Value::Null),
            result => assert_eq!(&convert(value.clone(), result).unwrap(), value),
        }
    }
    outcome
}

/// A server that answers as a test says, and remembers what it was asked.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: std::sync::Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Status, headers, body.
pub(crate) type Reply = (u16, Vec<(&'static str, String)>, String);

impl Server {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(crate) async fn new(
        answer: impl Fn(usize, &Seen) -> Reply + Clone + Send + Sync + 'static,
    ) -> Self {
        use axum::{body::Bytes, extract::Request, http::Response};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: std::sync::Arc<Mutex<Vec<Seen>>> = std::sync::Arc::default();
        let memory = seen.clone();
        let handler = move |request: Request| {
            let (memory, answer) = (memory.clone(), answer.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let one = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: String::from_utf8_lossy(&body).into_owned(),
                };
                let number = {
                    let mut all = memory.lock().unwrap();
                    all.push(one.clone());
                    all.len() - 1
                };
                let (status, headers, body) = answer(number, &one);
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(axum::body::Body::from(body)).unwrap()
            }
        };
        let router = axum::Router::new().fallback(handler);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, task }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        all(&self.seen)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that sends these bytes to whoever connects, one after the other, and hangs up.
pub(crate) async fn raw_server(answers: Vec<&'static [u8]>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = [0; 4096];
            let _ = stream.read(&mut seen).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}
