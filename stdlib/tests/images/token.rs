//! Token authentication: a registry that sends its users to a login server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    http::{Request, header::AUTHORIZATION},
    response::Response,
};
use pipe_grammar::Code;
use pipe_oci::Digest;
use pipe_stdlib::core::{DockerConnection, Secret};

use crate::{call::Machine, tools::folder};

/// A registry in memory. Its tokens last for a few requests only.
#[derive(Default)]
struct Memory {
    host: String,
    /// The tokens that were given out, and how often each was used.
    tokens: Vec<usize>,
    scopes: Vec<String>,
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: usize,
}

type Shared = Arc<Mutex<Memory>>;

/// How often a token may be used.
const USES: usize = 3;

fn empty(status: u16) -> Response<Body> {
    Response::builder().status(status).body(Body::empty()).unwrap()
}

async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let mut memory = shared.lock().unwrap();
    let authorization = head.headers.get(AUTHORIZATION).map(|v| v.to_str().unwrap().to_owned());
    let path = head.uri.path().to_owned();
    if path == "/token" {
        let query = head.uri.query().unwrap_or_default();
        memory.scopes.push(query.to_owned());
        // `user:secret`.
        return if authorization.as_deref() == Some("Basic dXNlcjpzZWNyZXQ=") {
            let token = format!(r#"{{"access_token":"T{}","expires_in":60}}"#, memory.tokens.len());
            memory.tokens.push(0);
            Response::builder().body(Body::from(token)).unwrap()
        } else {
            let words = r#"{"details":"incorrect username or password"}"#;
            Response::builder().status(401).body(Body::from(words)).unwrap()
        };
    }
    let token = authorization.as_deref().and_then(|text| text.strip_prefix("Bearer T"));
    let uses = token.and_then(|number| memory.tokens.get_mut(number.parse::<usize>().ok()?));
    let is_valid = uses.is_some_and(|uses| {
        *uses += 1;
        *uses <= USES
    });
    if !is_valid {
        let challenge = format!("Bearer realm=\"http://{}/token\",service=\"test\"", memory.host);
        return Response::builder()
            .status(401)
            .header("www-authenticate", challenge)
            .body(Body::empty())
            .unwrap();
    }
    let is_manifest = path.contains("/manifests/");
    match head.method.as_str() {
        "PUT" if is_manifest => {
            memory.manifests.insert(path, body.to_vec());
            empty(201)
        }
        "HEAD" if is_manifest => match memory.manifests.get(&path) {
            Some(bytes) => Response::builder()
                .header("docker-content-digest", Digest::of(bytes).to_string())
                .header("content-length", bytes.len())
                .body(Body::from(bytes.clone()))
                .unwrap(),
            None => empty(404),
        },
        "HEAD" => empty(404),
        "POST" => Response::builder()
            .status(202)
            .header("location", format!("http://{}{path}place", memory.host))
            .body(Body::empty())
            .unwrap(),
        "PUT" => {
            // The digest in the query is that of the bytes.
            let digest = Digest::of(&body).to_string().replace(':', "%3A");
            assert_eq!(head.uri.query(), Some(format!("digest={digest}").as_str()));
            memory.blobs += 1;
            empty(201)
        }
        _ => empty(405),
    }
}

async fn start() -> Shared {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let shared = Shared::new(Mutex::new(Memory { host, ..Memory::default() }));
    let app = Router::new().fallback(answer).with_state(shared.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    shared
}

async fn push(shared: &Shared, password: &str) -> crate::call::Done {
    let host = shared.lock().unwrap().host.clone();
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY f /f\n"), ("f", 0o644, "f")]);
    let mut machine = Machine::new();
    machine.connections.docker.push(DockerConnection {
        registry: host.clone(),
        username: Some("user".to_owned()),
        password: Some(Secret::new(password)),
        insecure: false,
    });
    let tag = format!("{host}/team/demo:1");
    machine.build(context.path(), &[("tag", tag.as_str().into()), ("push", true.into())]).await
}

#[tokio::test]
async fn a_token_is_fetched_and_renewed() {
    let shared = start().await;
    let done = push(&shared, "secret").await;
    let digest = done.text("digest");
    let memory = shared.lock().unwrap();
    assert_eq!(memory.blobs, 2, "a layer and the configuration");
    let manifest = &memory.manifests["/v2/team/demo/manifests/1"];
    assert_eq!(Digest::of(manifest).to_string(), digest);
    assert!(memory.tokens.len() > 1, "tokens that ran out are renewed");
    for scope in &memory.scopes {
        assert_eq!(scope, "scope=repository%3Ateam%2Fdemo%3Apull%2Cpush&service=test&account=user");
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_by_the_login_server() {
    let shared = start().await;
    let done = push(&shared, "wrong").await;
    let failure = done.failure();
    let (host, asked) = {
        let memory = shared.lock().unwrap();
        (memory.host.clone(), memory.scopes.len())
    };
    assert_eq!(failure.code, Code::REGISTRY_REFUSED);
    assert_eq!(failure.message, format!("`{host}` refused the login of `user`"));
    assert_eq!(failure.evidence[0].1, ["incorrect username or password"]);
    assert_eq!(asked, 1, "a refused login is not tried again");
}
