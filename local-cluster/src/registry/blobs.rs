//! Blobs: layers and configurations.

use std::io::SeekFrom;

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use pipe_oci::Digest;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use super::{
    answer::{Refusal, blocking},
    store::Store,
};

/// A blob or a part of it.
pub(super) async fn get(
    store: &Store,
    name: &str,
    digest: &str,
    method: &Method,
    range: Option<&str>,
) -> Result<Response, Refusal> {
    let unknown = || Refusal::unknown_blob(digest);
    let parsed: Digest = digest.parse().map_err(|_| Refusal::invalid_digest(digest))?;
    if !store.has_blob(name, &parsed) {
        return Err(unknown());
    }
    let mut file = File::open(store.blob(&parsed)).await.map_err(|_| unknown())?;
    let size = file.metadata().await?.len();
    let part = range.and_then(|range| part(range, size));
    let (first, last) = match part {
        Some(Ok(part)) => part,
        Some(Err(())) => return Err(Refusal::invalid_range(size)),
        None => (0, size.saturating_sub(1)),
    };
    let length = if size == 0 { 0 } else { last - first + 1 };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, format!("\"{digest}\"")),
    ];
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(first)).await?;
        Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 << 10))
    };
    let digest = [("Docker-Content-Digest", digest.to_owned())];
    if part.is_some() {
        let range = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{size}"))];
        return Ok((StatusCode::PARTIAL_CONTENT, headers, digest, range, body).into_response());
    }
    Ok((headers, digest, body).into_response())
}

/// What `bytes=first-last`, `bytes=first-` or `bytes=-count` mean. Other ranges are not taken.
fn part(range: &str, size: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(count)) if first.is_empty() => (size.saturating_sub(count), size.saturating_sub(1)),
        _ => return None,
    };
    Some(if first < size { Ok((first, last)) } else { Err(()) })
}

/// Takes a blob from a repository; other repositories keep it.
pub(super) async fn delete(
    store: &Store,
    name: String,
    digest: String,
) -> Result<Response, Refusal> {
    let store = store.clone();
    blocking(move || {
        let parsed = digest.parse().map_err(|_| Refusal::invalid_digest(&digest))?;
        if store.unlink_blob(&name, &parsed) {
            Ok(StatusCode::ACCEPTED.into_response())
        } else {
            Err(Refusal::unknown_blob(&digest))
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_blob() {
        assert_eq!(part("bytes=0-3", 10), Some(Ok((0, 3))));
        assert_eq!(part("bytes=4-99", 10), Some(Ok((4, 9))));
        assert_eq!(part("bytes=4-", 10), Some(Ok((4, 9))));
        assert_eq!(part("bytes=-4", 10), Some(Ok((6, 9))));
        assert_eq!(part("bytes=10-", 10), Some(Err(())));
        assert_eq!(part("bytes=3-1", 10), None);
        assert_eq!(part("lines=0-3", 10), None);
    }
}
