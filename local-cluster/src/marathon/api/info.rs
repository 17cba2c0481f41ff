//! Who answers.

use axum::{Json, extract::State, http::HeaderMap, response::IntoResponse};
use serde_json::json;

use super::{
    Api,
    answer::{Answer, ok},
};

/// `GET /ping`: somebody is there.
pub(super) async fn ping(headers: HeaderMap) -> axum::response::Response {
    let accept = headers.get("accept").and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("application/json")) {
        return Json("pong").into_response();
    }
    "pong".into_response()
}

/// `GET /v2/info`.
pub(super) async fn info(State(api): State<Api>) -> Answer {
    let port = api.port;
    ok(api.ask(move |engine| engine.info_json(port)).await?)
}

/// `GET /v2/leader`.
pub(super) async fn leader(State(api): State<Api>) -> Answer {
    ok(json!({ "leader": format!("{}:{}", crate::marathon::engine::HOST, api.port) }))
}
