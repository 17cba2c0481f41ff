//! The files of a stage, for built-ins that read them: those of this machine, or a copy of those
//! that patterns mean where the stage's commands run.

use std::{fs, path::PathBuf};

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
        let unkept = |error: std::io::Error| {
            let why = pipe_oci::plain(&error);
            Failure::infrastructure(Code::UNWRITABLE_FILE, format!("files can't be kept: {why}"))
        };
        fs::create_dir_all(self.run_folder).map_err(unkept)?;
        let copy = tempfile::tempdir_in(self.run_folder).map_err(unkept)?;
        session.bring(self.dir, patterns, copy.path(), self.cancel).await?;
        let root = copy.path().to_path_buf();
        let below = self.dir.strip_prefix(self.world.root()).unwrap_or(self.dir);
        let environment = self.world.environment().clone();
        Ok(Brought {
            world: World::new(root.clone(), root.clone(), environment),
            dir: root.join(below),
            _copy: Some(copy),
        })
    }
}
