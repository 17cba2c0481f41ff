//! Starting tasks: when the delay after failures is over and there is a place.

use serde_json::json;
use tokio::time::Instant;

use super::{
    Engine, Goal, HOST,
    instance::{Condition, Health, Instance, Task, addresses},
    place::Shortage,
};
use crate::{agent::Launch, marathon::app::App, time::Timestamp};

impl Engine {
    /// Adds instances of an app; the answer names them.
    pub(super) fn schedule(&mut self, app: &App, count: usize) -> Vec<String> {
        let mut new = Vec::with_capacity(count);
        for _ in 0..count {
            self.launched += 1;
            let instance = Instance::new(app, self.launched);
            let id = instance.id.clone();
            self.instances.push(instance);
            self.set_condition(&id, Condition::Scheduled);
            new.push(id);
        }
        new
    }

    /// Starts all tasks that may start now; whether there was one, and when to look again.
    pub(super) fn launch_due(&mut self, now: Instant) -> (bool, Option<Instant>) {
        if self.closing {
            return (false, None);
        }
        let mut next = None;
        let mut launched = false;
        let due: Vec<(String, App)> = self
            .instances
            .iter()
            .filter(|i| i.condition == Condition::Scheduled && i.goal == Goal::Running)
            .map(|instance| (instance.id.clone(), instance.app.clone()))
            .collect();
        for (id, app) in due {
            let until = self.backoff.until(&app, now);
            let shortage = self.waiting.entry(app.id.clone()).or_insert_with(Shortage::new);
            shortage.until = until;
            let again = match until {
                Some(until) => until,
                None => match self.place(&app) {
                    Ok(ports) => {
                        self.launch(&id, ports, now);
                        launched = true;
                        continue;
                    }
                    Err(reason) => {
                        let again = now + self.second;
                        let shortage =
                            self.waiting.entry(app.id.clone()).or_insert_with(Shortage::new);
                        shortage.decline(reason);
                        again
                    }
                },
            };
            next = Some(next.map_or(again, |next: Instant| next.min(again)));
        }
        (launched, next)
    }

    /// Forgets the shortages of apps that have all their tasks.
    pub(super) fn announce_queue(&mut self) {
        let instances = &self.instances;
        self.waiting.retain(|id, _| {
            instances.iter().any(|i| i.app.id == *id && i.condition == Condition::Scheduled)
        });
    }

    fn launch(&mut self, id: &str, ports: Vec<Option<u16>>, now: Instant) {
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) else {
            return;
        };
        let task_id = instance.next_task_id();
        let app = &instance.app;
        let launch = Launch { task: task_id.clone(), app: app.clone(), ports: ports.clone() };
        self.backoff.restart_clock(app, now);
        instance.task = Some(Task {
            id: task_id,
            staged_at: Timestamp::now(),
            started_at: None,
            ports,
            handle: self.agent.launch(launch, self.handle.clone()),
            health: vec![Health::default(); app.health_checks.len()],
            healthy: None,
            unhealthy: None,
            readiness: None,
            probes: Vec::new(),
        });
        self.set_condition(id, Condition::Provisioned);
    }

    /// Tells a new state of a task.
    pub(super) fn status_update(&mut self, id: &str, state: &str, message: &str) {
        let agent = self.agent_id();
        let Some(instance) = self.instance(id) else { return };
        let Some(task) = &instance.task else { return };
        let event = json!({
            "slaveId": agent,
            "taskId": task.id,
            "taskStatus": state,
            "message": message,
            "appId": instance.app.id,
            "host": HOST,
            "ipAddresses": addresses(HOST),
            "ports": task.host_ports().collect::<Vec<_>>(),
            "version": instance.app.version,
        });
        self.events.emit("status_update_event", event);
    }
}
