//! `pipe cluster`

use std::{
    fmt::Write as _,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

use pipe_local_cluster::{self as local_cluster, AppOverview, Running, Settings};
use pipe_stdlib::core::LocalCluster;

use super::{load::complain, print::print, runtime};
use crate::{exit, run::plain};

/// The local cluster of this machine: a Marathon and an image registry
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Start it, if it does not run
    Start,
    /// Show where it answers, its apps and their tasks
    Status,
    /// End its tasks and the cluster; apps and images are there again at the next start
    Stop,
    /// Show what the tasks of an app have written
    Logs {
        /// The app, like `/apachecon-demo`; without it the cluster's own log
        app: Option<String>,
        /// Only so many last lines of each file
        #[arg(short = 'n', long, value_name = "LINES", default_value_t = 100)]
        lines: usize,
    },
    /// Be the cluster
    #[command(hide = true)]
    Serve {
        /// Where it keeps its state
        #[arg(long)]
        folder: PathBuf,
    },
    /// Run one task of it
    #[command(hide = true)]
    Task {
        /// What to run
        spec: PathBuf,
    },
}

pub(super) fn main(command: Command) -> u8 {
    let settings = settings();
    match command {
        Command::Start => start(&settings),
        Command::Status => status(&settings),
        Command::Stop => stop(&settings),
        Command::Logs { app, lines } => logs(&settings, app.as_deref(), lines),
        Command::Serve { folder } => serve(folder),
        // Taken before any thread is made.
        Command::Task { .. } => exit::WRONG_INPUT,
    }
}

fn settings() -> Settings {
    Settings::new(local_cluster::default_folder())
}

fn connection(running: &Running) -> LocalCluster {
    LocalCluster { marathon: running.marathon.clone(), registry: running.registry.clone() }
}

/// The cluster, if it runs.
pub(super) fn running() -> Option<LocalCluster> {
    local_cluster::status(&settings()).ok().flatten().as_ref().map(connection)
}

/// The cluster; started if it does not run. An error has been told.
pub(super) fn ensure() -> Result<LocalCluster, u8> {
    begin(&settings()).map(|running| connection(&running))
}

fn begin(settings: &Settings) -> Result<Running, u8> {
    let program = std::env::current_exe().map_err(|error| {
        complain(&format!("pipe: can't find its own program: {}", plain(&error)));
        exit::INFRASTRUCTURE
    })?;
    local_cluster::start(settings, &program).map_err(|error| {
        complain(&format!("pipe: {error}"));
        exit::INFRASTRUCTURE
    })
}

fn start(settings: &Settings) -> u8 {
    match begin(settings) {
        Ok(running) => print(format!(
            "the local cluster runs\n  Marathon {}\n  registry {}\n",
            running.marathon, running.registry
        )),
        Err(status) => status,
    }
}

fn status(settings: &Settings) -> u8 {
    let found = local_cluster::status(settings)
        .and_then(|running| local_cluster::tasks(settings).map(|apps| running.zip(apps)));
    match found {
        Ok(Some((running, apps))) => print(overview(&running, &apps)),
        Ok(None) => {
            complain(
                "the local cluster does not run: start it with `pipe cluster start`, or by `pipe run --local`",
            );
            exit::FAILED
        }
        Err(error) => {
            complain(&format!("pipe: {error}"));
            exit::INFRASTRUCTURE
        }
    }
}

fn overview(running: &Running, apps: &[AppOverview]) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "the local cluster runs, process {}", running.pid);
    let _ = writeln!(out, "  Marathon {}", running.marathon);
    let _ = writeln!(out, "  registry {}", running.registry);
    if apps.is_empty() {
        let _ = writeln!(out, "no apps");
    }
    for app in apps {
        let health = match app.healthy {
            Some(healthy) => format!("{healthy} of {} healthy", app.instances),
            None => format!("{} of {} running", app.running, app.instances),
        };
        let deploying = if app.deploying { ", deploying" } else { "" };
        let _ = writeln!(out, "\n{}  {health}{deploying}", app.id);
        if let Some(image) = &app.image {
            let _ = writeln!(out, "  image {image}");
        }
        let _ = writeln!(out, "  version {}", app.version);
        if let Some(failure) = &app.last_failure {
            let _ = writeln!(out, "  last failure: {failure}");
        }
        for task in &app.tasks {
            let state = task.state.trim_start_matches("TASK_").to_lowercase();
            let health = match task.healthy {
                Some(true) => ", healthy",
                Some(false) => ", not healthy",
                None => "",
            };
            let addresses: Vec<String> =
                task.addresses.iter().map(|address| format!("  http://{address}")).collect();
            let _ = writeln!(out, "  {state}{health}{}  {}", addresses.concat(), task.id);
        }
    }
    out
}

fn stop(settings: &Settings) -> u8 {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("pipe: can't start: {}", plain(&error)));
            return exit::INFRASTRUCTURE;
        }
    };
    match runtime.block_on(local_cluster::stop(settings)) {
        Ok(true) => print("the local cluster has ended\n"),
        Ok(false) => print("the local cluster does not run\n"),
        Err(error) => {
            complain(&format!("pipe: {error}"));
            exit::INFRASTRUCTURE
        }
    }
}

fn logs(settings: &Settings, app: Option<&str>, lines: usize) -> u8 {
    let Some(app) = app else { return print(tail(&settings.log(), lines)) };
    let id = if app.starts_with('/') { app.to_owned() } else { format!("/{app}") };
    let folders = local_cluster::task_folders(settings, &id);
    if folders.is_empty() {
        complain(&format!("pipe: no task of `{id}` has written anything"));
        return exit::FAILED;
    }
    let mut out = String::new();
    for folder in folders {
        for name in ["stdout", "stderr"] {
            let file = folder.join(name);
            let text = tail(&file, lines);
            if !text.is_empty() {
                let _ = writeln!(out, "==> {} <==", file.display());
                out.push_str(&text);
            }
        }
    }
    print(&out)
}

/// The last lines of a file; nothing of one that can't be read.
fn tail(file: &std::path::Path, lines: usize) -> String {
    /// So much of the end of a file is looked at.
    const MOST: u64 = 4 << 20;
    let Ok(mut opened) = std::fs::File::open(file) else { return String::new() };
    let length = opened.metadata().map_or(0, |meta| meta.len());
    if length > MOST && opened.seek(SeekFrom::Start(length - MOST)).is_err() {
        return String::new();
    }
    let mut bytes = Vec::new();
    if opened.take(MOST).read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let mut out = all[all.len().saturating_sub(lines)..].join("\n");
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn serve(folder: PathBuf) -> u8 {
    let settings = Settings::new(folder);
    let served = runtime().map_err(|error| plain(&error)).and_then(|runtime| {
        runtime.block_on(local_cluster::serve(settings)).map_err(|error| error.to_string())
    });
    match served {
        Ok(()) => exit::SUCCESS,
        Err(why) => {
            complain(&format!("pipe: {why}"));
            exit::INFRASTRUCTURE
        }
    }
}
