//! Whether tasks are well, and what follows (`core/health/impl/HealthCheckActor.scala`).

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{
    Engine, HOST,
    instance::{Condition, Readiness},
};
use crate::{
    agent::{Answer, Probe},
    marathon::app::{App, HealthCheck, ReadinessCheck, seconds},
    time::Timestamp,
};

/// The first check comes no later than this many seconds after the start.
const FIRST_CHECK: f64 = 5.0;

impl Engine {
    /// Begins to ask a task that runs whether it is well.
    pub(super) fn probe(&mut self, id: &str) {
        let (second, handle) = (self.second, self.handle.clone());
        let Some(instance) = self.instances.iter_mut().find(|instance| instance.id == id) else {
            return;
        };
        let Some(task) = &mut instance.task else { return };
        let app = &instance.app;
        for (index, check) in app.health_checks.iter().enumerate() {
            let probe = health_probe(app, check, &task.ports, &task.handle);
            let timing = health_timing(check, second);
            let (handle, task_id) = (handle.clone(), task.id.clone());
            let asking = tokio::spawn(async move {
                let mut ticks = timing.ticks();
                loop {
                    ticks.tick().await;
                    let result = probe.ask(timing.timeout).await.and_then(Answer::verdict);
                    let task_id = task_id.clone();
                    handle.tell(move |engine| engine.health_told(&task_id, index, result));
                }
            });
            task.probes.push(asking.abort_handle());
        }
        if let Some(check) = app.readiness_checks.first().cloned() {
            let port = port_named(app, &check.port_name, &task.ports);
            let timing = readiness_timing(&check, second);
            let (handle, task_id) = (handle.clone(), task.id.clone());
            let asking = tokio::spawn(async move {
                let probe = Probe::http(port, &check.path);
                let mut ticks = timing.ticks();
                loop {
                    ticks.tick().await;
                    let readiness = readiness(&check, probe.ask(timing.timeout).await);
                    let (task_id, ready) = (task_id.clone(), readiness.ready);
                    handle.tell(move |engine| engine.readiness_told(&task_id, readiness));
                    if ready {
                        return;
                    }
                }
            });
            task.probes.push(asking.abort_handle());
        }
    }

    /// A health check of a task was answered.
    fn health_told(&mut self, task: &str, index: usize, result: Result<(), String>) {
        let second = self.second;
        let Some(instance) = self.instance_of_task(task) else { return };
        if instance.condition != Condition::Running {
            return;
        }
        let (id, app) = (instance.id.clone(), instance.app.clone());
        let Some(check) = app.health_checks.get(index) else { return };
        let Some(task) = &mut instance.task else { return };
        let Some(health) = task.health.get_mut(index) else { return };
        let now = Timestamp::now();
        let before = (health.alive(), task.healthy);
        let mut unhealthy = None;
        match &result {
            Ok(()) => {
                health.consecutive_failures = 0;
                health.first_success.get_or_insert(now);
                health.last_success =
                    Some(now.max(health.last_failure.map_or(now, Timestamp::next)));
            }
            Err(cause) => {
                #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
                let grace = seconds(check.grace_period_seconds as f64, second);
                let started = task.started_at.unwrap_or(now);
                if health.first_success.is_none() && started.after(grace) > now {
                    return;
                }
                // Marathon compares before it counts this failure, Mesos's executor after.
                let counted = health.consecutive_failures + u64::from(check.is_mesos());
                let most = check.max_consecutive_failures;
                let kills =
                    if check.is_mesos() { counted >= most } else { most > 0 && counted >= most };
                unhealthy = kills.then(|| cause.clone());
                health.consecutive_failures += 1;
                health.last_failure = Some(now.max(health.last_success.map_or(now, |s| s)));
                health.last_failure_cause = Some(cause.clone());
            }
        }
        let alive = health.alive();
        task.healthy = task.judge();
        let healthy = task.healthy;
        let event = json!({ "appId": app.id, "taskId": id, "healthCheck": check });
        if result.is_err() && !check.is_mesos() {
            self.events.emit("failed_health_check_event", event);
        }
        if let Some(cause) = unhealthy {
            self.kill_unhealthy(&id, &cause);
        }
        if alive != before.0 && !check.is_mesos() {
            let event = json!({
                "appId": app.id, "instanceId": id, "version": app.version, "alive": alive,
            });
            self.events.emit("health_status_changed_event", event);
        }
        if healthy != before.1 {
            let event = json!({
                "instanceId": id, "runSpecId": app.id, "healthy": healthy,
                "runSpecVersion": app.version,
            });
            self.events.emit("instance_health_changed_event", event);
        }
    }

    /// Ends a task that is not well; another takes its place.
    fn kill_unhealthy(&mut self, id: &str, cause: &str) {
        let agent = self.agent_id();
        let Some(instance) = self.instance(id) else { return };
        let Some(task) = &mut instance.task else { return };
        task.unhealthy = Some(cause.to_owned());
        let event = json!({
            "appId": instance.app.id,
            "taskId": task.id,
            "instanceId": instance.id,
            "version": instance.app.version,
            "reason": cause,
            "host": HOST,
            "slaveId": agent,
        });
        self.events.emit("unhealthy_instance_kill_event", event);
        self.end_task(id);
    }

    fn readiness_told(&mut self, task: &str, readiness: Readiness) {
        if let Some(instance) = self.instance_of_task(task)
            && let Some(task) = &mut instance.task
        {
            task.readiness = Some(readiness);
        }
    }
}

/// When to ask.
#[derive(Clone, Copy)]
struct Timing {
    first: Duration,
    interval: Duration,
    timeout: Duration,
}

impl Timing {
    fn ticks(self) -> tokio::time::Interval {
        let mut ticks = interval_at(Instant::now() + self.first, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of seconds")]
fn health_timing(check: &HealthCheck, second: Duration) -> Timing {
    let interval = (check.interval_seconds as f64).max(0.1);
    let first =
        if check.is_mesos() { check.delay_seconds as f64 } else { interval.min(FIRST_CHECK) };
    Timing {
        first: seconds(first, second),
        interval: seconds(interval, second),
        timeout: seconds(check.timeout_seconds as f64, second),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of seconds")]
fn readiness_timing(check: &ReadinessCheck, second: Duration) -> Timing {
    Timing {
        first: Duration::ZERO,
        interval: seconds((check.interval_seconds as f64).max(0.1), second),
        timeout: seconds(check.timeout_seconds as f64, second),
    }
}

fn health_probe(
    app: &App,
    check: &HealthCheck,
    ports: &[Option<u16>],
    task: &crate::agent::TaskHandle,
) -> Probe {
    if let Some(command) = &check.command {
        return Probe::command(task.clone(), &command.value);
    }
    let index = check.port_index.unwrap_or(0);
    let port = check.port.or_else(|| ports.get(index).copied().flatten());
    match check.protocol.trim_start_matches("MESOS_") {
        "HTTP" => Probe::http(port, check.path.as_deref().unwrap_or("/")),
        // Whether a certificate is good is nothing that Marathon asks: whether it answers is.
        _ => Probe::tcp(port, app.is_bridged()),
    }
}

/// The host port of an app's port of this name.
fn port_named(app: &App, name: &str, ports: &[Option<u16>]) -> Option<u16> {
    let mut names = if app.is_bridged() {
        app.mappings().iter().map(|mapping| mapping.name.as_deref()).collect::<Vec<_>>()
    } else {
        app.port_definitions.iter().map(|port| port.name.as_deref()).collect()
    }
    .into_iter();
    let index = names.position(|known| known == Some(name))?;
    ports.get(index).copied().flatten()
}

/// What an answer means for a readiness check. No answer is shown as one of status 504.
fn readiness(check: &ReadinessCheck, answer: Result<Answer, String>) -> Readiness {
    let (status, kind, body) = match answer {
        Ok(Answer::Http { status, content_type, body, .. }) => (status, content_type, body),
        Ok(Answer::Open) => (200, None, String::new()),
        Err(cause) => (504, None, format!("Marathon could not query URL: {cause}")),
    };
    let response = check.preserve_last_response.then(|| {
        let kind = kind.unwrap_or_else(|| "text/plain".to_owned());
        json!({ "status": status, "contentType": kind, "body": body })
    });
    let ready = check.http_status_codes_for_ready.contains(&status);
    Readiness { name: check.name.clone(), ready, response }
}
