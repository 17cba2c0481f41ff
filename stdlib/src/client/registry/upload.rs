//! Blobs on their way to a registry. They pass in pieces, never as a whole; what the registry has is
//! not sent, and a broken upload goes on where the registry says that it ended.

use std::{
    io::{self, Seek, SeekFrom},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use pipe_grammar::Code;
use pipe_oci::{Descriptor, Store};
use reqwest::{
    Body, Method, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE},
};
use tokio_util::io::ReaderStream;

use super::{
    Registry,
    download::{self, broken_store},
    request::{Errand, Patience, passes},
};
use crate::core::Failure;

/// How much of a file is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// Up to this size a blob is sent in a single request, which can only begin anew.
const SMALL: u64 = 4 << 20;

/// Where the bytes of a blob come from.
#[derive(Clone)]
pub(super) enum Source<'a> {
    /// A store of this machine.
    Store(&'a Store),
    /// A repository.
    Registry(&'a Arc<Registry>, &'a str),
}

/// How a blob came into a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It was there.
    There,
    /// Another repository of the registry had it.
    Mounted,
    /// It was sent.
    Sent,
}

/// The first failure while a body was read.
type Slot = Arc<Mutex<Option<Failure>>>;

impl Source<'_> {
    fn bytes(
        &self,
        blob: &Descriptor,
        from: u64,
        slot: &Slot,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, Failure> {
        let slot = slot.clone();
        let noted = move |failure: Failure| {
            let error = io::Error::other(failure.message.clone());
            if let Ok(mut slot) = slot.lock() {
                slot.get_or_insert(failure);
            }
            error
        };
        match self {
            Self::Store(store) => {
                let mut file = store.blob(&blob.digest).map_err(|e| broken_store(&e))?;
                let failed = |e: &io::Error| {
                    broken_store(&pipe_oci::Error::at("read", &store.path(&blob.digest), e))
                };
                file.seek(SeekFrom::Start(from)).map_err(|e| failed(&e))?;
                let path = store.path(&blob.digest);
                let file = tokio::fs::File::from_std(file);
                let pieces = ReaderStream::with_capacity(file, PIECE)
                    .map_err(move |e| noted(broken_store(&pipe_oci::Error::at("read", &path, &e))));
                Ok(pieces.boxed())
            }
            Self::Registry(registry, path) => {
                let registry = Arc::clone(registry);
                let bytes = download::read(registry, (*path).to_owned(), blob.clone(), from);
                Ok(bytes.map_err(noted).boxed())
            }
        }
    }
}

/// A try to send a blob.
enum Try {
    Done,
    /// It may work another time; the upload goes on there if the registry still knows it.
    Broken(Box<Failure>, Option<Url>),
}

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

    /// Takes a blob over from another repository of the same registry. False: it has to be sent,
    /// whatever the reason.
    pub(super) async fn mount(&self, path: &str, blob: &Descriptor, from: &str) -> bool {
        let errand = Errand { path, push: true, from: Some(from) };
        let digest = blob.digest.to_string();
        let url = self.url(path, "blobs/uploads/");
        let query = [("mount", digest.as_str()), ("from", from)];
        let answer = self
            .send(errand, &url, |client| client.post(&url).query(&query).header(CONTENT_LENGTH, 0))
            .await;
        let Ok(answer) = answer else { return false };
        if answer.status() == StatusCode::ACCEPTED
            && let Ok(place) = self.place(&answer)
        {
            // It opened an upload in its place, which nobody is going to use.
            let errand = Errand::push(path);
            let _ = self.send(errand, place.as_str(), |c| c.delete(place.clone())).await;
        }
        answer.status() == StatusCode::CREATED
    }

    /// Sends a blob.
    pub(super) async fn push_blob(
        &self,
        errand: Errand<'_>,
        source: &Source<'_>,
        blob: &Descriptor,
    ) -> Result<(), Failure> {
        let mut patience = Patience::new(self.pace);
        let (mut place, mut from) = (None, 0);
        loop {
            let url = match place.take() {
                Some(url) => url,
                None => self.begin(errand).await?,
            };
            match self.upload(errand, source, blob, url, from).await? {
                Try::Done => return Ok(()),
                Try::Broken(failure, url) => {
                    if !patience.wait().await {
                        return Err(*failure);
                    }
                    let resumed = match url {
                        Some(url) => self.resume(errand, &url, blob).await,
                        None => None,
                    };
                    let before = from;
                    (place, from) = resumed.map_or((None, 0), |(url, from)| (Some(url), from));
                    if from > before {
                        patience = Patience::new(self.pace);
                    }
                }
            }
        }
    }

    /// Asks for a place to send a blob to.
    async fn begin(&self, errand: Errand<'_>) -> Result<Url, Failure> {
        let url = self.url(errand.path, "blobs/uploads/");
        let answer =
            self.send(errand, &url, |client| client.post(&url).header(CONTENT_LENGTH, 0)).await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(self.refusal(errand, answer).await);
        }
        self.place(&answer)
    }

    /// Where an upload stands, and how many bytes have arrived; nothing: it begins anew.
    async fn resume(&self, errand: Errand<'_>, url: &Url, blob: &Descriptor) -> Option<(Url, u64)> {
        let answer =
            self.send(errand, url.as_str(), |client| client.get(url.clone())).await.ok()?;
        if answer.status() != StatusCode::NO_CONTENT {
            return None;
        }
        // `0-1023`: 1024 bytes; `0-0` may be none.
        let range = answer.headers().get(RANGE)?.to_str().ok()?;
        let last: u64 =
            range.trim_start_matches("bytes=").split_once('-')?.1.trim().parse().ok()?;
        let place = self.place(&answer).unwrap_or_else(|_| url.clone());
        (last > 0 && last + 1 < blob.size).then_some((place, last + 1))
    }

    /// One try, from one of its bytes on.
    async fn upload(
        &self,
        errand: Errand<'_>,
        source: &Source<'_>,
        blob: &Descriptor,
        place: Url,
        from: u64,
    ) -> Result<Try, Failure> {
        let whole = blob.size <= SMALL && from == 0;
        let digest = blob.digest.to_string();
        let mut url = place.clone();
        let method = if whole { Method::PUT } else { Method::PATCH };
        if whole {
            url.query_pairs_mut().append_pair("digest", &digest);
        }
        let (slot, passed) = (Slot::default(), Arc::new(AtomicU64::new(0)));
        let count = passed.clone();
        let pieces = source.bytes(blob, from, &slot)?;
        let pieces = pieces.inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        let mut request = self
            .transport
            .client(url.as_str())?
            .request(method, url.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, blob.size - from)
            .body(Body::wrap_stream(pieces));
        if from > 0 {
            request = request.header(CONTENT_RANGE, format!("{from}-{}", blob.size - 1));
        }
        let authorization = self.authorization_at(errand, url.as_str()).await?;
        if let Some(value) = &authorization {
            request = request.header(reqwest::header::AUTHORIZATION, value);
        }
        let resumable = (!whole).then_some(place);
        let answer = tokio::select! {
            answer = request.send() => answer,
            () = stalled(&passed, self.pace.stall) => {
                return Ok(Try::Broken(Box::new(self.too_slow()), resumable));
            }
        };
        if let Some(failure) = slot.lock().ok().and_then(|mut slot| slot.take()) {
            return Err(failure);
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Try::Broken(Box::new(self.broken(&error)), resumable)),
        };
        match answer.status() {
            StatusCode::CREATED => Ok(Try::Done),
            StatusCode::ACCEPTED | StatusCode::NO_CONTENT if !whole => {
                let mut url = self.place(&answer)?;
                url.query_pairs_mut().append_pair("digest", &digest);
                self.finish(errand, blob, &url).await
            }
            status if passes(status) => {
                Ok(Try::Broken(Box::new(self.refusal(errand, answer).await), resumable))
            }
            StatusCode::UNAUTHORIZED if self.forget_token(errand, authorization.as_ref()) => {
                Ok(Try::Broken(Box::new(self.refusal(errand, answer).await), resumable))
            }
            // It has forgotten the upload, or counts another way.
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE if !whole => {
                Ok(Try::Broken(Box::new(self.refusal(errand, answer).await), None))
            }
            _ => Err(self.refusal(errand, answer).await),
        }
    }

    /// Says that all bytes are there.
    async fn finish(
        &self,
        errand: Errand<'_>,
        blob: &Descriptor,
        url: &Url,
    ) -> Result<Try, Failure> {
        // The registry reads all bytes before it answers.
        let answer = self.send_any(errand, url.as_str(), |client| {
            client.put(url.clone()).header(CONTENT_LENGTH, 0)
        });
        let patience = self.pace.stall + Duration::from_secs(blob.size >> 24);
        let answer = match tokio::time::timeout(patience, answer).await {
            Ok(answer) => answer?,
            Err(_) => return Ok(Try::Broken(Box::new(self.too_slow()), None)),
        };
        if answer.status() == StatusCode::CREATED || self.has_blob(errand, blob).await? {
            return Ok(Try::Done);
        }
        let status = answer.status();
        let failure = self.refusal(errand, answer).await;
        let again = passes(status) || status == StatusCode::NOT_FOUND;
        if again { Ok(Try::Broken(Box::new(failure), None)) } else { Err(failure) }
    }

    /// The place that an answer names.
    fn place(&self, answer: &Response) -> Result<Url, Failure> {
        let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
        location.and_then(|text| Url::parse(&self.base).ok()?.join(text).ok()).ok_or_else(|| {
            let message = format!("the registry `{}` gives no place for a layer", self.host);
            Failure::infrastructure(Code::SERVER_ERROR, message)
        })
    }
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
