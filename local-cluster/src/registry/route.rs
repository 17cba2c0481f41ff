//! Who answers what. Names of repositories have slashes, so paths are taken apart here.

use axum::{
    Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Store, blob,
    error::{Answer, Refusal},
    manifest, name,
    tags::{self, Page},
    upload::{self, Uploads},
};

#[derive(Clone)]
struct Registry {
    store: Store,
    uploads: Uploads,
}

/// All paths.
pub(crate) fn router(store: Store) -> Router {
    Router::new().fallback(answer).with_state(Registry { store, uploads: Uploads::default() })
}

/// No manifest is larger.
const MANIFEST: usize = 4 << 20;

async fn answer(State(registry): State<Registry>, request: Request) -> Response {
    const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
    let mut response = route(&registry, request).await.into_response();
    response.headers_mut().insert(VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// What a path is about.
#[derive(Debug, PartialEq)]
enum Path<'a> {
    Root,
    Catalog,
    Tags(&'a str),
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Uploads(&'a str),
    Upload(&'a str, &'a str),
}

fn parse(path: &str) -> Option<Path<'_>> {
    let path = path.strip_prefix("/v2")?;
    if path.is_empty() || path == "/" {
        return Some(Path::Root);
    }
    let path = path.strip_prefix('/')?;
    if path == "_catalog" {
        return Some(Path::Catalog);
    }
    if let Some(name) = path.strip_suffix("/tags/list") {
        return Some(Path::Tags(name));
    }
    if let Some(name) =
        path.strip_suffix("/blobs/uploads/").or_else(|| path.strip_suffix("/blobs/uploads"))
    {
        return Some(Path::Uploads(name));
    }
    let (head, last) = path.rsplit_once('/')?;
    if let Some(name) = head.strip_suffix("/blobs/uploads") {
        return Some(Path::Upload(name, last));
    }
    if let Some(name) = head.strip_suffix("/blobs") {
        return Some(Path::Blob(name, last));
    }
    head.strip_suffix("/manifests").map(|name| Path::Manifest(name, last))
}

async fn route(registry: &Registry, request: Request) -> Answer {
    let Registry { store, uploads } = registry;
    let (parts, body) = request.into_parts();
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = query.map(|Query(pairs)| pairs).unwrap_or_default();
    let value =
        |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let page = Page {
        most: value("n").and_then(|n| n.parse().ok()),
        after: value("last").map(str::to_owned),
    };
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path");
    // Clients escape the `:` of digests and ports; nothing else needs it.
    let text = parts.uri.path().replace("%3A", ":").replace("%3a", ":");
    let path = parse(&text).ok_or_else(unknown)?;
    let repository = match path {
        Path::Root | Path::Catalog => None,
        Path::Tags(name) | Path::Uploads(name) => Some(name),
        Path::Manifest(name, _) | Path::Blob(name, _) | Path::Upload(name, _) => Some(name),
    };
    if let Some(name) = repository.filter(|name| !name::is_repository(name)) {
        let message = format!("`{name}` can't be the name of a repository");
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "NAME_INVALID", message));
    }
    let method = &parts.method;
    let get = matches!(*method, Method::GET | Method::HEAD);
    match path {
        Path::Root if get => Ok(axum::Json(serde_json::json!({})).into_response()),
        Path::Catalog if get => tags::catalog(store, &page),
        Path::Tags(name) if get => tags::tags(store, name, &page),
        Path::Manifest(name, target) if get => manifest::get(store, name, target),
        Path::Manifest(name, target) if method == Method::PUT => {
            let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let bytes = whole(body).await?;
            manifest::put(store, name, target, kind, &bytes)
        }
        Path::Manifest(name, target) if method == Method::DELETE => {
            manifest::delete(store, name, target)
        }
        Path::Blob(_, digest) if get => blob::get(store, method, digest, &parts.headers).await,
        Path::Blob(_, digest) if method == Method::DELETE => blob::delete(store, digest),
        Path::Uploads(name) if method == Method::POST => {
            upload::post(store, uploads, name, (value("digest"), value("mount")), body).await
        }
        Path::Upload(name, id) if method == Method::PATCH => {
            upload::patch(uploads, name, id, &parts.headers, body).await
        }
        Path::Upload(name, id) if method == Method::PUT => {
            upload::put(store, uploads, name, (id, value("digest")), body).await
        }
        Path::Upload(name, id) if get => upload::get(uploads, name, id),
        Path::Upload(_, id) if method == Method::DELETE => upload::delete(uploads, id),
        _ => Err(Refusal::unsupported("not by this method")),
    }
}

async fn whole(body: Body) -> Result<axum::body::Bytes, Refusal> {
    axum::body::to_bytes(body, MANIFEST).await.map_err(|_| {
        let message = "the manifest did not come whole, or has more than 4 MiB";
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_from_the_end() {
        for (text, expected) in [
            ("/v2/", Some(Path::Root)),
            ("/v2", Some(Path::Root)),
            ("/v2/_catalog", Some(Path::Catalog)),
            ("/v2/a/b/tags/list", Some(Path::Tags("a/b"))),
            ("/v2/a/blobs/b/manifests/1", Some(Path::Manifest("a/blobs/b", "1"))),
            ("/v2/h:1/a/blobs/sha256:x", Some(Path::Blob("h:1/a", "sha256:x"))),
            ("/v2/a/blobs/uploads/", Some(Path::Uploads("a"))),
            ("/v2/a/blobs/uploads/1-2", Some(Path::Upload("a", "1-2"))),
            ("/v1/a", None),
            ("/v2/a", None),
            ("/v2x/", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
