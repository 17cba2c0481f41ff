//! What outlives the cluster's process: the apps, their versions, the deployments under way. Tasks
//! do not; they are started again with the next start.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{App, AppId, Apps, Engine, drive::Deployment, report::TaskFailure};
use crate::{error::Error, files, random, time::Timestamp};

/// What the file of the state holds.
#[derive(Deserialize)]
pub(crate) struct State {
    pub(super) id: String,
    pub(super) clock: Timestamp,
    pub(super) apps: Apps,
    pub(super) versions: BTreeMap<AppId, Vec<App>>,
    pub(super) deployments: Vec<Deployment>,
    pub(super) failures: BTreeMap<AppId, TaskFailure>,
}

/// The same, of the engine.
#[derive(Serialize)]
struct Saved<'a> {
    id: &'a str,
    clock: Timestamp,
    apps: Vec<&'a App>,
    versions: BTreeMap<&'a AppId, &'a [App]>,
    deployments: &'a [Deployment],
    failures: &'a BTreeMap<AppId, TaskFailure>,
}

impl State {
    /// The state of a cluster that begins.
    fn new() -> Self {
        Self {
            id: random::uuid(),
            clock: Timestamp::now(),
            apps: Apps::new(),
            versions: BTreeMap::new(),
            deployments: Vec::new(),
            failures: BTreeMap::new(),
        }
    }

    /// Reads the state; a new one where there is none.
    pub(crate) fn read(file: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Read {
            id: String,
            clock: Timestamp,
            apps: Vec<App>,
            versions: BTreeMap<AppId, Vec<App>>,
            deployments: Vec<Deployment>,
            failures: BTreeMap<AppId, TaskFailure>,
        }
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(Error::at("read", file, &error)),
        };
        let read: Read = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(format!(
                "the local cluster's state in `{}` can't be read ({error}); move the file away to begin without apps",
                file.display()
            ))
        })?;
        let apps = read.apps.into_iter().map(|app| (app.id.clone(), app)).collect();
        let Read { id, clock, versions, deployments, failures, .. } = read;
        Ok(Self { id, clock, apps, versions, deployments, failures })
    }
}

impl Engine {
    /// Writes the state, if it changed since the last time.
    pub(crate) fn save_changes(&mut self) {
        if !std::mem::take(&mut self.changed) || self.closing {
            return;
        }
        let saved = Saved {
            id: &self.id,
            clock: self.clock,
            apps: self.apps.values().collect(),
            versions: self.versions.iter().map(|(id, v)| (id, v.as_slice())).collect(),
            deployments: &self.deployments,
            failures: &self.failures,
        };
        let written = serde_json::to_vec(&saved)
            .map_err(|error| error.to_string())
            .and_then(|bytes| files::write(&self.file, &bytes).map_err(|error| error.to_string()));
        if let Err(error) = written {
            crate::log::line(format_args!("the state can't be written: {error}"));
            // It is tried again with the next change.
        }
    }
}
