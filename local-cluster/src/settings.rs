//! Where a cluster is, and how it goes about.

use std::{env, path::PathBuf, time::Duration};

/// Where a cluster is, and how it goes about.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that it keeps everything in. One folder, one cluster.
    pub folder: PathBuf,
    /// How long a second of an app's definition lasts: the intervals of health checks, delays
    /// after failures, the grace before a KILL. Tests make it short. Only [`serve`](crate::serve)
    /// reads it.
    pub second: Duration,
    /// What all tasks together may reserve; without it as many run as are asked for. Only
    /// [`serve`](crate::serve) reads it.
    pub capacity: Option<Capacity>,
}

/// What tasks may reserve together. Nothing keeps them from using more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Processors.
    pub cpus: f64,
    /// Memory in MiB.
    pub mem: f64,
}

impl Settings {
    /// A cluster in a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), second: Duration::from_secs(1), capacity: None }
    }

    /// What the cluster's process writes about itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("cluster.log")
    }

    /// The folders of tasks, which hold their `stdout` and `stderr`.
    #[must_use]
    pub fn tasks(&self) -> PathBuf {
        self.folder.join("tasks")
    }
}

/// The folder of the user's own cluster: `$PIPE_CLUSTER_DIR`, else `pipe/cluster` in
/// `$XDG_STATE_HOME`, else in `~/.local/state`, else a folder by the user's number among the
/// temporary files.
#[must_use]
pub fn default_folder() -> PathBuf {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let state = || {
        set("XDG_STATE_HOME")
            .filter(absolute)
            .or_else(|| set("HOME").filter(absolute).map(|home| home.join(".local/state")))
            .map(|state| state.join("pipe/cluster"))
    };
    let temporary = || {
        let user = rustix::process::geteuid().as_raw();
        env::temp_dir().join(format!("pipe-cluster-{user}"))
    };
    let folder = set("PIPE_CLUSTER_DIR").or_else(state).unwrap_or_else(temporary);
    // Other processes are told of it, which run elsewhere.
    std::path::absolute(&folder).unwrap_or(folder)
}
