//! What registries refuse, and what is said about it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Body, extract::State, http::Request, response::Response};
use pipe_grammar::Code;
use pipe_stdlib::core::{DockerConnection, Failure, FailureKind, Secret};

use crate::{
    call::Machine,
    tools::{Registry, folder, free_port, has},
};

fn context() -> tempfile::TempDir {
    folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY f /f\n"), ("f", 0o644, "f")])
}

fn login(registry: &str, password: &str) -> DockerConnection {
    DockerConnection {
        registry: registry.to_owned(),
        username: Some("user".to_owned()),
        password: Some(Secret::new(password)),
        insecure: false,
    }
}

#[tokio::test]
async fn a_login_is_taken_refused_or_asked_for() {
    if !has("a_login_is_taken_refused_or_asked_for", &["docker-registry"]) {
        return;
    }
    let (registry, mut machine, context) = (Registry::with_login(), Machine::new(), context());
    let host = &registry.host;
    let tag = registry.image("team/demo:1");
    machine.build(context.path(), &[("tag", tag.as_str().into())]).await.text("id");

    let done = machine.push(&tag, &[]).await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::REGISTRY_REFUSED, FailureKind::Step));
    assert_eq!(failure.message, format!("`{host}` wants a login to push to `team/demo`"));
    assert_eq!(failure.help, [format!("connect docker(\"{host}\", username: \"…\", password: …)")]);

    machine.connections.docker = vec![login(host, "wrong")];
    let done = machine.push(&tag, &[]).await;
    let failure = done.failure();
    assert_eq!(failure.message, format!("`{host}` refused the login of `user`"));
    assert!(failure.help[0].starts_with("check the name and the password in `connect docker("));

    machine.connections.docker = vec![login(host, "secret")];
    let digest = machine.push(&tag, &[]).await.text("digest");
    assert!(digest.starts_with("sha256:"));

    // What `docker login` wrote serves as well.
    machine.connections.docker.clear();
    let docker = machine.home.path().join(".docker");
    std::fs::create_dir(&docker).unwrap();
    let auth = format!(r#"{{"auths":{{"{host}":{{"auth":"dXNlcjpzZWNyZXQ="}}}}}}"#);
    std::fs::write(docker.join("config.json"), auth).unwrap();
    machine.push(&tag, &[]).await.says("is there already");
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_named() {
    let (machine, context) = (Machine::new(), context());
    let host = format!("127.0.0.1:{}", free_port());
    let tag = format!("{host}/demo:1");
    machine.build(context.path(), &[("tag", tag.as_str().into())]).await.text("id");
    let done = machine.push(&tag, &[]).await;
    let failure = done.failure();
    assert_eq!(
        (failure.code, failure.kind),
        (Code::UNREACHABLE_SERVER, FailureKind::Infrastructure)
    );
    assert_eq!(
        failure.message,
        format!("the registry `{host}` can't be reached: connection refused")
    );
    assert!(failure.help[0].contains("`pipe run --local`"), "{failure:#?}");
}

/// A registry that answers one kind of request as it is told, and is empty otherwise.
struct Scripted {
    host: String,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Script {
    method: &'static str,
    status: u16,
    body: &'static str,
    /// Only so many requests are answered that way; then like an empty registry, which stays so.
    first: usize,
    asked: Arc<AtomicUsize>,
}

async fn answer(State(script): State<Script>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    let empty = |status: u16| Response::builder().status(status).body(Body::empty()).unwrap();
    if path == "/v2/" {
        return empty(200);
    }
    if request.method() == script.method
        && script.asked.fetch_add(1, Ordering::Relaxed) < script.first
    {
        return Response::builder().status(script.status).body(Body::from(script.body)).unwrap();
    }
    match request.method().as_str() {
        "HEAD" => empty(404),
        "POST" => Response::builder()
            .status(202)
            .header("location", format!("{path}place?state=1"))
            .body(Body::empty())
            .unwrap(),
        _ => empty(201),
    }
}

impl Scripted {
    async fn start(method: &'static str, status: u16, body: &'static str, first: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let script = Script { method, status, body, first, asked: asked.clone() };
        let app = Router::new().fallback(answer).with_state(script);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { host, asked }
    }

    async fn push(&self) -> Failure {
        let (machine, context) = (Machine::new(), context());
        let tag = format!("{}/team/demo:1", self.host);
        machine.build(context.path(), &[("tag", tag.as_str().into())]).await.text("id");
        machine.push(&tag, &[]).await.failure().clone()
    }
}

#[tokio::test]
async fn each_refusal_has_its_words() {
    let denied =
        r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    let refused = Code::REGISTRY_REFUSED;
    for (method, status, body, kind, code, message) in [
        (
            "HEAD",
            403,
            "",
            FailureKind::Step,
            refused,
            "`HOST` does not let anybody push to `team/demo`",
        ),
        (
            "POST",
            403,
            denied,
            FailureKind::Step,
            refused,
            "`HOST` does not let anybody push to `team/demo`",
        ),
        ("POST", 404, denied, FailureKind::Step, refused, "`HOST` has no repository `team/demo`"),
        (
            "PUT",
            413,
            "<html>",
            FailureKind::Step,
            refused,
            "a layer of the image is too big for `HOST`",
        ),
        (
            "HEAD",
            429,
            "",
            FailureKind::Infrastructure,
            refused,
            "`HOST` takes no more requests for now",
        ),
        (
            "POST",
            503,
            "<html>",
            FailureKind::Infrastructure,
            Code::SERVER_ERROR,
            "the registry `HOST` failed (status 503)",
        ),
        ("PUT", 418, "", FailureKind::Step, refused, "`HOST` refused `team/demo` (status 418)"),
    ] {
        let registry = Scripted::start(method, status, body, usize::MAX).await;
        let failure = registry.push().await;
        assert_eq!(failure.message, message.replace("HOST", &registry.host));
        assert_eq!((failure.kind, failure.code), (kind, code), "{status}");
        let evidence: Vec<&String> = failure.evidence.iter().flat_map(|(_, lines)| lines).collect();
        assert_eq!(evidence.len(), usize::from(body == denied), "{evidence:?}");
        // What may pass is tried again, what will not is not.
        let tries = registry.asked.load(Ordering::Relaxed);
        match status {
            // The layer and the configuration, side by side.
            503 => assert!((5..=10).contains(&tries), "{tries}"),
            429 => assert_eq!(tries, 5),
            _ => assert!((1..=2).contains(&tries), "{status}: {tries}"),
        }
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed_and_the_result_is_checked() {
    // Two failures, then a registry that takes everything and keeps nothing.
    let registry = Scripted::start("PUT", 500, "", 2).await;
    let failure = registry.push().await;
    assert_eq!((failure.kind, failure.code), (FailureKind::Infrastructure, Code::PUSH_FAILED));
    let start = format!("`{}` has nothing under `1` after the push of sha256:", registry.host);
    assert!(failure.message.starts_with(&start), "{}", failure.message);
}

#[tokio::test]
async fn something_that_is_no_registry_is_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let (machine, context) = (Machine::new(), context());
    let tag = format!("{host}/demo:1");
    machine.build(context.path(), &[("tag", tag.as_str().into())]).await.text("id");
    let done = machine.push(&tag, &[]).await;
    assert_eq!(
        done.failure().message,
        format!("`{host}` does not answer as a registry: `404 Not Found` to `/v2/`")
    );
}

/// An address of this machine that is not loopback.
fn address() -> Option<String> {
    // Nothing is sent: the system only chooses a way.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then(|| address.to_string())
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_taken_when_asked_to() {
    let name = "a_certificate_that_nobody_signed_is_taken_when_asked_to";
    if !has(name, &["docker-registry", "openssl"]) {
        return;
    }
    let (mut machine, context) = (Machine::new(), context());
    // On loopback it need not be said, as with Docker.
    let registry = Registry::with_tls("127.0.0.1");
    let tag = registry.image("demo:1");
    let arguments = [("tag", tag.as_str().into()), ("push", true.into())];
    assert!(machine.build(context.path(), &arguments).await.text("digest").starts_with("sha256:"));

    let Some(address) = address() else { return };
    let registry = Registry::with_tls(&address);
    let (host, tag) = (&registry.host, registry.image("demo:1"));
    let arguments = [("tag", tag.as_str().into()), ("push", true.into())];
    let done = machine.build(context.path(), &arguments).await;
    let failure = done.failure();
    assert_eq!(
        (failure.code, failure.kind),
        (Code::UNREACHABLE_SERVER, FailureKind::Infrastructure)
    );
    assert_eq!(
        failure.message,
        format!("the registry `{host}` can't be reached: its certificate is not trusted here")
    );
    assert!(failure.help[0].contains(&format!("`/etc/docker/certs.d/{host}/ca.crt`")));
    assert!(failure.help[1].contains(&format!("connect docker(\"{host}\", insecure: true)")));

    // Its authority is trusted where Docker is told so.
    let folder = machine.home.path().join(".config/docker/certs.d").join(host);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.crt"), "none").unwrap();
    let done = machine.build(context.path(), &arguments).await;
    assert!(done.failure().message.ends_with("ca.crt` can't be read: it is no certificate in PEM"));
    std::fs::write(folder.join("ca.crt"), registry.certificate()).unwrap();
    let done = machine.build(context.path(), &arguments).await;
    assert!(done.text("digest").starts_with("sha256:"));
    std::fs::remove_dir_all(&folder).unwrap();

    let connection =
        DockerConnection { registry: host.clone(), username: None, password: None, insecure: true };
    machine.connections.docker = vec![connection];
    assert!(machine.build(context.path(), &arguments).await.text("digest").starts_with("sha256:"));
}
