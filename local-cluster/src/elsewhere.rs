//! The same functions where there is no Linux: they say so.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{AppOverview, Error, Running, Settings};

fn unsupported() -> Error {
    Error::new("the local cluster needs Linux: it runs apps as processes with Linux namespaces")
}

/// Runs a cluster in this process.
///
/// # Errors
///
/// Always: there is no local cluster on this system.
pub async fn serve(_: Settings) -> Result<(), Error> {
    Err(unsupported())
}

/// Starts the cluster of a folder.
///
/// # Errors
///
/// Always: there is no local cluster on this system.
pub fn start(_: &Settings, _: &Path) -> Result<Running, Error> {
    Err(unsupported())
}

/// The cluster of a folder, if it runs: on this system none does.
///
/// # Errors
///
/// None.
pub fn status(_: &Settings) -> Result<Option<Running>, Error> {
    Ok(None)
}

/// Ends the cluster of a folder: on this system none runs.
///
/// # Errors
///
/// None.
pub async fn stop(_: &Settings) -> Result<bool, Error> {
    Ok(false)
}

/// The apps of the cluster of a folder: on this system none runs.
///
/// # Errors
///
/// None.
pub fn tasks(_: &Settings) -> Result<Option<Vec<AppOverview>>, Error> {
    Ok(None)
}

/// The folders of an app's tasks: on this system there are none.
#[must_use]
pub fn task_folders(_: &Settings, _: &str) -> Vec<PathBuf> {
    Vec::new()
}

/// A process of a task: on this system there is none.
#[must_use]
pub fn task_main(_: &Path) -> ExitCode {
    ExitCode::FAILURE
}
