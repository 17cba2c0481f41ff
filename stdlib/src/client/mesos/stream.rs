//! A subscription: the stream of events, and what belongs to it.

use std::{collections::VecDeque, time::Duration};

use reqwest::header::ACCEPT;
use tokio::time::Instant;

use super::{Call, Client, Decoder, Error, Event, FrameworkInfo, Id, Subscribe, call::Envelope};

/// A subscription that the master has granted. Dropping it closes the stream.
#[derive(Debug)]
pub struct Subscription {
    /// Our id.
    pub framework: Id,
    /// The base URL of the master that holds it.
    pub base: String,
    /// Every other call must carry it.
    pub stream: String,
    /// The master's version.
    pub version: Option<String>,
    response: reqwest::Response,
    decoder: Decoder,
    events: VecDeque<Event>,
    /// After so long without a byte the stream is dead.
    silence: Duration,
    last: Instant,
}

/// Mesos's own interval, for a master that sends no heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(15);

impl Client {
    /// Subscribes at the leader. With an id in `info` it is the same framework as before.
    ///
    /// # Errors
    ///
    /// Nobody leads or answers, or the master refuses: that is a stream with one `ERROR` in it,
    /// and [`Error::Ended`] here.
    pub async fn subscribe(
        &self,
        info: &FrameworkInfo,
        suppressed: bool,
    ) -> Result<Subscription, Error> {
        let suppressed_roles = if suppressed { info.roles.clone() } else { Vec::new() };
        let subscribe = Subscribe { framework_info: info.clone(), suppressed_roles };
        let call = Call::Subscribe { subscribe };
        let request = |base: &str| {
            self.http
                .post(format!("{base}/api/v1/scheduler"))
                .header(ACCEPT, "application/json")
                // The id must stand in both places.
                .json(&Envelope { framework_id: info.id.as_ref(), call: &call })
        };
        let (base, response) = self.ask_leader(request).await?;
        let foreign = || Error::Foreign(format!("what answers at `{base}` is no Mesos master"));
        let stream = response.headers().get("Mesos-Stream-Id");
        let stream = stream.and_then(|id| id.to_str().ok()).ok_or_else(foreign)?.to_owned();
        let mut subscription = Subscription {
            framework: Id::default(),
            base: base.clone(),
            stream,
            version: None,
            response,
            decoder: Decoder::default(),
            events: VecDeque::new(),
            silence: self.pace.call,
            last: Instant::now(),
        };
        match subscription.next().await {
            Ok(Event::Subscribed { framework, heartbeat, version }) => {
                subscription.framework = framework;
                subscription.version = version;
                subscription.silence = heartbeat.unwrap_or(HEARTBEAT) * self.pace.heartbeats;
                Ok(subscription)
            }
            Ok(Event::Error(message)) => Err(Error::Ended(message)),
            Ok(_) => Err(foreign()),
            Err(why) => Err(Error::Lost(format!("`{base}`: {why}"))),
        }
    }
}

impl Subscription {
    /// The next event. May be dropped at any time without losing anything.
    ///
    /// # Errors
    ///
    /// Why the stream is over, in words: it ended, broke, or is silent for too long.
    pub async fn next(&mut self) -> Result<Event, String> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let deadline = self.last + self.silence;
            let chunk = match tokio::time::timeout_at(deadline, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Err("the master ended the stream".to_owned()),
                Ok(Err(_)) => return Err("the connection broke".to_owned()),
                Err(_) => {
                    let seconds = self.silence.as_secs();
                    return Err(format!("nothing was heard for {seconds} s"));
                }
            };
            self.last = Instant::now();
            let events = &mut self.events;
            // What can't be read is an event of a newer master: not ours to judge.
            self.decoder
                .push(&chunk, |record| events.extend(Event::read(record)))
                .map_err(|_| "the stream is no RecordIO".to_owned())?;
        }
    }
}
