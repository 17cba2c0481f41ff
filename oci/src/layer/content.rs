//! Where the bytes of a file come from.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::Arc,
};

use crate::{Digest, Error, Result};

/// Where the bytes of a file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of this machine, as it was when it was looked at.
    Disk {
        /// The file.
        path: Arc<Path>,
        /// What it looked like.
        stamp: Stamp,
    },
    /// Bytes at hand.
    Bytes(Arc<[u8]>),
    /// A file inside an archive.
    Packed(Arc<Packed>),
}

/// A file inside an archive. It is read through a [`Spool`](super::Spool): compressed archives
/// can't be read anywhere but from their beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The archive.
    pub archive: Arc<Path>,
    /// Which of its entries, from 0.
    pub number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub digest: Digest,
}

/// By what a change of a file is noticed. The time of the last change of its inode is set by every
/// change of its content, its mode and its other times, and nobody can set it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The size in bytes.
    pub size: u64,
    /// Which file of its disk it is.
    pub inode: u64,
    /// The time of its last change, in nanoseconds since 1970.
    pub changed: i128,
}

impl Stamp {
    /// What a file looks like.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let changed = i128::from(metadata.ctime()) * 1_000_000_000;
        Self {
            size: metadata.len(),
            inode: metadata.ino(),
            changed: changed + i128::from(metadata.ctime_nsec()),
        }
    }
}

impl Content {
    /// A file of this machine.
    #[must_use]
    pub fn disk(path: Arc<Path>, metadata: &Metadata) -> Self {
        Self::Disk { path, stamp: Stamp::of(metadata) }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Disk { stamp, .. } => stamp.size,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Packed(packed) => packed.size,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// When it can't be read, is not what it was, or lies in an archive.
    pub fn open(&self) -> Result<Box<dyn Read + Send + '_>> {
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
            Self::Packed(packed) => {
                let message = format!("`{}` has not been unpacked", packed.archive.display());
                Err(Error::invalid(message))
            }
        }
    }

    /// The digest of its bytes.
    ///
    /// # Errors
    ///
    /// When it can't be read, or is not what it was.
    pub fn digest(&self) -> Result<Digest> {
        if let Self::Packed(packed) = self {
            return Ok(packed.digest);
        }
        let digest = Digest::of_reader(self.open()?);
        let failed = |e: io::Error| Error::io("can't read a file of a layer", &e);
        digest.map(|(digest, _)| digest).map_err(failed)
    }
}
