//! A task from its launch to its end.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as Socket},
    path::Path,
    process::{Command as Process, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::Child,
    sync::{mpsc, oneshot},
};

use super::{
    Agent, Launch,
    environment::environment,
    fetch::fetch,
    task::{self, Command},
};
use crate::{
    files, log,
    marathon::{
        app::{App, PortMapping, Volume},
        engine::{Handle, Update},
    },
    task::{Exit, Forward, Image, Mount, Order, Report, Spec, in_own_session},
};

/// Where Mesos mounts a task's folder in a container.
const SANDBOX: &str = "/mnt/mesos/sandbox";
/// The search path of an image that sets none, as Docker's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What a command without an image sees of the environment of the cluster.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// Runs a task and tells the engine what becomes of it.
pub(super) async fn run(
    agent: Agent,
    launch: Launch,
    mut orders: mpsc::UnboundedReceiver<Command>,
    engine: Handle,
) {
    let id = launch.task.clone();
    let tell = |update: Update| {
        let id = id.clone();
        engine.tell(move |engine| engine.task_updated(&id, update));
    };
    let prepared = {
        let agent = agent.clone();
        tokio::task::spawn_blocking(move || prepare(&agent, &launch))
    };
    let prepared =
        prepared.await.unwrap_or_else(|error| Err(format!("Failed to launch container: {error}")));
    let end = match prepared {
        Ok(prepared) => {
            tell(Update::Starting);
            match start(&agent, &id, &prepared) {
                Ok(running) => follow(running, &mut orders, prepared.words, &tell).await,
                Err(error) => (false, failed_to_launch(&pipe_oci::plain(&error))),
            }
        }
        Err(message) => (false, message),
    };
    let runtime = agent.runtime(&id);
    let removed = tokio::task::spawn_blocking(move || files::remove_tree(&runtime)).await;
    if let Ok(Err(error)) = removed {
        log::line(format_args!("what is left of {id} can't be removed: {error}"));
    }
    let (success, message) = end;
    tell(Update::Ended { success, message });
}

/// A task whose files are there.
struct Prepared {
    spec: Spec,
    /// `Container` or `Command`, which messages begin with.
    words: &'static str,
}

fn failed_to_launch(why: &str) -> String {
    format!("Failed to launch container: {why}")
}

fn prepare(agent: &Agent, launch: &Launch) -> Result<Prepared, String> {
    let sandbox = agent.sandbox(&launch.task);
    let runtime = agent.runtime(&launch.task);
    let made =
        files::make_folder(&sandbox).and_then(|()| files::make_folder(&runtime)).and_then(|()| {
            // Whoever the app runs as may write here; nobody else gets this far.
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&sandbox, std::fs::Permissions::from_mode(0o777))?;
            for name in ["stdout", "stderr"] {
                File::create(sandbox.join(name))?;
            }
            Ok(())
        });
    made.map_err(|error| failed_to_launch(&pipe_oci::plain(&error)))?;
    let app = &launch.app;
    if let Err(error) = fetch(app, &sandbox) {
        note(&sandbox, &error);
        return Err(failed_to_launch(&format!(
            "Failed to fetch all URIs for container '{}' with exit status: 256",
            launch.task
        )));
    }
    let spec = match app.image() {
        Some(reference) => container(agent, launch, reference, &sandbox, &runtime)?,
        None => command(launch, &sandbox),
    };
    let words = if app.image().is_some() { "Container" } else { "Command" };
    Ok(Prepared { spec, words })
}

/// An app without an image runs in the machine's own root.
fn command(launch: &Launch, sandbox: &Path) -> Spec {
    let app = &launch.app;
    let mut variables: BTreeMap<String, String> = INHERITED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    variables.entry("PATH".to_owned()).or_insert_with(|| PATH.to_owned());
    variables.extend(environment(launch, &sandbox.to_string_lossy()));
    let arguments = match (&app.cmd, &app.args) {
        (Some(cmd), _) => shell(cmd),
        (None, args) => args.clone().unwrap_or_default(),
    };
    if let Some(container) = &app.container {
        // Volumes of an app without an image lie in its folder.
        for volume in container.volumes.iter().filter(|volume| volume.persistent.is_some()) {
            let _ = std::fs::create_dir_all(sandbox.join(&volume.container_path));
        }
    }
    Spec {
        arguments,
        environment: variables.into_iter().collect(),
        folder: sandbox.to_owned(),
        user: app.user.clone().unwrap_or_default(),
        sandbox: sandbox.to_owned(),
        image: None,
        private_network: app.is_bridged(),
        forwards: forwards(app, &launch.ports),
    }
}

fn shell(command: &str) -> Vec<String> {
    ["/bin/sh", "-c", command].map(str::to_owned).to_vec()
}

/// An app with an image runs in that, as `docker run` would.
fn container(
    agent: &Agent,
    launch: &Launch,
    reference: &str,
    sandbox: &Path,
    runtime: &Path,
) -> Result<Spec, String> {
    let app = &launch.app;
    let image = agent.pull(reference).map_err(|why| {
        failed_to_launch(&format!(
            "Failed to run 'docker -H unix:///var/run/docker.sock pull {reference}': exited with status 1; stderr='{why}'"
        ))
    })?;
    let run = &image.config.config;
    let entrypoint = run.entrypoint.clone().unwrap_or_default();
    let arguments = match (&app.cmd, &app.args) {
        // Mesos runs a command by the image's shell, whatever its entry point is.
        (Some(cmd), _) => shell(cmd),
        (None, Some(args)) => [entrypoint, args.clone()].concat(),
        (None, None) => [entrypoint, run.cmd.clone().unwrap_or_default()].concat(),
    };
    let hostname = launch.task.rsplit_once("instance-").map_or("task", |(_, rest)| rest);
    let hostname = hostname.split('-').next().unwrap_or("task").to_owned();
    let mut variables: BTreeMap<String, String> =
        [("PATH", PATH), ("HOSTNAME", &hostname)].map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    variables.extend(run.env.iter().filter_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    }));
    variables.extend(environment(launch, SANDBOX));
    let mut mounts = vec![Mount { from: sandbox.to_owned(), to: SANDBOX.into(), read_only: false }];
    if let Some(container) = &app.container {
        mounts.extend(container.volumes.iter().filter_map(|volume| mount(volume, sandbox)));
        for parameter in container.docker.iter().flat_map(|docker| &docker.parameters) {
            let text =
                format!("the local cluster leaves the Docker parameter `{}` out", parameter.key);
            note(sandbox, &text);
        }
    }
    let folder = if run.working_dir.is_empty() { "/" } else { &run.working_dir };
    Ok(Spec {
        arguments,
        environment: variables.into_iter().collect(),
        folder: folder.into(),
        user: app.user.clone().unwrap_or_else(|| run.user.clone()),
        sandbox: sandbox.to_owned(),
        image: Some(Image { root: image.root, layer: runtime.to_owned(), hostname, mounts }),
        private_network: app.is_bridged(),
        forwards: forwards(app, &launch.ports),
    })
}

fn mount(volume: &Volume, sandbox: &Path) -> Option<Mount> {
    let read_only = volume.mode == "RO";
    if let Some(host) = &volume.host_path {
        // A relative one lies in the task's folder, as with Mesos.
        return Some(Mount {
            from: sandbox.join(host),
            to: (&volume.container_path).into(),
            read_only,
        });
    }
    volume.persistent.as_ref()?;
    let from = sandbox.join(&volume.container_path);
    std::fs::create_dir_all(&from).ok()?;
    let to = Path::new(SANDBOX).join(&volume.container_path);
    Some(Mount { from, to, read_only })
}

/// The mapped ports of an app with a network of its own.
fn forwards(app: &App, ports: &[Option<u16>]) -> Vec<Forward> {
    let mappings = if app.is_bridged() { app.mappings() } else { &[] };
    let forward = |(mapping, host): (&PortMapping, &Option<u16>)| {
        let host = (*host)?;
        let container = if mapping.container_port == 0 { host } else { mapping.container_port };
        mapping.protocol.contains("tcp").then_some(Forward { host, container })
    };
    mappings.iter().zip(ports).filter_map(forward).collect()
}

/// Adds a line to a task's `stderr`.
fn note(sandbox: &Path, text: &str) {
    use std::io::Write as _;
    let file = File::options().append(true).create(true).open(sandbox.join("stderr"));
    if let Ok(mut file) = file {
        let _ = writeln!(file, "local cluster: {text}");
    }
}

/// A task's outermost process, and the socket to its init.
struct Running {
    runner: Child,
    socket: UnixStream,
}

fn start(agent: &Agent, id: &str, prepared: &Prepared) -> io::Result<Running> {
    let runtime = agent.runtime(id);
    let file = runtime.join("task.json");
    files::write(&file, &serde_json::to_vec(&prepared.spec)?)?;
    let (ours, theirs) = Socket::pair()?;
    ours.set_nonblocking(true)?;
    let output = |name: &str| {
        File::options().append(true).create(true).open(prepared.spec.sandbox.join(name))
    };
    let mut process = Process::new(&agent.0.program);
    process
        .args(&agent.0.arguments)
        .arg(&file)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(output("stdout")?)
        .stderr(output("stderr")?);
    in_own_session(&mut process);
    let runner = tokio::process::Command::from(process).spawn()?;
    if let Some(pid) = runner.id() {
        task::remember(&runtime, pid)?;
    }
    Ok(Running { runner, socket: UnixStream::from_std(ours)? })
}

/// Follows a task until no process of it is left: whether it ended well, and Mesos's message.
async fn follow(
    running: Running,
    orders: &mut mpsc::UnboundedReceiver<Command>,
    words: &str,
    tell: &impl Fn(Update),
) -> (bool, String) {
    let Running { mut runner, socket } = running;
    let (reader, mut writer) = socket.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut commands: BTreeMap<u64, oneshot::Sender<Exit>> = BTreeMap::new();
    let (late, mut overdue) = mpsc::unbounded_channel::<u64>();
    let mut number = 0;
    let mut end = None;
    let mut open = true;
    loop {
        let order = tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => {
                    match serde_json::from_str(&line) {
                        Ok(Report::Running) => tell(Update::Running),
                        Ok(Report::Ran { id, exit }) => {
                            commands.remove(&id).map(|ended| ended.send(exit));
                        }
                        Ok(Report::Ended { exit }) => end = Some(Ok(exit)),
                        Ok(Report::Failed { message }) => end = Some(Err(message)),
                        Err(_) => {}
                    }
                    continue;
                }
                _ => break,
            },
            order = orders.recv(), if open => match order {
                Some(Command::Kill { grace }) => {
                    Order::End { grace: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX) }
                }
                Some(Command::Run { command, limit, ended }) => {
                    number += 1;
                    commands.insert(number, ended);
                    let (late, id) = (late.clone(), number);
                    tokio::spawn(async move {
                        tokio::time::sleep(limit).await;
                        let _ = late.send(id);
                    });
                    Order::Run { id: number, command }
                }
                // The engine has forgotten the task; it still ends as it was told.
                None => { open = false; continue }
            },
            Some(id) = overdue.recv() => match commands.remove(&id) {
                Some(_) => Order::Abandon { id },
                None => continue,
            },
        };
        let mut line = serde_json::to_vec(&order).unwrap_or_default();
        line.push(b'\n');
        if writer.write_all(&line).await.is_err() {
            break;
        }
    }
    // The socket is closed: init is gone, and the runner goes.
    if tokio::time::timeout(Duration::from_secs(5), runner.wait()).await.is_err() {
        let _ = runner.kill().await;
    }
    match end {
        Some(Ok(exit)) if words == "Container" => {
            let status = Exit::Status(exit.status());
            (exit == Exit::Status(0), format!("{words} {}", status.words()))
        }
        Some(Ok(exit)) => (exit == Exit::Status(0), format!("{words} {}", exit.words())),
        Some(Err(message)) => (false, failed_to_launch(&message)),
        None => (false, "Abnormal executor termination: unknown container".to_owned()),
    }
}
