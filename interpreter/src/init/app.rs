//! Definitions of Marathon apps.

use std::path::Path;

use serde_json::Value as Json;

use super::survey::{entries, read};

/// A definition of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct App {
    /// Its file, relative to the repository.
    pub(super) path: String,
    /// Its id.
    pub(super) id: Option<String>,
    /// The image it runs, as written.
    pub(super) image: Option<String>,
}

/// The definitions in a folder of the repository (`prefix` is empty, or ends with `/`), and in
/// its folder `marathon`.
pub(super) fn look(folder: &Path, prefix: &str) -> Vec<App> {
    let mut found = Vec::new();
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name == "marathon" {
            found.extend(look(&path, &format!("{prefix}{name}/")));
        } else if let Some(app) = definition(&path, &name, prefix) {
            found.push(app);
        }
    }
    found
}

fn definition(path: &Path, name: &str, prefix: &str) -> Option<App> {
    if !name.ends_with(".json") {
        return None;
    }
    let text = read(path)?;
    let path = format!("{prefix}{name}");
    let Ok(json) = serde_json::from_str::<Json>(&text) else {
        // A file that is broken is told of by the check, if it is meant to be a definition.
        return (name == "marathon.json").then_some(App { path, id: None, image: None });
    };
    let has = |field: &str| json.get(field).is_some();
    let runs = has("cmd") || has("args") || has("container");
    let id = json.get("id").and_then(Json::as_str)?;
    let is_app = runs && (has("cpus") || has("mem") || has("instances") || has("healthChecks"));
    if !is_app && name != "marathon.json" {
        return None;
    }
    let image = json.pointer("/container/docker/image").and_then(Json::as_str);
    Some(App { path, id: Some(id.to_owned()), image: image.map(str::to_owned) })
}
