//! Stages as the interpreter runs them, at a quick pace, with workers in this process.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use pipe_stdlib::{
    client::mesos::Pace,
    core::{
        Arguments, Call, Connections, Ended, Failure, Holding, Intent, MesosConnection, Output,
        Report, Session, ShellCommand, Stream, Value, World, convert,
    },
    library,
    mesos::{
        Timing, task_with,
        worker::{Hands, work},
    },
};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, Executor, Launched};

/// What was said.
#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<String>>);

impl Report for Said {
    fn say(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn output(&self, _: Stream, line: &str) {
        self.say(line);
    }

    fn intend(&self, _: Intent) -> Result<(), Failure> {
        Ok(())
    }
}

/// Minutes become tenths of seconds.
pub(crate) fn quick() -> Timing {
    let millis = Duration::from_millis;
    Timing {
        pace: Pace {
            connect: millis(500),
            call: millis(1500),
            pause: millis(20),
            longest_pause: millis(200),
            heartbeats: 5,
            look: millis(800),
        },
        subscribe: millis(1500),
        failover: millis(3000),
        refuse: millis(100),
        explain: millis(150),
        explain_again: millis(600),
        maintenance: millis(300),
        launch: millis(400),
        ask: millis(40),
        longest_ask: millis(300),
        ask_all: millis(2000),
        gone: millis(200),
        rumour: millis(800),
        unreachable: millis(1500),
        kill: millis(300),
        grace: millis(500),
        life: Duration::from_secs(60),
        hello: millis(1500),
        silence: millis(2000),
        end: millis(4000),
    }
}

/// Where a stage runs.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) cancel: CancellationToken,
    world: World,
    connections: Connections,
    said: Said,
    run: String,
    run_folder: PathBuf,
}

impl Place {
    pub(crate) fn new(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let connection = MesosConnection {
            name: None,
            masters: vec![cluster.url.clone()],
            token: None,
            username: None,
            password: None,
            role: "*".to_owned(),
            advertise: None,
            ca: None,
        };
        // The worker runs in this process: what is fetched only has to be there.
        let environment = [("PIPE_WORKER".to_owned(), "/bin/true".to_owned())];
        Self {
            world: World::new(root.clone(), root.clone(), environment.into()),
            connections: Connections { mesos: vec![connection], ..Connections::default() },
            said: Said::default(),
            cancel: CancellationToken::new(),
            run: root.file_name().unwrap().to_string_lossy().into_owned(),
            run_folder: root.join(".pipe/runs/test"),
            folder,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut MesosConnection {
        &mut self.connections.mesos[0]
    }

    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            world: &self.world,
            connections: &self.connections,
            connection: None,
            dir: self.folder.path(),
            report: &self.said,
            cancel: &self.cancel,
            run: &self.run,
            run_folder: &self.run_folder,
            stage: "test",
            session: None,
        }
    }

    /// `using mesos.task(…)`
    pub(crate) async fn start(
        &self,
        given: &[(&str, Value)],
        timing: Timing,
    ) -> Result<Arc<dyn Session>, Failure> {
        let runner = task_with(&bound(given), timing)?;
        runner.start(self.call(), self.folder.path()).await
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.said.0.lock().unwrap().clone()
    }

    /// Runs a command, and gives what it wrote.
    pub(crate) async fn sh(
        &self,
        session: &dyn Session,
        script: &str,
    ) -> (Result<Ended, Failure>, String) {
        let mut text = String::new();
        let mut take = |_: Stream, bytes: &[u8], complete: bool| {
            text.push_str(&String::from_utf8_lossy(bytes));
            if complete {
                text.push('\n');
            }
        };
        let command = ShellCommand {
            script: script.to_owned(),
            environment: Vec::new(),
            dir: self.folder.path().to_path_buf(),
            stdin: None,
            interpreter: None,
            mark: "test/1".to_owned(),
        };
        let ended = session.run(command, &mut take, &self.cancel).await;
        (ended, text)
    }
}

fn bound(given: &[(&str, Value)]) -> Arguments {
    let builtin = library().find(Some("mesos"), "task").unwrap();
    let mut arguments = Arguments::default();
    for parameter in library().signature(builtin).parameters.iter().flatten() {
        match given.iter().find(|(name, _)| *name == &*parameter.name) {
            Some((_, value)) => {
                let value = convert(value.clone(), &parameter.ty).unwrap();
                arguments.bind(parameter.name.clone(), value, true);
            }
            None => {
                let default = parameter.default.clone().unwrap_or_default();
                arguments.bind(parameter.name.clone(), default, false);
            }
        }
    }
    arguments
}

/// Runs scripts by `sh`, and ends them with all that they have started.
pub(crate) struct Sh;

impl Hands for Sh {
    fn shell(&self) -> (bool, String) {
        (false, "sh -eu".to_owned())
    }

    fn run<'a>(
        &'a self,
        command: ShellCommand,
        output: Output<'a>,
        cancel: &'a CancellationToken,
    ) -> Holding<'a, Ended> {
        Box::pin(async move {
            use std::os::unix::process::ExitStatusExt;
            use tokio::io::AsyncReadExt;
            let mut child = tokio::process::Command::new("/bin/sh")
                .args(["-euc", &command.script])
                .current_dir(&command.dir)
                .envs(command.environment)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .process_group(0)
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let group = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
            let kill = || rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let mut stdout = child.stdout.take().unwrap();
            let mut buffer = vec![0; 1 << 20];
            loop {
                tokio::select! {
                    count = stdout.read(&mut buffer) => match count.unwrap() {
                        0 => break,
                        count => output(Stream::Stdout, &buffer[..count], false),
                    },
                    () = cancel.cancelled() => {
                        let _ = kill();
                        let _ = child.wait().await;
                        return Ok(Ended::Cancelled);
                    }
                }
            }
            let status = child.wait().await.unwrap();
            let _ = kill();
            Ok(match status.code() {
                Some(code) => Ended::Status(code),
                None => Ended::Signal(status.signal().unwrap()),
            })
        })
    }
}

/// Workers in this process. `through` changes where they call.
pub(crate) fn workers(through: impl Fn(&str) -> String + Send + Sync + 'static) -> Executor {
    Arc::new(move |launched: Launched| {
        let (_, url) = launched.command.split_once(" worker ").unwrap();
        let url = through(url);
        Box::pin(async move {
            let Launched { sandbox, environment, cancel, .. } = launched;
            let cancelled = cancel.clone();
            match work(&url, &sandbox, environment, Arc::new(Sh), &cancel).await {
                _ if cancelled.is_cancelled() => Err(15),
                Ok(()) => Ok(0),
                Err(why) => {
                    std::fs::write(sandbox.join("stderr"), format!("pipe worker: {why}\n"))
                        .unwrap();
                    Ok(4)
                }
            }
        })
    })
}

/// Workers that call as they are told.
pub(crate) fn plain() -> Executor {
    workers(str::to_owned)
}

/// Waits for something to become true.
#[track_caller]
pub(crate) fn soon(what: &str, check: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        for _ in 0..500 {
            if check() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}, at {place}");
    }
}

/// An empty environment, for tests without a task.
pub(crate) fn nothing() -> BTreeMap<String, String> {
    BTreeMap::new()
}
