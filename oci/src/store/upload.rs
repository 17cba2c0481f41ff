//! A blob on its way into a store.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// A blob that is being written. Dropped without [`Store::keep`], it is removed.
#[derive(Debug)]
pub struct Upload {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Upload {
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self { file, path, kept: false }
    }

    /// Puts it in its place. It is not forced onto the disk: that takes longer than everything else,
    /// and what a power cut leaves is told by its digest.
    pub(super) fn rename(mut self, to: &Path) -> Result<()> {
        let failed = |e: &io::Error| Error::at("write", to, e);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        fs::rename(&self.path, to).map_err(|e| failed(&e))?;
        self.kept = true;
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to tell when even this fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}
