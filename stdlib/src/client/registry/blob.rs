//! Blobs on their way to and from a registry. They pass in pieces, never as a whole.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use pipe_grammar::Code;
use pipe_oci::{Descriptor, Hashing, Store};
use reqwest::{
    Body, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use super::{
    Registry,
    request::{Errand, passes},
};
use crate::core::Failure;

/// How much of a file is read at once, in bytes.
const PIECE: usize = 128 << 10;

impl Registry {
    /// Whether the registry has a blob in this repository.
    pub(super) async fn has_blob(
        &self,
        errand: Errand<'_>,
        blob: &Descriptor,
    ) -> Result<bool, Failure> {
        let url = self.url(errand.path, &format!("blobs/{}", blob.digest));
        let answer = self.send(errand, &url, |client| client.head(&url)).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.refusal(errand, answer).await),
        }
    }

    /// Sends a blob out of a store. A broken upload begins anew.
    pub(super) async fn push_blob(
        &self,
        errand: Errand<'_>,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<(), Failure> {
        let mut pause = self.pace.pause;
        let mut attempt = 1;
        loop {
            match self.upload(errand, store, blob).await? {
                Upload::Done => return Ok(()),
                Upload::Broken(failure) if attempt >= self.pace.tries => return Err(failure),
                Upload::Broken(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
            attempt += 1;
        }
    }

    /// One try: `POST` for a place, `PUT` of the bytes.
    async fn upload(
        &self,
        errand: Errand<'_>,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<Upload, Failure> {
        let start = self.url(errand.path, "blobs/uploads/");
        let answer = self
            .send(errand, &start, |client| client.post(&start).header(CONTENT_LENGTH, 0))
            .await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(self.refusal(errand, answer).await);
        }
        let place = self.place(&answer, &blob.digest.to_string())?;

        let file = store.blob(&blob.digest).map_err(|e| broken_store(&e))?;
        let passed = Arc::new(AtomicU64::new(0));
        let count = passed.clone();
        let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE)
            .inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        let mut request = self
            .transport
            .client(place.as_str())?
            .put(place.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, blob.size)
            .body(Body::wrap_stream(pieces));
        // The place may be on another host: credentials go to the registry alone.
        let own = place.as_str().starts_with(&format!("{}/", self.base));
        let authorization = if own { self.authorization(errand).await? } else { None };
        if let Some(value) = &authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let answer = tokio::select! {
            answer = request.send() => answer,
            () = stalled(&passed, self.pace.stall) => {
                return Ok(Upload::Broken(self.too_slow()));
            }
        };
        match answer {
            Ok(answer) if answer.status() == StatusCode::CREATED => Ok(Upload::Done),
            Ok(answer) if passes(answer.status()) => {
                Ok(Upload::Broken(self.refusal(errand, answer).await))
            }
            Ok(answer)
                if answer.status() == StatusCode::UNAUTHORIZED
                    && self.forget_token(errand, authorization.as_ref()) =>
            {
                Ok(Upload::Broken(self.refusal(errand, answer).await))
            }
            Ok(answer) => Err(self.refusal(errand, answer).await),
            Err(error) => Ok(Upload::Broken(self.broken(&error))),
        }
    }

    /// Where the registry wants the bytes, with the digest added to its query.
    fn place(&self, answer: &Response, digest: &str) -> Result<Url, Failure> {
        let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
        let place = location.and_then(|text| Url::parse(&self.base).ok()?.join(text).ok());
        let Some(mut place) = place else {
            let message = format!("the registry `{}` gives no place for a layer", self.host);
            return Err(Failure::infrastructure(Code::SERVER_ERROR, message));
        };
        place.query_pairs_mut().append_pair("digest", digest);
        Ok(place)
    }

    /// Fetches a blob into a store, unless it is there.
    pub(super) async fn pull_blob(
        &self,
        errand: Errand<'_>,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<(), Failure> {
        if store.size(&blob.digest) == Some(blob.size) {
            return Ok(());
        }
        let mut pause = self.pace.pause;
        let mut attempt = 1;
        loop {
            let url = self.url(errand.path, &format!("blobs/{}", blob.digest));
            let answer = self.get_blob(errand, &url).await?;
            match self.download(answer, store, blob).await? {
                None => return Ok(()),
                Some(failure) if attempt >= self.pace.tries => return Err(failure),
                Some(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
            attempt += 1;
        }
    }

    async fn get_blob(&self, errand: Errand<'_>, url: &str) -> Result<Response, Failure> {
        let authorization = self.authorization(errand).await?;
        let answer = self.repeat(url, |client| {
            let request = client.get(url);
            match &authorization {
                Some(value) => request.header(AUTHORIZATION, value),
                None => request,
            }
        });
        let answer = tokio::time::timeout(self.pace.answer * self.pace.tries, answer)
            .await
            .map_err(|_| self.too_slow())??;
        match answer.status() {
            StatusCode::OK => Ok(answer),
            _ => Err(self.refusal(errand, answer).await),
        }
    }

    /// Writes the body of an answer into the store. A failure of the network is answered, one of
    /// this machine is an error.
    async fn download(
        &self,
        answer: Response,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<Option<Failure>, Failure> {
        let (sender, mut pieces) = mpsc::channel::<Bytes>(8);
        let (store, wanted) = (store.clone(), blob.clone());
        // Dropped half-way, the channel ends before the last byte: then nothing is kept.
        let writer = tokio::task::spawn_blocking(move || {
            let mut upload = Hashing::new(store.create()?);
            while let Some(piece) = pieces.blocking_recv() {
                upload
                    .write_all(&piece)
                    .map_err(|e| pipe_oci::Error::io("can't write a layer", &e))?;
            }
            let (digest, size, upload) = upload.finish();
            let whole = digest == wanted.digest && size == wanted.size;
            if whole {
                store.keep(upload, &digest)?;
            }
            Ok::<bool, pipe_oci::Error>(whole)
        });
        let mut body = answer.bytes_stream();
        let mut broken = None;
        loop {
            match tokio::time::timeout(self.pace.stall, body.next()).await {
                Ok(Some(Ok(piece))) => {
                    if sender.send(piece).await.is_err() {
                        break;
                    }
                }
                Ok(Some(Err(error))) => {
                    broken = Some(self.broken(&error));
                    break;
                }
                Ok(None) => break,
                Err(_) => {
                    broken = Some(self.too_slow());
                    break;
                }
            }
        }
        drop(sender);
        let whole = writer.await.map_err(Failure::internal)?.map_err(|e| broken_store(&e))?;
        Ok(if whole { None } else { broken.or_else(|| Some(self.other_bytes(blob))) })
    }

    fn other_bytes(&self, blob: &Descriptor) -> Failure {
        let message = format!("`{}` sends other bytes for {}", self.host, blob.digest.short());
        Failure::infrastructure(Code::SERVER_ERROR, message)
    }

    fn too_slow(&self) -> Failure {
        let seconds = self.pace.stall.as_secs();
        let message = format!("nothing moved to or from `{}` for {seconds} s", self.host);
        Failure::infrastructure(Code::UNREACHABLE_SERVER, message)
            .help("it was tried several times; run it again when the registry answers")
    }
}

enum Upload {
    Done,
    /// It may work another time.
    Broken(Failure),
}

/// Ends when nothing passed for a while.
async fn stalled(passed: &AtomicU64, stall: Duration) {
    loop {
        let before = passed.load(Ordering::Relaxed);
        tokio::time::sleep(stall).await;
        if passed.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// The store of this machine failed.
pub(super) fn broken_store(error: &pipe_oci::Error) -> Failure {
    let failure = Failure::new(Code::BAD_FILE, error.to_string());
    match error.kind() {
        std::io::ErrorKind::StorageFull => failure
            .kind(crate::core::FailureKind::Infrastructure)
            .help("make room, or set `PIPE_STATE_DIR` to a folder on another disk"),
        _ => failure,
    }
}
