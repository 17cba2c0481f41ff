//! Manifests, byte for byte as they were sent.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use pipe_oci::{AnyManifest, Descriptor, Digest};

use super::{
    Store,
    error::{Answer, Refusal},
    name::is_tag,
};

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// The header that names what is answered.
pub(super) fn content_digest(digest: &Digest) -> HeaderMap {
    let value = HeaderValue::from_str(&digest.to_string());
    value.into_iter().map(|value| (CONTENT_DIGEST, value)).collect()
}

/// `GET` and `HEAD /v2/NAME/manifests/TARGET`.
pub(super) fn get(store: &Store, repository: &str, target: &str) -> Answer {
    let unknown = || Refusal::no_manifest(repository, target);
    let digest = store.resolve(repository, target).ok_or_else(unknown)?;
    let (kind, bytes) = store.manifest(repository, digest).ok_or_else(unknown)?;
    Ok((content_digest(&digest), [(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// `PUT /v2/NAME/manifests/TARGET`. What it names must be here already.
pub(super) fn put(
    store: &Store,
    repository: &str,
    target: &str,
    kind: Option<&str>,
    bytes: &Bytes,
) -> Answer {
    let invalid =
        |message: String| Refusal::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", message);
    let manifest = AnyManifest::parse(bytes, kind).map_err(|error| invalid(error.to_string()))?;
    let tag = match target.parse::<Digest>() {
        Ok(digest) if digest == Digest::of(bytes) => None,
        Ok(_) => return Err(Refusal::bad_digest(format!("the manifest is not `{target}`"))),
        Err(_) if is_tag(target) => Some(target),
        Err(_) => return Err(invalid(format!("`{target}` is neither a tag nor a digest"))),
    };
    if let Some(missing) = missing(store, repository, &manifest) {
        let message = format!("the manifest names `{}`, which was not pushed", missing.digest);
        let code = "MANIFEST_BLOB_UNKNOWN";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, code, message));
    }
    let kind = kind.unwrap_or(manifest.media_type());
    let digest = store.keep_manifest(repository, tag, kind, bytes).map_err(Refusal::failed)?;
    let location = format!("/v2/{repository}/manifests/{digest}");
    let headers = content_digest(&digest);
    Ok((StatusCode::CREATED, headers, [(header::LOCATION, location)]).into_response())
}

/// The first thing that a manifest names and that is not here. Layers that may be fetched
/// elsewhere need not be.
fn missing<'a>(
    store: &Store,
    repository: &str,
    manifest: &'a AnyManifest,
) -> Option<&'a Descriptor> {
    match manifest {
        AnyManifest::Image(image) => image
            .blobs()
            .find(|blob| blob.urls.is_empty() && store.blobs.size(&blob.digest).is_none()),
        AnyManifest::Index(index) => index
            .manifests
            .iter()
            .find(|part| store.resolve(repository, &part.digest.to_string()).is_none()),
    }
}

/// `DELETE /v2/NAME/manifests/TARGET`.
pub(super) fn delete(store: &Store, repository: &str, target: &str) -> Answer {
    let removed = match target.parse::<Digest>() {
        Ok(digest) => store.remove_manifest(repository, &digest),
        Err(_) if is_tag(target) => store.remove_tag(repository, target),
        Err(_) => Ok(false),
    };
    match removed.map_err(Refusal::failed)? {
        true => Ok(StatusCode::ACCEPTED.into_response()),
        false => Err(Refusal::no_manifest(repository, target)),
    }
}
