//! Unpacks layers into a folder.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, lchown, symlink},
    },
    path::{Component, Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tar::{Archive, EntryType, Header};

use crate::{
    Digest, Error, Hashing, Result,
    decompress::{damaged, decompressed},
};

/// As many links a path may lead over; Linux has the same bound.
const MOST_LINKS: usize = 40;

/// Unpacks the layers of an image, lowest first, into an empty folder.
///
/// # Errors
///
/// See [`Unpacker::layer`].
pub fn unpack<R: Read>(layers: impl IntoIterator<Item = R>, root: &Path) -> Result<()> {
    let mut unpacker = Unpacker::new(root)?;
    for layer in layers {
        unpacker.layer(layer)?;
    }
    unpacker.finish()
}

/// Unpacks layers one after the other, as
/// [OCI's layer specification](https://github.com/opencontainers/image-spec/blob/main/layer.md) says.
///
/// Whatever the archives hold, nothing outside the folder is touched: names with `..` are refused,
/// and links are followed as a process sees them whose root the folder is. Owners are kept for
/// root, otherwise all is the caller's own. Device nodes are left out (whoever runs the image gives
/// it a `/dev`), and so are extended attributes.
pub struct Unpacker {
    root: PathBuf,
    is_root: bool,
    /// Modes and times of folders, set at the end: until then they must be writable, and every
    /// entry below changes their time.
    folders: BTreeMap<PathBuf, (u32, u64)>,
}

impl Unpacker {
    /// Begins in a folder; makes it when there is none.
    ///
    /// # Errors
    ///
    /// When the folder can't be made.
    pub fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(|e| Error::at("make", root, &e))?;
        let root = root.canonicalize().map_err(|e| Error::at("read", root, &e))?;
        let is_root = rustix::process::geteuid().is_root();
        Ok(Self { root, is_root, folders: BTreeMap::new() })
    }

    /// Unpacks one layer, a tar archive as it is or compressed, and answers the digest of the archive
    /// before compression.
    ///
    /// # Errors
    ///
    /// When the archive is damaged or wants to leave the folder, or the
    /// folder can't be written.
    pub fn layer(&mut self, blob: impl Read) -> Result<Digest> {
        let mut archive = Archive::new(Hashing::new(decompressed(blob)?));
        let mut written = BTreeSet::new();
        for entry in archive.entries().map_err(|e| damaged(&e))? {
            let mut entry = entry.map_err(|e| damaged(&e))?;
            let name = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
            let parts = inside(&name)?;
            self.entry(&mut entry, &name, parts, &mut written)?;
        }
        // The archive ends before its last, empty blocks; the digest covers them.
        let mut rest = archive.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|e| damaged(&e))?;
        Ok(rest.finish().0)
    }

    /// Sets the modes and times of the folders.
    ///
    /// # Errors
    ///
    /// When one of them can't be changed.
    pub fn finish(self) -> Result<()> {
        // Deepest first: a folder without write permission shuts off those below.
        for (path, (mode, mtime)) in self.folders.iter().rev() {
            set_mode(path, *mode)?;
            set_time(path, *mtime)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        name: &Path,
        mut parts: Vec<OsString>,
        written: &mut BTreeSet<PathBuf>,
    ) -> Result<()> {
        let header = entry.header().clone();
        let kind = header.entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let Some(last) = parts.pop() else {
            // The root itself.
            return if kind.is_dir() { self.folder(&self.root.clone(), &header) } else { Ok(()) };
        };
        let folder = self.parent(parts, written)?;
        if let Some(hidden) = last.as_bytes().strip_prefix(b".wh.") {
            return self.whiteout(&folder, OsStr::from_bytes(hidden), written);
        }
        let path = folder.join(&last);
        let there = fs::symlink_metadata(&path).ok();
        let failed =
            |e: io::Error| Error::io(format_args!("can't unpack `{}`", name.display()), &e);
        if there.as_ref().is_some_and(|there| !(there.is_dir() && kind.is_dir())) {
            self.remove(&path)?;
        }
        match kind {
            EntryType::Directory => {
                if !there.is_some_and(|there| there.is_dir()) {
                    fs::create_dir(&path).map_err(failed)?;
                }
                self.own(&path, &header)?;
                self.folder(&path, &header)?;
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mut file = File::create_new(&path).map_err(failed)?;
                io::copy(entry, &mut file).map_err(failed)?;
                drop(file);
                self.own(&path, &header)?;
                // After the owner: a change of the owner takes setuid away.
                set_mode(&path, header.mode().map_err(|e| damaged(&e))?)?;
                set_time(&path, header.mtime().unwrap_or(0))?;
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default();
                symlink(OsStr::from_bytes(&target), &path).map_err(failed)?;
                self.own(&path, &header)?;
            }
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let mut parts = inside(Path::new(OsStr::from_bytes(&target)))?;
                let last = parts.pop().unwrap_or_default();
                let target = self.resolve(parts)?.join(last);
                fs::hard_link(&target, &path).map_err(failed)?;
            }
            EntryType::Fifo => {
                if !make_pipe(&path).map_err(failed)? {
                    return Ok(());
                }
                self.own(&path, &header)?;
                set_mode(&path, header.mode().map_err(|e| damaged(&e))?)?;
            }
            _ => return Ok(()),
        }
        written.insert(path);
        Ok(())
    }

    /// The folder with these parts, made where it is missing.
    fn parent(&mut self, parts: Vec<OsString>, written: &mut BTreeSet<PathBuf>) -> Result<PathBuf> {
        let folder = self.resolve(parts)?;
        let mut path = self.root.clone();
        for part in folder.strip_prefix(&self.root).unwrap_or(Path::new("")) {
            path.push(part);
            if !path.is_dir() {
                fs::create_dir(&path).map_err(|e| Error::at("make", &path, &e))?;
                set_mode(&path, 0o755)?;
            }
            // What a layer puts something into is not removed by a whiteout of the same layer.
            if !written.contains(&path) {
                written.insert(path.clone());
            }
        }
        Ok(folder)
    }

    /// Where a path leads for a process whose root is the folder: links are followed, absolute
    /// ones from the folder, and `..` ends there.
    fn resolve(&self, parts: Vec<OsString>) -> Result<PathBuf> {
        let mut path = self.root.clone();
        let mut todo = VecDeque::from(parts);
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == ".." {
                if path != self.root {
                    path.pop();
                }
                continue;
            }
            path.push(&part);
            if !fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Error::invalid(format!(
                    "the link `{}` leads in a circle",
                    Path::new("/").join(path.strip_prefix(&self.root).unwrap_or(&path)).display()
                )));
            }
            let target = fs::read_link(&path).map_err(|e| Error::at("read", &path, &e))?;
            if target.is_absolute() {
                path.clone_from(&self.root);
            } else {
                path.pop();
            }
            for component in target.components().rev() {
                match component {
                    Component::Normal(name) => todo.push_front(name.to_owned()),
                    Component::ParentDir => todo.push_front("..".into()),
                    _ => {}
                }
            }
        }
        Ok(path)
    }

    /// `.wh.NAME` removes what lower layers have under that name, `.wh..wh..opq` all that they
    /// have in the folder.
    fn whiteout(
        &mut self,
        folder: &Path,
        hidden: &OsStr,
        written: &BTreeSet<PathBuf>,
    ) -> Result<()> {
        if hidden == ".wh..opq" {
            return self.remove_lower_in(folder, written);
        }
        // Other names with two marks were aufs's own; `.` and `..` name nothing in the folder.
        if hidden.as_bytes().starts_with(b".wh.") || matches!(hidden.as_bytes(), b"" | b"." | b"..")
        {
            return Ok(());
        }
        let path = folder.join(hidden);
        if !written.contains(&path) {
            self.remove(&path)
        } else if fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
            self.remove_lower_in(&path, written)
        } else {
            Ok(())
        }
    }

    fn remove_lower_in(&mut self, folder: &Path, written: &BTreeSet<PathBuf>) -> Result<()> {
        let failed = |e: io::Error| Error::at("read", folder, &e);
        for item in fs::read_dir(folder).map_err(failed)? {
            let path = item.map_err(failed)?.path();
            if !written.contains(&path) {
                self.remove(&path)?;
            } else if fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
                self.remove_lower_in(&path, written)?;
            }
        }
        Ok(())
    }

    /// Removes whatever is at a path, never following a link.
    fn remove(&mut self, path: &Path) -> Result<()> {
        self.folders.retain(|folder, _| !folder.starts_with(path));
        let removed = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(_) => return Ok(()),
        };
        removed.map_err(|e| Error::at("remove", path, &e))
    }

    fn folder(&mut self, path: &Path, header: &Header) -> Result<()> {
        let mode = header.mode().map_err(|e| damaged(&e))?;
        self.folders.insert(path.to_owned(), (mode, header.mtime().unwrap_or(0)));
        Ok(())
    }

    /// Gives an entry its owner. In a user namespace numbers that are not mapped are refused; then
    /// it stays the caller's own, as without root.
    fn own(&self, path: &Path, header: &Header) -> Result<()> {
        if !self.is_root {
            return Ok(());
        }
        let number = |n: io::Result<u64>| n.ok().and_then(|n| u32::try_from(n).ok());
        let (uid, gid) = (number(header.uid()), number(header.gid()));
        let metadata = fs::symlink_metadata(path).map_err(|e| Error::at("read", path, &e))?;
        if (uid, gid) == (Some(metadata.uid()), Some(metadata.gid())) {
            return Ok(());
        }
        match lchown(path, uid, gid) {
            Err(e)
                if !matches!(
                    e.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
                ) =>
            {
                Err(Error::at("change the owner of", path, &e))
            }
            _ => Ok(()),
        }
    }
}

/// The parts of an archive's path. A leading `/` is passed over, as tar does.
pub(crate) fn inside(name: &Path) -> Result<Vec<OsString>> {
    let mut parts = Vec::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_owned()),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::invalid(format!(
                    "the layer holds `{}`, which leaves the image",
                    name.display()
                )));
            }
        }
    }
    Ok(parts)
}

/// Makes a named pipe; false where the system has no such call.
#[cfg(target_os = "linux")]
fn make_pipe(path: &Path) -> io::Result<bool> {
    use rustix::fs::{FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
    Ok(true)
}

/// Named pipes are left out where images don't run.
#[cfg(not(target_os = "linux"))]
fn make_pipe(_: &Path) -> io::Result<bool> {
    Ok(false)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode & 0o7777))
        .map_err(|e| Error::at("change the mode of", path, &e))
}

fn set_time(path: &Path, mtime: u64) -> Result<()> {
    let time = Timespec { tv_sec: i64::try_from(mtime).unwrap_or(0), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|e| Error::at("change the time of", path, &e.into()))
}

#[cfg(test)]
mod tests;
