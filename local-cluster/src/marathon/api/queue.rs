//! `/v2/queue`: why nothing starts (`api/v2/QueueResource.scala`).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::json;

use super::{
    Api,
    answer::{Answer, ok},
    query::Parameters,
};
use crate::marathon::{app::AppId, error::Refusal};

/// The apps with instances that wait.
pub(super) async fn all(State(api): State<Api>, parameters: Parameters) -> Answer {
    let last_offers = parameters.all("embed").iter().any(|word| word == "lastUnusedOffers");
    let queue = api.ask(move |engine| engine.queue_json(last_offers)).await?;
    ok(json!({ "queue": queue }))
}

/// `DELETE /v2/queue/{id}/delay`: forgets the delay after failures.
pub(super) async fn delete(State(api): State<Api>, Path(path): Path<String>) -> Answer {
    let id = path.strip_suffix("/delay").ok_or_else(Refusal::no_uri)?;
    let id = AppId::absolute(id);
    api.ask(move |engine| engine.reset_delay(&id)).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}
