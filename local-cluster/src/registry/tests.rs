#![allow(clippy::unwrap_used)]
//! The registry by HTTP, as clients use it.

use pipe_oci::{Descriptor, Digest, Format, Manifest};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{Store, router};

struct Registry {
    base: String,
    client: Client,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Registry {
    async fn new() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = router(store.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, client: Client::new(), store, _folder: folder }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let base = if path.starts_with("http") { "" } else { &self.base };
        self.client.request(method, format!("{base}{path}"))
    }

    async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path).send().await.unwrap()
    }

    async fn push(&self, repository: &str, content: &'static [u8]) -> Descriptor {
        let digest = Digest::of(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let sent = self.ask(Method::POST, &path).body(content).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        assert_eq!(header(&sent, "location"), format!("/v2/{repository}/blobs/{digest}"));
        Descriptor::new("x", content.len() as u64, digest)
    }

    async fn put_manifest(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Response {
        let put = self.ask(Method::PUT, path).header("content-type", kind).body(bytes);
        put.send().await.unwrap()
    }
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

/// The status and the code of a refusal.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(body["errors"][0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    (status, body["errors"][0]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn it_says_who_it_is() {
    let registry = Registry::new().await;
    let answer = registry.get("/v2/").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "docker-distribution-api-version"), "registry/2.0");
    assert_eq!(registry.get("/v1/").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_blob_comes_in_pieces_and_goes_in_parts() {
    let registry = Registry::new().await;
    let begun = registry.ask(Method::POST, "/v2/a/b/blobs/uploads/").send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let place = header(&begun, "location");
    let patch = |range: &'static str, body: &'static str| {
        let request = registry.ask(Method::PATCH, &place).header("content-range", range);
        request.body(body).send()
    };
    let first = patch("0-4", "01234").await.unwrap();
    assert_eq!((first.status(), header(&first, "range")), (StatusCode::ACCEPTED, "0-4".into()));
    let wrong = patch("7-8", "78").await.unwrap();
    assert_eq!(wrong.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(header(&wrong, "range"), "0-4");
    let state = registry.get(&place).await;
    assert_eq!((state.status(), header(&state, "range")), (StatusCode::NO_CONTENT, "0-4".into()));
    let digest = Digest::of(b"0123456789");
    let end = registry.ask(Method::PUT, &format!("{place}?digest={digest}")).body("56789");
    let end = end.send().await.unwrap();
    assert_eq!(end.status(), StatusCode::CREATED);
    assert_eq!(header(&end, "docker-content-digest"), digest.to_string());

    let blob = format!("/v2/a/b/blobs/{digest}");
    let head = registry.ask(Method::HEAD, &blob).send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "10".into()));
    let escaped = registry.get(&blob.replace("sha256:", "sha256%3A")).await;
    assert_eq!(escaped.text().await.unwrap(), "0123456789");
    let part = registry.ask(Method::GET, &blob).header("range", "bytes=2-5").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 2-5/10");
    assert_eq!(part.text().await.unwrap(), "2345");
    let past = registry.ask(Method::GET, &blob).header("range", "bytes=10-").send().await.unwrap();
    assert_eq!(past.status(), StatusCode::RANGE_NOT_SATISFIABLE);

    let mount = format!("/v2/other/blobs/uploads/?mount={digest}&from=a/b");
    let mounted = registry.ask(Method::POST, &mount).send().await.unwrap();
    assert_eq!(mounted.status(), StatusCode::CREATED);
    let unknown = Digest::of(b"unknown");
    let mount = format!("/v2/other/blobs/uploads/?mount={unknown}&from=a/b");
    let begun = registry.ask(Method::POST, &mount).send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::ACCEPTED, "an upload instead");
    let given_up = registry.ask(Method::DELETE, &header(&begun, "location")).send().await.unwrap();
    assert_eq!(given_up.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_not_what_it_says_is_refused() {
    let registry = Registry::new().await;
    let other = Digest::of(b"other");
    let path = format!("/v2/a/blobs/uploads/?digest={other}");
    let wrong = registry.ask(Method::POST, &path).body("x").send().await.unwrap();
    assert_eq!(refused(wrong).await, (400, "DIGEST_INVALID".into()));
    assert_eq!(registry.store.blobs.size(&other), None);
    let left = std::fs::read_dir(registry.store.blobs.root().join("new")).unwrap().count();
    assert_eq!(left, 0, "nothing is left of it");
    let missing = registry.get(&format!("/v2/a/blobs/{other}")).await;
    assert_eq!(refused(missing).await, (404, "BLOB_UNKNOWN".into()));
    let no_digest = registry.get("/v2/a/blobs/sha256:x").await;
    assert_eq!(refused(no_digest).await, (400, "DIGEST_INVALID".into()));
    let gone = registry.ask(Method::PATCH, "/v2/a/blobs/uploads/1").body("x").send().await.unwrap();
    assert_eq!(refused(gone).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    let name = registry.get("/v2/A/tags/list").await;
    assert_eq!(refused(name).await, (400, "NAME_INVALID".into()));
    let outside = registry.get("/v2/%2e%2e/%2e%2e/manifests/x").await;
    assert_eq!(outside.status().as_u16() / 100, 4);
    let unknown = registry.get("/v2/a/tags/list").await;
    assert_eq!(refused(unknown).await, (404, "NAME_UNKNOWN".into()));
    let method = registry.ask(Method::POST, "/v2/a/tags/list").send().await.unwrap();
    assert_eq!(refused(method).await, (405, "UNSUPPORTED".into()));
}

#[tokio::test]
async fn a_manifest_is_kept_byte_for_byte() {
    let registry = Registry::new().await;
    let name = "registry.example.com:5000/team/web";
    let (config, layer) = (registry.push(name, b"{}").await, registry.push(name, b"layer").await);
    let kind = Format::Docker.manifest();
    let manifest = Manifest::new(Format::Docker, config.clone(), vec![layer.clone()]);
    // Not as any library would write it.
    let mut bytes = b"  ".to_vec();
    bytes.extend(manifest.to_bytes());
    let digest = Digest::of(&bytes);
    let tagged = format!("/v2/{name}/manifests/1.0");
    let put = registry.put_manifest(&tagged, kind, bytes.clone()).await;
    assert_eq!(put.status(), StatusCode::CREATED);
    assert_eq!(header(&put, "location"), format!("/v2/{name}/manifests/{digest}"));
    for target in ["1.0".to_owned(), digest.to_string()] {
        let path = format!("/v2/{name}/manifests/{target}");
        let head = registry.ask(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(header(&head, "content-length"), bytes.len().to_string());
        let got = registry.get(&path).await;
        assert_eq!(header(&got, "content-type"), kind);
        assert_eq!(header(&got, "docker-content-digest"), digest.to_string());
        assert_eq!(got.bytes().await.unwrap(), bytes);
    }
    let needed = registry.ask(Method::DELETE, &format!("/v2/{name}/blobs/{}", layer.digest));
    assert_eq!(refused(needed.send().await.unwrap()).await, (405, "UNSUPPORTED".into()));

    // A list of it, under the same name.
    let index = json!({
        "schemaVersion": 2, "mediaType": pipe_oci::media_type::OCI_INDEX,
        "manifests": [Descriptor::new(kind, bytes.len() as u64, digest)],
    });
    let index = index.to_string().into_bytes();
    let path = format!("/v2/{name}/manifests/list");
    let kind = pipe_oci::media_type::OCI_INDEX;
    let put = registry.put_manifest(&path, kind, index.clone()).await;
    assert_eq!(put.status(), StatusCode::CREATED);
    let elsewhere = registry.put_manifest("/v2/other/manifests/list", kind, index).await;
    assert_eq!(refused(elsewhere).await, (400, "MANIFEST_BLOB_UNKNOWN".into()));

    let tags: Value = registry.get(&format!("/v2/{name}/tags/list")).await.json().await.unwrap();
    assert_eq!(tags, json!({ "name": name, "tags": ["1.0", "list"] }));
    let page = registry.get(&format!("/v2/{name}/tags/list?n=1")).await;
    assert_eq!(header(&page, "link"), format!("</v2/{name}/tags/list?n=1&last=1.0>; rel=\"next\""));
    let all: Value = registry.get("/v2/_catalog").await.json().await.unwrap();
    assert_eq!(all, json!({ "repositories": [name] }));

    let deleted = registry.ask(Method::DELETE, &tagged).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
    assert_eq!(refused(registry.get(&tagged).await).await, (404, "MANIFEST_UNKNOWN".into()));
    let by_digest = format!("/v2/{name}/manifests/{digest}");
    assert_eq!(registry.get(&by_digest).await.status(), StatusCode::OK, "it lost a tag only");
    let deleted = registry.ask(Method::DELETE, &by_digest).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
    assert_eq!(registry.get(&by_digest).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_manifest_that_makes_no_sense_is_refused() {
    let registry = Registry::new().await;
    let kind = Format::Oci.manifest();
    let put = |path: &'static str, bytes: &[u8]| registry.put_manifest(path, kind, bytes.into());
    let code = async |response| refused(response).await.1;
    assert_eq!(code(put("/v2/a/manifests/1", b"<html>").await).await, "MANIFEST_INVALID");
    let missing = Descriptor::new("x", 1, Digest::of(b"x"));
    let manifest = Manifest::new(Format::Oci, missing, Vec::new()).to_bytes();
    assert_eq!(code(put("/v2/a/manifests/1", &manifest).await).await, "MANIFEST_BLOB_UNKNOWN");
    let digest =
        "/v2/a/manifests/sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(code(put(digest, &manifest).await).await, "DIGEST_INVALID");
    assert_eq!(code(put("/v2/a/manifests/.x", &manifest).await).await, "MANIFEST_INVALID");
    let large = vec![b' '; 5 << 20];
    assert_eq!(put("/v2/a/manifests/1", &large).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
