//! The runs of a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::run::FOLDER;

/// A run that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub run: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// All runs beside a Pipelinefile, oldest first: their ids begin with their time.
///
/// # Errors
///
/// When the folder is there and can't be read.
pub fn runs(root: &Path) -> io::Result<Vec<Found>> {
    let entries = match fs::read_dir(root.join(FOLDER).join("runs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<Found> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join(super::EVENTS).is_file())
        .map(|entry| Found {
            run: entry.file_name().to_string_lossy().into_owned(),
            folder: entry.path(),
        })
        .collect();
    // Two of the same second differ by when they were written last.
    let written = |found: &Found| {
        fs::metadata(found.folder.join(super::EVENTS)).and_then(|meta| meta.modified()).ok()
    };
    let second = |found: &Found| found.run.get(..15).unwrap_or(&found.run).to_owned();
    found.sort_by_cached_key(|found| (second(found), written(found), found.run.clone()));
    Ok(found)
}

/// The runs whose id is, or ends or begins with, what a person wrote: `k3f9` is enough.
///
/// # Errors
///
/// As of [`runs`].
pub fn find(root: &Path, written: &str) -> io::Result<Vec<Found>> {
    let all = runs(root)?;
    let same: Vec<Found> = all.iter().filter(|found| found.run == written).cloned().collect();
    if !same.is_empty() {
        return Ok(same);
    }
    let near = |found: &Found| found.run.ends_with(written) || found.run.starts_with(written);
    Ok(all.into_iter().filter(|found| !written.is_empty() && near(found)).collect())
}

/// The newest run.
///
/// # Errors
///
/// As of [`runs`].
pub fn newest(root: &Path) -> io::Result<Option<Found>> {
    Ok(runs(root)?.pop())
}
