//! `pipe gc`

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use pipe_stdlib::{
    core::{Connections, Intent, World},
    docker,
};

use super::{
    FileArg,
    load::{complain, environment},
    recorded, runtime,
};
use crate::{
    exit,
    record::{self, Found, Ledger, Past},
    run::{self, plain},
};

/// Remove what earlier runs of this folder have left: processes, containers, networks, copies
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn main(args: &Args) -> u8 {
    let root = match recorded::root(&args.file) {
        Ok(root) => root,
        Err(status) => return status,
    };
    let found = match record::runs(&root) {
        Ok(found) => found,
        Err(error) => {
            let why = plain(&error);
            complain(&format!("pipe: the runs in `{}` can't be read: {why}", root.display()));
            return exit::INFRASTRUCTURE;
        }
    };
    let running = recorded::running(&root);
    let dead: Vec<&Found> = found.iter().filter(|run| running.as_ref() != Some(&run.run)).collect();
    let mut said = Vec::new();
    for run in &dead {
        let count = run::marked::end(&run.run);
        if count > 0 {
            let processes = pipe_grammar::diagnostic::count("process", count);
            said.push(format!("run {}: {processes} ended", run.run));
        }
        if remove(&run.folder) {
            said.push(format!("run {}: copies of files removed", run.run));
        }
        said.extend(outside(run));
    }
    let mut status = exit::SUCCESS;
    match containers(&root, running.as_deref()) {
        Ok(names) => said.extend(names.into_iter().map(|name| format!("{name} removed"))),
        Err(why) => {
            complain(&format!("pipe: containers could not be looked for: {why}"));
            status = exit::INFRASTRUCTURE;
        }
    }
    if said.is_empty() && status == exit::SUCCESS {
        said.push("nothing was left".to_owned());
    }
    let _ = std::io::stdout().write_all((said.join("\n") + "\n").as_bytes());
    status
}

/// Removes trees of stages, scripts that were too long for a command line, and logins of tools.
fn remove(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let left = entries.flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name == "work"
            || name == "secrets"
            || name.starts_with(".tmp")
            || name.starts_with("docker-")
    });
    left.fold(false, |removed, entry| {
        let path = entry.path();
        let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed | gone.is_ok()
    })
}

/// The containers and networks of dead runs of this folder, removed.
fn containers(root: &Path, running: Option<&str>) -> Result<Vec<String>, String> {
    let runtime = runtime().map_err(|error| plain(&error))?;
    let world = World::new(root.to_path_buf(), root.to_path_buf(), environment());
    let here: PathBuf = root.to_path_buf();
    let is_dead = |owner: &docker::Owner| {
        owner.is_here() && owner.workspace == here && running != Some(owner.run.as_str())
    };
    let swept = runtime.block_on(docker::sweep(&world, &Connections::default(), is_dead));
    swept.map_err(|failure| failure.message)
}

/// What an interrupted run may have left in a cluster: it is named, not removed. Whether it is
/// still wanted nobody here can know, and `pipe resume` may need it.
fn outside(found: &Found) -> Vec<String> {
    let Ok(ledger) = Ledger::read(&found.folder) else { return Vec::new() };
    let past = Past::of(&ledger);
    if past.ended.is_some() {
        return Vec::new();
    }
    let promoted = |wanted: &str| {
        past.intents
            .iter()
            .any(|intent| matches!(intent, Intent::Promote { app, .. } if app == wanted))
    };
    let run = &found.run;
    let mut said = Vec::new();
    for intent in &past.intents {
        match intent {
            Intent::Beside { marathon, app, of } if !promoted(app) => said.push(format!(
                "run {run}: `{app}` may still stand beside `{of}` on {marathon}\n  \
                 `pipe resume {run}` goes on with it; else remove it there"
            )),
            Intent::Task { mesos, framework } => said.push(format!(
                "run {run}: tasks of the framework {framework} on {mesos} end by their own limits"
            )),
            _ => {}
        }
    }
    said.dedup();
    said
}
