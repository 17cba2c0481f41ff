//! The events of a subscription.
//!
//! Source: `include/mesos/v1/scheduler/scheduler.proto`, `Event`. The document of the HTTP API has
//! some of them in another shape than the master sends; the recordings in `tests/data/mesos` are
//! right.

use std::time::Duration;

use serde::Deserialize;

use super::{Id, Offer, Status};

/// An event.
#[derive(Clone, Debug)]
pub enum Event {
    /// The subscription holds from here on.
    Subscribed {
        /// Our id.
        framework: Id,
        /// How often a heartbeat comes; none when there is none.
        heartbeat: Option<Duration>,
        /// The master's version: `1.11.0`.
        version: Option<String>,
    },
    /// Nothing but life.
    Heartbeat,
    /// Agents have something left.
    Offers(Vec<Offer>),
    /// An offer is taken back.
    Rescind(Id),
    /// Something is said of a task.
    Update(Box<Status>),
    /// An executor or, without one, an agent is gone.
    Failure {
        /// The agent.
        agent: Option<Id>,
        /// The executor.
        executor: Option<Id>,
    },
    /// The subscription is refused or over.
    Error(String),
    /// An event of no use here: `INVERSE_OFFERS`, `MESSAGE`, what newer masters have.
    Other(String),
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    subscribed: Option<Subscribed>,
    offers: Option<Offers>,
    rescind: Option<Rescind>,
    update: Option<Update>,
    failure: Option<Failure>,
    error: Option<ErrorText>,
}

#[derive(Deserialize)]
struct Subscribed {
    framework_id: Id,
    heartbeat_interval_seconds: Option<f64>,
    master_info: Option<MasterInfo>,
}

#[derive(Deserialize)]
struct MasterInfo {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Offers {
    #[serde(default)]
    offers: Vec<Offer>,
}

#[derive(Deserialize)]
struct Rescind {
    offer_id: Id,
}

#[derive(Deserialize)]
struct Update {
    status: Status,
}

#[derive(Deserialize)]
struct Failure {
    agent_id: Option<Id>,
    executor_id: Option<Id>,
}

#[derive(Deserialize)]
struct ErrorText {
    #[serde(default)]
    message: String,
}

impl Event {
    /// Reads a record; nothing when it is no event of a master.
    #[must_use]
    pub fn read(record: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(record).ok()?;
        Some(match wire.kind.as_str() {
            "SUBSCRIBED" => {
                let subscribed = wire.subscribed?;
                let seconds = subscribed.heartbeat_interval_seconds;
                Self::Subscribed {
                    framework: subscribed.framework_id,
                    heartbeat: seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()),
                    version: subscribed.master_info.and_then(|info| info.version),
                }
            }
            "HEARTBEAT" => Self::Heartbeat,
            "OFFERS" => Self::Offers(wire.offers?.offers),
            "RESCIND" => Self::Rescind(wire.rescind?.offer_id),
            "UPDATE" => Self::Update(Box::new(wire.update?.status)),
            "FAILURE" => {
                let failure = wire.failure?;
                Self::Failure { agent: failure.agent_id, executor: failure.executor_id }
            }
            "ERROR" => Self::Error(wire.error?.message),
            other => Self::Other(other.to_owned()),
        })
    }
}
