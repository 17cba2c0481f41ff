//! A cluster that runs, and how others find it: the file `cluster.json`.

use std::{fs, path::Path};

use super::{http, lock};
use crate::{Running, Settings, agent, error::Error, files};

const FILE: &str = "cluster.json";

impl Running {
    /// This process.
    pub(super) fn this(marathon: String, registry: String) -> Self {
        let pid = std::process::id();
        let started = agent::started(pid).unwrap_or_default();
        Self { pid, marathon, registry, started }
    }

    /// What the file in a folder says, true or not.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Tells others where this cluster is.
    pub(super) fn announce(&self, folder: &Path) -> Result<(), Error> {
        let file = folder.join(FILE);
        let text =
            serde_json::to_vec_pretty(self).map_err(|error| Error::new(error.to_string()))?;
        files::write(&file, &text).map_err(|error| Error::at("write", &file, &error))
    }

    /// It is over.
    pub(super) fn withdraw(folder: &Path) {
        let _ = fs::remove_file(folder.join(FILE));
    }

    /// Whether the process is the one that wrote the file.
    pub(super) fn is_alive(&self) -> bool {
        agent::started(self.pid).is_some_and(|started| started == self.started)
    }
}

/// The cluster of a folder, if it runs: its process lives, and is the one that was started, and
/// answers.
///
/// # Errors
///
/// When the folder can't be read.
pub fn status(settings: &Settings) -> Result<Option<Running>, Error> {
    let folder = &settings.folder;
    if !lock::is_taken(folder, lock::RUNS)? {
        return Ok(None);
    }
    let running = Running::read(folder).filter(Running::is_alive);
    Ok(running.filter(|running| http::get(&running.marathon, "/ping").is_ok()))
}
