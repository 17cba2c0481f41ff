//! Where an archive is unpacked: nothing in it reaches another place.

use std::{
    fs, io,
    io::Read,
    path::{Component, Path, PathBuf},
};

use pipe_grammar::Code;
use tokio_util::sync::CancellationToken;

use super::stop::Stop;
use crate::core::{Failure, link, make_folder, save};

/// Something that an archive holds.
pub(super) enum Node<'a> {
    /// A folder.
    Folder,
    /// A symbolic link, and where it points.
    Link(&'a str),
    /// Another name of a file of the archive.
    Same(&'a str),
    /// A file, and whether it may be executed.
    File(&'a mut dyn Read, bool),
}

/// A folder that an archive is unpacked into.
pub(super) struct Place<'a> {
    /// The folder, absolute.
    pub(super) into: PathBuf,
    /// The archive, for people.
    pub(super) archive: String,
    /// Files and links so far.
    pub(super) count: usize,
    pub(super) stop: &'a CancellationToken,
}

impl Place<'_> {
    /// Puts something in its place. What is there already is replaced.
    pub(super) fn put(&mut self, name: &str, node: Node<'_>) -> Result<(), Failure> {
        let Some(path) = self.path(name)? else { return Ok(()) };
        let done = match node {
            Node::Folder => make_folder(&path),
            Node::Link(target) => {
                if !stays_inside(&path, &self.into, target) {
                    let what = format!("is a link to `{target}`, which leads out of its folder");
                    return Err(self.refuse(name, &what));
                }
                link(Path::new(target), &path)
            }
            Node::Same(target) => {
                let Some(target) = self.path(target)? else {
                    return Err(self.refuse(name, "is a link to nothing"));
                };
                self.same(&target, &path)
            }
            Node::File(content, executable) => save(&path, executable, |file| {
                let mut content = Stop { inner: content, stop: self.stop };
                io::copy(&mut content, file).map(drop)
            }),
        };
        self.count += usize::from(!path.is_dir());
        done.map_err(|error| {
            if is_of_archive(&error) {
                return self.broken(&error);
            }
            let why = pipe_oci::plain(&error);
            let what = format!("`{name}` of `{}` can't be written: {why}", self.archive);
            Failure::new(Code::UNWRITABLE_FILE, what).at_argument("into")
        })
    }

    /// A second name; a copy where the file system knows none.
    fn same(&self, target: &Path, path: &Path) -> io::Result<()> {
        if !fs::symlink_metadata(target)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is another name of no file",
            ));
        }
        if target == path { Ok(()) } else { crate::core::copy(target, path) }
    }

    /// Where a name of the archive belongs; nothing for the folder itself.
    fn path(&self, name: &str) -> Result<Option<PathBuf>, Failure> {
        let mut path = self.into.clone();
        let mut parts = Path::new(name).components().peekable();
        let mut deeper = false;
        while let Some(part) = parts.next() {
            match part {
                Component::CurDir => continue,
                Component::Normal(part) => path.push(part),
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(self.refuse(name, "leads out of its folder"));
                }
            }
            deeper = true;
            // A link that the archive has made, or that was there, leads who knows where.
            let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
            if parts.peek().is_some() && is_link {
                return Err(self.refuse(name, "leads through a symbolic link"));
            }
        }
        Ok(deeper.then_some(path))
    }

    /// The failure of an archive that holds what it must not.
    pub(super) fn refuse(&self, name: &str, why: &str) -> Failure {
        let what = format!("`{}` holds `{name}`, which {why}", self.archive);
        Failure::new(Code::BAD_ARCHIVE, what)
            .at_argument("file")
            .help("an archive like this is broken, or made to do harm")
    }

    /// The failure of an archive that can't be read.
    pub(super) fn broken(&self, error: &io::Error) -> Failure {
        let text = error.to_string();
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
            _ if text.contains("EOF") || text.contains("entire block") => {
                "it ends too early".to_owned()
            }
            _ if text.contains("assword") => "it is encrypted".to_owned(),
            _ => pipe_oci::plain(error),
        };
        Failure::new(Code::BAD_ARCHIVE, format!("`{}` can't be unpacked: {why}", self.archive))
            .at_argument("file")
    }
}

/// Whether an error comes from reading the archive, not from writing files.
fn is_of_archive(error: &io::Error) -> bool {
    error.raw_os_error().is_none()
        && matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::InvalidData
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::Other
        )
}

/// Whether a link at a path points into the folder. Its `..` come first, so that no other link is
/// on the way back.
fn stays_inside(path: &Path, into: &Path, target: &str) -> bool {
    let mut depth = path.strip_prefix(into).map_or(0, |below| below.components().count());
    let mut forward = false;
    // The link's own name does not count.
    depth = depth.saturating_sub(1);
    for part in Path::new(target).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(_) => forward = true,
            Component::ParentDir if !forward && depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}
