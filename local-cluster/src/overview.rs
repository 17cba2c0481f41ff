//! What runs, for people.

use std::path::PathBuf;

use serde_json::Value;

use crate::{
    error::Error,
    http,
    running::status,
    settings::Settings,
};

/// An app of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppOverview {
    /// Its id, `/product/web`.
    pub id: String,
    /// How many instances it should have.
    pub instances: u64,
    /// How many tasks run.
    pub running: u64,
    /// How many are healthy; nothing when the app has no health checks.
    pub healthy: Option<u64>,
    /// The image that it runs in, if it does.
    pub image: Option<String>,
    /// Whether a deployment is at work on it.
    pub deploying: bool,
    /// Its last failure, in Mesos's words.
    pub failure: Option<String>,
    /// Its tasks.
    pub tasks: Vec<TaskOverview>,
}

/// A task of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOverview {
    /// Its id.
    pub id: String,
    /// `TASK_RUNNING` and so on.
    pub state: String,
    /// Where it answers, `127.0.0.1:PORT`, one for each port.
    pub addresses: Vec<String>,
    /// The file of what it writes to standard output.
    pub stdout: PathBuf,
    /// The file of what it writes to standard error.
    pub stderr: PathBuf,
}

/// The apps of the cluster of a folder with their tasks; nothing when none runs.
///
/// # Errors
///
/// When a cluster runs but does not answer.
pub fn tasks(settings: &Settings) -> Result<Option<Vec<AppOverview>>, Error> {
    let Some(running) = status(settings)? else {
        return Ok(None);
    };
    let path = "/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure";
    let apps = http::get(&running.marathon, path).map_err(|error| {
        let why = pipe_oci::plain(&error);
        Error::new(format!("the local cluster does not answer at {}: {why}", running.marathon))
    })?;
    let apps = apps["apps"].as_array().into_iter().flatten();
    Ok(Some(apps.map(|app| overview(settings, app)).collect()))
}

fn overview(settings: &Settings, app: &Value) -> AppOverview {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |name: &str| app[name].as_u64().unwrap_or(0);
    let task = |task: &Value| {
        let id = text(&task["id"]);
        let folder = settings.tasks_folder().join(&id);
        let host = text(&task["host"]);
        let ports = task["ports"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        TaskOverview {
            state: text(&task["state"]),
            addresses: ports.map(|port| format!("{host}:{port}")).collect(),
            stdout: folder.join("stdout"),
            stderr: folder.join("stderr"),
            id,
        }
    };
    let list = |name: &str| app[name].as_array().map_or(&[][..], Vec::as_slice);
    AppOverview {
        id: text(&app["id"]),
        instances: number("instances"),
        running: number("tasksRunning"),
        healthy: (!list("healthChecks").is_empty()).then(|| number("tasksHealthy")),
        image: app.pointer("/container/docker/image").map(text),
        deploying: !list("deployments").is_empty(),
        failure: app.pointer("/lastTaskFailure/message").map(text),
        tasks: list("tasks").iter().map(task).collect(),
    }
}
