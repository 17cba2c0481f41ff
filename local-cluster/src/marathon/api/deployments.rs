//! `/v2/deployments` (`api/v2/DeploymentsResource.scala`).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::Value;

use super::{
    Api,
    answer::{Answer, deployed, ok},
    query::Parameters,
};

/// The running deployments; those that have ended leave no trace.
pub(super) async fn all(State(api): State<Api>) -> Answer {
    ok(Value::Array(api.ask(|engine| engine.deployments_json()).await?))
}

/// Takes a deployment back, or with `force` drops it.
pub(super) async fn delete(
    State(api): State<Api>,
    Path(id): Path<String>,
    parameters: Parameters,
) -> Answer {
    if parameters.flag("force", false) {
        api.ask(move |engine| engine.drop_deployment(&id)).await??;
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let done = api.ask(move |engine| engine.roll_back(&id)).await??;
    deployed(StatusCode::OK, &done)
}
