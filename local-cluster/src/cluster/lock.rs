//! Who may start a cluster, and whether one runs: locks that the kernel lets go when a process
//! ends, however it ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use crate::error::Error;

/// Held by the cluster's process as long as it lives.
pub(super) const RUNS: &str = "cluster.lock";
/// Held by whoever is about to start it.
pub(super) const STARTS: &str = "start.lock";

fn open(file: &Path) -> Result<File, Error> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    opened.map_err(|error| Error::at("open", file, &error))
}

/// Takes a lock, when nobody has it. Who only looks has it for a moment, too.
pub(super) async fn try_take(folder: &Path, name: &str) -> Result<Option<File>, Error> {
    const LOOKS: u32 = 50;
    let path = folder.join(name);
    let file = open(&path)?;
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(TryLockError::Error(error)) => return Err(Error::at("lock", &path, &error)),
        }
    }
    Ok(None)
}

/// Takes a lock; waits as long as somebody has it.
pub(super) fn take(folder: &Path, name: &str) -> Result<File, Error> {
    let path = folder.join(name);
    let file = open(&path)?;
    file.lock().map_err(|error| Error::at("lock", &path, &error))?;
    Ok(file)
}

/// Whether somebody has a lock.
pub(super) fn is_taken(folder: &Path, name: &str) -> Result<bool, Error> {
    if !folder.join(name).exists() {
        return Ok(false);
    }
    // Shared: who only looks must not seem to have it to another who looks.
    let path = folder.join(name);
    let file = open(&path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Error::at("lock", &path, &error)),
    }
}
