//! Folders as a tar and back: the workspace on its way into a task, artifacts on their way out.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use tokio_util::sync::CancellationToken;

/// What `pipe` itself keeps, which is part of nothing.
const RECORDS: &str = ".pipe";

/// Packs everything below a folder but `.pipe`: files with their modes and times, links as links.
/// Sockets and the like are left out.
///
/// # Errors
///
/// What can't be read or written; `Interrupted` when it is cancelled.
pub(crate) fn pack(folder: &Path, to: impl Write, cancel: &CancellationToken) -> io::Result<()> {
    let mut tar = builder(to);
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        if cancel.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut names: Vec<_> = fs::read_dir(folder.join(&below))?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort();
        for name in names.into_iter().filter(|name| name != RECORDS) {
            let below = below.join(name);
            if append(&mut tar, folder, &below)? {
                open.push(below);
            }
        }
    }
    tar.into_inner()?.flush()
}

/// Packs some entries of a folder.
///
/// # Errors
///
/// What can't be read or written.
pub(crate) fn pack_some<'a>(
    folder: &Path,
    entries: impl IntoIterator<Item = &'a Path>,
    to: impl Write,
) -> io::Result<()> {
    let mut tar = builder(to);
    for below in entries {
        append(&mut tar, folder, below)?;
    }
    tar.into_inner()?.flush()
}

fn builder<W: Write>(to: W) -> tar::Builder<W> {
    let mut tar = tar::Builder::new(to);
    tar.follow_symlinks(false);
    tar
}

/// Returns whether it is a folder.
fn append<W: Write>(tar: &mut tar::Builder<W>, folder: &Path, below: &Path) -> io::Result<bool> {
    let path = folder.join(below);
    let kind = match fs::symlink_metadata(&path) {
        Ok(meta) => meta.file_type(),
        // It was there a moment ago.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if kind.is_dir() {
        tar.append_dir(below, &path)?;
    } else if kind.is_file() || kind.is_symlink() {
        tar.append_path_with_name(&path, below)?;
    }
    Ok(kind.is_dir())
}

/// Unpacks into a folder, and never outside of it.
///
/// # Errors
///
/// What can't be read or written.
pub(crate) fn unpack(from: impl Read, folder: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(from);
    archive.set_preserve_mtime(true);
    archive.set_preserve_permissions(true);
    archive.set_overwrite(true);
    archive.unpack(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_comes_back_as_it_was() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |name: &str| from.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        fs::create_dir_all(path(".pipe/runs")).unwrap();
        fs::create_dir_all(path(".git")).unwrap();
        fs::create_dir_all(path("empty")).unwrap();
        fs::write(path(".git/HEAD"), "ref").unwrap();
        fs::write(path("a/b/run"), b"\0\xff").unwrap();
        fs::set_permissions(path("a/b/run"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(path(&"long".repeat(50)), "long").unwrap();
        symlink("b/run", path("a/link")).unwrap();
        symlink("/nowhere", path("broken")).unwrap();
        let mut bytes = Vec::new();
        pack(from.path(), &mut bytes, &CancellationToken::new()).unwrap();
        unpack(&bytes[..], to.path()).unwrap();
        let there = |name: &str| to.path().join(name);
        assert_eq!(fs::read(there("a/link")).unwrap(), b"\0\xff");
        assert_eq!(fs::metadata(there("a/b/run")).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(there("broken")).unwrap(), Path::new("/nowhere"));
        assert!(there("empty").is_dir() && there(".git/HEAD").is_file());
        assert_eq!(fs::read(there(&"long".repeat(50))).unwrap(), b"long");
        assert!(!there(".pipe").exists());
    }

    #[test]
    fn nothing_is_unpacked_outside() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        fs::create_dir(&inside).unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o644);
        // As a hostile task would write it: the library refuses to.
        header.as_gnu_mut().unwrap().name[..9].copy_from_slice(b"../escape");
        header.set_cksum();
        tar.append(&header, &b"x"[..]).unwrap();
        let bytes = tar.into_inner().unwrap();
        let _ = unpack(&bytes[..], &inside);
        assert!(!folder.path().join("escape").exists());
    }

    #[test]
    fn it_ends_when_it_is_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let cancel = CancellationToken::new();
        cancel.cancel();
        let error = pack(folder.path(), io::sink(), &cancel).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
