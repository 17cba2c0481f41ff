//! The stream of events, collected.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use serde_json::Value;

/// All events since it began to listen. Listening ends with it.
pub(crate) struct Events {
    seen: Arc<Mutex<Vec<Value>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Events {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Events {
    /// Listens; when this returns, nothing is missed any more.
    pub(crate) async fn listen(client: &reqwest::Client, marathon: &str) -> Self {
        let request = client.get(format!("{marathon}/v2/events"));
        let response = request.header("Accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream;charset=UTF-8");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            let mut stream = response.bytes_stream();
            let mut text = String::new();
            while let Some(Ok(bytes)) = stream.next().await {
                text.push_str(std::str::from_utf8(&bytes).unwrap());
                while let Some((frame, rest)) = text.split_once("\r\n\r\n") {
                    let (kind, data) = frame.trim_start().split_once("\r\n").unwrap();
                    let event: Value =
                        serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                    assert_eq!(kind.strip_prefix("event: ").unwrap(), event["eventType"]);
                    kept.lock().unwrap().push(event);
                    text = rest.to_owned();
                }
            }
        });
        let events = Self { seen, listening };
        events.wait("event_stream_attached", |_| true).await;
        events
    }

    /// Waits for an event of a type.
    pub(crate) async fn wait(&self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let found = self.of(kind).into_iter().find(&is);
            if let Some(event) = found {
                return event;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no {kind} in {:#?}", self.kinds());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for the end of a deployment.
    pub(crate) async fn success(&self, deployment: &str) -> Value {
        self.wait("deployment_success", |event| event["id"] == deployment).await
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, kind: &str) -> Vec<Value> {
        self.all().into_iter().filter(|event| event["eventType"] == kind).collect()
    }

    /// The types in order, with what tells them apart.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let text = |event: &Value| {
            let kind = event["eventType"].as_str().unwrap();
            let detail = match kind {
                "instance_changed_event" => event["condition"].as_str(),
                "status_update_event" => event["taskStatus"].as_str(),
                "deployment_info" | "deployment_step_success" => {
                    event["currentStep"]["actions"][0]["action"].as_str()
                }
                _ => None,
            };
            detail.map_or_else(|| kind.to_owned(), |detail| format!("{kind} {detail}"))
        };
        self.all().iter().map(text).collect()
    }
}
