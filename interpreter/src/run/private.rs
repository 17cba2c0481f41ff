//! Private copies of the files that secrets are read from: for tools that take a key by its path.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::plan::Plan;

/// Copies that nobody else can read; gone when this is dropped.
pub(super) struct Private {
    folder: Option<PathBuf>,
}

impl Private {
    /// Copies the files of the secrets whose `path` is used.
    ///
    /// # Errors
    ///
    /// When a copy can't be written.
    pub(super) fn write(plan: &Plan) -> io::Result<Self> {
        let files = plan.facts.secret_files();
        let folder = files.first().and_then(|(_, to)| to.parent()).map(Path::to_path_buf);
        let private = Self { folder };
        if let Some(folder) = &private.folder {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        for (from, to) in files {
            let content = fs::read(from)?;
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(to)?;
            file.write_all(&content)?;
        }
        Ok(private)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
