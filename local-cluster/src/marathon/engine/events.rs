//! What happens, told to whoever listens (`GET /v2/events`).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::time::Timestamp;

/// `--event_stream_max_outstanding_messages`: who lags behind by more is cut off, as since 1.8.
const OUTSTANDING: usize = 1024;

/// An event as it goes over the wire: its type and one line of JSON.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// `deployment_info` and so on.
    pub(crate) kind: &'static str,
    /// The fields, with `eventType` and `timestamp`.
    pub(crate) data: String,
}

/// All who listen.
#[derive(Default)]
pub(crate) struct Events {
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    wanted: BTreeSet<String>,
    address: String,
    queue: mpsc::Sender<Event>,
}

impl Events {
    /// Tells an event to all who want it. `fields` is an object.
    pub(crate) fn emit(&mut self, kind: &'static str, mut fields: Value) {
        fields["eventType"] = kind.into();
        fields["timestamp"] = Timestamp::now().to_string().into();
        let event = Event { kind, data: fields.to_string() };
        let mut gone = Vec::new();
        self.subscribers.retain(|subscriber| {
            let wanted = subscriber.wanted.is_empty() || subscriber.wanted.contains(kind);
            let kept = if wanted {
                subscriber.queue.try_send(event.clone()).is_ok()
            } else {
                !subscriber.queue.is_closed()
            };
            if !kept {
                gone.push(subscriber.address.clone());
            }
            kept
        });
        for address in gone {
            self.emit("event_stream_detached", json!({ "remoteAddress": address }));
        }
    }

    /// A new listener, who is told of its own arrival first; without `wanted` types, all.
    pub(crate) fn subscribe(
        &mut self,
        wanted: BTreeSet<String>,
        address: String,
    ) -> mpsc::Receiver<Event> {
        let (queue, events) = mpsc::channel(OUTSTANDING);
        self.subscribers.push(Subscriber { wanted, address: address.clone(), queue });
        self.emit("event_stream_attached", json!({ "remoteAddress": address }));
        events
    }

    /// Ends all streams.
    pub(crate) fn close(&mut self) {
        self.subscribers.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_listener_hears_what_it_wants_and_a_slow_one_is_cut_off() {
        let mut events = Events::default();
        let mut all = events.subscribe(BTreeSet::new(), "1.2.3.4".into());
        let mut some = events.subscribe(BTreeSet::from(["b".to_owned()]), "5.6.7.8".into());
        events.emit("a", json!({ "x": 1 }));
        events.emit("b", json!({}));
        assert_eq!(all.try_recv().unwrap().kind, "event_stream_attached");
        assert_eq!(all.try_recv().unwrap().kind, "event_stream_attached");
        let data: Value = serde_json::from_str(&all.try_recv().unwrap().data).unwrap();
        assert_eq!((&data["x"], &data["eventType"]), (&json!(1), &json!("a")));
        assert_eq!(some.try_recv().unwrap().kind, "b");
        for _ in 0..=OUTSTANDING {
            events.emit("a", json!({}));
        }
        let heard = std::iter::from_fn(|| all.try_recv().ok()).count();
        assert_eq!(heard, OUTSTANDING);
        assert!(all.is_closed());
        assert!(!some.is_closed());
    }
}
