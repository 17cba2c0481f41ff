//! Where copied files land in an image.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use pipe_oci::{Attributes, Entry, Node, Tree, new_inode};

use super::{shown, stage::Stop, wrong::Wrong};

/// What one instruction adds to an image.
pub(super) struct Landing<'a> {
    /// The image so far.
    image: &'a Tree,
    /// What is added.
    pub(super) added: Tree,
    /// Of the folders that are missing on the way.
    parent: Attributes,
    /// The folder of the last entry, and where its links lead.
    last: Option<(PathBuf, PathBuf)>,
    /// The numbers of files with several names, by source.
    inodes: BTreeMap<(usize, u64), u64>,
}

/// A source of the instruction, for messages.
pub(super) struct From<'a> {
    /// Which of them, from 0.
    pub(super) number: usize,
    pub(super) name: &'a Path,
    pub(super) place: Range<usize>,
}

impl<'a> Landing<'a> {
    pub(super) fn new(image: &'a Tree, parent: Attributes) -> Self {
        Self { image, added: Tree::default(), parent, last: None, inodes: BTreeMap::new() }
    }

    /// What stands at a path, links not followed.
    pub(super) fn get(&self, path: &Path) -> Option<&Entry> {
        self.added.get(path).or_else(|| self.image.get(path))
    }

    /// Where a path leads, its links followed.
    pub(super) fn resolve(&self, path: &Path) -> Result<PathBuf, pipe_oci::Error> {
        pipe_oci::resolve(path, |path| match self.get(path) {
            Some(Entry { node: Node::Symlink(target), .. }) => Ok(Some(target.to_path_buf())),
            _ => Ok(None),
        })
    }

    /// The path with the links of the folders on the way followed, but not one at its end.
    fn on_the_way(&mut self, to: &Path) -> Result<PathBuf, pipe_oci::Error> {
        let folder = to.parent().unwrap_or(Path::new(""));
        let name = to.file_name().unwrap_or_default();
        if let Some((asked, found)) = &self.last
            && asked == folder
        {
            return Ok(found.join(name));
        }
        let found = self.resolve(folder)?;
        self.last = Some((folder.to_owned(), found.clone()));
        Ok(found.join(name))
    }

    /// Puts a folder at the destination: one that is there stays as it is.
    pub(super) fn folder(&mut self, to: &Path, from: &From<'_>) -> Result<(), Stop> {
        self.put(to, Entry::folder(self.parent), from)
    }

    /// Puts an entry that is copied.
    pub(super) fn put(&mut self, to: &Path, entry: Entry, from: &From<'_>) -> Result<(), Stop> {
        if to.as_os_str().is_empty() {
            return Ok(());
        }
        let mut path = self.on_the_way(to)?;
        let is_folder = entry.is_folder();
        if is_folder && self.get(&path).is_some_and(|there| matches!(there.node, Node::Symlink(_)))
        {
            path = self.resolve(&path)?;
        }
        let there = self.get(&path).map(|there| &there.node);
        match (there, is_folder) {
            // It stays as it is; what is below it is added.
            (Some(Node::Folder), true) => return Ok(()),
            (None, true) if path.as_os_str().is_empty() => return Ok(()),
            (Some(Node::Folder), false) => {
                let name = from.name.display();
                let message =
                    format!("the file `{name}` can't replace the folder `{}`", shown(&path));
                return Err(Wrong::new(from.place.clone(), message).into());
            }
            (Some(Node::File { .. } | Node::Special(_)), true) => {
                let name = from.name.display();
                let message =
                    format!("the folder `{name}` can't replace the file `{}`", shown(&path));
                return Err(Wrong::new(from.place.clone(), message).into());
            }
            _ => {}
        }
        self.add(path, entry, from);
        Ok(())
    }

    /// Puts an entry that is unpacked: as `tar` does, it takes the place of whatever is there, and
    /// a folder gives its mode and owner to one that is there.
    pub(super) fn unpack(&mut self, to: &Path, entry: Entry, from: &From<'_>) -> Result<(), Stop> {
        let path = self.on_the_way(to)?;
        self.last = None;
        self.add(path, entry, from);
        Ok(())
    }

    fn add(&mut self, path: PathBuf, mut entry: Entry, from: &From<'_>) {
        let above = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
        let missing: Vec<&Path> = above.take_while(|folder| self.get(folder).is_none()).collect();
        for folder in missing {
            self.added.insert(folder, Entry::folder(self.parent));
        }
        if let Node::File { inode, .. } = &mut entry.node
            && *inode != 0
        {
            *inode = *self.inodes.entry((from.number, *inode)).or_insert_with(new_inode);
        }
        self.added.insert(path, entry);
    }
}
