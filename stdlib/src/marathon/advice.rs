//! What a person should know of a definition before it is deployed.

use std::time::Duration;

use serde_json::Value as Json;

use super::plan::{Plan, checks, span, until_kill};
use crate::client::marathon::App;

/// The lines, none for a definition without surprises. `within`: the time that the call gives it.
pub(super) fn advice(plan: &Plan, before: Option<&App>, within: Option<Duration>) -> Vec<String> {
    let normal = &plan.normal;
    let mut lines: Vec<String> = plan
        .stuck
        .iter()
        .map(|field| {
            format!(
                "`{field}` stays as it is on the server: this Marathon (before 1.4) can't unset it"
            )
        })
        .collect();
    if checks(normal) == 0 && plan.instances() > 0 {
        lines.push("no health check: success will mean started, not working".to_owned());
    }
    let enough = until_kill(normal);
    if let Some(within) = within.filter(|within| *within < enough) {
        lines.push(format!(
            "within {} is shorter than the {} in which its health checks tell a bad task",
            span(within),
            span(enough)
        ));
    }
    if let Some(image) = image(normal).filter(|image| is_mutable(image)) {
        lines.push(format!(
            "{image} means whatever was pushed last: a tag of its own, or a digest, says what runs"
        ));
    }
    if plan.restarts && before.is_some_and(|before| before.instances > 0) {
        lines.extend(tight(normal));
    }
    lines
}

/// The image, of an app in a container.
pub(super) fn image(app: &Json) -> Option<&str> {
    app.pointer("/container/docker/image").and_then(Json::as_str)
}

/// No tag, or `latest`, and no digest: the name may mean another image tomorrow.
#[must_use]
pub fn is_mutable(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// New tasks beside all old ones, where no two of them fit on one agent: with as many tasks as
/// agents the upgrade waits for ever (`TaskReplaceActor`).
fn tight(normal: &Json) -> Option<String> {
    if normal["upgradeStrategy"]["minimumHealthCapacity"].as_f64() != Some(1.0) {
        return None;
    }
    let alone = |constraint: &Json| {
        let per_host = constraint[0] == "hostname" || constraint[0] == "@hostname";
        per_host && (constraint[1] == "UNIQUE" || constraint[1] == "MAX_PER")
    };
    let fixed = |mapping: &Json| mapping["hostPort"].as_u64().is_some_and(|port| port > 0);
    let mappings = list(&normal["container"]["portMappings"]);
    let why = if list(&normal["constraints"]).iter().any(alone) {
        "its constraint on `hostname`"
    } else if mappings.iter().any(fixed) {
        "its fixed `hostPort`"
    } else if normal["requirePorts"] == true {
        "`requirePorts`"
    } else {
        return None;
    };
    Some(format!(
        "{why} lets no new task run beside an old one: without an agent to spare this waits for \
         ever, unless `upgradeStrategy.minimumHealthCapacity` is below 1"
    ))
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(normal: Json) -> Plan {
        Plan { body: Json::Null, normal, changes: Vec::new(), restarts: true, stuck: Vec::new() }
    }

    #[test]
    fn only_a_tag_that_says_something_stays() {
        for image in ["nginx", "nginx:latest", "registry.example.com:5000/nginx"] {
            assert!(is_mutable(image), "{image}");
        }
        for image in ["nginx:1.27", "registry.example.com:5000/nginx:1", "nginx@sha256:00"] {
            assert!(!is_mutable(image), "{image}");
        }
    }

    #[test]
    fn surprises_are_told_and_others_are_not() {
        let good = json!({
            "instances": 2, "upgradeStrategy": { "minimumHealthCapacity": 1, "maximumOverCapacity": 1 },
            "constraints": [["rack", "GROUP_BY", "2"]],
            "container": { "docker": { "image": "web:7" }, "portMappings": [{ "hostPort": 0 }] },
            "healthChecks": [{ "protocol": "HTTP", "path": "/", "gracePeriodSeconds": 30,
                "intervalSeconds": 5, "maxConsecutiveFailures": 3 }],
        });
        let before = App::read(&json!({ "id": "/a", "instances": 2 }));
        let told = |change: &dyn Fn(&mut Json), within: u64| {
            let mut normal = good.clone();
            change(&mut normal);
            advice(&plan(normal), before.as_ref(), Some(Duration::from_secs(within))).join("\n")
        };
        assert_eq!(told(&|_| {}, 60), "");
        assert!(told(&|_| {}, 54).starts_with("within 54s is shorter than the 55s"));
        let none = told(&|app| app["healthChecks"] = json!([]), 60);
        assert!(none.starts_with("no health check"));
        let latest = told(&|app| app["container"]["docker"]["image"] = json!("web"), 60);
        assert!(latest.starts_with("web means whatever was pushed last"));
        let fixed = |app: &mut Json| app["container"]["portMappings"][0]["hostPort"] = json!(80);
        assert!(told(&fixed, 60).starts_with("its fixed `hostPort`"));
        let unique = |app: &mut Json| app["constraints"] = json!([["hostname", "UNIQUE"]]);
        assert!(told(&unique, 60).starts_with("its constraint on `hostname`"));
        let room = |app: &mut Json| {
            unique(app);
            app["upgradeStrategy"]["minimumHealthCapacity"] = json!(0.5);
        };
        assert_eq!(told(&room, 60), "");
        // A new app has no old tasks.
        let mut app = good.clone();
        unique(&mut app);
        assert_eq!(advice(&plan(app), None, None), [""; 0]);
    }
}
