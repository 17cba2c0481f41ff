//! Files are written whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use pipe_grammar::Code;
use tempfile::NamedTempFile;

use super::Failure;

/// Writes a file under another name beside it and renames it: whoever reads sees the old content
/// or the new one, never a half. Makes the folders on the way. An existing file keeps its mode; a
/// symbolic link is replaced, so nothing is written through it.
///
/// # Errors
///
/// What the system says; the old file is still there then.
pub fn save<E: From<io::Error>>(
    path: &Path,
    executable: bool,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    if path.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    let mut file = beside(path)?;
    write(file.as_file_mut())?;
    Ok(keep(file, path, executable)?)
}

/// A file under another name in the folder of a file.
///
/// # Errors
///
/// What the system says.
pub fn beside(path: &Path) -> io::Result<NamedTempFile> {
    // The umask takes its share of the mode.
    tempfile::Builder::new()
        .prefix(".pipe-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(Path::new("/")))
}

/// Gives it its name, and the mode of the file that it replaces.
///
/// # Errors
///
/// What the system says; the old file is still there then.
pub fn keep(file: NamedTempFile, path: &Path, executable: bool) -> io::Result<()> {
    let old = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    let new = file.as_file().metadata()?.permissions().mode();
    let mode = old.map_or(new, |old| old.permissions().mode()) & 0o777;
    let mode = if executable { mode | (mode & 0o444) >> 2 } else { mode };
    if mode != new & 0o777 {
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a folder, and those on the way.
///
/// # Errors
///
/// What the system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).map_err(|error| match error.kind() {
        // A file stands on the way.
        io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
        _ => error,
    })
}

/// Copies a file, with its mode, likewise.
///
/// # Errors
///
/// What the system says; an old file is still there then.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let file = beside(to)?;
    fs::copy(from, file.path())?;
    file.persist(to).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a symbolic link, likewise; what stood there before is replaced.
///
/// # Errors
///
/// What the system says.
pub fn link(target: &Path, at: &Path) -> io::Result<()> {
    let folder = at.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let place = tempfile::Builder::new().prefix(".pipe-").tempdir_in(folder)?;
    let new = place.path().join("link");
    std::os::unix::fs::symlink(target, &new)?;
    fs::rename(&new, at)
}

/// What became of writing a file, for people.
///
/// # Errors
///
/// Names the file as written in the Pipelinefile, and the argument that names it.
pub fn written(done: io::Result<()>, shown: &str, argument: &'static str) -> Result<(), Failure> {
    done.map_err(|error| {
        let why = pipe_oci::plain(&error);
        Failure::new(Code::UNWRITABLE_FILE, format!("`{shown}` can't be written: {why}"))
            .at_argument(argument)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        save(&path, false, |file| file.write_all(b"one")).unwrap();
        assert_eq!(mode(&path) & 0o111, 0);
        let failed = save(&path, false, |file| {
            file.write_all(b"tw")?;
            Err(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn modes_are_kept_and_links_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        save(&path, true, |file| file.write_all(b"one")).unwrap();
        assert_eq!(mode(&path) & 0o100, 0o100);
        save(&path, false, |file| file.write_all(b"two")).unwrap();
        assert_eq!(mode(&path) & 0o100, 0o100);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("x", &link).unwrap();
        save(&link, false, |file| file.write_all(b"three")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        let nowhere = save(folder.path(), false, |file| file.write_all(b"x"));
        assert!(nowhere.is_err());
    }
}
