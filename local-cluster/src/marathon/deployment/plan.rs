//! The plan of a deployment (`core/deployment/DeploymentPlan.scala`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    marathon::app::{App, AppId},
    random,
    time::Timestamp,
};

/// All apps, by their ids.
pub(crate) type Apps = BTreeMap<AppId, App>;

/// From some apps to others, in steps.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Plan {
    /// A random UUID.
    pub(crate) id: String,
    /// That of the apps afterwards.
    pub(crate) version: Timestamp,
    /// One after the other.
    pub(crate) steps: Vec<Step>,
    /// The apps that it touches, before.
    pub(crate) original: Apps,
    /// The apps that it touches, afterwards.
    pub(crate) target: Apps,
}

/// What is done at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Step {
    /// At most one for each app.
    pub(crate) actions: Vec<Action>,
}

/// What is done to an app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Action {
    /// What.
    #[serde(rename = "action")]
    pub(crate) kind: Kind,
    /// To which app.
    pub(crate) app: AppId,
}

/// The kinds of actions, by Marathon's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Kind {
    /// It gets to be known, with no instance.
    #[serde(rename = "StartApplication")]
    Start,
    /// Instances come or go.
    #[serde(rename = "ScaleApplication")]
    Scale,
    /// Every instance is replaced.
    #[serde(rename = "RestartApplication")]
    Restart,
    /// It goes.
    #[serde(rename = "StopApplication")]
    Stop,
}

impl Plan {
    /// The plan from `original` to `target`; `restarted` apps are replaced though they are the same.
    pub(crate) fn new(
        original: &Apps,
        target: &Apps,
        restarted: &BTreeSet<AppId>,
        version: Timestamp,
    ) -> Self {
        let mut stops = Vec::new();
        let mut starts = Vec::new();
        let mut layers: BTreeMap<usize, Vec<Action>> = BTreeMap::new();
        let ids: BTreeSet<&AppId> = original.keys().chain(target.keys()).collect();
        for id in ids {
            let action = |kind| Action { kind, app: id.clone() };
            let kind = match (original.get(id), target.get(id)) {
                (Some(_), None) => {
                    stops.push(action(Kind::Stop));
                    continue;
                }
                (None, Some(_)) => {
                    starts.push(action(Kind::Start));
                    Kind::Scale
                }
                (Some(before), Some(after)) => {
                    let replaced = restarted.contains(id) || after.differs(before);
                    match (replaced, after.instances) {
                        (true, 1..) => Kind::Restart,
                        (true, 0) => Kind::Scale,
                        (false, count) if count != before.instances => Kind::Scale,
                        (false, _) => continue,
                    }
                }
                (None, None) => continue,
            };
            layers.entry(depth(id, target, target.len())).or_default().push(action(kind));
        }
        let steps: Vec<Step> = [stops, starts]
            .into_iter()
            .chain(layers.into_values())
            .filter(|actions| !actions.is_empty())
            .map(|actions| Step { actions })
            .collect();
        let mut plan =
            Self { id: random::uuid(), version, steps, original: Apps::new(), target: Apps::new() };
        let touched = plan.apps();
        let of = |apps: &Apps| {
            apps.iter()
                .filter(|(id, _)| touched.contains(id))
                .map(|(id, app)| (id.clone(), app.clone()))
                .collect()
        };
        (plan.original, plan.target) = (of(original), of(target));
        plan
    }

    /// The apps that it touches.
    pub(crate) fn apps(&self) -> BTreeSet<AppId> {
        self.steps.iter().flat_map(|step| &step.actions).map(|action| action.app.clone()).collect()
    }

    /// What events and lists say of it: the light form, the only one since 1.8.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "id": self.id, "version": self.version, "steps": self.steps })
    }
}

/// The apps that `app` depends on: those of these ids, and those below groups of these ids.
fn dependencies<'a>(app: &'a App, apps: &'a Apps) -> impl Iterator<Item = &'a AppId> {
    apps.keys().filter(move |id| {
        **id != app.id && app.dependencies.iter().any(|on| *id == on || id.is_below(on))
    })
}

/// How many apps have to be there before `id`, one after the other; `limit` ends cycles.
fn depth(id: &AppId, apps: &Apps, limit: usize) -> usize {
    let Some(app) = apps.get(id).filter(|_| limit > 0) else {
        return 0;
    };
    dependencies(app, apps).map(|on| depth(on, apps, limit - 1) + 1).max().unwrap_or(0)
}

/// Whether some apps wait for each other.
pub(crate) fn has_cycle(apps: &Apps) -> bool {
    let mut settled: BTreeSet<&AppId> = BTreeSet::new();
    loop {
        let before = settled.len();
        for (id, app) in apps {
            if dependencies(app, apps).all(|on| settled.contains(on)) {
                settled.insert(id);
            }
        }
        if settled.len() == before {
            return before < apps.len();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn apps(definitions: &[Value]) -> Apps {
        let app = |value: &Value| {
            let app = App::whole(value.as_object().unwrap(), None).unwrap();
            (app.id.clone(), app)
        };
        definitions.iter().map(app).collect()
    }

    fn steps(before: &[Value], after: &[Value]) -> Vec<String> {
        let plan = Plan::new(&apps(before), &apps(after), &BTreeSet::new(), Timestamp::default());
        let step = |step: &Step| {
            let action = |action: &Action| format!("{:?} {}", action.kind, action.app);
            step.actions.iter().map(action).collect::<Vec<_>>().join(", ")
        };
        plan.steps.iter().map(step).collect()
    }

    #[test]
    fn each_kind_of_change_has_its_steps() {
        let one = json!({ "id": "/a", "cmd": "x y" });
        let two = json!({ "id": "/a", "cmd": "x y", "instances": 2 });
        let new = json!({ "id": "/a", "cmd": "y z", "instances": 2 });
        let none = json!({ "id": "/a", "cmd": "y z", "instances": 0 });
        let one = std::slice::from_ref(&one);
        assert_eq!(steps(&[], one), ["Start /a", "Scale /a"]);
        assert_eq!(steps(one, &[two]), ["Scale /a"]);
        assert_eq!(steps(one, &[new]), ["Restart /a"]);
        assert_eq!(steps(one, &[none]), ["Scale /a"]);
        assert_eq!(steps(one, &[]), ["Stop /a"]);
        assert!(steps(one, one).is_empty());
    }

    #[test]
    fn dependencies_come_first() {
        let after = [
            json!({ "id": "/x/web", "cmd": "x y", "dependencies": ["../x/api", "/db"] }),
            json!({ "id": "/x/api", "cmd": "x y", "dependencies": ["/db"] }),
            json!({ "id": "/db/one", "cmd": "x y" }),
            json!({ "id": "/db/two", "cmd": "x y" }),
        ];
        assert_eq!(
            steps(&[], &after),
            [
                "Start /db/one, Start /db/two, Start /x/api, Start /x/web",
                "Scale /db/one, Scale /db/two",
                "Scale /x/api",
                "Scale /x/web",
            ]
        );
        assert!(!has_cycle(&apps(&after)));
        let cycle = [
            json!({ "id": "/a", "cmd": "x y", "dependencies": ["/b"] }),
            json!({ "id": "/b", "cmd": "x y", "dependencies": ["/a"] }),
        ];
        assert!(has_cycle(&apps(&cycle)));
    }
}
