//! The folders of tasks, as a Mesos agent shows them (`files/files.cpp`, `docs/sandbox.md`): the
//! path of a task's folder is `/tasks/<task id>`. A real agent serves this on a port of its own.

use std::{
    fs::{self, File, Metadata},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::{
    Api,
    answer::{Answer, ok},
    query::Parameters,
};
use crate::marathon::error::Refusal;

/// What one reading gives at most: 16 pages, as Mesos.
const LENGTH: u64 = 16 * 4096;

fn bad(text: &str) -> Refusal {
    Refusal::message(StatusCode::BAD_REQUEST, text)
}

fn not_found() -> Refusal {
    Refusal::message(StatusCode::NOT_FOUND, "Not Found")
}

/// The file that a path means. What leads out of the task's folder is not found.
fn find(api: &Api, parameters: &Parameters) -> Result<(PathBuf, Metadata), Refusal> {
    let path = parameters.first("path").filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| bad("Expecting 'path=value' in query."))?;
    let inside = path.strip_prefix("/tasks/").ok_or_else(not_found)?;
    let mut parts = Path::new(inside).components();
    let Some(Component::Normal(task)) = parts.next() else {
        return Err(not_found());
    };
    if !parts.clone().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(not_found());
    }
    let folder = api.tasks.join(task).canonicalize().map_err(|_| not_found())?;
    let file = folder.join(parts.as_path()).canonicalize().map_err(|_| not_found())?;
    // A task can make links; they lead nowhere else.
    if !file.starts_with(&folder) || folder.parent() != api.tasks.canonicalize().ok().as_deref() {
        return Err(not_found());
    }
    let found = fs::metadata(&file).map_err(|_| not_found())?;
    Ok((file, found))
}

/// `GET /files/read`: a piece of a file; with `offset=-1` its size.
pub(super) async fn read(State(api): State<Api>, parameters: Parameters) -> Answer {
    let number = |name: &str, default: i64| match parameters.first(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            bad(&format!("Failed to parse {name}: Failed to convert '{text}' to number"))
        }),
    };
    let (offset, length) = (number("offset", -1)?, number("length", -1)?);
    if offset < -1 {
        return Err(bad(&format!("Negative offset provided: {offset}")));
    }
    if length < -1 {
        return Err(bad(&format!("Negative length provided: {length}")));
    }
    let read = tokio::task::spawn_blocking(move || {
        let (file, found) = find(&api, &parameters)?;
        if found.is_dir() {
            return Err(bad("Cannot read a directory"));
        }
        if !found.is_file() {
            return Err(not_found());
        }
        let Ok(start) = u64::try_from(offset) else {
            return Ok(json!({ "data": "", "offset": found.len() }));
        };
        let length = u64::try_from(length).unwrap_or(LENGTH).min(LENGTH);
        let mut bytes = Vec::new();
        let read = File::open(&file).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.take(length).read_to_end(&mut bytes)
        });
        read.map_err(|_| not_found())?;
        Ok(json!({ "data": String::from_utf8_lossy(&bytes), "offset": start }))
    });
    ok(read.await.map_err(|_| not_found())??)
}

/// `GET /files/browse`: what is in a folder.
pub(super) async fn browse(State(api): State<Api>, parameters: Parameters) -> Answer {
    let listed = tokio::task::spawn_blocking(move || {
        let path = parameters.first("path").unwrap_or_default().trim_end_matches('/').to_owned();
        let (folder, found) = find(&api, &parameters)?;
        if !found.is_dir() {
            return Ok(Vec::new());
        }
        let mut entries: Vec<_> = fs::read_dir(folder)
            .map_err(|_| not_found())?
            .filter_map(|entry| {
                Some((entry.as_ref().ok()?.file_name(), entry.ok()?.metadata().ok()?))
            })
            .collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entry = |(name, found): (std::ffi::OsString, Metadata)| {
            json!({
                "gid": found.gid().to_string(),
                "mode": mode(&found),
                "mtime": found.mtime(),
                "nlink": found.nlink(),
                "path": format!("{path}/{}", name.to_string_lossy()),
                "size": found.len(),
                "uid": found.uid().to_string(),
            })
        };
        Ok::<Vec<Value>, Refusal>(entries.into_iter().map(entry).collect())
    });
    ok(Value::Array(listed.await.map_err(|_| not_found())??))
}

/// `GET /files/download`: a whole file.
pub(super) async fn download(State(api): State<Api>, parameters: Parameters) -> Answer {
    let (file, found) = find(&api, &parameters)?;
    if !found.is_file() {
        return Err(bad("Cannot download a directory"));
    }
    let open = tokio::fs::File::open(&file).await.map_err(|_| not_found())?;
    let body = axum::body::Body::from_stream(tokio_util::io::ReaderStream::new(open));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// `-rw-r--r--`.
fn mode(found: &Metadata) -> String {
    let kind = if found.is_dir() {
        'd'
    } else if found.is_symlink() {
        'l'
    } else {
        '-'
    };
    let bits = found.mode();
    let bit =
        |(place, letter): (u32, char)| if bits >> (8 - place) & 1 == 1 { letter } else { '-' };
    std::iter::once(kind).chain((0..).zip("rwxrwxrwx".chars()).map(bit)).collect()
}
