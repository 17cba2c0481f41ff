//! The registry, as clients use it.

use pipe_oci::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{Cluster, can, has},
    image,
};

async fn send(cluster: &Cluster, method: Method, path: &str, body: &[u8]) -> reqwest::Response {
    let url = format!("http://{}{path}", cluster.running.registry);
    cluster.client.request(method, url).body(body.to_vec()).send().await.unwrap()
}

async fn code(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["errors"][0]["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn blobs_come_at_once_or_in_pieces() {
    let cluster = Cluster::new();
    let send = async |method, path: String, body: &[u8]| send(&cluster, method, &path, body).await;
    let base = send(Method::GET, "/v2/".into(), b"").await;
    assert_eq!(base.headers()["docker-distribution-api-version"], "registry/2.0");
    assert_eq!(base.status(), 200);

    let digest = Digest::of(b"hello world");
    let at_once = format!("/v2/a/b/blobs/uploads/?digest={digest}");
    let kept = send(Method::POST, at_once, b"hello world").await;
    assert_eq!(kept.status(), StatusCode::CREATED);
    assert_eq!(kept.headers()["docker-content-digest"], digest.to_string());
    let blob = format!("/v2/a/b/blobs/{digest}");
    let head = send(Method::HEAD, blob.clone(), b"").await;
    assert_eq!(
        (head.status(), &head.headers()["content-length"]),
        (StatusCode::OK, &"11".parse().unwrap())
    );
    let url = format!("http://{}{blob}", cluster.running.registry);
    let part = cluster.client.get(url).header("Range", "bytes=6-").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 6-10/11");
    assert_eq!(part.text().await.unwrap(), "world");

    let begun = send(Method::POST, "/v2/c/blobs/uploads/".into(), b"").await;
    let upload = begun.headers()["location"].to_str().unwrap().to_owned();
    let piece = send(Method::PATCH, upload.clone(), b"in two ").await;
    assert_eq!(
        (piece.status().as_u16(), &piece.headers()["range"]),
        (202, &"0-6".parse().unwrap())
    );
    let status = send(Method::GET, upload.clone(), b"").await;
    assert_eq!(
        (status.status().as_u16(), &status.headers()["range"]),
        (204, &"0-6".parse().unwrap())
    );
    let digest = Digest::of(b"in two pieces");
    let last = send(Method::PUT, format!("{upload}?digest={digest}"), b"pieces").await;
    assert_eq!(last.status(), StatusCode::CREATED);
    let got = send(Method::GET, format!("/v2/c/blobs/{digest}"), b"").await;
    assert_eq!(got.text().await.unwrap(), "in two pieces");
    let mounted =
        send(Method::POST, format!("/v2/d/blobs/uploads/?mount={digest}&from=c"), b"").await;
    assert_eq!(mounted.status(), StatusCode::CREATED);

    let wrong = send(Method::POST, format!("/v2/c/blobs/uploads/?digest={digest}"), b"other").await;
    assert_eq!(code(wrong).await, (400, "DIGEST_INVALID".into()));
    let none = send(Method::PATCH, "/v2/c/blobs/uploads/none".into(), b"").await;
    assert_eq!(code(none).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    let none = send(Method::GET, format!("/v2/c/blobs/{}", Digest::of(b"none")), b"").await;
    assert_eq!(code(none).await, (404, "BLOB_UNKNOWN".into()));
    let none = send(Method::GET, "/v2/c/manifests/1".into(), b"").await;
    assert_eq!(code(none).await, (404, "MANIFEST_UNKNOWN".into()));
    let name = send(Method::GET, "/v2/C/tags/list".into(), b"").await;
    assert_eq!(code(name).await, (400, "NAME_INVALID".into()));
}

#[tokio::test]
async fn manifests_are_kept_to_the_byte_and_listed() {
    if !can("manifests_are_kept_to_the_byte", "busybox", image::busybox().is_some()) {
        return;
    }
    let cluster = Cluster::new();
    let name = "registry.example.com:5000/x/y";
    image::push(&cluster, name, "page", |_| {}).await;
    let path = format!("/v2/{name}/manifests/1");
    let got = send(&cluster, Method::GET, &path, b"").await;
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(got.headers()["content-type"], kind);
    let digest = got.headers()["docker-content-digest"].to_str().unwrap().to_owned();
    let bytes = got.bytes().await.unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), digest);
    let by_digest =
        send(&cluster, Method::GET, &format!("/v2/{name}/manifests/{digest}"), b"").await;
    assert_eq!(by_digest.bytes().await.unwrap(), bytes);
    let list = async |path: &str| {
        send(&cluster, Method::GET, path, b"").await.json::<Value>().await.unwrap()
    };
    assert_eq!(list("/v2/_catalog").await, json!({ "repositories": [name] }));
    assert_eq!(
        list(&format!("/v2/{name}/tags/list")).await,
        json!({ "name": name, "tags": ["1"] })
    );
    let removed =
        send(&cluster, Method::DELETE, &format!("/v2/{name}/manifests/{digest}"), b"").await;
    assert_eq!(removed.status(), StatusCode::ACCEPTED);
    assert_eq!(send(&cluster, Method::GET, &path, b"").await.status(), 404);
}

#[tokio::test]
async fn skopeo_copies_there_and_back() {
    let test = "skopeo_copies_there_and_back";
    if !can(test, "skopeo", has("skopeo")) || !can(test, "busybox", image::busybox().is_some()) {
        return;
    }
    let cluster = Cluster::new();
    let pushed = image::push(&cluster, "a", "page", |_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let skopeo = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new("skopeo");
        let output = command.args(arguments).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "skopeo {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    };
    let here = |name: &str| format!("docker://{}/{name}", cluster.running.registry);
    let dir = |name: &str| format!("dir:{}", folder.path().join(name).display());
    let inspect = async |name: &str| {
        let text = skopeo(&["inspect", "--tls-verify=false", &here(name)]).await;
        serde_json::from_str::<Value>(&text).unwrap()["Digest"].clone()
    };
    let first = inspect("a:1").await;
    assert!(pushed.ends_with("/a:1"));
    skopeo(&["copy", "--preserve-digests", "--src-tls-verify=false", &here("a:1"), &dir("one")])
        .await;
    let name = "docker.io/ssk2/demo:v2";
    skopeo(&["copy", "--preserve-digests", "--dest-tls-verify=false", &dir("one"), &here(name)])
        .await;
    assert_eq!(inspect(name).await, first);
    // As OCI, with layers compressed anew.
    let oci = format!("oci:{}:x", folder.path().join("oci").display());
    skopeo(&["copy", "--src-tls-verify=false", "--format=oci", &here(name), &oci]).await;
    skopeo(&["copy", "--dest-tls-verify=false", &oci, &here("oci:1")]).await;
    let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &here("oci:1")]).await;
    assert!(raw.contains("application/vnd.oci.image.manifest.v1+json"), "{raw}");
    let tags = skopeo(&["list-tags", "--tls-verify=false", &here("docker.io/ssk2/demo")]).await;
    assert_eq!(serde_json::from_str::<Value>(&tags).unwrap()["Tags"], json!(["v2"]));
}
