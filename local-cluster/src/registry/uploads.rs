//! Blobs on their way here, written to the disk as they come.

use std::path::PathBuf;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use pipe_oci::Digest;
use tokio::{fs, io::AsyncWriteExt};

use super::{
    answer::{Query, Refusal, blocking},
    store::Store,
};
use crate::random;

/// Begins an upload; with `mount` there may be nothing to send, with `digest` all is here already.
pub(super) async fn begin(
    store: &Store,
    name: String,
    query: &Query,
    body: Body,
) -> Result<Response, Refusal> {
    if let (Some(mount), from) = (query.get("mount"), query.get("from")) {
        let digest: Digest = mount.parse().map_err(|_| Refusal::invalid_digest(mount))?;
        if from.is_some_and(|from| super::name::is_name(from) && store.has_blob(from, &digest)) {
            let linked = (store.clone(), name.clone());
            blocking(move || Ok(linked.0.link_blob(&linked.1, &digest)?)).await?;
            return Ok(created(&name, &digest));
        }
    }
    let id = random::uuid();
    fs::File::create(store.upload(&id)).await?;
    if let Some(digest) = query.get("digest") {
        let digest = digest.parse().map_err(|_| Refusal::invalid_digest(digest))?;
        write(store, &id, body).await?;
        return keep(store, name, id, digest).await;
    }
    let headers = [
        (header::LOCATION, format!("/v2/{name}/blobs/uploads/{id}")),
        (header::RANGE, "0-0".to_owned()),
        (header::CONTENT_LENGTH, "0".to_owned()),
    ];
    Ok((StatusCode::ACCEPTED, headers, [("Docker-Upload-UUID", id)]).into_response())
}

/// How much is here.
pub(super) async fn status(store: &Store, name: &str, id: &str) -> Result<Response, Refusal> {
    let size = size(store, id).await?;
    Ok(progress(StatusCode::NO_CONTENT, name, id, size))
}

/// Takes a chunk.
pub(super) async fn append(
    store: &Store,
    name: &str,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let before = size(store, id).await?;
    in_order(headers, before)?;
    let size = before + write(store, id, body).await?;
    Ok(progress(StatusCode::ACCEPTED, name, id, size))
}

/// Takes the last chunk, if there is one, and keeps the blob if it is what its digest says.
pub(super) async fn finish(
    store: &Store,
    name: String,
    id: String,
    query: &Query,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let text = query.get("digest").unwrap_or_default();
    let digest = text.parse().map_err(|_| Refusal::invalid_digest(text))?;
    in_order(headers, size(store, &id).await?)?;
    write(store, &id, body).await?;
    keep(store, name, id, digest).await
}

/// Forgets an upload.
pub(super) async fn cancel(store: &Store, id: &str) -> Result<(), Refusal> {
    fs::remove_file(store.upload(id)).await.map_err(|_| Refusal::unknown_upload())
}

async fn size(store: &Store, id: &str) -> Result<u64, Refusal> {
    let found = fs::metadata(store.upload(id)).await;
    found.map(|found| found.len()).map_err(|_| Refusal::unknown_upload())
}

/// Whether a chunk that says where it belongs belongs here.
fn in_order(headers: &HeaderMap, size: u64) -> Result<(), Refusal> {
    let range = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first = range.map(|range| range.split('-').next().unwrap_or_default().parse::<u64>());
    match first {
        None => Ok(()),
        Some(Ok(first)) if first == size => Ok(()),
        _ => Err(Refusal::out_of_order(held(size))),
    }
}

/// `0-<last byte>`.
fn held(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

fn progress(status: StatusCode, name: &str, id: &str, size: u64) -> Response {
    let headers = [
        (header::LOCATION, format!("/v2/{name}/blobs/uploads/{id}")),
        (header::RANGE, held(size)),
    ];
    (status, headers, [("Docker-Upload-UUID", id.to_owned())]).into_response()
}

/// Writes what comes to the end of an upload; how many bytes that were.
async fn write(store: &Store, id: &str, body: Body) -> Result<u64, Refusal> {
    let open = fs::OpenOptions::new().append(true).open(store.upload(id)).await;
    let mut file = open.map_err(|_| Refusal::unknown_upload())?;
    let mut stream = body.into_data_stream();
    let mut written = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Refusal::failed(&std::io::Error::other(error)))?;
        file.write_all(&chunk).await?;
        written += chunk.len() as u64;
    }
    file.flush().await?;
    Ok(written)
}

/// Keeps an upload as the blob of a repository.
async fn keep(store: &Store, name: String, id: String, digest: Digest) -> Result<Response, Refusal> {
    let store = store.clone();
    blocking(move || {
        let upload = Upload(store.upload(&id));
        let file = std::fs::File::open(&upload.0)?;
        let (found, _) = Digest::of_reader(&file)?;
        if found != digest {
            return Err(Refusal::invalid_digest(&digest.to_string()));
        }
        file.sync_data()?;
        std::fs::rename(&upload.0, store.blob(&digest))?;
        store.link_blob(&name, &digest)?;
        Ok(created(&name, &digest))
    })
    .await
}

/// A file that goes unless it was renamed.
struct Upload(PathBuf);

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn created(name: &str, digest: &Digest) -> Response {
    let location = [(header::LOCATION, format!("/v2/{name}/blobs/{digest}"))];
    let digest = [("Docker-Content-Digest", digest.to_string())];
    (StatusCode::CREATED, location, digest).into_response()
}
