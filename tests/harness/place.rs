//! A place for a test: a folder with a repository, state of its own, and nothing left at the end.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::Pipe;

/// A folder with files, and state of its own. The local cluster in it ends with it.
pub struct Place {
    top: tempfile::TempDir,
    cluster: bool,
}

impl Place {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let top = tempfile::Builder::new().prefix("pipe-test").tempdir().expect("a folder");
        fs::create_dir(top.path().join("work")).expect("a folder");
        fs::create_dir(top.path().join("home")).expect("a folder");
        Self { top, cluster: false }
    }

    /// One that holds a copy of an example.
    #[must_use]
    pub fn example(name: &str) -> Self {
        let place = Self::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        copy(&from, &place.work());
        place.commit();
        place
    }

    /// The folder of the Pipelinefile.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.top.path().join("work")
    }

    /// What stands for the user's home.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.top.path().join("home")
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Reads a file.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).expect("a file")
    }

    /// Makes the folder a git repository with one commit.
    pub fn commit(&self) {
        let script = "git init -q -b main . && git add -A && \
            git -c user.name=T -c user.email=t@example.com -c commit.gpgsign=false commit -q --allow-empty -m test";
        let done = Command::new("sh")
            .args(["-c", script])
            .current_dir(self.work())
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .status();
        assert!(done.is_ok_and(|status| status.success()), "git can commit");
    }

    /// A call of `pipe` here.
    #[must_use]
    pub fn pipe(&mut self, arguments: &[&str]) -> Pipe {
        self.cluster |= arguments.iter().any(|a| *a == "--local" || *a == "cluster");
        Pipe::new(&self.work(), &self.home(), arguments)
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.cluster {
            let _ = Pipe::new(&self.work(), &self.home(), &["cluster", "stop"]).answer();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        // What an earlier run has left is no part of the example.
        if [".pipe", "build"].contains(&&*entry.file_name().to_string_lossy()) {
            continue;
        }
        if entry.path().is_dir() {
            fs::create_dir_all(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}
