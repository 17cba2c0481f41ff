//! Whether a cluster runs, and where.

use std::fs::{self, File, TryLockError};

use serde::{Deserialize, Serialize};

use crate::{error::Error, files, http, settings::Settings};

/// A cluster that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where its Marathon answers: `http://127.0.0.1:PORT`.
    pub marathon: String,
    /// Where its registry answers: `127.0.0.1:PORT`, the beginning of the names of its images.
    pub registry: String,
}

/// The file that says where a cluster is. It stays, so that the next uses the same ports.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Address {
    pub(crate) pid: u32,
    /// When the process was started, by the kernel's count.
    pub(crate) started: u64,
    /// The id of the cluster, which its Marathon knows as well.
    pub(crate) id: String,
    pub(crate) marathon: String,
    pub(crate) registry: String,
}

impl Address {
    /// What the file says, true or not.
    pub(crate) fn read(settings: &Settings) -> Option<Self> {
        serde_json::from_slice(&fs::read(settings.address_file()).ok()?).ok()
    }

    /// Writes the file.
    pub(crate) fn write(&self, settings: &Settings) -> Result<(), Error> {
        let file = settings.address_file();
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::new(error.to_string()))?;
        files::write(&file, &bytes).map_err(|error| Error::at("write", &file, &error))
    }
}

/// The cluster of a folder, if it runs. A file that a dead cluster left, or a process that has
/// its number by chance, is no running cluster.
///
/// # Errors
///
/// When a cluster holds the folder but does not answer.
pub fn status(settings: &Settings) -> Result<Option<Running>, Error> {
    if !is_held(settings)? {
        return Ok(None);
    }
    let Some(address) = Address::read(settings) else {
        return Err(beginning_or_ending());
    };
    let alive = crate::agent::started(address.pid) == Some(address.started);
    if !alive {
        return Err(beginning_or_ending());
    }
    let silent = |error: std::io::Error| {
        Error::new(format!(
            "the local cluster (process {}) does not answer at {}: {}; see `{}`",
            address.pid,
            address.marathon,
            pipe_oci::plain(&error),
            settings.log_file().display()
        ))
    };
    let info = http::get(&address.marathon, "/v2/info").map_err(silent)?;
    if info["frameworkId"].as_str() != Some(&format!("{}-0000", address.id)) {
        return Err(beginning_or_ending());
    }
    let Address { pid, marathon, registry, .. } = address;
    Ok(Some(Running { pid, marathon, registry }))
}

fn beginning_or_ending() -> Error {
    Error::new("the local cluster is being started or stopped; try again in a moment")
}

/// Whether some process holds the folder as its cluster's. The kernel drops the lock when that
/// process ends, however it ends.
pub(crate) fn is_held(settings: &Settings) -> Result<bool, Error> {
    let file = settings.lock_file();
    let lock = match File::open(&file) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::at("open", &file, &error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Error::at("lock", &file, &error)),
    }
}
