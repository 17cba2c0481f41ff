//! What the agent tells of tasks.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{ENDED_TASKS, Engine, Goal, HOST, instance::Condition};
use crate::{marathon::app::AppId, time::Timestamp};

/// What became of a task.
#[derive(Clone, Debug)]
pub(crate) enum Update {
    /// Its image is there, its process is being made.
    Starting,
    /// Its process runs.
    Running,
    /// It ended by itself, well or not, with a message in Mesos's words; or as it was told.
    Ended { success: bool, message: String },
}

/// `lastTaskFailure` of an app.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskFailure {
    app_id: AppId,
    host: String,
    message: String,
    state: String,
    task_id: String,
    timestamp: Timestamp,
    version: Timestamp,
    slave_id: String,
}

impl TaskFailure {
    /// As the API shows it.
    pub(super) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Object(Map::new()))
    }
}

impl Engine {
    /// The agent tells of a task.
    pub(crate) fn task_updated(&mut self, task: &str, update: Update) {
        let Some(instance) = self.instance_of_task(task) else { return };
        let id = instance.id.clone();
        let killing = instance.condition == Condition::Killing;
        match update {
            Update::Starting if !killing => {
                self.status_update(&id, "TASK_STARTING", "");
                self.set_condition(&id, Condition::Starting);
            }
            Update::Running => self.task_runs(&id, killing),
            Update::Starting => {}
            Update::Ended { success, message } => self.task_ended(&id, success, &message),
        }
    }

    fn task_runs(&mut self, id: &str, killing: bool) {
        let app = {
            let Some(instance) = self.instance(id) else { return };
            if let Some(task) = &mut instance.task {
                task.started_at = Some(Timestamp::now());
            }
            instance.app.clone()
        };
        self.status_update(id, "TASK_RUNNING", "");
        if !killing {
            self.backoff.restart_clock(&app, Instant::now());
            self.set_condition(id, Condition::Running);
            self.probe(id);
        }
    }

    fn task_ended(&mut self, id: &str, success: bool, message: &str) {
        let agent = self.agent_id();
        let Some(instance) = self.instance(id) else { return };
        let killing = instance.condition == Condition::Killing;
        let (state, condition) = match (killing, success) {
            (true, _) => ("TASK_KILLED", Condition::Killed),
            (false, true) => ("TASK_FINISHED", Condition::Finished),
            (false, false) => ("TASK_FAILED", Condition::Failed),
        };
        let app = instance.app.clone();
        let goal = instance.goal;
        let unhealthy = instance.task.as_ref().and_then(|task| task.unhealthy.clone());
        self.status_update(id, state, message);
        self.set_condition(id, condition);
        let task = self.instance(id).and_then(|instance| instance.task.take());
        let Some(task) = task else { return };
        let message = match (condition, unhealthy) {
            (Condition::Failed, _) => Some(message.to_owned()),
            (Condition::Killed, Some(cause)) => {
                Some(format!("Task was killed since health check failed. Reason: {cause}"))
            }
            _ => None,
        };
        if let Some(message) = message {
            let failure = TaskFailure {
                app_id: app.id.clone(),
                host: HOST.to_owned(),
                message,
                state: state.to_owned(),
                task_id: task.id.clone(),
                timestamp: Timestamp::now(),
                version: app.version,
                slave_id: agent,
            };
            self.failures.insert(app.id.clone(), failure);
            self.changed = true;
        }
        self.keep_folder(&app.id, task.id.clone());
        if matches!(condition, Condition::Failed | Condition::Finished) {
            self.backoff.raise(&app, Instant::now());
        }
        if goal == Goal::Gone || self.is_being_replaced(&app) || !self.apps.contains_key(&app.id) {
            self.instances.retain(|instance| instance.id != id);
        } else {
            self.set_condition(id, Condition::Scheduled);
        }
    }

    /// Keeps the folder of a task that ended, for the last of each app.
    fn keep_folder(&mut self, app: &AppId, task: String) {
        let ended = self.ended.entry(app.clone()).or_default();
        ended.push_back(task);
        while ended.len() > ENDED_TASKS {
            if let Some(task) = ended.pop_front() {
                self.agent.remove_folder(&task);
            }
        }
    }

    /// What Mesos would say of the failure of an app's task.
    pub(super) fn last_failure(&self, app: &AppId) -> Option<Value> {
        Some(self.failures.get(app)?.to_json())
    }
}
