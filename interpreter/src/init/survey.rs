//! What lies in a repository.

use std::path::{Path, PathBuf};

use super::{
    app::{self, App},
    commands::{self, Work},
    docker::{self, Image},
    git::{self, Git},
    jenkinsfile::{self, Jenkinsfile},
    name,
};

/// What a repository holds that says how it is built, tested and deployed.
#[derive(Debug)]
pub struct Survey {
    /// What it is called.
    pub(super) name: String,
    /// What git knows; none outside a repository.
    pub(super) git: Option<Git>,
    /// The images that it makes.
    pub(super) images: Vec<Image>,
    /// Definitions of apps that belong to no image of their own.
    pub(super) apps: Vec<App>,
    /// How it is checked and tested.
    pub(super) work: Vec<Work>,
    /// What Jenkins does with it.
    pub(super) jenkins: Option<Jenkinsfile>,
}

impl Survey {
    /// Looks at a folder. What can't be read is not there.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let git = git::look(&folder);
        let jenkins = read(&folder.join("Jenkinsfile")).map(|text| jenkinsfile::read(&text));
        let own_name = git
            .as_ref()
            .and_then(|git| git.name.clone())
            .or_else(|| Some(folder.file_name()?.to_string_lossy().into_owned()));
        let name = name::slug(&own_name.unwrap_or_default());
        Self {
            images: docker::look(&folder),
            apps: app::look(&folder, ""),
            work: commands::look(&folder),
            name,
            git,
            jenkins,
        }
    }
}

/// The text of a file, if it is one of sane length.
pub(super) fn read(file: &Path) -> Option<String> {
    /// No file of this kind that a person wrote is longer.
    const LONGEST: u64 = 1 << 20;
    let meta = file.metadata().ok()?;
    if !meta.is_file() || meta.len() > LONGEST {
        return None;
    }
    std::fs::read_to_string(file).ok()
}

/// What lies in a folder, by name: folders that hold no source of its own are left out.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let skipped = ["node_modules", "target", "vendor", "dist", "build", "venv"];
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && !skipped.contains(&&*name)
        })
        .collect();
    found.sort();
    found
}
