//! What the layers of an image hold, without unpacking them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io::Read,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

use tar::{Archive, EntryType};

use crate::{
    Attributes, Entry, Error, Node, Result, Tree,
    unpack::{damaged, inside, opened},
};

/// As many links a path may lead over; Linux has the same bound.
const MOST_LINKS: usize = 40;

/// The file system of an image by path: folders with their attributes, links with their targets,
/// of the rest only that it is there. Layers that are put on a base need it: a folder that they
/// name again would lose its mode, and `lib` may be a link to `usr/lib`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    entries: BTreeMap<PathBuf, Listed>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A folder.
    Folder(Attributes),
    /// A symbolic link with its target.
    Symlink(PathBuf),
    /// Anything else.
    Other,
}

impl Listing {
    /// Puts a layer on top: reads the headers of its archive, applies its whiteouts.
    ///
    /// # Errors
    ///
    /// When the archive is damaged or of an unknown format.
    pub fn layer(&mut self, blob: impl Read) -> Result<()> {
        let mut archive = Archive::new(opened(blob)?);
        let mut written = BTreeSet::new();
        for entry in archive.entries().map_err(|e| damaged(&e))? {
            let entry = entry.map_err(|e| damaged(&e))?;
            let name = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
            let path: PathBuf = inside(&name)?.into_iter().collect();
            let Some(last) = path.file_name() else { continue };
            let folder = self.resolve(path.parent().unwrap_or(Path::new("")))?;
            if let Some(hidden) = last.as_bytes().strip_prefix(b".wh.") {
                match hidden {
                    b".wh..opq" => self.remove_lower(&folder, &written),
                    // They name nothing in the folder.
                    b"" | b"." | b".." => {}
                    hidden => self.remove_lower(&folder.join(OsStr::from_bytes(hidden)), &written),
                }
                continue;
            }
            let header = entry.header();
            let number = |n: std::io::Result<u64>| n.ok().and_then(|n| u32::try_from(n).ok());
            let listed = match header.entry_type() {
                EntryType::XGlobalHeader => continue,
                EntryType::Directory => Listed::Folder(Attributes {
                    mode: header.mode().map_err(|e| damaged(&e))? & 0o7777,
                    uid: number(header.uid()).unwrap_or_default(),
                    gid: number(header.gid()).unwrap_or_default(),
                }),
                EntryType::Symlink => {
                    let target = entry.link_name_bytes().unwrap_or_default();
                    Listed::Symlink(OsStr::from_bytes(&target).into())
                }
                _ => Listed::Other,
            };
            let path = folder.join(last);
            self.put(path.clone(), listed);
            written.insert(path);
        }
        Ok(())
    }

    /// Puts a tree on top.
    pub fn tree(&mut self, tree: &Tree) {
        for (path, Entry { node, attributes }) in tree.iter() {
            let listed = match node {
                Node::Folder => Listed::Folder(*attributes),
                Node::Symlink(target) => Listed::Symlink(target.clone()),
                Node::File(_) => Listed::Other,
            };
            self.put(path.to_owned(), listed);
        }
    }

    /// What stands at a path, links not followed. The root is always there.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Listed> {
        self.entries.get(path)
    }

    /// Where a path leads when the root of the image is the root: every link on it followed. What
    /// does not exist stays as it is.
    ///
    /// # Errors
    ///
    /// When links lead in a circle.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf> {
        let mut done = PathBuf::new();
        let mut todo: Vec<PathBuf> = parts(path).collect();
        todo.reverse();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part.as_os_str() == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            let Some(Listed::Symlink(target)) = self.entries.get(&done) else { continue };
            links += 1;
            if links > MOST_LINKS {
                return Err(Error::invalid(format!(
                    "the link `/{}` leads in a circle",
                    done.display()
                )));
            }
            if target.is_absolute() {
                done.clear();
            } else {
                done.pop();
            }
            let mut more: Vec<PathBuf> = parts(target).collect();
            more.reverse();
            todo.extend(more);
        }
        Ok(done)
    }

    fn put(&mut self, path: PathBuf, listed: Listed) {
        let is_folder = matches!(listed, Listed::Folder(_));
        // Folders that no archive names are made with these attributes.
        for parent in path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()) {
            self.entries.entry(parent.to_owned()).or_insert(Listed::Folder(Attributes::FOLDER));
        }
        let old = self.entries.insert(path.clone(), listed);
        if matches!(old, Some(Listed::Folder(_))) && !is_folder {
            self.entries.retain(|other, _| *other == path || !other.starts_with(&path));
        }
    }

    /// Removes a path and all below it but what its own layer put there.
    fn remove_lower(&mut self, path: &Path, written: &BTreeSet<PathBuf>) {
        self.entries.retain(|other, _| {
            !other.starts_with(path)
                || written.contains(other)
                || written.range(other.clone()..).next().is_some_and(|w| w.starts_with(other))
        });
    }
}

/// The names of a path and its `..`.
fn parts(path: &Path) -> impl Iterator<Item = PathBuf> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Content, LayerWriter};

    fn layer(write: impl FnOnce(&mut LayerWriter<Vec<u8>>)) -> Vec<u8> {
        let mut writer = LayerWriter::new(Vec::new(), 0);
        write(&mut writer);
        writer.finish().unwrap().1
    }

    fn file(writer: &mut LayerWriter<Vec<u8>>, path: &str) {
        writer.file(Path::new(path), Attributes::root(0o644), 0, &b""[..]).unwrap();
    }

    #[test]
    fn layers_are_merged_as_they_are_unpacked() {
        let mut listing = Listing::default();
        let base = layer(|w| {
            w.folder(Path::new("tmp"), Attributes::root(0o1777)).unwrap();
            w.symlink(Path::new("lib"), Attributes::FOLDER, Path::new("usr/lib")).unwrap();
            file(w, "usr/lib/a");
            file(w, "gone/x");
            file(w, "opaque/old");
        });
        let upper = layer(|w| {
            file(w, "lib/b");
            file(w, ".wh.gone");
            file(w, "opaque/new");
            file(w, "opaque/.wh..wh..opq");
            for nothing in ["usr/.wh.", "usr/.wh..", "usr/.wh..."] {
                file(w, nothing);
            }
        });
        listing.layer(&base[..]).unwrap();
        listing.layer(&upper[..]).unwrap();
        let paths: Vec<&str> = listing.entries.keys().map(|p| p.to_str().unwrap()).collect();
        assert_eq!(
            paths,
            ["lib", "opaque", "opaque/new", "tmp", "usr", "usr/lib", "usr/lib/a", "usr/lib/b"]
        );
        assert_eq!(listing.get(Path::new("tmp")), Some(&Listed::Folder(Attributes::root(0o1777))));
        assert_eq!(listing.resolve(Path::new("/lib/../lib/a")).unwrap(), Path::new("usr/lib/a"));
        assert_eq!(listing.resolve(Path::new("../../new")).unwrap(), Path::new("new"));
    }

    #[test]
    fn circles_are_named() {
        let mut listing = Listing::default();
        let mut tree = Tree::default();
        let link =
            |to: &str| Entry { node: Node::Symlink(to.into()), attributes: Attributes::FOLDER };
        tree.insert("a", link("/b"));
        tree.insert("b", link("a"));
        let node = Node::File(Content::Bytes(b""[..].into()));
        tree.insert("f", Entry { node, attributes: Attributes::FOLDER });
        listing.tree(&tree);
        let error = listing.resolve(Path::new("a/x")).unwrap_err().to_string();
        assert!(error.contains("leads in a circle"), "{error}");
        assert_eq!(listing.get(Path::new("f")), Some(&Listed::Other));
    }
}
