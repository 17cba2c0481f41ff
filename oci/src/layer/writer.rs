//! Writes a layer, streaming.

use std::{
    io::{self, Read, Write},
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use tar::{EntryType, Header};

use crate::{Digest, Error, Hashing, Result};

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

/// A layer that has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The digest of the tar archive, as image configurations name layers.
    pub diff_id: Digest,
    /// The digest of the compressed archive, as manifests name layers.
    pub digest: Digest,
    /// The size of the compressed archive in bytes.
    pub size: u64,
}

/// Writes a layer entry by entry. Nothing but the entries decides its bytes: no clock, no owner of
/// a file on this machine, no order of a folder (the caller keeps an order; [`Tree`](super::Tree)
/// has one).
pub struct LayerWriter<W: Write> {
    tar: tar::Builder<Hashing<GzEncoder<Hashing<W>>>>,
    mtime: u64,
}

impl<W: Write> LayerWriter<W> {
    /// A layer whose entries all have the time `mtime`, in seconds since 1970 (0, or what
    /// [`SOURCE_DATE_EPOCH`](https://reproducible-builds.org/specs/source-date-epoch/) says).
    pub fn new(out: W, mtime: u64) -> Self {
        let gzip = GzBuilder::new().mtime(0).write(Hashing::new(out), Compression::default());
        Self { tar: tar::Builder::new(Hashing::new(gzip)), mtime }
    }

    /// Adds a folder.
    ///
    /// # Errors
    ///
    /// When `path` leaves the root of the layer, or the output can't be written.
    pub fn folder(&mut self, path: &Path, attributes: Attributes) -> Result<()> {
        let mut header = self.header(EntryType::Directory, attributes);
        // A slash at the end marks folders for tools that read names alone.
        let name = inside(path)?.join("");
        self.tar.append_data(&mut header, name, io::empty()).map_err(|e| failed(path, &e))
    }

    /// Adds a file with exactly `size` bytes of `content`.
    ///
    /// # Errors
    ///
    /// When the content is shorter or can't be read, or the output can't be written.
    pub fn file(
        &mut self,
        path: &Path,
        attributes: Attributes,
        size: u64,
        content: impl Read,
    ) -> Result<()> {
        let mut header = self.header(EntryType::Regular, attributes);
        header.set_size(size);
        let mut content = Exactly { inner: content, left: size };
        self.tar.append_data(&mut header, inside(path)?, &mut content).map_err(|e| failed(path, &e))
    }

    /// Adds a symbolic link. Its target may be anything.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn symlink(&mut self, path: &Path, attributes: Attributes, target: &Path) -> Result<()> {
        let attributes = Attributes { mode: 0o777, ..attributes };
        let mut header = self.header(EntryType::Symlink, attributes);
        self.tar.append_link(&mut header, inside(path)?, target).map_err(|e| failed(path, &e))
    }

    /// Adds a further name of an entry that was added before.
    ///
    /// # Errors
    ///
    /// When one of the paths leaves the root of the layer, or the output can't be written.
    pub fn hard_link(&mut self, path: &Path, attributes: Attributes, to: &Path) -> Result<()> {
        let mut header = self.header(EntryType::Link, attributes);
        self.tar.append_link(&mut header, inside(path)?, inside(to)?).map_err(|e| failed(path, &e))
    }

    /// Ends the layer.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn finish(self) -> Result<(Layer, W)> {
        let end = |e: io::Error| Error::io("can't write the layer", &e);
        let (diff_id, _, gzip) = self.tar.into_inner().map_err(end)?.finish();
        let (digest, size, mut out) = gzip.finish().map_err(end)?.finish();
        out.flush().map_err(end)?;
        Ok((Layer { diff_id, digest, size }, out))
    }

    fn header(&self, kind: EntryType, attributes: Attributes) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(attributes.mode & 0o7777);
        header.set_uid(attributes.uid.into());
        header.set_gid(attributes.gid.into());
        header.set_mtime(self.mtime);
        header.set_size(0);
        header
    }
}

/// A path as archives hold it: relative, without `.` and `..`.
fn inside(path: &Path) -> Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::RootDir | Component::CurDir => {}
            _ => {
                return Err(Error::invalid(format!("`{}` leaves the layer", path.display())));
            }
        }
    }
    if clean.as_os_str().is_empty() {
        clean.push(".");
    }
    Ok(clean)
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::io(format_args!("can't put `{}` into a layer", path.display()), error)
}

/// Gives `left` bytes, and an error where the inner reader ends before: a header that promised
/// more than follows would make the archive unreadable.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}
