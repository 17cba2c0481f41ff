//! Ending instances, at somebody's request.

use serde_json::{Value, json};

use super::{Engine, Goal, change::Deployed, instance::Condition};
use crate::marathon::{
    app::{App, AppId, seconds},
    error::Refusal,
};

impl Engine {
    /// Ends an instance for good.
    pub(super) fn kill(&mut self, id: &str) {
        if let Some(instance) = self.instance(id) {
            instance.goal = Goal::Gone;
            self.end_task(id);
        }
    }

    /// Ends the task of an instance; without one, an instance that shall go goes now.
    pub(super) fn end_task(&mut self, id: &str) {
        let second = self.second;
        let Some(instance) = self.instance(id) else { return };
        match &instance.task {
            Some(_) if instance.condition == Condition::Killing => {}
            Some(task) => {
                task.handle.kill(grace(&instance.app, second));
                self.set_condition(id, Condition::Killing);
            }
            None if instance.goal == Goal::Gone => {
                self.set_condition(id, Condition::Killed);
                self.instances.retain(|instance| instance.id != id);
            }
            None => {}
        }
    }

    /// Sets how far an instance is and tells it.
    pub(super) fn set_condition(&mut self, id: &str, condition: Condition) {
        let agent = self.agent_id();
        let Some(instance) = self.instance(id) else { return };
        instance.condition = condition;
        let placed = instance.task.is_some();
        let event = json!({
            "instanceId": instance.id,
            "condition": format!("{condition:?}"),
            "runSpecId": instance.app.id,
            "agentId": placed.then_some(agent),
            "host": placed.then_some(super::HOST),
            "runSpecVersion": instance.app.version,
        });
        self.events.emit("instance_changed_event", event);
    }

    /// The tasks of an app or of all, as the API shows them.
    pub(crate) fn tasks(&self, app: Option<&AppId>) -> Vec<Value> {
        let agent = self.agent_id();
        self.instances
            .iter()
            .filter(|instance| app.is_none_or(|id| instance.app.id == *id))
            .filter_map(|instance| instance.task_json(super::HOST, &agent))
            .collect()
    }

    /// The ids of the tasks of an app.
    pub(crate) fn task_ids(&self, app: &AppId) -> Vec<String> {
        self.of(app).filter_map(|instance| Some(instance.task.as_ref()?.id.clone())).collect()
    }

    /// The app that a task belongs to.
    pub(crate) fn app_of_task(&self, task: &str) -> Option<&AppId> {
        let runs = |i: &&super::Instance| i.task.as_ref().is_some_and(|t| t.id == task);
        self.instances.iter().find(runs).map(|instance| &instance.app.id)
    }

    /// Ends tasks; others take their places. The answer shows those that end.
    pub(crate) fn kill_tasks(&mut self, tasks: &[String]) -> Vec<Value> {
        let agent = self.agent_id();
        let mut killed = Vec::new();
        for task in tasks {
            let Some(instance) = self.instance_of_task(task) else { continue };
            let (id, app) = (instance.id.clone(), instance.app.clone());
            killed.extend(instance.task_json(super::HOST, &agent));
            self.kill(&id);
            // A deployment that works on the app makes up for it in its own way.
            self.left_alone.remove(&app.id);
        }
        killed
    }

    /// Ends tasks and lowers the numbers of instances of their apps.
    pub(crate) fn scale_tasks_away(
        &mut self,
        tasks: &[String],
        force: bool,
    ) -> Result<Deployed, Refusal> {
        let mut target = self.apps().clone();
        let mut group = AppId::root();
        let mut leaving = Vec::new();
        for task in tasks {
            let Some(instance) = self.instance_of_task(task) else { continue };
            let id = instance.app.id.clone();
            leaving.push(instance.id.clone());
            if let Some(app) = target.get_mut(&id) {
                *app = app.scaled(app.instances.saturating_sub(1));
            }
            group = id.parent();
        }
        let deployed = self.deploy(target, &std::collections::BTreeSet::new(), &group, force)?;
        leaving.iter().for_each(|instance| self.kill(instance));
        Ok(deployed)
    }

    /// Ends all tasks, and begins no more.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.deployments.clear();
        let all: Vec<String> = self.instances.iter().map(|instance| instance.id.clone()).collect();
        all.iter().for_each(|instance| self.kill(instance));
    }

    /// Whether a task has not ended yet.
    pub(super) fn has_tasks(&self) -> bool {
        !self.instances.is_empty()
    }
}

/// From TERM to KILL.
fn grace(app: &App, second: std::time::Duration) -> std::time::Duration {
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    seconds(app.kill_grace() as f64, second)
}
