//! The agent half of the cluster: it turns a definition into processes on this machine, watches
//! them and reports to the engine, as a Mesos agent and its executors do.

mod environment;
mod fetch;
mod image;
mod launch;
mod probe;
mod task;

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Capacity,
    error::Error,
    files, log,
    marathon::{
        app::{App, AppId},
        engine::Handle,
    },
    registry::Store,
};

pub(crate) use probe::{Answer, Probe};
pub(crate) use task::{TaskHandle, started};

/// A task to start.
pub(crate) struct Launch {
    /// Its id.
    pub(crate) task: String,
    /// What it is of.
    pub(crate) app: App,
    /// The host port of each of the app's ports.
    pub(crate) ports: Vec<Option<u16>>,
}

/// Starts tasks.
#[derive(Clone)]
pub(crate) struct Agent(Arc<Inner>);

struct Inner {
    /// `tasks`, `roots` and `images` below it.
    folder: PathBuf,
    /// This program, and the arguments that come before the file of a task.
    program: PathBuf,
    arguments: Vec<String>,
    store: Store,
    /// The address of the own registry: the only one that images come from.
    registry: String,
    capacity: Option<Capacity>,
    images: image::Unpacked,
    port_offset: u16,
}

impl Agent {
    /// An agent that keeps its files in a folder. Whatever a cluster left there that died is
    /// cleaned up.
    pub(crate) fn new(
        folder: &Path,
        program: PathBuf,
        arguments: Vec<String>,
        store: Store,
        registry: String,
        capacity: Option<Capacity>,
    ) -> Result<Self, Error> {
        for name in ["tasks", "roots", "images"] {
            let made = files::make_folder(&folder.join(name));
            made.map_err(|error| Error::at("make", &folder.join(name), &error))?;
        }
        task::end_leftovers(&folder.join("roots"));
        // Two clusters on one machine begin at different places of the same range of ports.
        let port_offset = crate::random::bytes::<2>().map_or(0, u16::from_ne_bytes) % 1000;
        Ok(Self(Arc::new(Inner {
            folder: folder.to_owned(),
            program,
            arguments,
            store,
            registry,
            capacity,
            images: image::Unpacked::default(),
            port_offset,
        })))
    }

    /// What tasks may use together.
    pub(crate) fn capacity(&self) -> Option<Capacity> {
        self.0.capacity
    }

    /// Where this cluster begins to look for free ports.
    pub(crate) fn port_offset(&self) -> u16 {
        self.0.port_offset
    }

    /// Starts a task; what becomes of it is told to the engine.
    pub(crate) fn launch(&self, launch: Launch, engine: Handle) -> TaskHandle {
        let (handle, orders) = TaskHandle::new();
        tokio::spawn(launch::run(self.clone(), launch, orders, engine));
        handle
    }

    /// The tasks that have folders here, by app, the newest last; the folders of others, and of
    /// more than `kept` of an app, are removed.
    pub(crate) fn ended_tasks<'a>(
        &self,
        apps: impl Iterator<Item = &'a AppId>,
        kept: usize,
    ) -> BTreeMap<AppId, VecDeque<String>> {
        let names: BTreeMap<String, &AppId> = apps.map(|app| (app.task_name(), app)).collect();
        let mut found: Vec<(std::time::SystemTime, String)> = Vec::new();
        for entry in std::fs::read_dir(self.folder_of_tasks()).into_iter().flatten().flatten() {
            let changed = entry.metadata().and_then(|found| found.modified());
            if let (Ok(changed), Ok(name)) = (changed, entry.file_name().into_string()) {
                found.push((changed, name));
            }
        }
        found.sort();
        let mut ended: BTreeMap<AppId, VecDeque<String>> = BTreeMap::new();
        for (_, task) in found {
            let app = task.split(".instance-").next().and_then(|name| names.get(name));
            let Some(app) = app else {
                self.remove_folder(&task);
                continue;
            };
            let tasks = ended.entry((*app).clone()).or_default();
            tasks.push_back(task);
            if tasks.len() > kept
                && let Some(oldest) = tasks.pop_front()
            {
                self.remove_folder(&oldest);
            }
        }
        ended
    }

    /// Removes the folder of a task.
    pub(crate) fn remove_folder(&self, task: &str) {
        let folder = self.sandbox(task);
        if let Err(error) = files::remove_tree(&folder) {
            log::line(format_args!("{}", Error::at("remove", &folder, &error)));
        }
    }

    fn folder_of_tasks(&self) -> PathBuf {
        self.0.folder.join("tasks")
    }

    /// The folder of a task, which it may fill.
    fn sandbox(&self, task: &str) -> PathBuf {
        self.folder_of_tasks().join(task)
    }

    /// What the agent itself keeps of a task while it runs.
    fn runtime(&self, task: &str) -> PathBuf {
        self.0.folder.join("roots").join(task)
    }
}
