//! What the run has left outside: images, deployments, artifacts.

use std::{collections::BTreeMap, fs, path::Path};

use indexmap::IndexMap;
use pipe_stdlib::core::Intent;
use serde_json::Value as Json;

use super::facts::table;
use crate::report::trail::Trail;

/// Images and deployments.
pub(super) fn outside(trail: &Trail) -> String {
    let mut out = table("Images", &["Image", "Digest", "Tags"], &images(trail));
    let columns = ["App", "Marathon", "Version", "Deployment", "Ran before"];
    out.push_str(&table("Deployments", &columns, &deployments(trail)));
    let tasks: Vec<[String; 2]> = trail
        .summary
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Intent::Task { mesos, framework } => Some([framework.clone(), mesos.clone()]),
            _ => None,
        })
        .collect();
    out.push_str(&table("Tasks", &["Framework", "Mesos"], &tasks));
    out
}

/// The images that steps and stages gave, each once; then those that were only begun.
fn images(trail: &Trail) -> Vec<[String; 3]> {
    let mut found: IndexMap<String, [String; 3]> = IndexMap::new();
    for stage in &trail.stages {
        for step in &stage.steps {
            step.value.iter().for_each(|value| image(value, &mut found));
        }
        stage.outputs.values().for_each(|value| image(value, &mut found));
    }
    for effect in &trail.summary.effects {
        if let Intent::Image { reference } | Intent::Push { reference } = effect
            && !found.values().any(|[image, _, tags]| {
                image == reference || tags.split(' ').any(|tag| tag == reference)
            })
        {
            found
                .entry(reference.clone())
                .or_insert_with(|| [reference.clone(), String::new(), String::new()]);
        }
    }
    // Built first and pushed later is one image: the one with the digest tells more.
    let pushed: Vec<String> = found
        .values()
        .filter(|[_, digest, _]| !digest.is_empty())
        .flat_map(|[.., tags]| tags.split(' ').map(str::to_owned))
        .collect();
    found.retain(|reference, [_, digest, _]| !digest.is_empty() || !pushed.contains(reference));
    found.into_values().collect()
}

/// Takes what is an image, as `docker.push` gives it.
fn image(value: &Json, found: &mut IndexMap<String, [String; 3]>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| image(item, found)),
        Json::Object(fields) => {
            let text =
                |name: &str| fields.get(name).and_then(Json::as_str).unwrap_or("").to_owned();
            if !fields.contains_key("digest") || text("reference").is_empty() {
                return;
            }
            let tags = fields.get("tags").and_then(Json::as_array);
            let tags: Vec<&str> = tags.into_iter().flatten().filter_map(Json::as_str).collect();
            let row = [text("reference"), text("digest"), tags.join(" ")];
            found.insert(text("reference"), row);
        }
        _ => {}
    }
}

fn deployments(trail: &Trail) -> Vec<[String; 5]> {
    let mut rows: Vec<[String; 5]> = Vec::new();
    for effect in &trail.summary.effects {
        let row = |rows: &mut Vec<[String; 5]>, wanted: &str| {
            rows.iter().rposition(|row| row[0] == wanted)
        };
        match effect {
            Intent::Deploy { marathon, app, previous } => rows.push([
                app.clone(),
                marathon.clone(),
                String::new(),
                String::new(),
                previous.clone().unwrap_or_else(|| "new".to_owned()),
            ]),
            Intent::Deployment { app, id, version } => {
                if let Some(row) = row(&mut rows, app) {
                    rows[row][2].clone_from(version);
                    rows[row][3].clone_from(id);
                }
            }
            Intent::Rollback { app, to } => {
                let to = to.as_ref().map_or("nothing", |to| to);
                let text = format!("led back to {to}");
                match row(&mut rows, app) {
                    Some(row) => rows[row][3] = text,
                    None => {
                        rows.push([app.clone(), String::new(), to.to_owned(), text, String::new()])
                    }
                }
            }
            _ => {}
        }
    }
    rows
}

/// What is known of an artifact.
#[derive(serde::Deserialize)]
struct Artifact {
    stage: String,
    files: BTreeMap<String, u64>,
}

/// The artifacts that lie with the run.
pub(super) fn artifacts(folder: &Path) -> String {
    /// So many files of one are named.
    const MOST: usize = 20;
    let mut rows = Vec::new();
    let mut names: Vec<_> = fs::read_dir(folder.join("artifacts"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    names.sort();
    for path in names {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let Some(Artifact { stage, files }) = known else { continue };
        let mut shown: Vec<&str> = files.keys().map(String::as_str).take(MOST).collect();
        let more = format!("and {} more", files.len().saturating_sub(MOST));
        if files.len() > MOST {
            shown.push(&more);
        }
        let size = super::logs::size(files.values().sum());
        rows.push([name, stage, size, shown.join("\n")]);
    }
    table("Artifacts", &["Name", "Stage", "Size", "Files"], &rows)
}
