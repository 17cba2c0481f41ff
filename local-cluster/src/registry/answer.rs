//! Answers: errors in the specification's JSON, pages of lists, queries.

use std::{fmt, io};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refusal: a status, a code of the specification, and words.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    range: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl fmt::Display) -> Self {
        Self { status, code, message: message.to_string(), range: None }
    }

    pub(super) fn no_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path")
    }

    pub(super) fn unsupported() -> Self {
        let text = "the operation is unsupported";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", text)
    }

    pub(super) fn invalid_name(name: &str) -> Self {
        let text = format!("invalid repository name `{name}`");
        Self::new(StatusCode::BAD_REQUEST, "NAME_INVALID", text)
    }

    pub(super) fn unknown_name(name: &str) -> Self {
        let text = format!("repository name `{name}` not known to registry");
        Self::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", text)
    }

    pub(super) fn unknown_manifest(reference: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", format!("manifest unknown: {reference}"))
    }

    pub(super) fn invalid_manifest(why: impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why)
    }

    pub(super) fn missing_blob(digest: &impl fmt::Display) -> Self {
        let text = format!("manifest references a blob unknown to this repository: {digest}");
        Self::new(StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN", text)
    }

    pub(super) fn unknown_blob(digest: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", format!("blob unknown to registry: {digest}"))
    }

    pub(super) fn unknown_upload() -> Self {
        let text = "blob upload unknown to registry";
        Self::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", text)
    }

    pub(super) fn invalid_digest(text: &str) -> Self {
        let text = format!("provided digest did not match uploaded content or is none: `{text}`");
        Self::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", text)
    }

    pub(super) fn invalid_tag(tag: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "TAG_INVALID", format!("`{tag}` is no tag"))
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", "a manifest has 4 MiB at most")
    }

    /// A chunk does not follow the last, which ended so.
    pub(super) fn out_of_order(range: String) -> Self {
        let text = "the chunk does not follow the one before";
        let refusal = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", text);
        Self { range: Some(range), ..refusal }
    }

    pub(super) fn invalid_range(size: u64) -> Self {
        let text = "the blob is shorter";
        let refusal = Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "UNSUPPORTED", text);
        Self { range: Some(format!("bytes */{size}")), ..refusal }
    }

    /// The sender stopped, or the disk is full.
    pub(super) fn failed(error: &io::Error) -> Self {
        let text = pipe_oci::plain(error);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "BLOB_UPLOAD_INVALID", text)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::failed(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [{ "code": self.code, "message": self.message }] });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(Ok(range)) = self.range.map(HeaderValue::try_from) {
            let name = if range.as_bytes().starts_with(b"bytes") { header::CONTENT_RANGE } else { header::RANGE };
            response.headers_mut().insert(name, range);
        }
        response
    }
}

/// Does something with files where nobody waits for it.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(job).await;
    done.unwrap_or_else(|error| Err(Refusal::failed(&io::Error::other(error))))
}

/// What stands after the `?`.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `name=value&…`.
    pub(super) fn new(text: &str) -> Self {
        let uri: Result<axum::http::Uri, _> = format!("/?{text}").parse();
        let pairs = uri.ok().and_then(|uri| axum::extract::Query::try_from_uri(&uri).ok());
        Self(pairs.map(|axum::extract::Query(pairs)| pairs).unwrap_or_default())
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A part of a sorted list: `n` items after `last`.
pub(super) fn page(
    what: &str,
    name: Option<&str>,
    mut items: Vec<String>,
    query: &Query,
    path: &str,
) -> Response {
    if let Some(last) = query.get("last") {
        items.retain(|item| item.as_str() > last);
    }
    let count = query.get("n").and_then(|n| n.parse::<usize>().ok());
    let more = count.is_some_and(|count| items.len() > count);
    items.truncate(count.unwrap_or(usize::MAX));
    let link = items.last().filter(|_| more).map(|last| {
        format!("<{path}?n={}&last={last}>; rel=\"next\"", count.unwrap_or_default())
    });
    let mut body = serde_json::Map::new();
    body.extend(name.map(|name| ("name".to_owned(), name.into())));
    body.insert(what.to_owned(), items.into());
    let mut response = Json(body).into_response();
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
