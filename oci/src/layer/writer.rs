//! Writes a layer, streaming.

use std::{
    io::{self, Read, Write},
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tar::{EntryType, Header};

use super::{
    Attributes, Entry, Node, Special, Spool, Tree, Xattrs,
    gzip::{Earlier, Gzip, PIECE, Piece},
    tree::Names,
};
use crate::{Digest, Error, Result};

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

impl Layer {
    /// Writes a layer out of an archive that is one already, not compressed.
    ///
    /// # Errors
    ///
    /// When the archive can't be read, or the output can't be written.
    pub fn compress<W: Write>(mut archive: impl Read, out: W) -> Result<(Self, W)> {
        let failed = |e: io::Error| Error::io("can't compress the layer", &e);
        let mut gzip = Gzip::new(out, None);
        io::copy(&mut archive, &mut gzip).map_err(failed)?;
        let (layer, _, out) = gzip.finish().map_err(failed)?;
        Ok((layer, out))
    }
}

/// Writes a layer entry by entry. Nothing but the entries decides its bytes: no clock, no owner of
/// a file on this machine, no order of a folder (the caller keeps an order; [`Tree`] has one), and
/// not what is taken from an earlier layer.
pub struct LayerWriter<W: Write> {
    tar: tar::Builder<Gzip<W>>,
    mtime: u64,
}

impl<W: Write> LayerWriter<W> {
    /// A layer whose entries all have the time `mtime`, in seconds since 1970 (0, or what
    /// [`SOURCE_DATE_EPOCH`](https://reproducible-builds.org/specs/source-date-epoch/) says).
    pub fn new(out: W, mtime: u64) -> Self {
        Self::after(out, mtime, None)
    }

    /// The same; pieces that an earlier layer holds already are taken from there, compressed.
    pub fn after(out: W, mtime: u64, earlier: Option<Earlier>) -> Self {
        let tar = tar::Builder::new(Gzip::new(out, earlier));
        Self { tar, mtime }
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
        self.begin(path, 0)?;
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
        self.begin(path, size)?;
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
        self.begin(path, 0)?;
        self.tar.append_link(&mut header, inside(path)?, target).map_err(|e| failed(path, &e))
    }

    /// Adds a further name of an entry that was added before.
    ///
    /// # Errors
    ///
    /// When one of the paths leaves the root of the layer, or the output can't be written.
    pub fn hard_link(&mut self, path: &Path, attributes: Attributes, to: &Path) -> Result<()> {
        let mut header = self.header(EntryType::Link, attributes);
        self.begin(path, 0)?;
        self.tar.append_link(&mut header, inside(path)?, inside(to)?).map_err(|e| failed(path, &e))
    }

    /// Adds a named pipe or a device.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn special(&mut self, path: &Path, attributes: Attributes, special: Special) -> Result<()> {
        let kind = match special {
            Special::Pipe => EntryType::Fifo,
            Special::Char(..) => EntryType::Char,
            Special::Block(..) => EntryType::Block,
        };
        let mut header = self.header(kind, attributes);
        let (major, minor) = special.numbers();
        self.begin(path, 0)?;
        header
            .set_device_major(major)
            .and_then(|()| header.set_device_minor(minor))
            .and_then(|()| self.tar.append_data(&mut header, inside(path)?, io::empty()))
            .map_err(|e| failed(path, &e))
    }

    /// Extended attributes of the entry that is added next, as
    /// [PAX](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html) records.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn xattrs(&mut self, path: &Path, xattrs: &Xattrs) -> Result<()> {
        self.begin(path, 0)?;
        let names: Vec<String> = xattrs.keys().map(|name| format!("SCHILY.xattr.{name}")).collect();
        let values = xattrs.values().map(Vec::as_slice);
        let records = names.iter().map(String::as_str).zip(values);
        self.tar.append_pax_extensions(records).map_err(|e| failed(path, &e))
    }

    /// Adds all entries of a tree; contents in archives come out of the spool.
    ///
    /// # Errors
    ///
    /// When a file can't be read or changed since it was put in, or the output can't be written.
    pub fn tree(&mut self, tree: &Tree, spool: &Spool) -> Result<()> {
        let mut names = Names::default();
        for (path, Entry { node, attributes, xattrs }) in tree.iter() {
            if let Some(first) = names.first(path, node) {
                self.hard_link(path, *attributes, first)?;
                continue;
            }
            if let Some(xattrs) = xattrs {
                self.xattrs(path, xattrs)?;
            }
            match node {
                Node::Folder => self.folder(path, *attributes)?,
                Node::Symlink(target) => self.symlink(path, *attributes, target)?,
                Node::Special(special) => self.special(path, *attributes, *special)?,
                Node::File { content, .. } => {
                    self.file(path, *attributes, content.size(), spool.open(content)?)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the layer.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn finish(self) -> Result<(Layer, W)> {
        let (layer, _, out) = self.finish_with_pieces()?;
        Ok((layer, out))
    }

    /// Ends the layer, and answers its pieces, which a later layer may take over.
    ///
    /// # Errors
    ///
    /// When the output can't be written.
    pub fn finish_with_pieces(self) -> Result<(Layer, Vec<Piece>, W)> {
        let end = |e: io::Error| Error::io("can't write the layer", &e);
        self.tar.into_inner().map_err(end)?.finish().map_err(end)
    }

    /// An entry is going to be added: pieces end between entries, at places that depend on what
    /// stands there alone.
    fn begin(&mut self, path: &Path, size: u64) -> Result<()> {
        let gzip = self.tar.get_mut();
        let name = path.as_os_str().as_bytes();
        let mark = name.iter().fold(0_u8, |sum, byte| sum.rotate_left(3) ^ byte);
        if size >= PIECE as u64 || mark.is_multiple_of(4) {
            gzip.cut().map_err(|e| failed(path, &e))?;
        }
        Ok(())
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
