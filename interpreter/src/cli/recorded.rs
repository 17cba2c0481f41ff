//! Finds the runs that are recorded beside a Pipelinefile.

use std::path::{Path, PathBuf};

use super::{FileArg, load::complain};
use crate::{
    exit,
    record::{self, Found, Ledger, Past},
    run::{FOLDER, Lock, plain},
};

/// A run that was found and read.
pub(super) struct Recorded {
    pub(super) root: PathBuf,
    pub(super) found: Found,
    pub(super) ledger: Ledger,
    pub(super) past: Past,
}

/// The folder whose runs are meant. An error has been told; it is the exit status.
pub(super) fn root(file: &FileArg) -> Result<PathBuf, u8> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    if let Some(file) = &file.file {
        let folder = if file.is_dir() { Some(file.as_path()) } else { file.parent() };
        return Ok(absolute(
            folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        ));
    }
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().find(|folder| folder.join(FOLDER).join("runs").is_dir());
    found.map(Path::to_path_buf).ok_or_else(|| {
        complain("pipe: nothing was run here, nor in a folder above");
        exit::WRONG_INPUT
    })
}

/// The run that is meant: by its id or a part of it, else the newest.
pub(super) fn find(file: &FileArg, written: Option<&str>) -> Result<Recorded, u8> {
    let root = root(file)?;
    let unreadable = |error: &std::io::Error, what: &Path| {
        complain(&format!("pipe: `{}` can't be read: {}", what.display(), plain(error)));
        exit::INFRASTRUCTURE
    };
    let folder = root.join(FOLDER).join("runs");
    let found = match written {
        None => record::newest(&root).map_err(|error| unreadable(&error, &folder))?,
        Some(written) => {
            let mut found =
                record::find(&root, written).map_err(|error| unreadable(&error, &folder))?;
            if found.len() > 1 {
                complain(&format!("pipe: several runs are called like `{written}`:"));
                for run in &found {
                    complain(&format!("  {}", run.run));
                }
                return Err(exit::WRONG_INPUT);
            }
            found.pop()
        }
    };
    let Some(found) = found else {
        match written {
            Some(written) => {
                complain(&format!("pipe: there is no run `{written}` in `{}`", folder.display()));
                complain("  `pipe runs` lists them");
            }
            None => complain(&format!("pipe: nothing was run yet in `{}`", root.display())),
        }
        return Err(exit::WRONG_INPUT);
    };
    let ledger = Ledger::read(&found.folder).map_err(|error| unreadable(&error, &found.folder))?;
    let past = Past::of(&ledger);
    Ok(Recorded { root, found, ledger, past })
}

/// The id of the run that works in a folder now.
pub(super) fn running(root: &Path) -> Option<String> {
    let note = Lock::holder(&root.join(FOLDER).join("lock"))?;
    Some(note.strip_prefix("run ")?.split(',').next()?.to_owned())
}
