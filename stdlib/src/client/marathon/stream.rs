//! The event stream, opened anew whenever it breaks.
//!
//! Marathon keeps no events for those who are away: after every [`Signal::Attached`] the caller
//! asks what it may have missed.

use std::time::Duration;

use reqwest::{StatusCode, Url, header};
use tokio::sync::mpsc;

use super::{Client, Decoder, Event};

/// What the stream has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// From here on nothing is missed.
    Attached,
    /// An event.
    Event(Event),
    /// The stream broke and is being opened again.
    Lost,
    /// This server gives us no events, in one line why. Nothing more will come.
    Unavailable(String),
}

/// A stream of events. Dropping it closes the connection.
#[derive(Debug)]
pub struct Events {
    signals: mpsc::Receiver<Signal>,
    reader: tokio::task::JoinHandle<()>,
    over: bool,
}

impl Drop for Events {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Events {
    /// Opens the stream, in the background.
    #[must_use]
    pub fn open(client: &Client) -> Self {
        let (sender, signals) = mpsc::channel(256);
        let client = client.clone();
        let reader = tokio::spawn(async move {
            if let Some(why) = read_for_ever(&client, &sender).await {
                let _ = sender.send(Signal::Unavailable(why)).await;
            }
        });
        Self { signals, reader, over: false }
    }

    /// The next signal; waits for ever when there will be none. May be dropped at any time without
    /// losing anything.
    pub async fn next(&mut self) -> Signal {
        if !self.over {
            match self.signals.recv().await {
                Some(signal) => return signal,
                None => self.over = true,
            }
        }
        std::future::pending().await
    }

    /// The next signal, if it is there already.
    pub fn ready(&mut self) -> Option<Signal> {
        self.signals.try_recv().ok()
    }
}

/// How one connection ended.
enum End {
    /// It may work the next time.
    Broken,
    /// It won't.
    Refused(String),
    /// Nobody listens any more.
    Unwanted,
}

/// Returns why there are no events, or nothing when nobody wants them any more.
async fn read_for_ever(client: &Client, sender: &mpsc::Sender<Signal>) -> Option<String> {
    let first = client.pace.pause;
    let mut pause = first;
    loop {
        let mut attached = false;
        match read_once(client, sender, &mut attached).await {
            End::Refused(why) => return Some(why),
            End::Unwanted => return None,
            End::Broken if attached => {
                pause = first;
                sender.send(Signal::Lost).await.ok()?;
            }
            End::Broken => pause = (pause * 2).min(Duration::from_secs(5)),
        }
        tokio::time::sleep(pause).await;
    }
}

async fn read_once(client: &Client, sender: &mpsc::Sender<Signal>, attached: &mut bool) -> End {
    let mut response = match connect(client).await {
        Ok(response) => response,
        Err(end) => return end,
    };
    let mut decoder = Decoder::default();
    loop {
        // The heartbeat is every 10 s: a longer silence is a connection that died unnoticed.
        let chunk = match tokio::time::timeout(client.pace.silence, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None) | Err(_)) | Err(_) => return End::Broken,
        };
        // The first byte is as good as `event_stream_attached`: we are subscribed.
        if !std::mem::replace(attached, true) && sender.send(Signal::Attached).await.is_err() {
            return End::Unwanted;
        }
        for event in decoder.push(&chunk).iter().filter_map(Event::read) {
            if event != Event::Attached && sender.send(Signal::Event(event)).await.is_err() {
                return End::Unwanted;
            }
        }
    }
}

async fn connect(client: &Client) -> Result<reqwest::Response, End> {
    let mut url = Url::parse(&format!("{}/v2/events", client.base)).map_err(|_| End::Broken)?;
    let home = url.origin();
    if client.version.filters_events() {
        url.query_pairs_mut().extend_pairs(Event::TYPES.iter().map(|name| ("event_type", name)));
    }
    if client.version.light_plans() {
        url.query_pairs_mut().append_pair("plan-format", "light");
    }
    // A standby of 1.7 and later sends us to the leader.
    for _ in 0..3 {
        let mut request = client.http.get(url.clone()).header(header::ACCEPT, "text/event-stream");
        // Credentials go to the host that they are for.
        if url.origin() == home {
            request = request.headers(client.headers());
        }
        let answer = tokio::time::timeout(client.pace.read, request.send()).await;
        let response = answer.map_err(|_| End::Broken)?.map_err(|_| End::Broken)?;
        let status = response.status();
        if status.is_success() {
            let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
            return match kind {
                Some(kind) if kind.starts_with("text/event-stream") => Ok(response),
                _ => Err(End::Refused("the server answers with something else".to_owned())),
            };
        }
        if status.is_redirection() {
            let target = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let next = target.and_then(|target| url.join(target).ok());
            let Some(next) = next.filter(|next| next.scheme() == url.scheme()) else {
                return Err(End::Refused("the server sends us elsewhere".to_owned()));
            };
            url = next;
            continue;
        }
        return Err(match status {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => End::Broken,
            status => End::Refused(format!("the server answers HTTP {}", status.as_u16())),
        });
    }
    Err(End::Refused("the server sends us round in circles".to_owned()))
}
