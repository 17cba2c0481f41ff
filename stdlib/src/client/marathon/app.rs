//! What a deployment needs to know of an app, its tasks, deployments and queue; the JSON itself
//! is kept.

use jiff::Timestamp;
use serde_json::Value as Json;

/// An app as `GET /v2/apps/ID` gives it.
#[derive(Clone, Debug)]
pub struct App {
    /// Everything, as it came.
    pub json: Json,
    /// Its id, absolute.
    pub id: String,
    /// Its version; changes with every accepted change.
    pub version: String,
    /// The version that its tasks are started from; a scaling leaves it.
    pub config_version: String,
    /// How many tasks it should have.
    pub instances: u64,
    /// Those it has.
    pub tasks: Vec<Task>,
    /// The deployments that touch it.
    pub deployments: Vec<String>,
    /// The last task that failed, of any version.
    pub last_failure: Option<LastFailure>,
    /// Whether it has health checks.
    pub has_checks: bool,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The agent's host name.
    pub host: String,
    /// The agent's id.
    pub agent: String,
    /// Host ports.
    pub ports: Vec<u16>,
    /// Addresses of its own, on container networks.
    pub addresses: Vec<String>,
    /// `TASK_RUNNING` and so on; empty before 1.1, where `started` tells.
    pub state: String,
    /// Whether it has been started.
    pub started: bool,
    /// The version of the definition that it was started from.
    pub version: String,
    /// What its health checks said; empty: nothing yet.
    pub checks: Vec<Check>,
}

/// What one health check said of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Whether the last one was a success.
    pub alive: bool,
    /// How many failed in a row.
    pub failures: u64,
    /// What the last failed one saw.
    pub cause: Option<String>,
    /// Whether anything was measured yet.
    pub measured: bool,
}

/// `lastTaskFailure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFailure {
    /// The task.
    pub task: String,
    /// The state it ended in.
    pub state: String,
    /// Why.
    pub message: String,
    /// Where.
    pub host: String,
    /// The version of the definition that it was started from.
    pub version: String,
}

/// A running deployment, of `GET /v2/deployments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: String,
    /// The version it leads to.
    pub version: String,
    /// The apps that it touches.
    pub apps: Vec<String>,
    /// What it does just now: `RestartApplication /web`.
    pub actions: Vec<String>,
    /// Readiness checks that have not said yes: their name and the last answer's status.
    pub not_ready: Vec<(String, Option<u64>)>,
}

/// An entry of `/v2/queue`: tasks of an app that wait to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The app.
    pub app: String,
    /// How many wait.
    pub count: u64,
    /// Seconds until the next try, when starting is put off after failures.
    pub delay: Option<u64>,
    /// Why agents' offers were not taken, in the order of the matching: reason, offers refused for
    /// it, offers that came so far. Since 1.4.
    pub rejected: Vec<(String, u64, u64)>,
}

impl App {
    /// Reads an app: the object inside `{"app": …}`, or a bare one. Nothing when it is no app.
    #[must_use]
    pub fn read(json: &Json) -> Option<Self> {
        let json = if json["app"].is_object() { &json["app"] } else { json };
        let version = text(&json["version"]);
        let config = text(&json["versionInfo"]["lastConfigChangeAt"]);
        Some(Self {
            id: json["id"].as_str()?.to_owned(),
            config_version: if config.is_empty() { version.clone() } else { config },
            version,
            instances: json["instances"].as_u64().unwrap_or(1),
            tasks: list(&json["tasks"]).iter().filter_map(Task::read).collect(),
            deployments: list(&json["deployments"])
                .iter()
                .filter_map(|d| d["id"].as_str().map(str::to_owned))
                .collect(),
            last_failure: LastFailure::read(&json["lastTaskFailure"]),
            has_checks: !list(&json["healthChecks"]).is_empty(),
            json: json.clone(),
        })
    }
}

impl Task {
    fn read(json: &Json) -> Option<Self> {
        let port = |port: &Json| port.as_u64().and_then(|port| u16::try_from(port).ok());
        Some(Self {
            id: json["id"].as_str()?.to_owned(),
            host: text(&json["host"]),
            agent: text(&json["slaveId"]),
            ports: list(&json["ports"]).iter().filter_map(port).collect(),
            addresses: list(&json["ipAddresses"])
                .iter()
                .filter_map(|address| address["ipAddress"].as_str().map(str::to_owned))
                .collect(),
            state: text(&json["state"]),
            started: json["startedAt"].is_string(),
            version: text(&json["version"]),
            checks: list(&json["healthCheckResults"])
                .iter()
                .filter(|check| check.is_object())
                .map(Check::read)
                .collect(),
        })
    }

    /// Whether it runs.
    #[must_use]
    pub fn running(&self) -> bool {
        if self.state.is_empty() { self.started } else { self.state == "TASK_RUNNING" }
    }

    /// Healthy, unhealthy or, as long as a check has not measured anything, neither. `checks`: how
    /// many the app has.
    #[must_use]
    pub fn healthy(&self, checks: usize) -> Option<bool> {
        if self.checks.iter().any(|check| check.measured && !check.alive) {
            return Some(false);
        }
        let measured = self.checks.iter().filter(|check| check.measured).count();
        (measured >= checks).then_some(true)
    }
}

impl Check {
    fn read(json: &Json) -> Self {
        let failures = json["consecutiveFailures"].as_u64().unwrap_or(0);
        let measured = json["lastSuccess"].is_string() || json["lastFailure"].is_string();
        Self {
            alive: json["alive"].as_bool().unwrap_or(false),
            failures,
            cause: json["lastFailureCause"].as_str().map(str::to_owned),
            measured: measured || failures > 0 || json["alive"].as_bool() == Some(true),
        }
    }
}

impl LastFailure {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            task: json["taskId"].as_str()?.to_owned(),
            state: text(&json["state"]),
            message: text(&json["message"]),
            host: text(&json["host"]),
            version: text(&json["version"]),
        })
    }
}

impl Deployment {
    /// Reads the answer of `GET /v2/deployments`, in the form of any generation.
    #[must_use]
    pub fn read_all(json: &Json) -> Option<Vec<Self>> {
        Some(json.as_array()?.iter().filter_map(Self::read).collect())
    }

    fn read(json: &Json) -> Option<Self> {
        let current = list(&json["currentActions"]);
        let action = |action: &Json| {
            let name = action["action"].as_str().or_else(|| action["type"].as_str())?;
            Some(format!("{name} {}", action["app"].as_str().or_else(|| action["pod"].as_str())?))
        };
        let not_ready = current
            .iter()
            .flat_map(|action| list(&action["readinessCheckResults"]))
            .filter(|result| result["ready"] == false)
            .map(|result| (text(&result["name"]), result["lastResponse"]["status"].as_u64()))
            .collect();
        Some(Self {
            id: json["id"].as_str()?.to_owned(),
            version: text(&json["version"]),
            apps: list(&json["affectedApps"]).iter().map(text).collect(),
            actions: current.iter().filter_map(action).collect(),
            not_ready,
        })
    }
}

impl Queued {
    /// Reads the answer of `GET /v2/queue`.
    #[must_use]
    pub fn read_all(json: &Json) -> Option<Vec<Self>> {
        Some(json["queue"].as_array()?.iter().map(Self::read).collect())
    }

    fn read(json: &Json) -> Self {
        let delay = &json["delay"];
        let summary = &json["processedOffersSummary"];
        let reasons = list(&summary["rejectSummaryLastOffers"]);
        Self {
            app: json["app"]["id"]
                .as_str()
                .or_else(|| json["pod"]["id"].as_str())
                .map(str::to_owned)
                .unwrap_or_default(),
            count: json["count"].as_u64().unwrap_or(0),
            delay: delay["timeLeftSeconds"]
                .as_u64()
                .filter(|seconds| *seconds > 0 && delay["overdue"] != true),
            rejected: reasons
                .iter()
                .map(|row| {
                    let count = |name: &str| row[name].as_u64().unwrap_or(0);
                    (text(&row["reason"]), count("declined"), count("processed"))
                })
                .collect(),
        }
    }
}

/// Whether a version is the same as or newer than another. Versions are times of the server.
#[must_use]
pub fn at_least(version: &str, other: &str) -> bool {
    match (version.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        (Ok(version), Ok(other)) => version >= other,
        _ => version == other,
    }
}

/// Whether two versions are the same time, however they are written.
#[must_use]
pub fn same_version(version: &str, other: &str) -> bool {
    at_least(version, other) && at_least(other, version)
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}
