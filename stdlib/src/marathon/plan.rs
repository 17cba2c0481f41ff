//! What a deployment would change, and how long it may take.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    Timing,
    changes::{Change, restarts},
    definition::Definition,
    normalise::{difference, normalise},
};
use crate::client::marathon::{App, ServerVersion};

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What is sent.
    pub(super) body: Json,
    /// The definition in normal form, with what the server has decided.
    pub(super) normal: Json,
    /// What is different on the server.
    pub(super) changes: Vec<Change>,
    /// Whether tasks are started anew.
    pub(super) restarts: bool,
    /// Fields that this server can't unset.
    pub(super) stuck: Vec<String>,
}

impl Plan {
    pub(super) fn new(
        definition: &Definition,
        before: Option<&App>,
        keep_instances: bool,
        server: ServerVersion,
    ) -> Self {
        let mut body = definition.json.clone();
        if let (true, Some(before)) = (keep_instances, before) {
            body["instances"] = Json::from(before.instances);
        }
        let mut normal = normalise(&body, server);
        let mut found = Vec::new();
        if let Some(before) = before {
            found = difference(&mut normal, &before.json, server);
        }
        let mut stuck = Vec::new();
        if !server.replaces() {
            stuck = spell_out(&mut body, &normal, &found);
        }
        let restarts = before.is_none() || restarts(&found);
        Self { body, normal, changes: found, restarts, stuck }
    }

    /// How many tasks there should be.
    pub(super) fn instances(&self) -> u64 {
        self.normal["instances"].as_u64().unwrap_or(1)
    }
}

/// Before 1.4 a PUT changes only the fields that it names: every field that has to go back to its
/// default is named. Returns those that have no default to name.
fn spell_out(body: &mut Json, normal: &Json, changes: &[Change]) -> Vec<String> {
    let mut stuck = Vec::new();
    for change in changes {
        let field = change.pointer.split('/').nth(1).unwrap_or_default();
        let written = match field {
            "fetch" => body.get("fetch").or_else(|| body.get("uris")).is_some(),
            "portDefinitions" => {
                body.get("portDefinitions").or_else(|| body.get("ports")).is_some()
            }
            // These two stand in the container before 1.5.
            "networks" => body.get("container").is_some(),
            field => body.get(field).is_some(),
        };
        if written || stuck.iter().any(|known| known == field) {
            continue;
        }
        match normal.get(field) {
            Some(value) if !matches!(field, "networks" | "container") => {
                body[field] = value.clone();
            }
            _ => stuck.push(field.to_owned()),
        }
    }
    stuck
}

/// How many health checks an app in normal form has.
pub(super) fn checks(normal: &Json) -> usize {
    list(&normal["healthChecks"]).len()
}

/// The longest time that failed checks of a new task are ignored.
pub(super) fn grace(normal: &Json) -> Duration {
    longest(normal, |check| seconds(&check["gracePeriodSeconds"]))
}

/// The longest time from the start of a task that does not get healthy to its end.
pub(super) fn until_kill(normal: &Json) -> Duration {
    longest(normal, |check| {
        let tries = seconds(&check["maxConsecutiveFailures"]) + 2.0;
        seconds(&check["gracePeriodSeconds"]) + tries * seconds(&check["intervalSeconds"])
    })
}

/// How long a deployment may take when nobody says it: each wave of new tasks may use its whole
/// grace and all its tries.
pub(super) fn within(normal: &Json, timing: &Timing) -> Duration {
    timing.within.max(until_kill(normal).saturating_mul(waves(normal)))
}

/// How many waves the upgrade strategy makes of the tasks: those beyond `minimumHealthCapacity`
/// and below `maximumOverCapacity` are replaced at a time.
fn waves(normal: &Json) -> u32 {
    let instances = seconds(&normal["instances"]).max(1.0);
    let strategy = &normal["upgradeStrategy"];
    let least = (instances * seconds(&strategy["minimumHealthCapacity"])).ceil();
    let most = (instances * (1.0 + seconds(&strategy["maximumOverCapacity"]))).trunc();
    let at_once = (most - least).max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the limit"
    )]
    let waves = (instances / at_once).ceil().clamp(1.0, 1000.0) as u32;
    waves
}

fn longest(normal: &Json, time: impl Fn(&Json) -> f64) -> Duration {
    let most = list(&normal["healthChecks"]).iter().map(time).fold(0.0, f64::max);
    Duration::try_from_secs_f64(most.clamp(0.0, 1e7)).unwrap_or_default()
}

fn seconds(json: &Json) -> f64 {
    json.as_f64().unwrap_or(0.0)
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A time for people: `10m`, `55s`, `300ms`.
pub(super) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        0 => format!("{}ms", time.as_millis()),
        seconds => format!("{seconds}s"),
    }
}

/// The definition of an app as the server has it, in the form that it takes back.
pub(super) fn as_it_was(before: &App, server: ServerVersion) -> Json {
    // A partial update can't take away what came since; going back to a version can.
    if !server.replaces() {
        return json!({ "version": before.version });
    }
    let mut body = super::normalise::without_nulls(&before.json);
    if let Json::Object(fields) = &mut body {
        fields.retain(|name, _| !super::normalise::READ_ONLY.contains(&name.as_str()));
        // Up to 1.4 an answer has both forms of these, and no server takes both.
        for (old, new) in [("uris", "fetch"), ("ports", "portDefinitions")] {
            if fields.contains_key(new) {
                fields.shift_remove(old);
            }
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::{super::changes::changes, *};

    fn app(instances: u64, least: f64, over: f64) -> Json {
        json!({
            "instances": instances,
            "upgradeStrategy": { "minimumHealthCapacity": least, "maximumOverCapacity": over },
            "healthChecks": [{ "gracePeriodSeconds": 30, "intervalSeconds": 5, "maxConsecutiveFailures": 3 }],
        })
    }

    #[test]
    fn the_time_follows_from_the_health_checks() {
        let timing = Timing::default();
        assert_eq!(until_kill(&app(1, 1.0, 1.0)), Duration::from_secs(55));
        assert_eq!(within(&app(1, 1.0, 1.0), &timing), Duration::from_secs(600));
        assert_eq!(waves(&app(3, 1.0, 1.0)), 1);
        assert_eq!(waves(&app(20, 1.0, 0.0)), 20);
        assert_eq!(waves(&app(10, 0.5, 0.0)), 2);
        assert_eq!(waves(&app(0, 0.0, 0.0)), 1);
        assert_eq!(within(&app(20, 1.0, 0.0), &timing), Duration::from_secs(1100));
        assert_eq!(within(&json!({}), &timing), Duration::from_secs(600));
    }

    #[test]
    fn an_answer_of_1_4_becomes_a_definition_that_it_takes() {
        let before = App::read(&json!({ "app": {
            "id": "/a", "version": "v", "cmd": null, "uris": [], "fetch": [], "ports": [1],
            "portDefinitions": [{ "port": 1 }], "tasksRunning": 1, "tasks": [], "env": { "A": "b" },
        } }));
        let body = before.map(|before| as_it_was(&before, ServerVersion(1, 4, 3)));
        assert_eq!(
            body,
            Some(
                json!({ "id": "/a", "fetch": [], "portDefinitions": [{ "port": 1 }], "env": { "A": "b" } })
            )
        );
    }

    #[test]
    fn before_1_4_what_has_to_go_is_spelt_out() {
        let mut body = json!({ "id": "/a", "cmd": "x" });
        let normal = json!({ "id": "/a", "cmd": "x", "env": {}, "mem": 128 });
        let old =
            json!({ "id": "/a", "cmd": "x", "env": { "A": "b" }, "mem": 512, "user": "root" });
        let stuck = spell_out(&mut body, &normal, &changes(&old, &normal));
        assert_eq!(body, json!({ "id": "/a", "cmd": "x", "env": {}, "mem": 128 }));
        assert_eq!(stuck, ["user"]);
    }
}
