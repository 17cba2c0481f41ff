//! One instance of an app: what should run, and the task that does.

use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

use crate::{agent::TaskHandle, marathon::app::App, random, time::Timestamp};

/// A place for a task. It outlives its tasks: when one fails, the next takes its place.
pub(crate) struct Instance {
    /// `product_web.instance-<uuid>`.
    pub(crate) id: String,
    /// The definition that it was started from.
    pub(crate) app: App,
    /// How far it is.
    pub(crate) condition: Condition,
    /// Whether it shall run.
    pub(crate) goal: Goal,
    /// The task, once there is one.
    pub(crate) task: Option<Task>,
    /// The order in which instances came to be.
    pub(crate) number: u64,
    incarnation: u32,
}

/// What shall become of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// It runs; a task that ended is replaced.
    Running,
    /// It goes.
    Gone,
}

/// How far an instance is, by Marathon's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    Scheduled,
    Provisioned,
    Starting,
    Running,
    Killing,
    Killed,
    Failed,
    Finished,
}

/// What runs in an instance, or did.
pub(crate) struct Task {
    /// `product_web.instance-<uuid>._app.<n>`.
    pub(crate) id: String,
    /// When it was begun.
    pub(crate) staged_at: Timestamp,
    /// When it ran.
    pub(crate) started_at: Option<Timestamp>,
    /// The host port of each of the app's ports; mapped ones need not have one.
    pub(crate) ports: Vec<Option<u16>>,
    /// How to end it and to run a command in it.
    pub(crate) handle: TaskHandle,
    /// What is known of each health check.
    pub(crate) health: Vec<Health>,
    /// What the last of the health checks said together.
    pub(crate) healthy: Option<bool>,
    /// Why it is being killed, when a health check is the reason.
    pub(crate) unhealthy: Option<String>,
    /// The last results of the readiness check.
    pub(crate) readiness: Option<Readiness>,
    /// What asks it whether it is well; they end with it.
    pub(crate) probes: Vec<AbortHandle>,
}

/// What is known of one health check of a task.
#[derive(Clone, Default)]
pub(crate) struct Health {
    pub(crate) consecutive_failures: u64,
    pub(crate) first_success: Option<Timestamp>,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_failure: Option<Timestamp>,
    pub(crate) last_failure_cause: Option<String>,
}

/// An answer to a readiness check.
#[derive(Clone)]
pub(crate) struct Readiness {
    pub(crate) name: String,
    pub(crate) ready: bool,
    pub(crate) response: Option<Value>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.probes.iter().for_each(AbortHandle::abort);
    }
}

impl Health {
    /// Whether the last answer was good.
    pub(crate) fn alive(&self) -> bool {
        self.last_success.is_some_and(|success| self.last_failure.is_none_or(|f| f < success))
    }

    /// Whether there was an answer.
    pub(crate) fn is_known(&self) -> bool {
        self.last_success.is_some() || self.last_failure.is_some()
    }

    fn to_json(&self, instance: &str) -> Value {
        json!({
            "alive": self.alive(),
            "consecutiveFailures": self.consecutive_failures,
            "firstSuccess": self.first_success,
            "lastFailure": self.last_failure,
            "lastSuccess": self.last_success,
            "lastFailureCause": self.last_failure_cause,
            "instanceId": instance,
        })
    }
}

impl Task {
    /// Whether all checks have an answer and the last of each is good.
    pub(crate) fn judge(&self) -> Option<bool> {
        if self.health.is_empty() || !self.health.iter().any(Health::is_known) {
            return None;
        }
        if self.health.iter().any(|health| health.is_known() && !health.alive()) {
            return Some(false);
        }
        self.health.iter().all(Health::is_known).then_some(true)
    }

    /// The host ports.
    pub(crate) fn host_ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.ports.iter().flatten().copied()
    }
}

impl Instance {
    /// An instance of an app that waits for its first task.
    pub(crate) fn new(app: &App, number: u64) -> Self {
        Self {
            id: format!("{}.instance-{}", app.id.task_name(), random::uuid()),
            app: app.clone(),
            condition: Condition::Scheduled,
            goal: Goal::Running,
            task: None,
            number,
            incarnation: 0,
        }
    }

    /// The id of its next task.
    pub(crate) fn next_task_id(&mut self) -> String {
        self.incarnation += 1;
        format!("{}._app.{}", self.id, self.incarnation)
    }

    /// Whether its task runs.
    pub(crate) fn is_running(&self) -> bool {
        self.condition == Condition::Running
    }

    /// Whether it runs and, as far as its app can tell, is well.
    pub(crate) fn is_healthy(&self) -> bool {
        self.is_running()
            && (self.app.health_checks.is_empty()
                || self.task.as_ref().is_some_and(|task| task.healthy == Some(true)))
    }

    /// Whether a deployment need not wait for it any more.
    pub(crate) fn is_in_service(&self) -> bool {
        let readiness = self.task.as_ref().and_then(|task| task.readiness.as_ref());
        self.is_healthy()
            && (self.app.readiness_checks.is_empty() || readiness.is_some_and(|r| r.ready))
    }

    /// The task's state by Mesos's names.
    pub(crate) fn task_state(&self) -> &'static str {
        match self.condition {
            Condition::Scheduled | Condition::Provisioned => "TASK_STAGING",
            Condition::Starting => "TASK_STARTING",
            Condition::Running => "TASK_RUNNING",
            Condition::Killing => "TASK_KILLING",
            Condition::Killed => "TASK_KILLED",
            Condition::Failed => "TASK_FAILED",
            Condition::Finished => "TASK_FINISHED",
        }
    }

    /// Its task as the API shows it.
    pub(crate) fn task_json(&self, host: &str, agent: &str) -> Option<Value> {
        let task = self.task.as_ref()?;
        let ports: Vec<u16> = task.host_ports().collect();
        let mut json = Map::new();
        json.insert("ipAddresses".into(), addresses(host));
        json.insert("stagedAt".into(), json!(task.staged_at));
        json.insert("state".into(), self.task_state().into());
        json.insert("ports".into(), json!(ports));
        if let Some(started_at) = task.started_at {
            json.insert("startedAt".into(), json!(started_at));
        }
        json.insert("version".into(), json!(self.app.version));
        json.insert("id".into(), task.id.as_str().into());
        json.insert("appId".into(), json!(self.app.id));
        json.insert("slaveId".into(), agent.into());
        json.insert("host".into(), host.into());
        json.insert("servicePorts".into(), json!(self.app.service_ports()));
        let known: Vec<Value> = task
            .health
            .iter()
            .filter(|health| health.is_known())
            .map(|health| health.to_json(&self.id))
            .collect();
        if !known.is_empty() {
            json.insert("healthCheckResults".into(), known.into());
        }
        Some(Value::Object(json))
    }
}

/// The addresses of a task: all of them answer at the loop-back address.
pub(crate) fn addresses(host: &str) -> Value {
    json!([{ "ipAddress": host, "protocol": "IPv4" }])
}
