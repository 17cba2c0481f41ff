//! A tree of files of a stage's own: a copy of the shared one, or of the commit.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use pipe_grammar::{Code, tree::WorkspaceKind};
use pipe_stdlib::core::{Failure, World};
use tokio_util::sync::CancellationToken;

use super::{FOLDER, plain};

/// A tree of a stage's own; gone when it is dropped.
pub(super) struct Tree {
    folder: PathBuf,
    /// The world in it.
    pub(super) world: Arc<World>,
}

impl Tree {
    /// Makes the tree of a stage in a folder, which must not be there.
    ///
    /// # Errors
    ///
    /// When it can't be made: no room, no commit.
    pub(super) async fn make(
        world: &Arc<World>,
        folder: PathBuf,
        kind: WorkspaceKind,
        cancel: &CancellationToken,
    ) -> Result<Self, Failure> {
        let tree = Self { world: Arc::new(world.moved(&folder)), folder };
        let (from, to) = (world.repository().to_path_buf(), tree.folder.clone());
        let (cancel, moved) = (cancel.clone(), tree.world.clone());
        let work = tokio::task::spawn_blocking(move || {
            let copied = match kind {
                WorkspaceKind::Own => copy(&from, &to, &cancel),
                WorkspaceKind::Clean => fs::create_dir_all(&to)
                    .and_then(|()| copy_git(&from.join(".git"), &to.join(".git"), &cancel)),
            };
            copied.map_err(|error| {
                let what = format!("a copy of the files can't be made: {}", plain(&error));
                Failure::infrastructure(Code::INTERNAL, what)
            })?;
            match kind {
                WorkspaceKind::Own => Ok(()),
                WorkspaceKind::Clean => pipe_stdlib::git::check_out(&moved),
            }
        });
        match work.await {
            Ok(done) => done.map(|()| tree),
            Err(_) => Err(Failure::infrastructure(Code::INTERNAL, "the copy was not finished")),
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Copies a tree, without our own records and without what is neither a file, a folder nor a link.
fn copy(from: &Path, to: &Path, cancel: &CancellationToken) -> io::Result<()> {
    if cancel.is_cancelled() {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled"));
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let (from, to) = (entry.path(), to.join(&name));
        if name == FOLDER {
            continue;
        }
        if kind.is_dir() && name == ".git" {
            copy_git(&from, &to, cancel)?;
        } else if kind.is_dir() {
            copy(&from, &to, cancel)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if kind.is_file() {
            copy_file(&from, &to)?;
        }
    }
    let meta = fs::metadata(from)?;
    fs::set_permissions(to, fs::Permissions::from_mode(meta.mode() & 0o7777))
}

/// Copies a file, sharing its blocks where the file system can; the time is kept for tools that
/// build what has changed.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let source = File::open(from)?;
    let target = File::create(to)?;
    if rustix::fs::ioctl_ficlone(&target, &source).is_err() {
        io::copy(&mut &source, &mut &target)?;
    }
    let meta = source.metadata()?;
    target.set_permissions(fs::Permissions::from_mode(meta.mode() & 0o7777))?;
    target.set_modified(meta.modified()?)
}

/// Copies a `.git`. Its objects never change, and are linked where they can be.
fn copy_git(from: &Path, to: &Path, cancel: &CancellationToken) -> io::Result<()> {
    if from.is_file() {
        // A linked work tree: it names its repository.
        return copy_file(from, to);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match (entry.file_type()?.is_dir(), entry.file_name() == "objects") {
            (true, true) => link(&from, &to, cancel)?,
            (true, false) => copy(&from, &to, cancel)?,
            (false, _) => copy_file(&from, &to)?,
        }
    }
    Ok(())
}

fn link(from: &Path, to: &Path, cancel: &CancellationToken) -> io::Result<()> {
    if cancel.is_cancelled() {
        return Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled"));
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link(&from, &to, cancel)?;
        } else if fs::hard_link(&from, &to).is_err() {
            copy_file(&from, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;

    #[tokio::test]
    async fn a_copy_has_everything_but_our_records_and_goes() {
        let top = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = top.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("sub/Pipelinefile", "");
        write("sub/run.sh", "x");
        write("sub/.pipe/runs/r/a.log", "log");
        write(".git/objects/aa/bb", "object");
        write(".git/index", "index");
        symlink("run.sh", top.path().join("sub/link")).unwrap();
        let script = top.path().join("sub/run.sh");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let root = top.path().join("sub");
        let world = Arc::new(World::new(root, top.path().to_owned(), BTreeMap::new()));
        let folder = top.path().join("sub/.pipe/runs/r/work/a");
        let cancel = CancellationToken::new();
        let tree = Tree::make(&world, folder.clone(), WorkspaceKind::Own, &cancel).await.unwrap();
        let root = tree.world.root().to_path_buf();
        assert_eq!(root, folder.join("sub"));
        assert_eq!(fs::metadata(root.join("run.sh")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("run.sh"));
        assert!(!root.join(".pipe").exists());
        let object = |folder: &Path| fs::metadata(folder.join(".git/objects/aa/bb")).unwrap().ino();
        assert_eq!(object(&folder), object(top.path()));
        let index = |folder: &Path| fs::metadata(folder.join(".git/index")).unwrap().ino();
        assert_ne!(index(&folder), index(top.path()));
        drop(tree);
        assert!(!folder.exists());
    }
}
