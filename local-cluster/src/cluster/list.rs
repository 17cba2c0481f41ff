//! What runs in a cluster, for people.

use std::{fs, path::PathBuf, time::SystemTime};

use serde_json::Value;

use super::{http, status};
use crate::{AppOverview, Error, Settings, TaskOverview};

/// The apps of the cluster that runs in a folder, by their ids, with their tasks; nothing when no
/// cluster runs.
///
/// # Errors
///
/// When the cluster does not answer.
pub fn tasks(settings: &Settings) -> Result<Option<Vec<AppOverview>>, Error> {
    let Some(running) = status(settings)? else {
        return Ok(None);
    };
    let path = "/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure";
    let failed = |why: String| Error::new(format!("the local cluster does not answer: {why}"));
    let body =
        http::get(&running.marathon, path).map_err(|error| failed(pipe_oci::plain(&error)))?;
    let body: Value = serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))?;
    let apps = body["apps"].as_array().into_iter().flatten();
    Ok(Some(apps.map(|app| read(app, settings)).collect()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn read(app: &Value, settings: &Settings) -> AppOverview {
    let count = |name: &str| app[name].as_u64().unwrap_or_default();
    let mut tasks: Vec<&Value> = items(&app["tasks"]).iter().collect();
    tasks.sort_by_key(|task| text(&task["stagedAt"]));
    let task = |task: &&Value| {
        let checks = items(&task["healthCheckResults"]);
        let host = text(&task["host"]);
        let ports = items(&task["ports"]).iter().filter_map(Value::as_u64);
        TaskOverview {
            id: text(&task["id"]),
            state: text(&task["state"]),
            healthy: (!checks.is_empty()).then(|| checks.iter().all(|c| c["alive"] == true)),
            addresses: ports.map(|port| format!("{host}:{port}")).collect(),
            folder: settings.tasks().join(text(&task["id"])),
        }
    };
    AppOverview {
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
