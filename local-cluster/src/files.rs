//! Files and folders that are written whole or not at all, and removed whatever they hold.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Makes a folder that only its owner enters, and those above it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a file that only its owner reads, in one go: who reads it sees the old text or the new.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let written = (|| {
        let mut open = OpenOptions::new();
        let mut handle = open.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        handle.write_all(bytes)?;
        handle.sync_data()?;
        fs::rename(&new, file)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Removes a folder with all that is in it, also folders that may not be entered. What is not
/// there is removed already.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.is_dir() {
        return fs::remove_file(path);
    }
    if found.permissions().mode() & 0o700 != 0o700 {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    }
    for entry in fs::read_dir(path)? {
        remove_tree(&entry?.path())?;
    }
    fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_locked_folder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        make_folder(&top.join("a/b")).unwrap();
        write(&top.join("a/b/file"), b"x").unwrap();
        assert_eq!(fs::metadata(top.join("a/b/file")).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(top.join("a/b"), fs::Permissions::from_mode(0o0)).unwrap();
        std::os::unix::fs::symlink("/", top.join("link")).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists() && Path::new("/etc").exists());
        remove_tree(&top).unwrap();
    }
}
