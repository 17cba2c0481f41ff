//! What runs that are dead have left in an engine.

use std::{collections::HashMap, path::PathBuf};

use super::names::{FOLDER, HOST, PROCESS, RUN, WORKSPACE, folder, host};
use crate::{
    client::engine::Engine,
    core::{Connections, Failure, World},
};

/// Whose a container or a network is, as its labels say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The run.
    pub run: String,
    /// The folder of its Pipelinefile.
    pub workspace: PathBuf,
    pub(super) process: String,
    host: String,
    folder: String,
}

impl Owner {
    fn of(labels: &HashMap<String, String>) -> Option<Self> {
        let label = |name: &str| labels.get(name).cloned();
        Some(Self {
            run: label(RUN)?,
            workspace: label(WORKSPACE)?.into(),
            process: label(PROCESS)?,
            host: label(HOST)?,
            folder: label(FOLDER)?,
        })
    }

    /// Whether its workspace is the folder that has this path here: an engine may serve several
    /// machines, and several tasks that see other folders under the same path.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.host == host() && !self.folder.is_empty() && self.folder == folder(&self.workspace)
    }
}

/// Removes containers and networks of runs that are dead, as `is_dead` knows; answers what they
/// were called. Nothing happens where no engine answers.
///
/// # Errors
///
/// When the engine breaks off, or can't remove something.
pub async fn sweep(
    world: &World,
    connections: &Connections,
    is_dead: impl Fn(&Owner) -> bool,
) -> Result<Vec<String>, Failure> {
    match Engine::connect(world, connections).await? {
        Some(engine) => clear(&engine, is_dead).await,
        None => Ok(Vec::new()),
    }
}

pub(super) async fn clear(
    engine: &Engine,
    is_dead: impl Fn(&Owner) -> bool,
) -> Result<Vec<String>, Failure> {
    let is_left =
        |labels: &HashMap<String, String>| Owner::of(labels).is_some_and(|owner| is_dead(&owner));
    let mut gone = Vec::new();
    for found in engine.containers(RUN).await? {
        if is_left(&found.labels) {
            engine.remove(&found.id).await?;
            gone.push(format!("container {}", found.name));
        }
    }
    for found in engine.networks(RUN).await? {
        if is_left(&found.labels) && engine.remove_network(&found.id).await? {
            gone.push(format!("network {}", found.name));
        }
    }
    gone.sort();
    Ok(gone)
}
