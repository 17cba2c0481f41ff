//! Calls of the built-ins, as the interpreter makes them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use pipe_stdlib::{
    core::{
        Arguments, Call, Connections, Ended, Failure, Held, Implementation, Intent, Outcome,
        Report, Session, ShellCommand, Stream, Value, World, convert,
    },
    library,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::tools::{Engine, busybox, copy, folder, has};

/// An image with a shell and the rest of busybox.
pub(crate) const BOX: &str = "box:1";
/// An image of one program, which serves `/ok`, and no shell.
pub(crate) const BARE: &str = "bare:1";

/// The engine with the images; nothing when a tool is missing.
pub(crate) fn engine(test: &str) -> Option<Arc<Engine>> {
    if !has(test, &["root", "dockerd", "docker", "busybox"]) {
        return None;
    }
    let engine = Engine::shared();
    images(&engine);
    Some(engine)
}

/// Gives an engine the images of the tests.
pub(crate) fn images(engine: &Engine) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let boxed = "FROM scratch\nCOPY busybox /bin/busybox\n\
        RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\nENTRYPOINT [\"/bin/false\"]\n";
    let bare = "FROM scratch\nCOPY busybox /httpd\nCOPY ok /www/ok\nEXPOSE 8080\n\
        CMD [\"/httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n";
    for (tag, dockerfile) in [(BOX, boxed), (BARE, bare)] {
        if engine.client(&["image", "inspect", tag]).status.success() {
            continue;
        }
        let context = folder(&[("Dockerfile", 0o644, dockerfile), ("ok", 0o644, "yes")]);
        copy(&busybox(), &context.path().join("busybox"));
        let path = context.path().display().to_string();
        let built = engine.client(&["build", "--quiet", "--tag", tag, &path]);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }
}

/// A run on a machine: a workspace, and what is said.
pub(crate) struct Run {
    pub(crate) folder: TempDir,
    pub(crate) world: World,
    pub(crate) connections: Connections,
    pub(crate) cancel: CancellationToken,
    pub(crate) said: Said,
    pub(crate) name: String,
    run_folder: PathBuf,
}

#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<String>>);

impl Said {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn has(&self, text: &str) {
        let lines = self.lines();
        assert!(lines.iter().any(|line| line.contains(text)), "`{text}` in {lines:#?}");
    }
}

impl Report for Said {
    fn say(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn output(&self, stream: Stream, line: &str) {
        self.say(&format!("{stream:?}: {line}"));
    }

    fn intend(&self, _: Intent) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a command has done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ended: Ended,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// A command without values.
pub(crate) fn script(text: &str, dir: &Path) -> ShellCommand {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    ShellCommand {
        script: text.to_owned(),
        environment: vec![("CI".to_owned(), "true".to_owned())],
        dir: dir.to_owned(),
        stdin: None,
        interpreter: None,
        mark: format!("test/{number}"),
    }
}

impl Run {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self::at(&engine.address())
    }

    pub(crate) fn at(address: &str) -> Self {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let environment: BTreeMap<String, String> = [
            ("HOME".to_owned(), folder.path().join("home").display().to_string()),
            ("DOCKER_HOST".to_owned(), address.to_owned()),
        ]
        .into();
        let root = folder.path().to_owned();
        let run_folder = root.join(".pipe/runs/1");
        std::fs::create_dir_all(&run_folder).unwrap();
        Self {
            world: World::new(root.clone(), root, environment),
            folder,
            run_folder,
            connections: Connections::default(),
            cancel: CancellationToken::new(),
            said: Said::default(),
            name: format!("run{number}"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn call<'a>(&'a self, session: Option<&'a dyn Session>) -> Call<'a> {
        Call {
            world: &self.world,
            connections: &self.connections,
            connection: None,
            dir: self.folder.path(),
            report: &self.said,
            cancel: &self.cancel,
            run: &self.name,
            run_folder: &self.run_folder,
            stage: "test",
            session,
        }
    }

    fn bound(name: &str, given: &[(&'static str, Value)]) -> Arguments {
        let builtin = library().find(Some("docker"), name).unwrap();
        let signature = library().signature(builtin);
        let mut arguments = Arguments::default();
        for parameter in signature.parameters.iter().flatten() {
            match given.iter().find(|(name, _)| *name == &*parameter.name) {
                Some((_, value)) => {
                    let value = convert(value.clone(), &parameter.ty).unwrap();
                    arguments.bind(parameter.name.clone(), value, true);
                }
                None => {
                    let default = parameter.default.clone().unwrap_or(Value::Null);
                    arguments.bind(parameter.name.clone(), default, false);
                }
            }
        }
        arguments
    }

    /// `using docker.container(…)`.
    pub(crate) async fn container(
        &self,
        given: &[(&'static str, Value)],
    ) -> Result<Arc<dyn Session>, Failure> {
        let builtin = library().find(Some("docker"), "container").unwrap();
        let Implementation::Runner(make) = builtin.implementation else { panic!("a runner") };
        let runner = make(&self.world, &Self::bound("container", given))?;
        runner.start(self.call(None), self.folder.path()).await
    }

    /// One of the usual image.
    pub(crate) async fn boxed(&self) -> Arc<dyn Session> {
        self.container(&[("image", BOX.into())]).await.unwrap()
    }

    /// `docker.service(…)` in a stage.
    pub(crate) async fn service(
        &self,
        session: Option<&dyn Session>,
        given: &[(&'static str, Value)],
    ) -> Result<Arc<dyn Held>, Failure> {
        let builtin = library().find(Some("docker"), "service").unwrap();
        let Implementation::Held(make) = builtin.implementation else { panic!("held") };
        make(self.call(session), Self::bound("service", given)).await
    }

    /// `docker.config(…)`.
    pub(crate) async fn config(&self, hosts: &[&str]) -> Result<Arc<dyn Held>, Failure> {
        let builtin = library().find(Some("docker"), "config").unwrap();
        let Implementation::Held(make) = builtin.implementation else { panic!("held") };
        let hosts = Value::strings(hosts.iter().copied());
        make(self.call(None), Self::bound("config", &[("registries", hosts)])).await
    }

    /// `docker.run(…)`.
    pub(crate) async fn run(&self, given: &[(&'static str, Value)]) -> Outcome {
        let builtin = library().find(Some("docker"), "run").unwrap();
        let Implementation::Step(step) = builtin.implementation else { panic!("a step") };
        step(self.call(None), Self::bound("run", given)).await
    }

    /// A command in a session, to its end.
    pub(crate) async fn command(&self, session: &dyn Session, command: ShellCommand) -> Done {
        let mut stdout = Vec::new();
        let mut stderr = String::new();
        let mut output = |stream: Stream, line: &[u8], whole: bool| match stream {
            Stream::Stdout => {
                stdout.extend_from_slice(line);
                if whole {
                    stdout.push(b'\n');
                }
            }
            Stream::Stderr => {
                stderr.push_str(&String::from_utf8_lossy(line));
                stderr.push('\n');
            }
        };
        let ended = session.run(command, &mut output, &self.cancel).await.unwrap();
        Done { ended, stdout, stderr }
    }

    /// The same with a text.
    pub(crate) async fn sh(&self, session: &dyn Session, text: &str) -> Done {
        self.command(session, script(text, self.folder.path())).await
    }
}

/// Containers and networks that an engine has of a run: their names.
pub(crate) fn left(engine: &Engine, run: &str) -> Vec<String> {
    let filter = format!("label=pipe.run={run}");
    let mut left = Vec::new();
    for kind in [&["ps", "--all"][..], &["network", "ls"]] {
        let format = if kind[0] == "ps" { "{{.Names}}" } else { "{{.Name}}" };
        let arguments = [kind, &["--filter", &filter, "--format", format]].concat();
        let listed = engine.client(&arguments);
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        left.extend(text.lines().map(str::to_owned));
    }
    left
}

/// Waits until something holds.
pub(crate) async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while !holds() {
        assert!(tokio::time::Instant::now() < end, "{what}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
