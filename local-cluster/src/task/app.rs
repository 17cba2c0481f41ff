//! Starting the app, and commands beside it.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use rustix::thread::UnshareFlags;

use super::{
    identity::Identity,
    spec::Spec,
    unsafe_calls::{run_as, unshare},
};

/// How the app is run.
pub(super) struct Runner {
    environment: Vec<(String, String)>,
    folder: std::path::PathBuf,
    /// Set by the kernel when a program starts: only root can.
    switch: Option<(u32, u32)>,
}

impl Runner {
    /// Works out who runs the app and takes on what can be taken on before.
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let mut runner = Self {
            environment: spec.environment.clone(),
            folder: spec.folder.clone(),
            switch: None,
        };
        let own_user = inside_user_namespace();
        let identity = match (&spec.image, spec.user.as_str()) {
            (None, "") => None,
            (_, user) => Some(Identity::find(user)?),
        };
        let set = runner.environment.iter().any(|(name, _)| name == "HOME");
        if let Some(identity) = identity.as_ref().filter(|_| !set) {
            runner.environment.push(("HOME".into(), identity.home.clone()));
        }
        match (identity, own_user) {
            (Some(identity), None) => {
                let group = rustix::thread::Gid::from_raw;
                let groups: Vec<_> = identity.groups.iter().map(|gid| group(*gid)).collect();
                rustix::thread::set_thread_groups(&groups)
                    .map_err(|error| format!("can't set the groups of the task: {error}"))?;
                runner.switch = (identity.user != 0 || identity.group != 0)
                    .then_some((identity.user, identity.group));
            }
            (None, None) => {}
            // One user is all there is: it takes on the number that is asked for.
            (identity, Some((user, group))) => {
                let (as_user, as_group) = match (&spec.image, identity) {
                    (Some(_), Some(identity)) => (identity.user, identity.group),
                    (_, Some(identity)) if identity.user != user => {
                        return Err(format!(
                            "the app is to run as `{}`, but the local cluster runs as user {user} and can't become another",
                            spec.user
                        ));
                    }
                    _ => (user, group),
                };
                appear_as(as_user, as_group)?;
            }
        }
        Ok(runner)
    }

    /// A program with everything but its arguments and output.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .process_group(0);
        if let Some((user, group)) = self.switch {
            run_as(&mut command, user, group);
        }
        command
    }

    /// Goes to the folder of the app, whose processes begin there: also one that the app's user
    /// could not go to by its path. One of an image that is not there is made, as Docker does.
    pub(super) fn enter_folder(&self, make: bool) -> Result<(), String> {
        let made = make && !self.folder.exists() && std::fs::create_dir_all(&self.folder).is_ok();
        if let (true, Some((user, group))) = (made, self.switch) {
            let _ = std::os::unix::fs::chown(&self.folder, Some(user), Some(group));
        }
        std::env::set_current_dir(&self.folder).map_err(|error| {
            format!("can't go to `{}`: {}", self.folder.display(), pipe_oci::plain(&error))
        })
    }

    /// The file that a program's name means, by the app's own search path.
    pub(super) fn program(&self, name: &str) -> Result<String, io::ErrorKind> {
        let is_program =
            |path: &Path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
        if name.contains('/') {
            return Ok(name.to_owned());
        }
        let path = self.environment.iter().rev().find(|(variable, _)| variable == "PATH");
        let found = path
            .into_iter()
            .flat_map(|(_, folders)| folders.split(':'))
            .map(|folder| Path::new(folder).join(name))
            .find(|file| file.is_file() && is_program(file));
        found.map(|file| file.to_string_lossy().into_owned()).ok_or(io::ErrorKind::NotFound)
    }
}

/// The user and group outside, when this process is root only of a user namespace with one user.
fn inside_user_namespace() -> Option<(u32, u32)> {
    let outside = |file: &str| {
        let map = std::fs::read_to_string(file).ok()?;
        let numbers: Vec<u32> =
            map.split_whitespace().filter_map(|text| text.parse().ok()).collect();
        match numbers[..] {
            [_, outside, 1] => Some(outside),
            _ => None,
        }
    };
    // Without the file this process is in the namespace of the machine, or no `/proc` tells.
    Some((outside("/proc/self/uid_map")?, outside("/proc/self/gid_map")?))
}

/// Gives the one user of this namespace another number, in a namespace below it.
fn appear_as(user: u32, group: u32) -> Result<(), String> {
    if (user, group) == (0, 0) {
        return Ok(());
    }
    let failed =
        |error: io::Error| format!("can't run the app as user {user}: {}", pipe_oci::plain(&error));
    unshare(UnshareFlags::NEWUSER).map_err(failed)?;
    std::fs::write("/proc/self/uid_map", format!("{user} 0 1")).map_err(failed)?;
    std::fs::write("/proc/self/gid_map", format!("{group} 0 1")).map_err(failed)
}
