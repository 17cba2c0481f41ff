//! A change of the apps: checked, stamped, planned, begun (`core/group/impl/GroupManagerImpl.scala`,
//! `core/deployment/impl/DeploymentManagerActor.scala`).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::json;

use super::{Engine, drive::Deployment};
use crate::{
    marathon::{
        app::{App, AppId, VersionInfo, assign_service_ports},
        deployment::{Apps, Plan, has_cycle, revert},
        error::Refusal,
    },
    time::Timestamp,
};

/// `--zk_max_versions`.
const VERSIONS: usize = 50;
/// `--max_running_deployments`.
const DEPLOYMENTS: usize = 100;

/// A change that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    /// That of the apps afterwards.
    pub(crate) version: Timestamp,
    /// The deployment that makes it so.
    pub(crate) deployment: String,
}

impl Engine {
    /// Makes the apps what `target` says. `restarted` ones are replaced though they did not
    /// change. `group` is what the change is said to be about.
    pub(crate) fn deploy(
        &mut self,
        mut target: Apps,
        restarted: &BTreeSet<AppId>,
        group: &AppId,
        force: bool,
    ) -> Result<Deployed, Refusal> {
        let version = self.stamp();
        self.prepare(&mut target, restarted, version)?;
        let plan = Plan::new(&self.apps, &target, restarted, version);
        let touched = plan.apps();
        let conflicts: Vec<String> = self
            .deployments
            .iter()
            .filter(|running| !running.plan.apps().is_disjoint(&touched))
            .map(|running| running.plan.id.clone())
            .collect();
        if !conflicts.is_empty() && !force {
            let refusal = Refusal::locked(&conflicts);
            let reason = refusal.body["message"].clone();
            let failed = json!({ "groupId": group, "version": version, "reason": reason });
            self.events.emit("group_change_failed", failed);
            let failed = json!({ "id": plan.id, "plan": plan.to_json(), "reason": reason });
            self.events.emit("deployment_failed", failed);
            return Err(refusal);
        }
        if !plan.steps.is_empty() && self.deployments.len() - conflicts.len() >= DEPLOYMENTS {
            let text = format!(
                "Max number ({DEPLOYMENTS}) of running deployments is achieved. Wait for existing deployments to complete or cancel oneusing force=true parameter. You can increase max deployment number by using --max_running_deployments parameter but be advised that this can have negative effects on the performance."
            );
            return Err(Refusal::message(StatusCode::FORBIDDEN, text));
        }
        for id in &conflicts {
            self.cancel(id);
        }
        self.remember(target);
        for app in &touched {
            self.left_alone.remove(app);
        }
        let change = json!({ "groupId": group, "version": version });
        let deployment = plan.id.clone();
        if plan.steps.is_empty() {
            let done = json!({ "id": plan.id, "plan": plan.to_json() });
            self.events.emit("deployment_success", done);
            self.events.emit("group_change_success", change);
        } else {
            self.events.emit("group_change_success", change);
            self.deployments.push(Deployment::new(plan));
        }
        self.changed = true;
        self.save_changes();
        Ok(Deployed { version, deployment })
    }

    /// Drops a deployment; its tasks stay as they are.
    fn cancel(&mut self, id: &str) -> Option<Plan> {
        let index = self.deployments.iter().position(|running| running.plan.id == id)?;
        let plan = self.deployments.remove(index).plan;
        let reason = "The upgrade has been cancelled";
        let failed = json!({ "id": plan.id, "plan": plan.to_json(), "reason": reason });
        self.events.emit("deployment_failed", failed);
        self.changed = true;
        Some(plan)
    }

    /// Drops a deployment and leaves whatever mix of old and new tasks runs.
    pub(crate) fn drop_deployment(&mut self, id: &str) -> Result<(), Refusal> {
        let plan = self.cancel(id).ok_or_else(|| Refusal::no_deployment(id))?;
        // Marathon counts the instances of its apps every `--scale_apps_interval`, 300 s.
        let until = tokio::time::Instant::now() + self.second * 300;
        self.left_alone.extend(plan.apps().into_iter().map(|app| (app, until)));
        Ok(())
    }

    /// Takes back what a deployment changed, by a new one.
    pub(crate) fn roll_back(&mut self, id: &str) -> Result<Deployed, Refusal> {
        let running = self.deployments.iter().find(|running| running.plan.id == id);
        let plan = &running.ok_or_else(|| Refusal::no_deployment(id))?.plan;
        let target = revert(plan, &self.apps);
        self.deploy(target, &BTreeSet::new(), &AppId::root(), true)
    }

    /// Checks the apps together, gives ports and versions to those that changed.
    fn prepare(
        &self,
        target: &mut Apps,
        restarted: &BTreeSet<AppId>,
        version: Timestamp,
    ) -> Result<(), Refusal> {
        if target.keys().any(|id| target.keys().any(|other| other.is_below(id))) {
            return Err(Refusal::rule("Groups and Applications may not have the same identifier."));
        }
        if has_cycle(target) {
            return Err(Refusal::rule("Dependency graph has cyclic dependencies."));
        }
        let ids: Vec<AppId> = target.keys().cloned().collect();
        for id in ids {
            let Some(mut app) = target.remove(&id) else { continue };
            let mut others = self.apps.clone();
            others.extend(target.iter().map(|(id, app)| (id.clone(), app.clone())));
            assign_service_ports(&mut app, &others)?;
            stamp(&mut app, self.apps.get(&id), restarted.contains(&id), version);
            target.insert(id, app);
        }
        Ok(())
    }

    /// Takes over the apps and keeps their versions.
    fn remember(&mut self, target: Apps) {
        for (id, app) in &target {
            let versions = self.versions.entry(id.clone()).or_default();
            if versions.last().is_none_or(|last| last.version != app.version) {
                versions.push(app.clone());
                let surplus = versions.len().saturating_sub(VERSIONS);
                versions.drain(..surplus);
            }
        }
        self.apps = target;
    }
}

/// Sets the version of an app that is new or changed.
fn stamp(app: &mut App, before: Option<&App>, restarted: bool, now: Timestamp) {
    let all_new = VersionInfo { last_scaling_at: now, last_config_change_at: now };
    match before {
        None => (app.version, app.version_info) = (now, all_new),
        Some(before) if restarted => {
            let info = VersionInfo { last_config_change_at: now, ..before.version_info };
            (app.version, app.version_info) = (now, info);
        }
        Some(before) if app.differs(before) => (app.version, app.version_info) = (now, all_new),
        Some(before) if app.instances != before.instances => {
            let info = VersionInfo { last_scaling_at: now, ..before.version_info };
            (app.version, app.version_info) = (now, info);
        }
        Some(before) => (app.version, app.version_info) = (before.version, before.version_info),
    }
}
