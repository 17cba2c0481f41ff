//! What runs in a cluster, for people.

use std::{fs, path::PathBuf, time::SystemTime};

use serde_json::Value;

use super::{Settings, http, status};
use crate::error::Error;

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id: `/product/web`.
    pub id: String,
    /// Its image, if it has one.
    pub image: Option<String>,
    /// Its version.
    pub version: String,
    /// How many of it shall run.
    pub instances: u64,
    /// How many run.
    pub running: u64,
    /// How many are healthy; without health checks, nobody knows.
    pub healthy: Option<u64>,
    /// Whether a deployment works on it.
    pub deploying: bool,
    /// What was said of its last task that failed.
    pub last_failure: Option<String>,
    /// Its tasks, the oldest first.
    pub tasks: Vec<Task>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its state, by Mesos's names: `TASK_RUNNING`.
    pub state: String,
    /// Whether its health checks say that it is well; before the first result, nothing.
    pub healthy: Option<bool>,
    /// Where it answers: `127.0.0.1:31000`, one for each port.
    pub addresses: Vec<String>,
    /// Its folder, with the files `stdout` and `stderr`.
    pub folder: PathBuf,
}

/// The apps of the cluster that runs in a folder, by their ids; none when none runs.
///
/// # Errors
///
/// When the cluster does not answer.
pub fn apps(settings: &Settings) -> Result<Vec<App>, Error> {
    let Some(running) = status(settings)? else {
        return Ok(Vec::new());
    };
    let path = "/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure";
    let failed = |why: String| Error::new(format!("the local cluster does not answer: {why}"));
    let body =
        http::get(&running.marathon, path).map_err(|error| failed(pipe_oci::plain(&error)))?;
    let body: Value = serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))?;
    let apps = body["apps"].as_array().into_iter().flatten();
    Ok(apps.map(|app| read(app, settings)).collect())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn read(app: &Value, settings: &Settings) -> App {
    let count = |name: &str| app[name].as_u64().unwrap_or_default();
    let mut tasks: Vec<&Value> = items(&app["tasks"]).iter().collect();
    tasks.sort_by_key(|task| text(&task["stagedAt"]));
    let task = |task: &&Value| {
        let checks = items(&task["healthCheckResults"]);
        let host = text(&task["host"]);
        let ports = items(&task["ports"]).iter().filter_map(Value::as_u64);
        Task {
            id: text(&task["id"]),
            state: text(&task["state"]),
            healthy: (!checks.is_empty()).then(|| checks.iter().all(|c| c["alive"] == true)),
            addresses: ports.map(|port| format!("{host}:{port}")).collect(),
            folder: settings.tasks().join(text(&task["id"])),
        }
    };
    App {
        id: text(&app["id"]),
        image: app["container"]["docker"]["image"].as_str().map(str::to_owned),
        version: text(&app["version"]),
        instances: count("instances"),
        running: count("tasksRunning"),
        healthy: (!items(&app["healthChecks"]).is_empty()).then(|| count("tasksHealthy")),
        deploying: !items(&app["deployments"]).is_empty(),
        last_failure: app["lastTaskFailure"]["message"].as_str().map(str::to_owned),
        tasks: tasks.iter().map(task).collect(),
    }
}

/// The folders of an app's tasks, the newest last: of those that run, and of the last ones that
/// have ended. Each holds the files `stdout` and `stderr`. Also when no cluster runs.
#[must_use]
pub fn task_folders(settings: &Settings, app: &str) -> Vec<PathBuf> {
    let parts: Vec<&str> = app.split('/').filter(|part| !part.is_empty()).collect();
    let prefix = format!("{}.instance-", parts.join("_"));
    let entries = fs::read_dir(settings.tasks()).into_iter().flatten().flatten();
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .filter_map(|entry| {
            // Written once, when the task begins; the folder itself changes with every file.
            let begun =
                fs::metadata(entry.path()).and_then(|found| found.created().or(found.modified()));
            Some((begun.ok()?, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, folder)| folder).collect()
}
