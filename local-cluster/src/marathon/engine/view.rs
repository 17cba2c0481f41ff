//! The engine's state as the API shows it.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{App, AppId, Engine, instance::Condition};
use crate::marathon::error::Refusal;

/// What an app's answer holds beside its definition (`api/v2/InfoEmbedResolver.scala`).
#[derive(Clone, Copy, Default)]
pub(crate) struct Embed {
    pub(crate) tasks: bool,
    pub(crate) last_task_failure: bool,
    pub(crate) readiness: bool,
    pub(crate) task_stats: bool,
}

impl Embed {
    /// What a single app is answered with.
    pub(crate) const ONE: Self =
        Self { tasks: true, last_task_failure: true, readiness: false, task_stats: false };

    /// Adds what a query asks for; unknown words are no mistake.
    #[must_use]
    pub(crate) fn with(self, words: &[String]) -> Self {
        words.iter().fold(self, |embed, word| {
            let word = word
                .strip_prefix("group.apps.")
                .or_else(|| word.strip_prefix("apps."))
                .or_else(|| word.strip_prefix("app."))
                .unwrap_or(word);
            match word {
                "tasks" => Self { tasks: true, ..embed },
                "lastTaskFailure" => Self { last_task_failure: true, ..embed },
                "failures" => Self { tasks: true, last_task_failure: true, ..embed },
                "readiness" => Self { readiness: true, ..embed },
                "taskStats" => Self { task_stats: true, ..embed },
                _ => embed,
            }
        })
    }
}

impl Engine {
    /// An app with its counts and what else is asked for.
    pub(crate) fn app_json(&self, app: &App, embed: Embed) -> Value {
        let mut json = app.to_json();
        for (name, count) in self.counts(app) {
            json.insert(name.into(), count.into());
        }
        let deployments: Vec<Value> = self
            .deployments
            .iter()
            .filter(|deployment| deployment.plan.apps().contains(&app.id))
            .map(|deployment| json!({ "id": deployment.plan.id }))
            .collect();
        json.insert("deployments".into(), deployments.into());
        if embed.readiness {
            json.insert("readinessCheckResults".into(), self.readiness(&app.id).into());
        }
        if embed.tasks {
            json.insert("tasks".into(), self.tasks(Some(&app.id)).into());
        }
        if embed.last_task_failure
            && let Some(failure) = self.last_failure(&app.id)
        {
            json.insert("lastTaskFailure".into(), failure);
        }
        if embed.task_stats {
            json.insert("taskStats".into(), self.task_stats(app));
        }
        Value::Object(json)
    }

    /// How many tasks are how far; those of all versions together.
    fn counts(&self, app: &App) -> [(&'static str, usize); 4] {
        let count = |counted: &dyn Fn(&super::Instance) -> bool| {
            self.of(&app.id).filter(|instance| counted(instance)).count()
        };
        let healthy = |instance: &super::Instance, wanted| {
            instance.is_running() && instance.task.as_ref().is_some_and(|t| t.healthy == wanted)
        };
        [
            (
                "tasksStaged",
                count(&|i| matches!(i.condition, Condition::Provisioned | Condition::Starting)),
            ),
            ("tasksRunning", count(&|i| i.is_running())),
            ("tasksHealthy", count(&|i| healthy(i, Some(true)))),
            ("tasksUnhealthy", count(&|i| healthy(i, Some(false)))),
        ]
    }

    /// `taskStats`: the counts again, once for each group of versions.
    fn task_stats(&self, app: &App) -> Value {
        let total = self.counts(app).map(|(_, count)| count);
        let [staged, running, healthy, unhealthy] = total;
        let stats = json!({ "stats": { "counts": {
            "staged": staged, "running": running, "healthy": healthy, "unhealthy": unhealthy,
        } } });
        json!({ "totalSummary": stats })
    }

    fn readiness(&self, app: &AppId) -> Vec<Value> {
        self.of(app)
            .filter_map(|instance| {
                let task = instance.task.as_ref()?;
                let readiness = task.readiness.as_ref()?;
                let mut json = json!({
                    "name": readiness.name, "taskId": task.id, "ready": readiness.ready,
                });
                if let Some(response) = &readiness.response {
                    json["lastResponse"] = response.clone();
                }
                Some(json)
            })
            .collect()
    }

    /// The running deployments.
    pub(crate) fn deployments_json(&self) -> Vec<Value> {
        self.deployments
            .iter()
            .map(|deployment| {
                let plan = &deployment.plan;
                let action = |action: &super::super::deployment::Action| {
                    json!({
                        "action": action.kind, "app": action.app,
                        "readinessCheckResults": self.readiness(&action.app),
                    })
                };
                json!({
                    "id": plan.id,
                    "version": plan.version,
                    "affectedApps": plan.apps(),
                    "affectedPods": [],
                    "steps": plan.steps,
                    "currentActions":
                        deployment.current_actions().iter().map(action).collect::<Vec<_>>(),
                    "currentStep": deployment.current_step(),
                    "totalSteps": plan.steps.len(),
                })
            })
            .collect()
    }

    /// The instances that wait for their tasks, and why.
    pub(crate) fn queue_json(&self, last_offers: bool) -> Vec<Value> {
        let now = Instant::now();
        let agent = self.agent_id();
        self.waiting
            .iter()
            .filter_map(|(id, shortage)| {
                let scheduled = |i: &&super::Instance| i.condition == Condition::Scheduled;
                let waiting: Vec<_> = self.of(id).filter(scheduled).collect();
                let app = waiting.last()?;
                let left = shortage.until.map_or(0, |until| {
                    {
                        let left = until.saturating_duration_since(now);
                        left.as_secs_f64() / self.second.as_secs_f64().max(f64::MIN_POSITIVE)
                    }
                    .ceil() as u64
                });
                let mut json = Map::new();
                json.insert("app".into(), Value::Object(app.app.to_json()));
                json.insert("role".into(), "*".into());
                json.insert("count".into(), waiting.len().into());
                json.insert("since".into(), json!(shortage.since));
                let delay = json!({ "timeLeftSeconds": left, "overdue": left == 0 });
                json.insert("delay".into(), delay);
                json.insert("processedOffersSummary".into(), shortage.to_json());
                if last_offers {
                    json.insert("lastUnusedOffers".into(), shortage.last_offers(&agent));
                }
                Some(Value::Object(json))
            })
            .collect()
    }

    /// Forgets the delay of an app that waits.
    pub(crate) fn reset_delay(&mut self, id: &AppId) -> Result<(), Refusal> {
        let waits = |i: &super::Instance| i.app.id == *id && i.condition == Condition::Scheduled;
        let waiting = self.instances.iter().find(|instance| waits(instance));
        let app = waiting.map(|instance| instance.app.clone()).ok_or_else(|| {
            let text = format!("Application {id} not found in tasks queue.");
            Refusal::message(axum::http::StatusCode::NOT_FOUND, text)
        })?;
        self.backoff.reset(&app);
        Ok(())
    }

    /// `GET /v2/info`.
    pub(crate) fn info_json(&self, port: u16) -> Value {
        let address = format!("{}:{port}", super::HOST);
        json!({
            "name": "marathon",
            "version": VERSION,
            "buildref": "local-cluster",
            "elected": true,
            "leader": address,
            "frameworkId": format!("{}-0000", self.id),
            "marathon_config": {
                "checkpoint": true,
                "executor": "//cmd",
                "features": [],
                "framework_name": "marathon",
                "ha": false,
                "hostname": super::HOST,
                "local_port_max": 20000,
                "local_port_min": 10000,
                "mesos_bridge_name": "mesos-bridge",
                "mesos_role": "*",
                "task_launch_confirm_timeout": 300_000,
                "task_launch_timeout": 300_000,
                "webui_url": Value::Null,
            },
            "zookeeper_config": {},
            "http_config": { "http_port": port, "https_port": Value::Null },
        })
    }
}

/// The Marathon whose behaviour this is: the first that has light plans only, answers in the
/// canonical form, and names tasks by instance and incarnation.
const VERSION: &str = "1.8.222";
