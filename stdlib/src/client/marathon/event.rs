//! The events that a deployment is followed by. Types that are not listed are ignored.
//!
//! Fields as in `core/event/Events.scala` and `api/v2/json/Formats.scala`; `condition`, `healthy`
//! and `instance…` exist since 1.4.

use serde_json::Value as Json;

use super::Frame;

/// An event, reduced to what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first one on every stream.
    Attached,
    /// A task changed its state.
    Status {
        /// The app.
        app: String,
        /// The task's id.
        task: String,
        /// `TASK_RUNNING` and so on.
        state: String,
        /// Where errors of the fetcher and of Docker stand.
        message: String,
        /// The agent's host name.
        host: String,
        /// The version of the definition that the task was started from.
        version: String,
    },
    /// A task's health changed.
    Health {
        /// The app.
        app: String,
        /// The instance (1.4 and later) or the task.
        instance: String,
        /// Unknown is neither.
        healthy: Option<bool>,
        /// The version of the definition that the task was started from.
        version: String,
    },
    /// Marathon kills a task whose health checks failed.
    UnhealthyKill {
        /// The app.
        app: String,
        /// The task, or the instance where it is all there is.
        task: String,
        /// What the last check saw.
        reason: String,
        /// The agent's host name.
        host: String,
        /// The version of the definition that the task was started from.
        version: String,
    },
    /// A step of a deployment begins.
    Step {
        /// The deployment.
        deployment: String,
        /// The apps that its plan touches.
        apps: Vec<String>,
    },
    /// A deployment is over and did what it should.
    Success {
        /// The deployment.
        deployment: String,
        /// Whether its plan had nothing to do; unknown before 0.8.
        empty: Option<bool>,
    },
    /// A deployment was cancelled, forced over or refused.
    Failed {
        /// The deployment.
        deployment: String,
        /// In Marathon's words; 1.6 and later.
        reason: Option<String>,
    },
    /// An app was removed.
    Terminated {
        /// The app.
        app: String,
    },
}

impl Event {
    /// The types that are of use, for the filter of `/v2/events`.
    pub const TYPES: &'static [&'static str] = &[
        "event_stream_attached",
        "status_update_event",
        "instance_health_changed_event",
        "health_status_changed_event",
        "unhealthy_task_kill_event",
        "unhealthy_instance_kill_event",
        "deployment_info",
        "deployment_success",
        "deployment_failed",
        "app_terminated_event",
    ];

    /// Reads an event; nothing when it is of no use or no JSON.
    #[must_use]
    pub fn read(frame: &Frame) -> Option<Self> {
        let json: Json = serde_json::from_str(&frame.data).ok()?;
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let either =
            |a: &str, b: &str| Some(text(a)).filter(|t| !t.is_empty()).unwrap_or_else(|| text(b));
        let kind = json["eventType"].as_str().unwrap_or(&frame.event);
        Some(match kind {
            "event_stream_attached" => Self::Attached,
            "status_update_event" => Self::Status {
                app: text("appId"),
                task: text("taskId"),
                state: text("taskStatus"),
                message: text("message"),
                host: text("host"),
                version: text("version"),
            },
            "instance_health_changed_event" => Self::Health {
                app: text("runSpecId"),
                instance: text("instanceId"),
                healthy: json["healthy"].as_bool(),
                version: text("runSpecVersion"),
            },
            "health_status_changed_event" => Self::Health {
                app: text("appId"),
                instance: either("instanceId", "taskId"),
                healthy: json["alive"].as_bool(),
                version: text("version"),
            },
            "unhealthy_task_kill_event" | "unhealthy_instance_kill_event" => Self::UnhealthyKill {
                app: text("appId"),
                task: either("taskId", "instanceId"),
                reason: text("reason"),
                host: text("host"),
                version: text("version"),
            },
            "deployment_info" => Self::Step {
                deployment: json["plan"]["id"].as_str()?.to_owned(),
                apps: apps(&json["plan"]),
            },
            "deployment_success" => Self::Success {
                deployment: id(&json)?,
                empty: json["plan"]["steps"].as_array().map(Vec::is_empty),
            },
            "deployment_failed" => Self::Failed {
                deployment: id(&json)?,
                reason: json["reason"].as_str().map(str::to_owned),
            },
            "app_terminated_event" => Self::Terminated { app: text("appId") },
            _ => return None,
        })
    }
}

fn id(json: &Json) -> Option<String> {
    json["id"].as_str().or_else(|| json["plan"]["id"].as_str()).map(str::to_owned)
}

/// The apps of a plan's steps; `steps` is a list of `{actions: […]}`, before 1.0 of lists.
fn apps(plan: &Json) -> Vec<String> {
    let steps = plan["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actions = steps.iter().flat_map(|step| {
        step.as_array()
            .or_else(|| step["actions"].as_array())
            .map(Vec::as_slice)
            .unwrap_or_default()
    });
    let mut apps: Vec<String> =
        actions.filter_map(|action| action["app"].as_str()).map(str::to_owned).collect();
    apps.dedup();
    apps
}

/// What a task and its instance have in common, so that an event that names the one is found
/// under the other: `web.instance-UUID._app.1` and `web.instance-UUID` (1.8 and later),
/// `web.UUID` and `web.marathon-UUID` (1.4 to 1.7).
#[must_use]
pub fn key(id: &str) -> String {
    let instance = id.split_once("._app").map_or(id, |(instance, _)| instance);
    instance.replacen(".marathon-", ".", 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::Decoder, *};

    fn events(bytes: &[u8]) -> Vec<Event> {
        Decoder::default().push(bytes).iter().filter_map(Event::read).collect()
    }

    #[test]
    fn the_streams_hold_what_they_should() {
        let all = events(include_bytes!("../../../tests/data/marathon/sse/rolling-ok.txt"));
        assert_eq!(all[0], Event::Attached);
        assert!(matches!(all.last().unwrap(), Event::Success { empty: Some(false), .. }));
        assert!(all.iter().any(|e| matches!(e, Event::Health { healthy: Some(true), .. })));

        let kills =
            events(include_bytes!("../../../tests/data/marathon/sse/unhealthy-kill-loop.txt"));
        let reasons = kills.iter().filter(|e| {
            matches!(e, Event::UnhealthyKill { reason, .. } if reason == "500 Internal Server Error")
        });
        assert_eq!(reasons.count(), 2);

        let forced = events(include_bytes!("../../../tests/data/marathon/sse/forced-over.txt"));
        let Event::Failed { reason: Some(reason), .. } = forced.last().unwrap() else {
            panic!("{forced:?}");
        };
        assert_eq!(reason, "The upgrade has been cancelled");

        let old = events(include_bytes!("../../../tests/data/marathon/sse/old-1.1-plan.txt"));
        assert!(matches!(&old[1], Event::Step { apps, .. } if apps == &["/product/web"]));
        assert!(matches!(&old[3], Event::Success { empty: None, .. }));

        let hostile = events(include_bytes!("../../../tests/data/marathon/sse/hostile.txt"));
        assert_eq!(hostile.len(), 2, "{hostile:?}");
    }

    #[test]
    fn a_task_and_its_instance_have_one_key() {
        assert_eq!(key("web.instance-0003._app.1"), key("web.instance-0003"));
        assert_eq!(key("web.8cad6a69-1"), key("web.marathon-8cad6a69-1"));
        assert_ne!(key("web.instance-0003._app.1"), key("web.instance-0004._app.1"));
    }
}
