//! What a layer is going to hold, before it is written.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Attributes, Layer, LayerWriter};
use crate::{Digest, Error, Hashing, Result};

/// Entries of a layer by path, parents first. Contents stay where they are until
/// [`Tree::write`] streams them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<PathBuf, Entry>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub node: Node,
    /// Whose it is and what may be done with it.
    pub attributes: Attributes,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A folder.
    Folder,
    /// A file.
    File(Content),
    /// A symbolic link to anything.
    Symlink(PathBuf),
}

/// Where the bytes of a file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of this machine, as it was when it was looked at.
    Disk {
        /// The file.
        path: PathBuf,
        /// What it looked like.
        stamp: Stamp,
    },
    /// Bytes at hand.
    Bytes(Arc<[u8]>),
}

/// By what a change of a file is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    inode: (u64, u64),
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Content {
    /// A file of this machine.
    #[must_use]
    pub fn disk(path: PathBuf, metadata: &Metadata) -> Self {
        Self::Disk { path, stamp: Stamp::of(metadata) }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Disk { stamp, .. } => stamp.size,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is not what it was.
    pub fn open(&self) -> Result<Box<dyn Read + '_>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(&bytes[..])),
            Self::Disk { path, stamp } => {
                let file = File::open(path).map_err(|e| Error::at("read", path, &e))?;
                let metadata = file.metadata().map_err(|e| Error::at("read", path, &e))?;
                if Stamp::of(&metadata) != *stamp {
                    return Err(Error::invalid(format!(
                        "`{}` changed while the image was built",
                        path.display()
                    )));
                }
                Ok(Box::new(file))
            }
        }
    }
}

impl Content {
    /// The digest of its bytes.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is not what it was.
    pub fn digest(&self) -> Result<Digest> {
        let digest = Digest::of_reader(self.open()?);
        let (digest, _) = digest.map_err(|e| Error::io("can't read a file of a layer", &e))?;
        Ok(digest)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            inode: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Tree {
    /// Puts an entry at a path relative to the root; what was there goes, and what was below it
    /// unless both are folders.
    pub fn insert(&mut self, path: impl Into<PathBuf>, entry: Entry) {
        let path = path.into();
        let old = self.entries.insert(path.clone(), entry);
        let was_folder = old.is_some_and(|old| old.node == Node::Folder);
        if was_folder && self.entries[&path].node != Node::Folder {
            self.entries.retain(|other, _| *other == path || !other.starts_with(&path));
        }
    }

    /// The entry at a path.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// All entries, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_path(), entry))
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
        put(b"layer 1");
        put(&mtime.to_le_bytes());
        for (path, Entry { node, attributes: Attributes { mode, uid, gid } }) in &self.entries {
            put(path.as_os_str().as_bytes());
            put(format!("{mode} {uid} {gid}").as_bytes());
            match node {
                Node::Folder => put(b"folder"),
                Node::Symlink(target) => {
                    put(b"symlink");
                    put(target.as_os_str().as_bytes());
                }
                Node::File(content) => put(digest(content)?.to_string().as_bytes()),
            }
        }
        Ok(key.finish().0)
    }

    /// Writes the layer.
    ///
    /// # Errors
    ///
    /// When a file can't be read or changed since it was put in, or `out` can't be written.
    pub fn write<W: Write>(&self, out: W, mtime: u64) -> Result<(Layer, W)> {
        let mut writer = LayerWriter::new(out, mtime);
        for (path, Entry { node, attributes }) in &self.entries {
            match node {
                Node::Folder => writer.folder(path, *attributes)?,
                Node::Symlink(target) => writer.symlink(path, *attributes, target)?,
                Node::File(content) => {
                    writer.file(path, *attributes, content.size(), content.open()?)?;
                }
            }
        }
        writer.finish()
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
                let is_folder = entry.node == Node::Folder;
                self.insert(&path, entry);
                if is_folder {
                    self.insert_folder(&path, &source)?;
                }
            }
        }
        Ok(())
    }
}

impl Entry {
    /// A folder.
    #[must_use]
    pub fn folder(attributes: Attributes) -> Self {
        Self { node: Node::Folder, attributes }
    }

    /// What stands at a path of this machine, with its mode and root as owner; links are not
    /// followed. Nothing for sockets, pipes and devices.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let failed = |e| Error::at("read", path, &e);
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        let node = if metadata.is_dir() {
            Node::Folder
        } else if metadata.is_symlink() {
            Node::Symlink(fs::read_link(path).map_err(failed)?)
        } else if metadata.is_file() {
            Node::File(Content::disk(path.to_owned(), &metadata))
        } else {
            return Ok(None);
        };
        Ok(Some(Self { node, attributes: Attributes::root(metadata.mode()) }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn file(bytes: &[u8]) -> Entry {
        Entry {
            node: Node::File(Content::Bytes(bytes.into())),
            attributes: Attributes::root(0o644),
        }
    }

    fn written(tree: &Tree) -> (Layer, Vec<u8>) {
        tree.write(Vec::new(), 0).unwrap()
    }

    /// Path, kind, mode, content of each entry.
    fn listed(bytes: &[u8]) -> Vec<(String, u8, u32, String)> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let link = entry.link_name().unwrap().map(|l| l.display().to_string());
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 0));
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            (name, header.entry_type().as_byte(), header.mode().unwrap(), link.unwrap_or(text))
        });
        entries.collect()
    }

    #[test]
    fn a_layer_holds_its_entries_in_order() {
        let long = "x/".repeat(80) + "file";
        let mut tree = Tree::default();
        tree.insert("b", file(b"hello"));
        tree.insert("a", Entry::folder(Attributes::FOLDER));
        tree.insert(&long, file(b"deep"));
        let mut link = file(b"");
        link.node = Node::Symlink("../../etc".into());
        tree.insert("a/link", link);
        let mut program = file(b"#!");
        program.attributes.mode = 0o4755;
        tree.insert("a/program", program);
        let (layer, bytes) = written(&tree);
        assert_eq!(
            listed(&bytes),
            [
                ("a/".to_owned(), b'5', 0o755, String::new()),
                ("a/link".to_owned(), b'2', 0o777, "../../etc".to_owned()),
                ("a/program".to_owned(), b'0', 0o4755, "#!".to_owned()),
                ("b".to_owned(), b'0', 0o644, "hello".to_owned()),
                (long, b'0', 0o644, "deep".to_owned()),
            ]
        );
        assert_eq!((layer.digest, layer.size), (Digest::of(&bytes), bytes.len() as u64));
        let (diff_id, _) = Digest::of_reader(flate2::read::GzDecoder::new(&bytes[..])).unwrap();
        assert_eq!(layer.diff_id, diff_id);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_takes_it_all() {
        let mut tree = Tree::default();
        tree.insert("a", Entry::folder(Attributes::FOLDER));
        tree.insert("a/b", file(b""));
        tree.insert("ab", file(b""));
        tree.insert("a", file(b""));
        assert_eq!(tree.iter().map(|(p, _)| p.to_str().unwrap()).collect::<Vec<_>>(), ["a", "ab"]);
    }

    #[test]
    fn a_folder_of_the_machine_is_taken_with_its_modes() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        fs::write(folder.path().join("d/f"), "x").unwrap();
        fs::set_permissions(folder.path().join("d/f"), PermissionsExt::from_mode(0o600)).unwrap();
        symlink("/etc/passwd", folder.path().join("l")).unwrap();
        let mut tree = Tree::default();
        tree.insert_folder(Path::new("srv"), folder.path()).unwrap();
        let listed = listed(&written(&tree).1);
        let names: Vec<&str> = listed.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["srv/d/", "srv/d/f", "srv/l"]);
        assert_eq!((listed[1].2, listed[1].3.as_str()), (0o600, "x"));
        assert_eq!(listed[2].3, "/etc/passwd");

        let key = tree.key(0, Content::digest).unwrap();
        assert_eq!(tree.key(0, Content::digest).unwrap(), key);
        assert_ne!(tree.key(1, Content::digest).unwrap(), key);
        fs::write(folder.path().join("d/f"), "longer").unwrap();
        let error = tree.write(Vec::new(), 0).unwrap_err().to_string();
        assert!(error.ends_with("d/f` changed while the image was built"), "{error}");
    }

    #[test]
    fn a_path_out_of_the_layer_is_refused() {
        let mut writer = LayerWriter::new(Vec::new(), 0);
        let error = writer.folder(Path::new("../x"), Attributes::FOLDER).unwrap_err();
        assert_eq!(error.to_string(), "`../x` leaves the layer");
        let error = writer.file(Path::new("x"), Attributes::FOLDER, 2, &b"1"[..]).unwrap_err();
        assert!(error.to_string().contains("became shorter"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_same_entries_make_the_same_bytes_in_any_order(
            entries in prop::collection::btree_map("[a-c]{1,3}(/[a-c]{1,3}){0,3}", prop::collection::vec(any::<u8>(), 0..200), 0..12),
            seed in any::<u64>(),
        ) {
            let mut shuffled: Vec<_> = entries.iter().collect();
            shuffled.sort_by_key(|(path, _)| Digest::of(format!("{seed}{path}").as_bytes()));
            let (mut one, mut other) = (Tree::default(), Tree::default());
            for (path, bytes) in &entries { one.insert(path, file(bytes)); }
            for (path, bytes) in shuffled { other.insert(path, file(bytes)); }
            prop_assert_eq!(one.key(0, Content::digest).unwrap(), other.key(0, Content::digest).unwrap());
            prop_assert_eq!(written(&one), written(&other));
        }
    }
}
