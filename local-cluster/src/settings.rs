//! How a cluster runs.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// How a cluster runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it keeps its state; nobody but its user may enter it. One folder is one cluster.
    pub folder: PathBuf,
    /// How long a second of an app's definition lasts: intervals, timeouts, grace periods and
    /// delays. Shorter ones make tests short.
    pub second: Duration,
    /// Processors and MiB of memory that all tasks together may ask for; nothing: as many as they
    /// like.
    pub capacity: Option<(f64, f64)>,
    /// The arguments with which the program runs [`task_main`](crate::task_main), before the path.
    pub task_arguments: Vec<String>,
    /// The arguments with which the program runs [`serve`](crate::serve), before the folder.
    pub serve_arguments: Vec<String>,
}

impl Settings {
    /// The usual settings with a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            folder: folder.into(),
            second: Duration::from_secs(1),
            capacity: None,
            task_arguments: words(&["cluster", "task"]),
            serve_arguments: words(&["cluster", "serve", "--folder"]),
        }
    }

    /// The file that says where a running cluster is.
    pub(crate) fn address_file(&self) -> PathBuf {
        self.folder.join("cluster.json")
    }

    /// The file that a running cluster holds a lock on.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder.join("cluster.lock")
    }

    /// What a running cluster says of itself.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.join("cluster.log")
    }

    /// The folders of tasks: `TASK/stdout` and `TASK/stderr` hold what they wrote.
    #[must_use]
    pub fn tasks_folder(&self) -> PathBuf {
        self.folder.join("tasks")
    }
}

/// Where a cluster keeps its state when nobody says otherwise: `$XDG_STATE_HOME/pipe/cluster`,
/// else `$HOME/.local/state/pipe/cluster`, else below the folder for temporary files.
#[must_use]
pub fn default_folder() -> PathBuf {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".local/state")))
        .map(|state| state.join("pipe/cluster"));
    let user = rustix::process::geteuid().as_raw();
    state.unwrap_or_else(|| env::temp_dir().join(format!("pipe-cluster-{user}")))
}

/// A folder as an absolute path, also one that is not there yet.
pub(crate) fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
