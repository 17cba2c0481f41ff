//! What an archive holds, without its contents.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tar::{Archive, EntryType};

use super::{Attributes, Content, Entry, Node, Packed, Special, Tree, Xattrs};
use crate::{
    Digest, Error, Hashing, Result,
    decompress::{damaged, decompressed},
    unpack::inside,
};

/// The entries of a tar archive in its order, with the digests of the files' contents.
///
/// It is made by reading the archive once and kept beside it: whoever puts a layer on an image, or
/// copies files out of one, needs it every time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Item {
    /// Which entry of the archive it is, from 0.
    #[serde(rename = "n")]
    number: u32,
    #[serde(rename = "p")]
    path: Bytes,
    #[serde(rename = "a")]
    attributes: Attributes,
    #[serde(rename = "k")]
    kind: Kind,
    #[serde(rename = "x", default, skip_serializing_if = "Xattrs::is_empty")]
    xattrs: Xattrs,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Folder,
    File(u64, Digest),
    Symlink(Bytes),
    /// A further name of an entry that stands before it.
    Link(Bytes),
    Pipe,
    Char(u32, u32),
    Block(u32, u32),
}

/// A path. Bytes that are no UTF-8 are written as a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Raw(Vec<u8>),
}

impl Bytes {
    fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Raw(bytes.to_owned()),
        }
    }

    fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(match self {
            Self::Text(text) => text.as_bytes(),
            Self::Raw(bytes) => bytes,
        }))
    }
}

impl Listing {
    /// Reads an archive, compressed or not, to its end. Answers the digest of the archive before
    /// compression, too.
    ///
    /// # Errors
    ///
    /// When it is damaged, or wants to leave the image.
    pub fn read(blob: impl Read) -> Result<(Self, Digest)> {
        let mut archive = Archive::new(Hashing::new(decompressed(blob)?));
        let mut items = Vec::new();
        for (number, entry) in archive.entries().map_err(|e| damaged(&e))?.enumerate() {
            let mut entry = entry.map_err(|e| damaged(&e))?;
            if let Some(item) = Item::of(&mut entry, number)? {
                items.push(item);
            }
        }
        // The archive ends before its last, empty blocks; the digest covers them.
        let mut rest = archive.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|e| damaged(&e))?;
        Ok((Self { items }, rest.finish().0))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Puts the archive, a layer, on top of a file system, as
    /// [OCI's layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md)
    /// says. `archive` is its file, for the contents.
    ///
    /// # Errors
    ///
    /// When links lead in a circle.
    pub fn apply(&self, tree: &mut Tree, archive: &Arc<Path>) -> Result<()> {
        let mut written: BTreeSet<Arc<Path>> = BTreeSet::new();
        for item in &self.items {
            let path = item.path.path();
            let Some(last) = path.file_name() else { continue };
            let folder = tree.resolve(path.parent().unwrap_or(Path::new("")))?;
            if let Some(hidden) = last.as_bytes().strip_prefix(b".wh.") {
                match hidden {
                    b".wh..opq" => tree.remove_lower(&folder, &written),
                    // They name nothing in the folder.
                    b"" | b"." | b".." => {}
                    hidden => tree.remove_lower(&folder.join(OsStr::from_bytes(hidden)), &written),
                }
                continue;
            }
            if let Some(entry) = item.entry(tree, archive)? {
                let path: Arc<Path> = folder.join(last).into();
                tree.put(path.clone(), entry);
                written.insert(path);
            }
        }
        Ok(())
    }

    /// Every entry as it is unpacked into a folder of a file system, in the archive's order; nothing
    /// means something else than it says. A further name of a file that is not in the archive is
    /// left out.
    ///
    /// # Errors
    ///
    /// What `put` answers.
    pub fn unpack<E>(
        &self,
        archive: &Arc<Path>,
        mut put: impl FnMut(&Path, Entry) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        // What was unpacked, for the further names.
        let mut seen: BTreeMap<&Path, Entry> = BTreeMap::new();
        let several: BTreeSet<&Path> = self
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                Kind::Link(target) => Some(target.path()),
                _ => None,
            })
            .collect();
        for item in &self.items {
            let path = item.path.path();
            let entry = match &item.kind {
                Kind::Link(target) => match seen.get(target.path()) {
                    Some(entry) => entry.clone(),
                    None => continue,
                },
                _ => item.new_entry(archive, several.contains(path)),
            };
            if several.contains(path) {
                seen.insert(path, entry.clone());
            }
            put(path, entry)?;
        }
        Ok(())
    }
}

/// Another number each time, for a file with several names; those of disks have their highest bit
/// set.
pub fn new_inode() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Item {
    fn of(entry: &mut tar::Entry<'_, impl Read>, number: usize) -> Result<Option<Self>> {
        let name = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
        let path: PathBuf = inside(&name)?.into_iter().collect();
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        let header = entry.header().clone();
        let number_of = |n: io::Result<u64>| n.ok().and_then(|n| u32::try_from(n).ok());
        let device = || {
            let major = header.device_major().ok().flatten().unwrap_or_default();
            (major, header.device_minor().ok().flatten().unwrap_or_default())
        };
        let attributes = Attributes {
            mode: header.mode().map_err(|e| damaged(&e))? & 0o7777,
            uid: number_of(header.uid()).unwrap_or_default(),
            gid: number_of(header.gid()).unwrap_or_default(),
        };
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Symlink(Bytes::new(&target)),
            EntryType::Link => {
                let target: PathBuf =
                    inside(Path::new(OsStr::from_bytes(&target)))?.into_iter().collect();
                Kind::Link(Bytes::new(target.as_os_str().as_bytes()))
            }
            EntryType::Fifo => Kind::Pipe,
            EntryType::Char => Kind::Char(device().0, device().1),
            EntryType::Block => Kind::Block(device().0, device().1),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let (digest, size) = Digest::of_reader(&mut *entry).map_err(|e| damaged(&e))?;
                Kind::File(size, digest)
            }
            _ => return Ok(None),
        };
        let number = u32::try_from(number).map_err(|_| {
            Error::invalid("the archive has more than four thousand million entries")
        })?;
        let path = Bytes::new(path.as_os_str().as_bytes());
        Ok(Some(Self { number, path, attributes, kind, xattrs: xattrs(entry)? }))
    }

    /// The entry of a layer; nothing for a further name of something that is not there.
    fn entry(&self, tree: &mut Tree, archive: &Arc<Path>) -> Result<Option<Entry>> {
        let Kind::Link(target) = &self.kind else {
            return Ok(Some(self.new_entry(archive, false)));
        };
        let target = target.path();
        let folder = tree.resolve(target.parent().unwrap_or(Path::new("")))?;
        let target = folder.join(target.file_name().unwrap_or_default());
        let Some(there) = tree.get_mut(&target) else { return Ok(None) };
        if let Node::File { inode, .. } = &mut there.node
            && *inode == 0
        {
            *inode = new_inode();
        }
        Ok(Some(there.clone()))
    }

    fn new_entry(&self, archive: &Arc<Path>, several: bool) -> Entry {
        let node = match &self.kind {
            Kind::File(size, digest) => {
                let (archive, number) = (archive.clone(), self.number);
                let packed = Packed { archive, number, size: *size, digest: *digest };
                let inode = if several { new_inode() } else { 0 };
                Node::File { content: Content::Packed(packed.into()), inode }
            }
            Kind::Symlink(target) => Node::Symlink(target.path().into()),
            Kind::Pipe => Node::Special(Special::Pipe),
            Kind::Char(major, minor) => Node::Special(Special::Char(*major, *minor)),
            Kind::Block(major, minor) => Node::Special(Special::Block(*major, *minor)),
            Kind::Folder | Kind::Link(_) => Node::Folder,
        };
        let xattrs = (!self.xattrs.is_empty()).then(|| Arc::new(self.xattrs.clone()));
        Entry { node, attributes: self.attributes, xattrs }
    }
}

fn xattrs(entry: &mut tar::Entry<'_, impl Read>) -> Result<Xattrs> {
    let mut found = Xattrs::new();
    let Some(records) = entry.pax_extensions().map_err(|e| damaged(&e))? else { return Ok(found) };
    // A value with a line end in it can't be told from two records by the reader of archives; it is
    // passed over.
    for record in records.flatten() {
        if let Some(name) = record.key().ok().and_then(|key| key.strip_prefix("SCHILY.xattr.")) {
            found.insert(name.to_owned(), record.value_bytes().to_owned());
        }
    }
    Ok(found)
}
