//! The server that the workers of a run call.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::{
    io::ReaderStream,
    sync::{CancellationToken, DropGuard},
};

use super::{Desk, Done, Frames, Hello, inwards, outwards, pack, unpack};

/// How long a worker that asks for an order waits for it, at most.
const POLL: Duration = Duration::from_secs(20);
/// So often a port that is taken is tried again, with a pause between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// No part of output is longer.
const LONGEST_PART: usize = 80 << 20;

/// The server. Dropping it ends it, with everything that it sends.
pub struct Depot {
    /// The port that it listens on.
    pub port: u16,
    inside: Arc<Inside>,
    _stop: DropGuard,
}

struct Inside {
    /// The program that tasks run as their worker.
    program: PathBuf,
    /// By token.
    desks: Mutex<BTreeMap<String, Weak<Desk>>>,
    stop: CancellationToken,
}

impl Depot {
    /// Listens, on a port of its own unless one is given.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn open(program: PathBuf, port: Option<u16>) -> io::Result<Self> {
        let mut tries = 0;
        let listener = loop {
            match listen(port.unwrap_or(0)).await {
                // The one of the stage before may just be closing.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                listener => break listener?,
            }
        };
        let port = listener.local_addr()?.port();
        let stop = CancellationToken::new();
        let inside = Arc::new(Inside { program, desks: Mutex::default(), stop: stop.clone() });
        let router = Router::new()
            .route("/{token}/pipe", get(program_file))
            .route("/{token}/hello", post(hello))
            .route("/{token}/workspace", get(workspace))
            .route("/{token}/next", get(next))
            .route("/{token}/stdin", get(stdin))
            .route("/{token}/output", post(output))
            .route("/{token}/files", post(files))
            .route("/{token}/done", post(done))
            .with_state(inside.clone());
        let ends = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ends.cancelled() => {}
                _ = axum::serve(listener, router) => {}
            }
        });
        Ok(Self { port, inside, _stop: stop.drop_guard() })
    }

    /// Serves a desk for as long as there is one.
    pub fn add(&self, desk: &Arc<Desk>) {
        let mut desks = self.inside.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|_, desk| desk.strong_count() > 0);
        desks.insert(desk.token.clone(), Arc::downgrade(desk));
    }
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    let all = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    match TcpListener::bind(all).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            // A machine without IPv6.
            TcpListener::bind(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)).await
        }
        listener => listener,
    }
}

impl Inside {
    fn desk(&self, token: &str) -> Result<Arc<Desk>, StatusCode> {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.get(token).and_then(Weak::upgrade).ok_or(StatusCode::NOT_FOUND)
    }

    /// The desk, for a worker that has its key.
    fn with_key(&self, token: &str, headers: &HeaderMap) -> Result<Arc<Desk>, StatusCode> {
        let desk = self.desk(token)?;
        let key = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = key.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !desk.is_key(key) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        desk.touch();
        Ok(desk)
    }
}

type Shared = State<Arc<Inside>>;

#[derive(Deserialize)]
struct Number {
    order: u64,
    #[serde(default)]
    part: u64,
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

async fn program_file(
    State(inside): Shared,
    Path(token): Path<String>,
) -> Result<Response, StatusCode> {
    inside.desk(&token)?;
    let file = tokio::fs::File::open(&inside.program).await;
    let file = file.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let length = file.metadata().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.len();
    let body = Body::from_stream(ReaderStream::with_capacity(file, 256 << 10));
    Ok(([(header::CONTENT_LENGTH, length)], body).into_response())
}

async fn hello(
    State(inside): Shared,
    Path(token): Path<String>,
    axum::Json(hello): axum::Json<Hello>,
) -> Result<Response, StatusCode> {
    let desk = inside.desk(&token)?;
    let welcome = desk.hello(hello).ok_or(StatusCode::CONFLICT)?;
    Ok(axum::Json(welcome).into_response())
}

async fn workspace(
    State(inside): Shared,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let desk = inside.with_key(&token, &headers)?;
    let (mut outlet, mut pieces) = outwards();
    let cancel = inside.stop.child_token();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = pack(&desk.workspace, &mut outlet, &cancel) {
            // The answer breaks off, and the worker sees that it is not whole.
            outlet.fail(error);
        }
    });
    let stream = futures_util::stream::poll_fn(move |context| pieces.poll_recv(context));
    Ok(Body::from_stream(stream).into_response())
}

async fn next(
    State(inside): Shared,
    Path(token): Path<String>,
    Query(After { after }): Query<After>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let desk = inside.with_key(&token, &headers)?;
    match desk.next(after, POLL.min(desk.leash / 4)).await {
        Some(order) => Ok(axum::Json(order).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

async fn stdin(
    State(inside): Shared,
    Path(token): Path<String>,
    Query(number): Query<Number>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let desk = inside.with_key(&token, &headers)?;
    let bytes = desk.stdin(number.order).ok_or(StatusCode::GONE)?;
    Ok(bytes.into_response())
}

async fn output(
    State(inside): Shared,
    Path(token): Path<String>,
    Query(number): Query<Number>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, StatusCode> {
    // Nothing is read of those who have no key.
    let desk = inside.with_key(&token, &headers)?;
    let body = to_bytes(body, LONGEST_PART).await.map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut lines = Vec::new();
    let read = Frames::read(&body, |line| lines.push(line));
    if read != Some(body.len()) {
        return Err(StatusCode::BAD_REQUEST);
    }
    desk.output(number.order, number.part, body.len(), lines).await;
    Ok(StatusCode::OK)
}

async fn files(
    State(inside): Shared,
    Path(token): Path<String>,
    Query(number): Query<Number>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, StatusCode> {
    let desk = inside.with_key(&token, &headers)?;
    let folder = desk.files(number.order).ok_or(StatusCode::GONE)?;
    let (sender, inlet) = inwards();
    let unpacking = tokio::task::spawn_blocking(move || unpack(inlet, &folder));
    let mut pieces = body.into_data_stream();
    let mut whole = true;
    while let Some(piece) = pieces.next().await {
        desk.touch();
        whole &= piece.is_ok();
        if sender.send(piece.map_err(io::Error::other)).await.is_err() {
            break;
        }
    }
    drop(sender);
    match unpacking.await {
        Ok(Ok(())) if whole => Ok(StatusCode::OK),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn done(
    State(inside): Shared,
    Path(token): Path<String>,
    Query(number): Query<Number>,
    headers: HeaderMap,
    axum::Json(done): axum::Json<Done>,
) -> Result<StatusCode, StatusCode> {
    let desk = inside.with_key(&token, &headers)?;
    desk.done(number.order, done).await;
    Ok(StatusCode::OK)
}
