//! Manifests, kept to the byte.

use axum::{
    body::Body,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use pipe_oci::{AnyManifest, Digest, media_type};

use super::{
    answer::{Refusal, blocking},
    name::is_tag,
    store::Store,
};

/// No manifest has more bytes.
const LARGEST: usize = 4 << 20;

/// A manifest by tag or digest.
pub(super) async fn get(
    store: &Store,
    name: &str,
    reference: &str,
    method: &Method,
) -> Result<Response, Refusal> {
    let (found, of, wanted) = (store.clone(), name.to_owned(), reference.to_owned());
    let manifest = blocking(move || {
        let digest = found.resolve(&of, &wanted);
        Ok(digest.and_then(|digest| Some((digest, found.manifest(&of, digest)?))))
    });
    let (digest, (kind, bytes)) =
        manifest.await?.ok_or_else(|| Refusal::unknown_manifest(reference))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_LENGTH, bytes.len().to_string()),
        (header::ETAG, format!("\"{digest}\"")),
    ];
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
    Ok((headers, [("Docker-Content-Digest", digest.to_string())], body).into_response())
}

/// Keeps a manifest. What it refers to must be there, but for layers that may not be pushed.
pub(super) async fn put(
    store: &Store,
    name: String,
    reference: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|_| Refusal::too_large())?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(str::to_owned);
    let store = store.clone();
    blocking(move || {
        let manifest = AnyManifest::parse(&bytes, kind.as_deref()).map_err(Refusal::invalid_manifest)?;
        let kind = kind.as_deref().and_then(|kind| kind.split(';').next()).map(str::trim);
        let kind = kind.filter(|kind| kind.contains("manifest") || kind.contains("index"));
        let kind = kind.unwrap_or_else(|| manifest.media_type()).to_owned();
        match &manifest {
            AnyManifest::Image(image) => {
                for blob in image.blobs() {
                    let elsewhere = blob.media_type == media_type::DOCKER_FOREIGN_LAYER
                        || blob.media_type.contains("nondistributable");
                    if !elsewhere && !store.has_blob(&name, &blob.digest) {
                        return Err(Refusal::missing_blob(&blob.digest));
                    }
                }
            }
            AnyManifest::Index(index) => {
                for part in &index.manifests {
                    if store.resolve(&name, &part.digest.to_string()).is_none() {
                        return Err(Refusal::missing_blob(&part.digest));
                    }
                }
            }
        }
        let tag = match reference.parse::<Digest>() {
            Ok(digest) if digest == Digest::of(&bytes) => None,
            Err(_) if is_tag(&reference) => Some(reference.as_str()),
            Err(_) if !reference.contains(':') => return Err(Refusal::invalid_tag(&reference)),
            _ => return Err(Refusal::invalid_digest(&reference)),
        };
        let digest = store.keep_manifest(&name, &kind, &bytes, tag)?;
        let location = format!("/v2/{name}/manifests/{digest}");
        let digest = [("Docker-Content-Digest", digest.to_string())];
        Ok((StatusCode::CREATED, [(header::LOCATION, location)], digest).into_response())
    })
    .await
}

/// Removes a tag, or a manifest by its digest.
pub(super) async fn delete(
    store: &Store,
    name: String,
    reference: String,
) -> Result<Response, Refusal> {
    let store = store.clone();
    blocking(move || {
        if store.remove_manifest(&name, &reference) {
            Ok(StatusCode::ACCEPTED.into_response())
        } else {
            Err(Refusal::unknown_manifest(&reference))
        }
    })
    .await
}
