//! Marathon's HTTP API, version 2.

mod answer;
mod apps;
mod deployments;
mod events;
mod files;
mod info;
mod query;
mod queue;
mod selector;
mod tasks;

use std::path::PathBuf;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, get, post},
};

use super::{engine::Handle, error::Refusal};

/// What every answer is made from.
#[derive(Clone)]
pub(crate) struct Api {
    /// The engine.
    pub(crate) engine: Handle,
    /// Where the folders of tasks are.
    pub(crate) tasks: PathBuf,
    /// The port that this API is served on.
    pub(crate) port: u16,
}

/// No definition is larger.
const BODY: usize = 16 << 20;

/// All paths.
pub(crate) fn router(api: Api) -> Router {
    Router::new()
        .route("/ping", get(info::ping))
        .route("/v2/info", get(info::info))
        .route("/v2/leader", get(info::leader))
        .route("/v2/apps", any(apps::collection))
        .route("/v2/apps/", any(apps::collection))
        .route("/v2/apps/{*rest}", any(apps::one))
        .route("/v2/tasks", get(tasks::all))
        .route("/v2/tasks/delete", post(tasks::delete))
        .route("/v2/deployments", get(deployments::all))
        .route("/v2/deployments/{id}", axum::routing::delete(deployments::delete))
        .route("/v2/events", get(events::stream))
        .route("/v2/queue", get(queue::all))
        .route("/v2/queue/{*rest}", axum::routing::delete(queue::delete))
        .route("/files/read", get(files::read))
        .route("/files/browse", get(files::browse))
        .route("/files/download", get(files::download))
        .fallback(async || Refusal::no_uri())
        .method_not_allowed_fallback(async || Refusal::no_method())
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(api)
}
