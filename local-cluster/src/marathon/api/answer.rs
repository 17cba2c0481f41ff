//! Answers and the bodies of requests.

use axum::{
    Json,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::Api;
use crate::marathon::{
    engine::{Deployed, Engine},
    error::{Detail, Refusal},
};

/// What a request is answered with.
pub(super) type Answer = Result<Response, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl Api {
    /// Asks the engine; while the cluster ends it does not answer.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.engine.ask(job).await.ok_or_else(|| {
            Refusal::message(StatusCode::SERVICE_UNAVAILABLE, "the local cluster is being stopped")
        })
    }
}

/// JSON with status 200.
pub(super) fn ok(value: Value) -> Answer {
    Ok(Json(value).into_response())
}

/// A deployment was begun.
pub(super) fn deployed(status: StatusCode, deployed: &Deployed) -> Answer {
    let body = json!({ "version": deployed.version, "deploymentId": deployed.deployment });
    Ok((status, deployment_header(deployed), Json(body)).into_response())
}

/// The header of every answer that stands for a deployment.
pub(super) fn deployment_header(deployed: &Deployed) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&deployed.deployment) {
        headers.insert("Marathon-Deployment-Id", value);
    }
    headers
}

/// A request's JSON.
pub(super) fn json_body(headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    // Also what keeps pages of the web from posting here: they can't send this type unasked.
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or("application/json").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::message(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type"));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::no_body());
    }
    serde_json::from_slice(body).map_err(|error| Refusal::not_json(&error.to_string()))
}

/// A request's JSON object.
pub(super) fn object_body(
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Map<String, Value>, Refusal> {
    match json_body(headers, body)? {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::wrong_types(&vec![Detail::new("/", "error.expected.jsobject")])),
    }
}

/// Whether the client wants plain text rather than JSON.
pub(super) fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with("text/plain"))
}
