//! Where `COPY` takes files from.

use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use pipe_grammar::Code;
use pipe_oci::{Entry, Tree};

use crate::{
    core::Failure,
    docker::{context::Context, glob::Glob},
};

/// Where `COPY` takes files from: a folder of this machine, or the file system of an image.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A folder: the build context, or one that `contexts` names.
    Folder(&'a Context),
    /// A stage or an image.
    Tree(&'a Tree),
}

impl Source<'_> {
    /// What stands at a path, links not followed; the root is a folder.
    pub(super) fn look(&self, path: &Path) -> Result<Option<Entry>, Failure> {
        match self {
            Self::Folder(context) => context.look(path),
            Self::Tree(_) if path.as_os_str().is_empty() => {
                Ok(Some(Entry::folder(pipe_oci::Attributes::FOLDER)))
            }
            Self::Tree(tree) => Ok(tree.get(path).cloned()),
        }
    }

    /// Visits everything below a folder, folders before what they hold.
    pub(super) fn walk(
        &self,
        folder: &Path,
        visit: &mut dyn FnMut(&Path, Entry) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::Folder(context) => context.walk(folder, visit),
            Self::Tree(tree) => {
                tree.below(folder).try_for_each(|(path, entry)| visit(path, entry.clone()))
            }
        }
    }

    /// Where a path leads, its links followed; none leads out.
    pub(super) fn resolve(&self, path: &Path) -> Result<PathBuf, Failure> {
        let found = match self {
            Self::Tree(tree) => tree.resolve(path),
            Self::Folder(context) => {
                pipe_oci::resolve(path, |path| Ok(std::fs::read_link(context.root.join(path)).ok()))
            }
        };
        found.map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))
    }

    /// The names in a folder, sorted.
    pub(super) fn names(&self, folder: &Path) -> Result<Vec<OsString>, Failure> {
        match self {
            Self::Folder(context) => context.names(folder),
            Self::Tree(tree) => {
                let depth = folder.components().count();
                let mut names: Vec<OsString> = Vec::new();
                for (path, _) in tree.below(folder) {
                    if let Some(Component::Normal(name)) = path.components().nth(depth)
                        && names.last().is_none_or(|last| last != name)
                    {
                        names.push(name.to_owned());
                    }
                }
                Ok(names)
            }
        }
    }

    /// The paths that a pattern matches, sorted; nothing when the pattern is malformed.
    pub(super) fn matches(&self, pattern: &Path) -> Result<Option<Vec<PathBuf>>, Failure> {
        let mut found = vec![PathBuf::new()];
        for part in pattern.components() {
            let text = part.as_os_str().to_string_lossy();
            let mut next = Vec::new();
            if Glob::is_pattern(&text) {
                let Some(glob) = Glob::parse(&text, false) else { return Ok(None) };
                for folder in found {
                    // A link to a folder is none here, as in Go.
                    if !self.look(&folder)?.is_some_and(|entry| entry.is_folder()) {
                        continue;
                    }
                    let names = self.names(&folder)?.into_iter();
                    let matching = names.filter(|name| glob.matches(&name.to_string_lossy()));
                    next.extend(matching.map(|name| folder.join(name)));
                }
            } else {
                next.extend(found.into_iter().map(|folder| folder.join(part)));
            }
            found = next;
        }
        let mut there = Vec::new();
        for path in found {
            if self.look(&path)?.is_some() {
                there.push(path);
            }
        }
        Ok(Some(there))
    }
}
