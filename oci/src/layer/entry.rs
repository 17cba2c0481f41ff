//! What stands at a path.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Content;
use crate::{Error, Result};

/// Owner and mode of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permissions with setuid, setgid and sticky bit, no file type.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

impl Attributes {
    /// Of a folder that nobody described: root's, 0755.
    pub const FOLDER: Self = Self { mode: 0o755, uid: 0, gid: 0 };

    /// Root's, with a mode.
    #[must_use]
    pub fn root(mode: u32) -> Self {
        Self { mode: mode & 0o7777, uid: 0, gid: 0 }
    }
}

/// Extended attributes by name, such as `security.capability`.
pub type Xattrs = BTreeMap<String, Vec<u8>>;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub node: Node,
    /// Whose it is and what may be done with it.
    pub attributes: Attributes,
    /// Its extended attributes; none for nearly all.
    pub xattrs: Option<Arc<Xattrs>>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Its bytes.
        content: Content,
        /// Files with the same number, other than 0, are one file under several names.
        inode: u64,
    },
    /// A symbolic link to anything.
    Symlink(Arc<Path>),
    /// What has neither content nor target.
    Special(Special),
}

/// A named pipe or a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// A named pipe.
    Pipe,
    /// A character device with its major and minor number.
    Char(u32, u32),
    /// A block device with its major and minor number.
    Block(u32, u32),
}

impl Node {
    /// A file with one name.
    #[must_use]
    pub fn file(content: Content) -> Self {
        Self::File { content, inode: 0 }
    }
}

impl Entry {
    /// An entry without extended attributes.
    #[must_use]
    pub fn new(node: Node, attributes: Attributes) -> Self {
        Self { node, attributes, xattrs: None }
    }

    /// A folder.
    #[must_use]
    pub fn folder(attributes: Attributes) -> Self {
        Self::new(Node::Folder, attributes)
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        self.node == Node::Folder
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
        let kind = metadata.file_type();
        let node = if kind.is_dir() {
            Node::Folder
        } else if kind.is_symlink() {
            Node::Symlink(fs::read_link(path).map_err(failed)?.into())
        } else if kind.is_file() {
            // A number that no archive gives, see `Index`.
            let several = metadata.nlink() > 1;
            let inode = if several { metadata.ino() | 1 << 63 } else { 0 };
            Node::File { content: Content::disk(path.into(), &metadata), inode }
        } else {
            return Ok(None);
        };
        Ok(Some(Self::new(node, Attributes::root(metadata.mode()))))
    }
}
