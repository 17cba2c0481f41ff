//! What a registry answers when it does not do what it was asked, by the
//! [specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes).

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refusal: a status, a code and words.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// What a request is answered with.
pub(super) type Answer = Result<Response, Refusal>;

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn not_found(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(super) fn no_blob(digest: &str) -> Self {
        Self::not_found("BLOB_UNKNOWN", format!("blob `{digest}` is not known to the registry"))
    }

    pub(super) fn no_manifest(repository: &str, target: &str) -> Self {
        let text = format!("manifest `{target}` is not known to repository `{repository}`");
        Self::not_found("MANIFEST_UNKNOWN", text)
    }

    pub(super) fn no_repository(name: &str) -> Self {
        let text = format!("repository `{name}` is not known to the registry");
        Self::not_found("NAME_UNKNOWN", text)
    }

    pub(super) fn no_upload() -> Self {
        Self::not_found("BLOB_UPLOAD_UNKNOWN", "no such upload, or not any more".to_owned())
    }

    pub(super) fn bad_digest(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    pub(super) fn unsupported(message: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
    }

    /// The machine failed.
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        let message = error.to_string();
        crate::log::line(format_args!("registry: {message}"));
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message });
        (self.status, Json(json!({ "errors": [error] }))).into_response()
    }
}
