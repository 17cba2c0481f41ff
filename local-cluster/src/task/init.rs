//! The first process of a task: it starts the app, does what the cluster orders, collects the
//! orphans, and takes everything with it when it ends.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, set_child_subreaper,
    set_parent_process_death_signal, wait,
};

use super::{
    app::Runner,
    root,
    spec::{Exit, Order, Report, Spec, socket},
    sweep,
};

/// Processes that somebody waits for.
#[derive(Default)]
struct Children {
    app: Option<Pid>,
    /// Commands beside the app, by the numbers that the cluster gave them.
    commands: BTreeMap<u64, Pid>,
}

/// When the cluster is gone, nobody waits longer than this for an app to end well.
const ORPHAN_GRACE: Duration = Duration::from_secs(2);

/// Runs the app to its end.
pub(super) fn run(file: &Path) -> Result<(), String> {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    let alone = getpid().is_init();
    if !alone {
        let _ = set_child_subreaper(Some(getpid()));
    }
    let result = start(file, alone);
    let exit = match result {
        Ok((children, runner)) => {
            let watched = Arc::clone(&children);
            std::thread::spawn(move || obey(&watched, &runner));
            reap(&children)
        }
        Err(Refusal::Exit(exit)) => exit,
        Err(Refusal::Failed(message)) => {
            Report::Failed { message: message.clone() }.send();
            return Err(message);
        }
    };
    Report::Ended { exit }.send();
    if !alone {
        sweep::descendants();
    }
    // Not by returning: the thread that reads orders may not keep this process.
    std::process::exit(0);
}

/// Why there is no app.
enum Refusal {
    /// As if it had ended so.
    Exit(Exit),
    /// It can't be run here.
    Failed(String),
}

type Started = (Arc<Mutex<Children>>, Runner);

fn start(file: &Path, alone: bool) -> Result<Started, Refusal> {
    let mounts = root::own_mounts();
    let spec = Spec::read(file).map_err(Refusal::Failed)?;
    match &spec.image {
        Some(image) => root::enter(image, mounts, alone).map_err(Refusal::Failed)?,
        None if mounts && alone => root::own_processes(),
        None => {}
    }
    let runner = Runner::new(&spec).map_err(Refusal::Failed)?;
    runner.enter_folder(spec.image.is_some()).map_err(Refusal::Failed)?;
    let (program, arguments) = spec
        .arguments
        .split_first()
        .ok_or_else(|| Refusal::Failed("no command specified".to_owned()))?;
    let spawned = runner
        .program(program)
        .map_err(std::io::Error::from)
        .and_then(|file| runner.command(&file).args(arguments).spawn());
    let child = spawned.map_err(|error| {
        super::note(&format!("can't run `{program}`: {}", pipe_oci::plain(&error)));
        // What a shell and Docker make of it.
        let found = error.kind() != std::io::ErrorKind::NotFound;
        Refusal::Exit(Exit::Status(if found { 126 } else { 127 }))
    })?;
    let children = Children { app: Some(Pid::from_child(&child)), commands: BTreeMap::new() };
    Report::Running.send();
    Ok((Arc::new(Mutex::new(children)), runner))
}

/// Waits for children, own and adopted, until the app has ended.
fn reap(children: &Mutex<Children>) -> Exit {
    loop {
        let Ok(Some((pid, status))) = wait(WaitOptions::empty()) else {
            // Not without the app: it is a child.
            continue;
        };
        let exit = exit(status);
        let mut children = children.lock().unwrap_or_else(PoisonError::into_inner);
        if children.app == Some(pid) {
            return exit;
        }
        let id = children.commands.iter().find(|(_, known)| **known == pid).map(|(id, _)| *id);
        if let Some(id) = id {
            children.commands.remove(&id);
            Report::Ran { id, exit }.send();
        }
    }
}

fn exit(status: WaitStatus) -> Exit {
    let status = std::process::ExitStatus::from_raw(status.as_raw());
    match (status.code(), status.signal()) {
        (Some(status), _) => Exit::Status(status),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    }
}

/// Does what the cluster orders, until it is gone.
fn obey(children: &Arc<Mutex<Children>>, runner: &Runner) {
    if let Ok(socket) = socket() {
        for line in BufReader::new(socket).lines() {
            let Ok(line) = line else { break };
            match serde_json::from_str(&line) {
                Ok(Order::End { grace }) => end(children, Duration::from_millis(grace)),
                Ok(Order::Run { id, command }) => run_beside(children, runner, id, &command),
                Ok(Order::Abandon { id }) => {
                    let children = children.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(pid) = children.commands.get(&id) {
                        let _ = kill_process_group(*pid, Signal::KILL);
                    }
                }
                Err(_) => {}
            }
        }
    }
    end(children, ORPHAN_GRACE);
}

/// TERM, and later KILL.
fn end(children: &Arc<Mutex<Children>>, grace: Duration) {
    let signal = |signal| {
        let children = children.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(app) = children.app {
            let _ = kill_process_group(app, signal);
        }
    };
    signal(Signal::TERM);
    let children = Arc::clone(children);
    std::thread::spawn(move || {
        std::thread::sleep(grace);
        let children = children.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(app) = children.app {
            let _ = kill_process_group(app, Signal::KILL);
        }
    });
}

fn run_beside(children: &Arc<Mutex<Children>>, runner: &Runner, id: u64, command: &str) {
    use std::process::Stdio;
    // Under the lock, so that its end is not seen before its number is known.
    let mut children = children.lock().unwrap_or_else(PoisonError::into_inner);
    let spawned = runner
        .command("/bin/sh")
        .args(["-c", command])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match spawned {
        Ok(child) => {
            children.commands.insert(id, Pid::from_child(&child));
        }
        Err(_) => Report::Ran { id, exit: Exit::Status(127) }.send(),
    }
}
