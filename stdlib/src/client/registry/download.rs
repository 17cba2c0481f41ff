//! Blobs on their way from a registry. They pass in pieces, never as a whole, and go on where a
//! connection broke.

use std::{borrow::Borrow, io::Write};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use pipe_grammar::Code;
use pipe_oci::{Descriptor, Hashing, Store};
use reqwest::{StatusCode, header::RANGE};
use tokio::sync::mpsc;

use super::{
    Registry,
    request::{Errand, Patience},
};
use crate::core::Failure;

/// The bytes of a blob in a repository, from one of them on.
pub(super) fn read<R: Borrow<Registry>>(
    registry: R,
    path: String,
    blob: Descriptor,
    from: u64,
) -> impl Stream<Item = Result<Bytes, Failure>> {
    let patience = Patience::new(registry.borrow().pace);
    let reading = Reading { registry, path, blob, at: from, body: None, patience };
    stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|piece| (piece, reading)))
    })
}

struct Reading<R> {
    registry: R,
    path: String,
    blob: Descriptor,
    /// How many bytes have passed.
    at: u64,
    /// The answer that is being read, and how many of its bytes were here before.
    body: Option<(BoxStream<'static, reqwest::Result<Bytes>>, u64)>,
    patience: Patience,
}

impl<R: Borrow<Registry>> Reading<R> {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while self.at < self.blob.size {
            match self.piece().await? {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => {
                    self.at += piece.len() as u64;
                    self.patience = Patience::new(self.registry.borrow().pace);
                    return Ok(Some(piece));
                }
                Err(failure) => {
                    self.body = None;
                    if !self.patience.wait().await {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next piece; the inner failure may pass.
    async fn piece(&mut self) -> Result<Result<Bytes, Failure>, Failure> {
        let registry = self.registry.borrow();
        let (body, skip) = match &mut self.body {
            Some(body) => body,
            None => {
                let errand = Errand::pull(&self.path);
                let url = registry.url(&self.path, &format!("blobs/{}", self.blob.digest));
                let at = self.at;
                let answer = registry.send_any(errand, &url, |client| {
                    let request = client.get(&url);
                    if at > 0 { request.header(RANGE, format!("bytes={at}-")) } else { request }
                });
                let answer = match tokio::time::timeout(registry.pace.stall, answer).await {
                    Ok(answer) => answer?,
                    Err(_) => return Ok(Err(registry.too_slow())),
                };
                let skip = match answer.status() {
                    StatusCode::PARTIAL_CONTENT => 0,
                    // It does not know ranges: all comes anew.
                    StatusCode::OK => at,
                    _ => return Err(registry.refusal(errand, answer).await),
                };
                self.body.insert((answer.bytes_stream().boxed(), skip))
            }
        };
        let mut piece = match tokio::time::timeout(registry.pace.stall, body.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(Some(Err(error))) => return Ok(Err(registry.broken(&error))),
            Ok(None) => return Ok(Err(registry.broken_off())),
            Err(_) => return Ok(Err(registry.too_slow())),
        };
        let known = usize::try_from(*skip).unwrap_or(usize::MAX).min(piece.len());
        *skip -= known as u64;
        piece = piece.split_off(known);
        let left = usize::try_from(self.blob.size - self.at).unwrap_or(usize::MAX);
        piece.truncate(left);
        Ok(Ok(piece))
    }
}

impl Registry {
    /// Fetches a blob into a store, unless it is there.
    pub(super) async fn pull_blob(
        &self,
        path: &str,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<(), Failure> {
        if store.size(&blob.digest) == Some(blob.size) {
            return Ok(());
        }
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
        let mut bytes = std::pin::pin!(read(self, path.to_owned(), blob.clone(), 0));
        let mut broken = None;
        while let Some(piece) = bytes.next().await {
            match piece {
                Ok(piece) => {
                    // The writer failed; it says why.
                    if sender.send(piece).await.is_err() {
                        break;
                    }
                }
                Err(failure) => {
                    broken = Some(failure);
                    break;
                }
            }
        }
        drop(sender);
        let whole = writer.await.map_err(Failure::internal)?.map_err(|e| broken_store(&e))?;
        if whole { Ok(()) } else { Err(broken.unwrap_or_else(|| self.other_bytes(blob))) }
    }

    pub(super) fn other_bytes(&self, blob: &Descriptor) -> Failure {
        let message = format!("`{}` sends other bytes for {}", self.host, blob.digest.short());
        Failure::infrastructure(Code::SERVER_ERROR, message)
            .help("its storage, or a proxy before it, is damaged")
    }

    pub(super) fn too_slow(&self) -> Failure {
        let seconds = self.pace.stall.as_secs();
        let message = format!("nothing moved to or from `{}` for {seconds} s", self.host);
        Failure::infrastructure(Code::UNREACHABLE_SERVER, message)
            .help("it was tried several times; run it again when the registry answers")
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
