//! Deployments on their way (`core/deployment/impl/{DeploymentActor,TaskStartActor,TaskReplaceActor,
//! TaskKillActor}.scala`). A deployment never fails because its tasks do: it waits.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Engine, Goal, instance::Condition};
use crate::marathon::{
    app::{App, AppId},
    deployment::{Action, Kind, Plan, Situation, Strategy, launches},
};

/// A plan that is being carried out.
#[derive(Deserialize, Serialize)]
pub(crate) struct Deployment {
    /// What is to be done.
    pub(crate) plan: Plan,
    /// How many steps are done.
    step: usize,
    #[serde(skip)]
    progress: Option<Vec<Progress>>,
}

/// How far an action of the current step is.
enum Progress {
    Done,
    /// Waits until these new instances are in service and those that are too many are gone.
    Scale {
        new: BTreeSet<String>,
    },
    Stop,
    Restart(Restart),
}

/// A rolling restart under way.
struct Restart {
    max_capacity: usize,
    /// Old instances that are not being killed yet, in the order in which they will.
    old: VecDeque<String>,
    /// New instances for which an old one was killed: one each, also when they fail again.
    counted: BTreeSet<String>,
}

impl Deployment {
    /// A deployment that begins.
    pub(crate) fn new(plan: Plan) -> Self {
        Self { plan, step: 0, progress: None }
    }

    /// A deployment that was under way when the cluster ended: its step begins anew.
    pub(crate) fn resumed(self) -> Self {
        Self { progress: None, ..self }
    }

    /// What is being done at the moment; nothing before it has begun.
    pub(crate) fn current_actions(&self) -> &[Action] {
        match (&self.progress, self.plan.steps.get(self.step)) {
            (Some(_), Some(step)) => &step.actions,
            _ => &[],
        }
    }

    /// The number of the current step, from 1; 0 before the first has begun.
    pub(crate) fn current_step(&self) -> usize {
        self.step + usize::from(self.progress.is_some())
    }

    fn event(&self) -> Value {
        json!({ "plan": self.plan.to_json(), "currentStep": self.plan.steps.get(self.step) })
    }
}

impl Engine {
    /// Takes every deployment as far as it goes; whether anything moved.
    pub(super) fn drive_deployments(&mut self, now: Instant) -> bool {
        let mut moved = false;
        let mut deployments = std::mem::take(&mut self.deployments);
        deployments.retain_mut(|deployment| {
            while deployment.step < deployment.plan.steps.len() {
                if !self.drive_step(deployment, now) {
                    return true;
                }
                moved = true;
            }
            let plan = &deployment.plan;
            let done = json!({ "id": plan.id, "plan": plan.to_json() });
            self.events.emit("deployment_success", done);
            (moved, self.changed) = (true, true);
            false
        });
        self.deployments = deployments;
        moved
    }

    /// Whether the current step of a deployment was done.
    fn drive_step(&mut self, deployment: &mut Deployment, now: Instant) -> bool {
        let Some(step) = deployment.plan.steps.get(deployment.step) else {
            return false;
        };
        let mut progress = match deployment.progress.take() {
            Some(progress) => progress,
            None => {
                self.events.emit("deployment_info", deployment.event());
                step.actions.iter().map(|action| self.begin(&deployment.plan, action)).collect()
            }
        };
        for (action, progress) in step.actions.iter().zip(&mut progress) {
            if self.act(&deployment.plan, action, progress, now) {
                *progress = Progress::Done;
            }
        }
        let done = progress.iter().all(|progress| matches!(progress, Progress::Done));
        if done {
            self.events.emit("deployment_step_success", deployment.event());
            deployment.step += 1;
            self.changed = true;
        } else {
            deployment.progress = Some(progress);
        }
        done
    }

    /// Begins an action.
    fn begin(&mut self, plan: &Plan, action: &Action) -> Progress {
        let id = &action.app;
        let app = plan.target.get(id);
        if let Some(app) = app {
            self.announce_health_checks(app);
        }
        match (action.kind, app) {
            (Kind::Start, _) => Progress::Done,
            (Kind::Stop, _) | (_, None) => {
                let all: Vec<String> = self.of(id).map(|instance| instance.id.clone()).collect();
                all.iter().for_each(|instance| self.kill(instance));
                Progress::Stop
            }
            (Kind::Scale, Some(app)) => {
                self.scale_down(app);
                Progress::Scale { new: BTreeSet::new() }
            }
            (Kind::Restart, Some(app)) => self.begin_restart(app),
        }
    }

    /// Takes an action further; whether it is done.
    fn act(&mut self, plan: &Plan, action: &Action, progress: &mut Progress, now: Instant) -> bool {
        let id = &action.app;
        let app = plan.target.get(id);
        match (progress, app) {
            (Progress::Done, _) => true,
            (Progress::Stop, _) => {
                let gone = self.of(id).next().is_none();
                if gone {
                    self.forget(id, plan.original.get(id));
                }
                gone
            }
            (Progress::Scale { new }, Some(app)) => {
                // Also what was killed from outside meanwhile is made up for.
                let missing = app.instances.saturating_sub(self.wanted(id).count());
                new.extend(self.schedule(app, missing));
                let leaving = self.of(id).any(|instance| instance.goal == Goal::Gone);
                let serving = |instance: &String| {
                    self.of(id).find(|i| i.id == *instance).is_none_or(|i| i.is_in_service())
                };
                !leaving && new.iter().all(serving)
            }
            (Progress::Restart(restart), Some(app)) => self.restart(app, restart, now),
            (_, None) => true,
        }
    }

    fn begin_restart(&mut self, app: &App) -> Progress {
        self.backoff.reset(app);
        let strategy = Strategy::new(Situation {
            instances: app.instances,
            minimum_health_capacity: app.upgrade_strategy.minimum_health_capacity,
            maximum_over_capacity: app.upgrade_strategy.maximum_over_capacity,
            resident: app.is_resident(),
            healthy: self.wanted(&app.id).filter(|instance| instance.is_healthy()).count(),
            current: self.of(&app.id).count(),
        });
        let mut old: Vec<_> =
            self.wanted(&app.id).filter(|i| i.app.version != app.version).collect();
        old.sort_by_key(|instance| instance.is_healthy());
        let mut old: VecDeque<String> = old.into_iter().map(|i| i.id.clone()).collect();
        for instance in old.drain(..strategy.kill_immediately.min(old.len())).collect::<Vec<_>>() {
            self.kill(&instance);
        }
        Progress::Restart(Restart {
            max_capacity: strategy.max_capacity,
            old,
            counted: BTreeSet::new(),
        })
    }

    fn restart(&mut self, app: &App, restart: &mut Restart, _now: Instant) -> bool {
        let current = |version| version == app.version;
        let serving: Vec<String> = self
            .wanted(&app.id)
            .filter(|i| current(i.app.version) && i.is_in_service())
            .map(|i| i.id.clone())
            .collect();
        for instance in &serving {
            if restart.counted.insert(instance.clone())
                && let Some(next) = restart.old.pop_front()
            {
                self.kill(&next);
            }
        }
        let old = self.of(&app.id).filter(|i| !current(i.app.version)).count();
        let started = self.wanted(&app.id).filter(|i| current(i.app.version)).count();
        let count = launches(app.instances, restart.max_capacity, old, started);
        self.schedule(app, count);
        let done = serving.len() == app.instances && old == 0;
        if done {
            self.end_health_checks(&app.id, Some(app));
        }
        done
    }

    /// Kills what is too much for an app.
    fn scale_down(&mut self, app: &App) {
        let surplus = self.wanted(&app.id).count().saturating_sub(app.instances);
        let youngest_first = app.kill_selection != "OLDEST_FIRST";
        let mut instances: Vec<_> = self.wanted(&app.id).collect();
        instances.sort_by_key(|i| {
            let age = i64::try_from(i.number).unwrap_or(i64::MAX);
            (i.condition.min(Condition::Running), if youngest_first { -age } else { age })
        });
        let surplus: Vec<String> =
            instances.into_iter().take(surplus).map(|i| i.id.clone()).collect();
        surplus.iter().for_each(|instance| self.kill(instance));
    }

    /// An app is gone for good.
    fn forget(&mut self, id: &AppId, app: Option<&App>) {
        self.end_health_checks(id, None);
        if let Some(app) = app {
            self.backoff.reset(app);
        }
        self.events.emit("app_terminated_event", json!({ "appId": id }));
        // Who made it anew meanwhile keeps it.
        if !self.apps.contains_key(id) {
            self.versions.remove(id);
            self.failures.remove(id);
            self.waiting.remove(id);
        }
    }

    /// Tells that an app's health checks begin, once for each version.
    pub(super) fn announce_health_checks(&mut self, app: &App) {
        if !self.checked.insert((app.id.clone(), app.version_info.last_config_change_at)) {
            return;
        }
        for check in &app.health_checks {
            let event = json!({ "appId": app.id, "version": app.version, "healthCheck": check });
            self.events.emit("add_health_check_event", event);
        }
    }

    /// Tells that the health checks of an app's other versions, or of all, have ended.
    fn end_health_checks(&mut self, id: &AppId, kept: Option<&App>) {
        let kept = kept.map(|app| app.version_info.last_config_change_at);
        let ended: Vec<_> = self
            .checked
            .iter()
            .filter(|(app, version)| app == id && Some(*version) != kept)
            .cloned()
            .collect();
        for key in ended {
            self.checked.remove(&key);
            self.events.emit("remove_health_check_event", json!({ "appId": id }));
        }
    }

    /// Whether a rolling restart is replacing instances of this version of an app.
    pub(super) fn is_being_replaced(&self, app: &App) -> bool {
        self.deployments.iter().any(|deployment| {
            let mut actions = deployment.current_actions().iter();
            actions.any(|action| action.kind == Kind::Restart && action.app == app.id)
                && deployment.plan.target.get(&app.id).is_some_and(|t| t.version != app.version)
        })
    }
}
