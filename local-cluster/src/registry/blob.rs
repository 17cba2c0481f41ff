//! Blobs: layers and configurations.

use std::io::{Seek, SeekFrom};

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, header},
    response::IntoResponse,
};
use pipe_oci::Digest;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::{
    Store,
    error::{Answer, Refusal},
    manifest::content_digest,
};

/// The digest that a path ends with.
pub(super) fn digest(text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: pipe_oci::Error| Refusal::bad_digest(error.to_string()))
}

/// `GET` and `HEAD /v2/NAME/blobs/DIGEST`, also a part of it.
pub(super) async fn get(store: &Store, method: &Method, text: &str, headers: &HeaderMap) -> Answer {
    let digest = digest(text)?;
    let unknown = || Refusal::no_blob(text);
    let size = store.blobs.size(&digest).ok_or_else(unknown)?;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, first, length) = match range.and_then(|range| parse_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(None) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let store = store.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let mut file = store.open_blob(&digest)?;
            file.seek(SeekFrom::Start(first))?;
            Ok::<_, std::io::Error>(file)
        });
        let file = opened.await.map_err(Refusal::failed)?.map_err(|_| unknown())?;
        let file = tokio::fs::File::from_std(file).take(length);
        Body::from_stream(ReaderStream::with_capacity(file, 64 << 10))
    };
    let mut answer = (
        status,
        content_digest(&digest),
        [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_LENGTH, length.to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
        ],
        body,
    )
        .into_response();
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {first}-{}/{size}", first + length - 1).parse()
    {
        answer.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    Ok(answer)
}

/// The first and last byte of one range; an inner nothing when there are no such bytes, an outer
/// one when it is a kind of range that may be ignored.
fn parse_range(text: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.saturating_sub(1);
    let (first, last) = match (first.is_empty(), last.is_empty()) {
        (false, true) => (first.parse().ok()?, end),
        (false, false) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
        (true, false) => (size.saturating_sub(last.parse().ok()?), end),
        (true, true) => return None,
    };
    Some((first <= last && first < size).then_some((first, last)))
}

/// `DELETE /v2/NAME/blobs/DIGEST`: only what no image needs.
pub(super) fn delete(store: &Store, text: &str) -> Answer {
    let digest = digest(text)?;
    if store.blobs.size(&digest).is_none() {
        return Err(Refusal::no_blob(text));
    }
    if store.is_needed(&digest) {
        return Err(Refusal::unsupported(
            "the blob belongs to an image: delete its manifest first",
        ));
    }
    std::fs::remove_file(store.blobs.path(&digest)).map_err(Refusal::failed)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        for (text, expected) in [
            ("bytes=0-3", Some(Some((0, 3)))),
            ("bytes=2-", Some(Some((2, 9)))),
            ("bytes=2-99", Some(Some((2, 9)))),
            ("bytes=-3", Some(Some((7, 9)))),
            ("bytes=-30", Some(Some((0, 9)))),
            ("bytes=10-", Some(None)),
            ("bytes=5-2", Some(None)),
            ("bytes=0-1,4-5", None),
            ("lines=1-2", None),
            ("bytes=-", None),
        ] {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }
}
