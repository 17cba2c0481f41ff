//! The registry half: the [OCI distribution API](https://github.com/opencontainers/distribution-spec/blob/main/spec.md)
//! as `pipe`, skopeo, Docker and Mesos use it.
//!
//! A component of a repository's name may carry a port, which the specification does not allow:
//! `127.0.0.1:5000/registry.example.com:443/web` is the image that is `web` of
//! `registry.example.com:443` elsewhere.

mod answer;
mod blobs;
mod manifests;
mod name;
mod store;
mod uploads;

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::json;

use self::{answer::Refusal, name::Target};

pub(crate) use store::Store;

/// All paths.
pub(crate) fn router(store: Store) -> Router {
    Router::new()
        .route("/v2/", any(base))
        .route("/v2", any(base))
        .fallback(route)
        .layer(axum::middleware::map_response(versioned))
        .with_state(store)
}

/// `GET /v2/`: that this is a registry.
async fn base() -> Response {
    Json(json!({})).into_response()
}

/// Docker asks for this header.
async fn versioned(mut response: Response) -> Response {
    let value = axum::http::HeaderValue::from_static("registry/2.0");
    response.headers_mut().insert("Docker-Distribution-Api-Version", value);
    response
}

/// Names of repositories have slashes, so paths are told apart from their end.
async fn route(State(store): State<Store>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match Target::parse(parts.uri.path()) {
        Ok(target) => answer(&store, target, &parts, body).await,
        Err(refusal) => Err(refusal),
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    store: &Store,
    target: Target,
    parts: &axum::http::request::Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let method = &parts.method;
    let read = matches!(*method, Method::GET | Method::HEAD);
    let query = answer::Query::new(parts.uri.query().unwrap_or_default());
    match target {
        Target::Catalog if read => {
            let store = store.clone();
            let names = answer::blocking(move || Ok(store.repositories())).await?;
            Ok(answer::page("repositories", None, names, &query, "/v2/_catalog"))
        }
        Target::Tags(name) if read => {
            let store = store.clone();
            let (path, of) = (format!("/v2/{name}/tags/list"), name.clone());
            let tags = answer::blocking(move || Ok(store.tags(&of))).await?;
            let tags = tags.ok_or_else(|| Refusal::unknown_name(&name))?;
            Ok(answer::page("tags", Some(&name), tags, &query, &path))
        }
        Target::Manifest(name, reference) => match *method {
            Method::GET | Method::HEAD => manifests::get(store, &name, &reference, method).await,
            Method::PUT => manifests::put(store, name, reference, &parts.headers, body).await,
            Method::DELETE => manifests::delete(store, name, reference).await,
            _ => Err(Refusal::unsupported()),
        },
        Target::Blob(name, digest) => match *method {
            Method::GET | Method::HEAD => {
                let range = parts.headers.get(header::RANGE).and_then(|range| range.to_str().ok());
                blobs::get(store, &name, &digest, method, range).await
            }
            Method::DELETE => blobs::delete(store, name, digest).await,
            _ => Err(Refusal::unsupported()),
        },
        Target::Uploads(name) if *method == Method::POST => {
            uploads::begin(store, name, &query, body).await
        }
        Target::Upload(name, id) => match *method {
            Method::GET => uploads::status(store, &name, &id).await,
            Method::PATCH => uploads::append(store, &name, &id, &parts.headers, body).await,
            Method::PUT => uploads::finish(store, name, id, &query, &parts.headers, body).await,
            Method::DELETE => {
                uploads::cancel(store, &id).await?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => Err(Refusal::unsupported()),
        },
        _ => Err(Refusal::unsupported()),
    }
}
