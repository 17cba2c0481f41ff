//! `GET /v2/events`: server-sent events (`core/event/impl/stream/HttpEventStreamServlet.scala`).

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use futures_util::stream;
use tokio::time::{Instant, interval_at};

use super::{Api, answer::Answer, query::Parameters};
use crate::{guard::Peer, marathon::error::Refusal};

/// An empty line comes this often, so that both ends know that the other is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A stream without end, of the types that are asked for or of all.
pub(super) async fn stream(
    State(api): State<Api>,
    parameters: Parameters,
    headers: HeaderMap,
    peer: Peer,
) -> Answer {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Err(Refusal::no_method());
    }
    let wanted = parameters.all("event_type").into_iter().collect();
    let events = api.ask(move |engine| engine.events().subscribe(wanted, peer.ip())).await?;
    let heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let frames = stream::unfold((events, heartbeat), |(mut events, mut heartbeat)| async {
        let frame = tokio::select! {
            event = events.recv() => {
                let event = event?;
                format!("event: {}\r\ndata: {}\r\n\r\n", event.kind, event.data)
            }
            _ = heartbeat.tick() => "\r\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(Bytes::from(frame)), (events, heartbeat)))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream;charset=UTF-8"),
        (header::CONNECTION, "close"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((StatusCode::OK, headers, Body::from_stream(frames)).into_response())
}
