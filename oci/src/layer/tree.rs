//! A file system by path: what a layer adds, or what an image holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    ops::Bound,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use super::{Attributes, Content, Entry, Node, Special};
use crate::{Digest, Error, Hashing, Result};

/// As many links a path may lead over; Linux has the same bound.
const MOST_LINKS: usize = 40;

/// Entries by path relative to the root, parents first. Contents stay where they are until they
/// are written. The root itself is no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<Arc<Path>, Entry>,
}

impl Tree {
    /// Puts an entry at a path; what was there goes, and what was below it unless both are folders.
    pub fn insert(&mut self, path: impl Into<Arc<Path>>, entry: Entry) {
        let path = path.into();
        let is_folder = entry.is_folder();
        let old = self.entries.insert(path.clone(), entry);
        if old.is_some_and(|old| old.is_folder()) && !is_folder {
            self.remove_below(&path, |_| true);
        }
    }

    /// The same, with the folders above it where they are missing: those that no archive names are
    /// root's, 0755.
    pub fn put(&mut self, path: impl Into<Arc<Path>>, entry: Entry) {
        let path = path.into();
        let above = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
        for folder in above.take_while(|folder| self.get(folder).is_none()).collect::<Vec<_>>() {
            self.entries.insert(folder.into(), Entry::folder(Attributes::FOLDER));
        }
        self.insert(path, entry);
    }

    /// Puts a layer on top.
    pub fn append(&mut self, layer: Self) {
        for (path, entry) in layer.entries {
            self.put(path, entry);
        }
    }

    /// The entry at a path, links not followed.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, path: &Path) -> Option<&mut Entry> {
        self.entries.get_mut(path)
    }

    /// All entries, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Path>, &Entry)> {
        self.entries.iter()
    }

    /// All entries below a folder, parents first; of the root all.
    pub fn below<'a>(
        &'a self,
        folder: &'a Path,
    ) -> impl Iterator<Item = (&'a Arc<Path>, &'a Entry)> {
        let start =
            if folder.as_os_str().is_empty() { Bound::Unbounded } else { Bound::Excluded(folder) };
        let range = self.entries.range::<Path, _>((start, Bound::Unbounded));
        range.take_while(move |(path, _)| path.starts_with(folder))
    }

    /// Removes what is at a path and below it, except what `spared` names with the folders above.
    pub(crate) fn remove_lower(&mut self, path: &Path, spared: &BTreeSet<Arc<Path>>) {
        let keeps = |other: &Path| {
            let mut from = spared.range::<Path, _>((Bound::Included(other), Bound::Unbounded));
            from.next().is_some_and(|first| first.starts_with(other))
        };
        self.remove_below(path, |other| !keeps(other));
        if !path.as_os_str().is_empty() && !keeps(path) {
            self.entries.remove(path);
        }
    }

    fn remove_below(&mut self, folder: &Path, goes: impl Fn(&Path) -> bool) {
        let below = self.below(folder).map(|(path, _)| path);
        for path in below.filter(|path| goes(path)).cloned().collect::<Vec<_>>() {
            self.entries.remove(&path);
        }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where a path leads when the root of the image is the root: every link on it followed. What
    /// does not exist stays as it is.
    ///
    /// # Errors
    ///
    /// When links lead in a circle.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        resolve(path, |path| match self.get(path) {
            Some(Entry { node: Node::Symlink(target), .. }) => Ok(Some(target.to_path_buf())),
            _ => Ok(None),
        })
    }

    /// A digest over all that decides the layer's bytes: trees with the same key make the same
    /// layer. `digest` gives the digest of a file's content (see [`Content::digest`]).
    ///
    /// # Errors
    ///
    /// What `digest` answers.
    pub fn key(
        &self,
        mtime: u64,
        mut digest: impl FnMut(&Content) -> Result<Digest>,
    ) -> Result<Digest> {
        let mut key = Hashing::new(io::sink());
        let mut put = |field: &[u8]| {
            // Each field with its length: no two sequences of fields look alike. Nothing fails.
            let _ = key.write_all(&(field.len() as u64).to_le_bytes());
            let _ = key.write_all(field);
        };
        put(b"layer 2");
        put(&mtime.to_le_bytes());
        let mut names = Names::default();
        for (path, entry) in &self.entries {
            let Attributes { mode, uid, gid } = entry.attributes;
            put(path.as_os_str().as_bytes());
            put(format!("{mode} {uid} {gid}").as_bytes());
            for (name, value) in entry.xattrs.iter().flat_map(|xattrs| xattrs.iter()) {
                put(name.as_bytes());
                put(value);
            }
            match (&entry.node, names.first(path, &entry.node)) {
                (_, Some(first)) => {
                    put(b"link");
                    put(first.as_os_str().as_bytes());
                }
                (Node::Folder, _) => put(b"folder"),
                (Node::Symlink(target), _) => {
                    put(b"symlink");
                    put(target.as_os_str().as_bytes());
                }
                (Node::Special(special), _) => put(format!("{special:?}").as_bytes()),
                (Node::File { content, .. }, _) => put(digest(content)?.to_string().as_bytes()),
            }
        }
        Ok(key.finish().0)
    }

    /// Puts a folder of this machine with all below it under `path`, with the modes that it has
    /// and root as owner. Sockets, pipes and devices are left out.
    ///
    /// # Errors
    ///
    /// When something can't be read.
    pub fn insert_folder(&mut self, path: &Path, folder: &Path) -> Result<()> {
        let failed = |e| Error::at("read", folder, &e);
        for item in fs::read_dir(folder).map_err(failed)? {
            let item = item.map_err(failed)?;
            let (source, path) = (item.path(), path.join(item.file_name()));
            if let Some(entry) = Entry::of(&source)? {
                let is_folder = entry.is_folder();
                self.insert(&*path, entry);
                if is_folder {
                    self.insert_folder(&path, &source)?;
                }
            }
        }
        Ok(())
    }
}

/// Finds the further names of files with several ones.
#[derive(Default)]
pub(super) struct Names<'a> {
    first: BTreeMap<u64, &'a Path>,
}

impl<'a> Names<'a> {
    /// The first name of a file that had one before this.
    pub(super) fn first(&mut self, path: &'a Path, node: &Node) -> Option<&'a Path> {
        match node {
            Node::File { inode, .. } if *inode != 0 => {
                let first = *self.first.entry(*inode).or_insert(path);
                (first != path).then_some(first)
            }
            _ => None,
        }
    }
}

/// Where a path leads from the root of a file system on, `..` ends there: every link on it followed
/// as `link` tells the target of one. What does not exist stays as it is.
///
/// # Errors
///
/// When links lead in a circle, and what `link` answers.
pub fn resolve(path: &Path, link: impl Fn(&Path) -> Result<Option<PathBuf>>) -> Result<PathBuf> {
    let mut done = PathBuf::new();
    let mut todo: Vec<PathBuf> = parts(path);
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part.as_os_str() == ".." {
            done.pop();
            continue;
        }
        done.push(part);
        let Some(target) = link(&done)? else { continue };
        links += 1;
        if links > MOST_LINKS {
            let message = format!("the link `/{}` leads in a circle", done.display());
            return Err(Error::invalid(message));
        }
        if target.is_absolute() {
            done.clear();
        } else {
            done.pop();
        }
        todo.extend(parts(&target));
    }
    Ok(done)
}

/// The names of a path and its `..`, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let part = |component| match component {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(part).collect()
}

impl Special {
    pub(super) fn numbers(self) -> (u32, u32) {
        match self {
            Self::Pipe => (0, 0),
            Self::Char(major, minor) | Self::Block(major, minor) => (major, minor),
        }
    }
}
