//! Blobs on their way here: at once, or in pieces that follow each other.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
};
use futures_util::TryStreamExt;
use pipe_oci::{Digest, Hashing};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{
    Store, blob,
    error::{Answer, Refusal},
    manifest::content_digest,
};
use crate::random;

/// The uploads that were begun. They do not outlive the process.
#[derive(Clone, Default)]
pub(super) struct Uploads(Arc<Mutex<BTreeMap<String, Begun>>>);

/// A blob of which some bytes are here.
struct Begun {
    writer: Hashing<pipe_oci::Upload>,
    size: u64,
    touched: Instant,
}

/// Nobody takes longer between two pieces.
const IDLE: Duration = Duration::from_secs(3600);

impl Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Uploads {
    fn begin(&self, store: &Store) -> pipe_oci::Result<(String, Begun)> {
        let writer = Hashing::new(store.blobs.create()?);
        Ok((random::uuid(), Begun { writer, size: 0, touched: Instant::now() }))
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an upload out, so that only one request at a time writes to it.
    fn take(&self, id: &str) -> Result<Begun, Refusal> {
        self.all().remove(id).ok_or_else(Refusal::no_upload)
    }

    fn put_back(&self, id: &str, begun: Begun) {
        let mut all = self.all();
        all.retain(|_, begun| begun.touched.elapsed() < IDLE);
        all.insert(id.to_owned(), Begun { touched: Instant::now(), ..begun });
    }

    /// Appends a request's body. When the client goes away in between, what came stays.
    async fn append(&self, id: &str, begun: Begun, body: Body) -> Result<(), Refusal> {
        let (uploads, id) = (self.clone(), id.to_owned());
        let stream = body.into_data_stream().map_err(io::Error::other);
        let mut reader = SyncIoBridge::new(StreamReader::new(stream));
        let written = tokio::task::spawn_blocking(move || {
            let mut begun = begun;
            let copied = io::copy(&mut reader, &mut begun);
            uploads.put_back(&id, begun);
            copied
        });
        written.await.map_err(Refusal::failed)?.map_err(Refusal::failed)?;
        Ok(())
    }

    /// Makes an upload a blob, when it is the one that was said.
    async fn finish(&self, store: &Store, repository: &str, id: &str, digest: Digest) -> Answer {
        let begun = self.take(id)?;
        let store = store.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let (actual, _, upload) = begun.writer.finish();
            if actual != digest {
                let message = format!("what was sent is `{actual}`, not `{digest}`");
                return Err(Refusal::bad_digest(message));
            }
            store.blobs.keep(upload, &digest).map_err(Refusal::failed)
        });
        kept.await.map_err(Refusal::failed)??;
        Ok(created(repository, &digest))
    }
}

fn created(repository: &str, digest: &Digest) -> axum::response::Response {
    let location = format!("/v2/{repository}/blobs/{digest}");
    let headers = content_digest(digest);
    (StatusCode::CREATED, headers, [(header::LOCATION, location)]).into_response()
}

/// Where an upload goes on, and how far it is.
fn progress(status: StatusCode, repository: &str, id: &str, size: u64) -> Answer {
    const UPLOAD: HeaderName = HeaderName::from_static("docker-upload-uuid");
    let headers = [
        (header::LOCATION, format!("/v2/{repository}/blobs/uploads/{id}")),
        (header::RANGE, format!("0-{}", size.saturating_sub(1))),
        (UPLOAD, id.to_owned()),
        (header::CONTENT_LENGTH, "0".to_owned()),
    ];
    Ok((status, headers).into_response())
}

/// `POST /v2/NAME/blobs/uploads/`: begins; with `digest` the body is all, with `mount` the blob
/// may be here already.
pub(super) async fn post(
    store: &Store,
    uploads: &Uploads,
    repository: &str,
    (digest, mount): (Option<&str>, Option<&str>),
    body: Body,
) -> Answer {
    let digest = digest.map(blob::digest).transpose()?;
    let mount = mount.and_then(|digest| digest.parse().ok());
    if let Some(mount) = mount.filter(|digest| store.blobs.size(digest).is_some()) {
        return Ok(created(repository, &mount));
    }
    let (id, begun) = uploads.begin(store).map_err(Refusal::failed)?;
    match digest {
        Some(digest) => {
            uploads.append(&id, begun, body).await?;
            uploads.finish(store, repository, &id, digest).await
        }
        None => {
            uploads.put_back(&id, begun);
            progress(StatusCode::ACCEPTED, repository, &id, 0)
        }
    }
}

/// `PATCH /v2/NAME/blobs/uploads/ID`: the next piece.
pub(super) async fn patch(
    uploads: &Uploads,
    repository: &str,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Answer {
    let begun = uploads.take(id)?;
    let range = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let first = range.map(|range| range.trim_start_matches("bytes ").split('-').next());
    if let Some(first) = first
        && first.and_then(|first| first.parse().ok()) != Some(begun.size)
    {
        let size = begun.size;
        uploads.put_back(id, begun);
        return progress(StatusCode::RANGE_NOT_SATISFIABLE, repository, id, size);
    }
    uploads.append(id, begun, body).await?;
    let size = uploads.all().get(id).map_or(0, |begun| begun.size);
    progress(StatusCode::ACCEPTED, repository, id, size)
}

/// `PUT /v2/NAME/blobs/uploads/ID?digest=…`: the last piece, and what all of it is.
pub(super) async fn put(
    store: &Store,
    uploads: &Uploads,
    repository: &str,
    (id, digest): (&str, Option<&str>),
    body: Body,
) -> Answer {
    let missing = || Refusal::bad_digest("`digest` is missing in the query");
    let digest = blob::digest(digest.ok_or_else(missing)?)?;
    let begun = uploads.take(id)?;
    uploads.append(id, begun, body).await?;
    uploads.finish(store, repository, id, digest).await
}

/// `GET /v2/NAME/blobs/uploads/ID`: how far it is.
pub(super) fn get(uploads: &Uploads, repository: &str, id: &str) -> Answer {
    let size = uploads.all().get(id).map(|begun| begun.size).ok_or_else(Refusal::no_upload)?;
    progress(StatusCode::NO_CONTENT, repository, id, size)
}

/// `DELETE /v2/NAME/blobs/uploads/ID`: gives it up.
pub(super) fn delete(uploads: &Uploads, id: &str) -> Answer {
    uploads.take(id)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
