//! Where artifacts lie: `artifacts/NAME/…` in the folder of the run, and `artifacts/NAME.json`, which
//! tells of them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::core::save;

/// What is known of an artifact.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Artifact {
    /// The stage that saved it.
    pub(super) stage: String,
    /// When, RFC 3339, UTC.
    pub(super) saved: String,
    /// How long it is to be kept, in seconds; none: as long as the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) keep: Option<u64>,
    /// Its files: path and size in bytes.
    pub(super) files: BTreeMap<String, u64>,
}

/// The artifacts of a run.
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn of(run_folder: &Path) -> Self {
        Self { folder: run_folder.join("artifacts") }
    }

    /// The folder of an artifact's files.
    pub(super) fn files(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The names of all artifacts, in order.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let found = match fs::read_dir(&self.folder) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in found {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".json").filter(|n| is_name(n)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// What is known of one; nothing when there is none.
    pub(super) fn artifact(&self, name: &str) -> io::Result<Option<Artifact>> {
        match fs::read(self.index(name)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes down what is known.
    pub(super) fn set(&self, name: &str, artifact: &Artifact) -> io::Result<()> {
        save(&self.index(name), false, |file| Ok(serde_json::to_writer(file, artifact)?))
    }

    fn index(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

/// Whether something can be the name of an artifact: it is the name of a folder everywhere, and no
/// option of a command.
pub(super) fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty() && name.len() <= 128 && !name.starts_with(['.', '-']) && name.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_of_folders() {
        for name in ["site", "test-1", "a.b_c", "X"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "-x", "ä", "a b", &"x".repeat(200)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
