//! What breaks in the middle: registries, connections, engines, disks. Each is overcome, or named
//! with the next step.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::State, http::Request, response::Response};
use pipe_grammar::Code;
use pipe_oci::{Platform, Store};
use pipe_stdlib::{
    client::registry::{Credentials, Pace, Registry as Client},
    core::{Connections, Failure, FailureKind, Value},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    call::Machine,
    compare::pulled,
    store::noise,
    tools::{Engine, Registry, busybox, copy, folder, has},
};

/// A context with a file that no compression makes smaller.
fn context(size: u32) -> tempfile::TempDir {
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY noise /\n")]);
    std::fs::write(context.path().join("noise"), noise(size)).unwrap();
    context
}

/// A proxy that cuts its first connections after so many bytes, one way or the other.
struct Cutting {
    host: String,
    cut: Arc<AtomicUsize>,
}

impl Cutting {
    async fn before(registry: &Registry, up: usize, down: usize, first: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (to, cut) = (registry.host.clone(), Arc::new(AtomicUsize::new(0)));
        let count = cut.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&to).await.unwrap();
                let count = count.clone();
                let limits = if count.load(Ordering::Relaxed) < first {
                    (up, down)
                } else {
                    (usize::MAX, usize::MAX)
                };
                tokio::spawn(async move {
                    let (mut from_client, mut to_client) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    let was_cut = tokio::select! {
                        was_cut = pass(&mut from_client, &mut to_server, limits.0) => was_cut,
                        was_cut = pass(&mut from_server, &mut to_client, limits.1) => was_cut,
                    };
                    if was_cut {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Self { host, cut }
    }
}

/// Passes bytes on until the limit; true when it was reached.
async fn pass(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    limit: usize,
) -> bool {
    let (mut buffer, mut passed) = (vec![0; 64 << 10], 0);
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return false;
        }
        passed += read;
        if passed >= limit {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn an_upload_goes_on_where_the_connection_was_cut() {
    let name = "an_upload_goes_on_where_the_connection_was_cut";
    if !has(name, &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, machine, context) = (Registry::start(), Machine::new(), context(24 << 20));
    let cutting = Cutting::before(&registry, 7 << 20, usize::MAX, 3).await;
    let tag = format!("{}/demo:1", cutting.host);
    let arguments = [("tag", Value::from(tag.as_str())), ("push", true.into())];
    let done = machine.build(context.path(), &arguments).await;
    let digest = done.text("digest");
    assert!(cutting.cut.load(Ordering::Relaxed) >= 3);
    // The registry has it whole.
    let direct = registry.image("demo:1");
    assert_eq!(pulled(&direct).await["noise"].content.len(), {
        String::from_utf8_lossy(&noise(24 << 20)).len()
    });
    assert!(crate::tools::skopeo(&direct, &[]).contains(&digest));
}

#[tokio::test]
async fn a_download_goes_on_where_the_connection_was_cut() {
    let name = "a_download_goes_on_where_the_connection_was_cut";
    if !has(name, &["docker-registry"]) {
        return;
    }
    let (registry, machine, context) = (Registry::start(), Machine::new(), context(12 << 20));
    let tag = registry.image("demo:1");
    let arguments = [("tag", Value::from(tag.as_str())), ("push", true.into())];
    machine.build(context.path(), &arguments).await.text("digest");

    let cutting = Cutting::before(&registry, usize::MAX, 5 << 20, 2).await;
    let reference = format!("{}/demo:1", cutting.host).parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let client = client(&cutting.host, Pace::default()).await.unwrap();
    client.pull(&store, &reference, &Platform::host()).await.unwrap();
    assert_eq!(cutting.cut.load(Ordering::Relaxed), 2);
}

async fn client(host: &str, pace: Pace) -> Result<Client, Failure> {
    Client::with(host, Credentials::Anonymous, &Connections::default(), pace).await
}

/// A proxy that answers every third request with 500.
async fn failing(registry: &Registry) -> (String, Arc<AtomicUsize>) {
    type Shared = (Arc<AtomicUsize>, String, reqwest::Client);
    async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
        let (count, to, client) = shared;
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        if count.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            return Response::builder().status(500).body(Body::empty()).unwrap();
        }
        let url = format!("http://{to}{}", head.uri);
        let request = client.request(head.method, url).headers(head.headers).body(body);
        let answer = request.send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let shared: Shared = (count.clone(), registry.host.clone(), client);
    let app = Router::new().fallback(answer).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (host, count)
}

#[tokio::test]
async fn a_registry_that_fails_every_third_time_is_enough() {
    let name = "a_registry_that_fails_every_third_time_is_enough";
    if !has(name, &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, machine, context) = (Registry::start(), Machine::new(), context(9 << 20));
    let (host, count) = failing(&registry).await;
    let tag = format!("{host}/demo:1");
    let arguments = [("tag", Value::from(tag.as_str())), ("push", true.into())];
    let digest = machine.build(context.path(), &arguments).await.text("digest");
    assert!(crate::tools::skopeo(&registry.image("demo:1"), &[]).contains(&digest));
    assert!(count.load(Ordering::Relaxed) > 9);
}

#[tokio::test]
async fn a_registry_that_does_not_move_is_named() {
    // It takes connections and bytes, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            open.push(connection);
        }
    });
    let short = Duration::from_millis(200);
    let pace = Pace { answer: short, stall: short, pause: Duration::from_millis(10), tries: 3 };
    let Err(failure) = client(&host, pace).await else { panic!("it answers") };
    assert_eq!(
        (failure.code, failure.kind),
        (Code::UNREACHABLE_SERVER, FailureKind::Infrastructure)
    );
    let message = format!("the registry `{host}` can't be reached: it did not answer in time");
    assert_eq!(failure.message, message);
    assert!(!failure.help.is_empty());
}

#[tokio::test]
async fn an_engine_that_does_not_answer_is_named() {
    let folder = folder(&[("Dockerfile", 0o644, "FROM scratch\n")]);
    let socket = folder.path().join("docker.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            open.push(connection);
        }
    });
    let mut machine = Machine::new();
    machine.set("DOCKER_HOST", &format!("unix://{}", socket.display()));
    let done = machine.build(folder.path(), &[("builder", "engine".into())]).await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::NO_ENGINE, FailureKind::Infrastructure));
    assert!(failure.message.ends_with("docker.sock`: it does not answer"), "{failure:#?}");
    assert_eq!(failure.help, ["is it running, and is the address right?"]);
}

#[tokio::test]
async fn an_engine_that_dies_in_the_middle_is_named() {
    let name = "an_engine_that_dies_in_the_middle_is_named";
    if !has(name, &["root", "dockerd", "docker", "busybox"]) {
        return;
    }
    let (engine, mut machine) = (Engine::start(), Machine::new());
    machine.set("DOCKER_HOST", &engine.address());
    let text = "FROM scratch\nCOPY busybox /bin/sh\nRUN echo started; sleep 300\n";
    let context = folder(&[("Dockerfile", 0o644, text)]);
    copy(&busybox(), &context.path().join("busybox"));
    let dies = tokio::task::spawn_blocking(move || {
        for _ in 0..600 {
            let out = engine.client(&["ps", "-q", "--filter", "status=running"]).stdout;
            if !out.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(engine);
    });
    let done = machine.build(context.path(), &[("builder", "engine".into())]).await;
    dies.await.unwrap();
    let failure = done.failure();
    // It may end the command, or break off without a word.
    if failure.kind == FailureKind::Step {
        assert_eq!(failure.message, "a command of the Dockerfile ended with status 137");
        return;
    }
    assert_eq!((failure.code, failure.kind), (Code::NO_ENGINE, FailureKind::Infrastructure));
    assert!(failure.message.starts_with("the Docker Engine at `unix://"), "{failure:#?}");
    assert!(!failure.help.is_empty());
}

/// A small disk.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_named() {
    if !has("a_full_disk_is_named", &["root", "mount"]) {
        return;
    }
    // Also root may be kept from mounting.
    let Some(disk) = Disk::mount("2m") else { return };
    let mut machine = Machine::new();
    machine.set("PIPE_STATE_DIR", &disk.path().display().to_string());
    let done = machine.build(context(8 << 20).path(), &[("tag", "demo:1".into())]).await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::BUILD_FAILED, FailureKind::Infrastructure));
    assert!(failure.message.ends_with("no space left on device"), "{failure:#?}");
    assert_eq!(failure.help, ["make room, or set `PIPE_STATE_DIR` to a folder on another disk"]);
    // What was begun is gone.
    let left = std::fs::read_dir(disk.path().join("images/new")).unwrap().count();
    assert_eq!(left, 0);
}
