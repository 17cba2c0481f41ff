//! The files of a stage, for built-ins that read them: those of this machine, or a copy of those
//! that patterns mean where the stage's commands run.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use pipe_grammar::Code;

use super::{Call, Failure, World};

/// Where the files of a stage are found.
pub struct Brought {
    /// The machine, with the copy as its folder if there is one.
    pub world: World,
    /// The folder that patterns start in.
    pub dir: PathBuf,
    /// The copy, which goes with it.
    _copy: Option<tempfile::TempDir>,
}

impl Call<'_> {
    /// Brings the files that patterns mean here, unless they are here anyway.
    ///
    /// # Errors
    ///
    /// When they can't be brought.
    pub async fn bring(&self, patterns: &[String]) -> Result<Brought, Failure> {
        let remote = self.session.filter(|session| session.is_remote());
        let Some(session) = remote else {
            let (world, dir) = (self.world.clone(), self.dir.to_path_buf());
            return Ok(Brought { world, dir, _copy: None });
        };
        let unkept = |error: io::Error| {
            let why = pipe_oci::plain(&error);
            Failure::infrastructure(Code::UNWRITABLE_FILE, format!("files can't be kept: {why}"))
        };
        fs::create_dir_all(self.run_folder).map_err(unkept)?;
        let copy = tempfile::tempdir_in(self.run_folder).map_err(unkept)?;
        session.bring(self.dir, patterns, copy.path(), self.cancel).await?;
        let root = copy.path().to_path_buf();
        let left_out = without_ways_out(&root).map_err(unkept)?;
        for link in left_out {
            self.report.say(&format!("left out `{link}`: it is a link that leads elsewhere"));
        }
        let below = self.dir.strip_prefix(self.world.root()).unwrap_or(self.dir);
        let environment = self.world.environment().clone();
        Ok(Brought {
            world: World::new(root.clone(), root.clone(), environment),
            dir: root.join(below),
            _copy: Some(copy),
        })
    }
}

/// Removes the symbolic links that lead out of a folder, and gives their paths: what a command
/// elsewhere has made must not name files of this machine.
fn without_ways_out(root: &Path) -> io::Result<Vec<String>> {
    let mut removed = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_symlink() && leads_out(root, &folder, &fs::read_link(&path)?) {
                fs::remove_file(&path)?;
                removed.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
            }
        }
    }
    removed.sort();
    Ok(removed)
}

/// Whether a link in a folder leads out of `root`, by its words alone: each link on its way is
/// looked at itself. Behind a name, which may be a link, `..` is anywhere.
fn leads_out(root: &Path, folder: &Path, target: &Path) -> bool {
    let Ok(below) = folder.strip_prefix(root) else { return true };
    let mut depth = below.components().count();
    let mut named = false;
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(_) => named = true,
            Component::ParentDir if depth > 0 && !named => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        symlink("../x", path("a/inside")).unwrap();
        symlink("nothing-yet", path("a/b/loose")).unwrap();
        symlink("/etc/passwd", path("root")).unwrap();
        symlink("../../x", path("a/out")).unwrap();
        symlink("b/../../x", path("a/round")).unwrap();
        assert_eq!(without_ways_out(folder.path()).unwrap(), ["a/out", "a/round", "root"]);
        assert!(fs::symlink_metadata(path("a/inside")).is_ok());
        assert!(fs::symlink_metadata(path("a/b/loose")).is_ok());
    }
}
