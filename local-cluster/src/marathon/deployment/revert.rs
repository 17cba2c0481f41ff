//! The way back from a deployment (`core/deployment/impl/DeploymentPlanReverter.scala`).

use super::{Apps, Plan};

/// `apps` without the changes of `plan`: what it changed is as before, what it added is gone, what
/// it removed is there again. Changes that others made meanwhile stay.
pub(crate) fn revert(plan: &Plan, apps: &Apps) -> Apps {
    let mut reverted = apps.clone();
    for id in plan.apps() {
        match plan.original.get(&id) {
            Some(before) => {
                reverted.insert(id, before.clone());
            }
            None => {
                reverted.remove(&id);
            }
        }
    }
    reverted
}
