//! One form for all ways to write an app, so that a definition and what a server has of it can be
//! compared.
//!
//! The rules are those of `api/v2/AppNormalization.scala` and `NetworkNormalization.scala` of
//! Marathon 1.5 and later, defaults those of the server's version. What the server would refuse
//! (old and new network fields together, say) is left as it is: the server says so better.

use serde_json::{Map, Value as Json, json};

use super::changes::{Change, changes};
use crate::client::marathon::ServerVersion;

type Fields = Map<String, Json>;

/// Fields that stand in answers only; in a definition Marathon refuses or ignores them.
pub(super) const READ_ONLY: &[&str] = &[
    "version",
    "versionInfo",
    "tasksStaged",
    "tasksRunning",
    "tasksHealthy",
    "tasksUnhealthy",
    "deployments",
    "tasks",
    "lastTaskFailure",
    "readinessCheckResults",
    "taskStats",
    "tasksStats",
];

/// The canonical form of a definition or of an answer, every default filled in. A service port
/// that the server is to choose is left out.
pub(super) fn normalise(app: &Json, server: ServerVersion) -> Json {
    let Json::Object(mut app) = without_nulls(app) else { return app.clone() };
    for field in READ_ONLY {
        app.shift_remove(*field);
    }
    let id = absolute(app.get("id").and_then(Json::as_str).unwrap_or_default(), "/");
    dependencies(&mut app, &id);
    app.insert("id".to_owned(), Json::from(id));
    fetch(&mut app);
    let mode = networks(&mut app);
    ports(&mut app, &mode, server);
    container(&mut app, &mode);
    checks(&mut app);
    defaults(&mut app, server);
    for field in ["constraints", "healthChecks", "dependencies", "acceptedResourceRoles"] {
        if let Some(Json::Array(items)) = app.get_mut(field) {
            items.sort_by_cached_key(ToString::to_string);
        }
    }
    let mut app = Json::Object(app);
    plain_numbers(&mut app);
    app
}

/// What is different between an app on a server and a definition in normal form, which takes over
/// what the server has decided.
pub(super) fn difference(wanted: &mut Json, app: &Json, server: ServerVersion) -> Vec<Change> {
    let current = normalise(app, server);
    adopt(wanted, &current);
    changes(&current, wanted)
}

/// Whether an app on a server is what a definition says.
pub(super) fn same(definition: &Json, app: &Json, server: ServerVersion) -> bool {
    difference(&mut normalise(definition, server), app, server).is_empty()
}

/// Takes over what the definition leaves to the server and the server has decided: service ports,
/// the role, the residency and the network's name.
fn adopt(wanted: &mut Json, current: &Json) {
    let open = |value: Option<&Json>| value.is_none_or(|value| value == 0);
    for (list, field) in [("/container/portMappings", "servicePort"), ("/portDefinitions", "port")]
    {
        let theirs = current.pointer(list).and_then(Json::as_array);
        let ours = wanted.pointer_mut(list).and_then(Json::as_array_mut);
        for (our, their) in ours.into_iter().flatten().zip(theirs.into_iter().flatten()) {
            if let (Json::Object(our), Some(port)) = (our, their.get(field))
                && open(our.get(field))
            {
                our.insert(field.to_owned(), port.clone());
            }
        }
    }
    if let (Json::Object(ours), Json::Object(theirs)) = (&mut *wanted, current) {
        for field in ["role", "residency"] {
            if let (false, Some(value)) = (ours.contains_key(field), theirs.get(field)) {
                ours.insert(field.to_owned(), value.clone());
            }
        }
    }
    let name = current.pointer("/networks/0/name");
    let same_mode = current.pointer("/networks/0/mode") == wanted.pointer("/networks/0/mode");
    if let (Some(Json::Object(network)), Some(name), true) =
        (wanted.pointer_mut("/networks/0"), name, same_mode)
        && !network.contains_key("name")
    {
        network.insert("name".to_owned(), name.clone());
    }
}

/// Before 1.5 many unset fields are answered as null; in a definition null is the same as absent.
pub(super) fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(fields) => fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Json::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

/// An id as an absolute one; relative ones start in `base` (`state/PathId.scala`).
pub(super) fn absolute(id: &str, base: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let whole = if id.starts_with('/') { id.to_owned() } else { format!("{base}/{id}") };
    for part in whole.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("/{}", parts.join("/"))
}

/// A relative dependency starts in the app's group.
fn dependencies(app: &mut Fields, id: &str) {
    let group = id.rsplit_once('/').map_or("/", |(group, _)| group);
    if let Some(Json::Array(ids)) = app.get_mut("dependencies") {
        for id in ids {
            if let Some(text) = id.as_str() {
                *id = Json::from(absolute(text, group));
            }
        }
    }
}

/// `uris` became `fetch`; answers before 1.5 have both.
fn fetch(app: &mut Fields) {
    let uris = app.shift_remove("uris");
    if let (false, Some(Json::Array(uris))) = (app.contains_key("fetch"), uris) {
        let one = |uri: &Json| {
            let archives =
                [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".tgz", ".tbz2", ".txz", ".zip"];
            let text = uri.as_str().unwrap_or_default();
            json!({ "uri": uri, "extract": archives.iter().any(|end| text.ends_with(end)) })
        };
        app.insert("fetch".to_owned(), uris.iter().map(one).collect());
    }
    each(app.get_mut("fetch"), |item| {
        fill(
            item,
            &[("extract", json!(true)), ("executable", json!(false)), ("cache", json!(false))],
        );
    });
}

/// Brings the three old places of the network together in `networks`; returns its first mode.
fn networks(app: &mut Fields) -> String {
    let address = app.shift_remove("ipAddress");
    let had_container = app.get("container").is_some_and(Json::is_object);
    if address.is_some() && !had_container {
        app.insert("container".to_owned(), json!({ "type": "MESOS" }));
    }
    let mut old = None;
    if let Some(Json::Object(container)) = app.get_mut("container") {
        let mut mappings = None;
        if let Some(Json::Object(docker)) = container.get_mut("docker") {
            old = docker.shift_remove("network").and_then(|v| v.as_str().map(str::to_owned));
            mappings = docker.shift_remove("portMappings");
        }
        let discovered = address.as_ref().and_then(|a| a["discovery"]["ports"].as_array()).map(|ports| {
            let one = |port: &Json| {
                let mut mapping = json!({ "containerPort": port["number"], "name": port["name"], "protocol": port["protocol"] });
                if let Json::Object(fields) = &mut mapping {
                    fields.retain(|_, value| !value.is_null());
                }
                mapping
            };
            ports.iter().map(one).collect::<Json>()
        });
        let discovered = discovered.filter(|ports| ports.as_array().is_some_and(|p| !p.is_empty()));
        if let (false, Some(mappings)) =
            (container.contains_key("portMappings"), mappings.or(discovered))
        {
            container.insert("portMappings".to_owned(), mappings);
        }
    }
    if !app.contains_key("networks") {
        let labels = address.as_ref().map(|a| a["labels"].clone()).filter(Json::is_object);
        let name = address.as_ref().map(|a| a["networkName"].clone()).filter(Json::is_string);
        let mode = match (old.as_deref(), &name) {
            (Some("BRIDGE"), _) => "container/bridge",
            (Some("USER"), _) => "container",
            (None, Some(name)) if name == "mesos-bridge" => "container/bridge",
            (None, _) if address.is_some() => "container",
            _ => "host",
        };
        let mut network = json!({ "mode": mode });
        if let Json::Object(network) = &mut network {
            if let (Some(name), "container") = (name, mode) {
                network.insert("name".to_owned(), name);
            }
            if let (Some(labels), true) = (labels, mode != "host") {
                network.insert("labels".to_owned(), labels);
            }
        }
        app.insert("networks".to_owned(), json!([network]));
    }
    each(app.get_mut("networks"), |network| {
        fill(network, &[("mode", json!("container"))]);
        drop_if(network, "labels", &json!({}));
    });
    app["networks"][0]["mode"].as_str().unwrap_or("host").to_owned()
}

/// `ports`, `portDefinitions` and `portMappings`: one of the latter two, by the network.
fn ports(app: &mut Fields, mode: &str, server: ServerVersion) {
    let ports = app.shift_remove("ports").and_then(|ports| ports.as_array().cloned());
    if mode == "host" {
        if let (false, Some(ports)) = (app.contains_key("portDefinitions"), &ports) {
            let one = |port: &Json| json!({ "port": port });
            app.insert("portDefinitions".to_owned(), ports.iter().map(one).collect());
        }
        fill(app, &[("portDefinitions", json!([{ "name": "default" }]))]);
        each(app.get_mut("portDefinitions"), |port| {
            fill(port, &[("protocol", json!("tcp")), ("labels", json!({}))]);
            drop_if(port, "port", &json!(0));
            // Before 1.5 the only port of an app that asks for none has no name.
            if !server.has_networks() {
                drop_if(port, "name", &json!("default"));
            }
        });
        if let Some(Json::Object(container)) = app.get_mut("container") {
            container.shift_remove("portMappings");
        }
        return;
    }
    app.shift_remove("portDefinitions");
    app.insert("requirePorts".to_owned(), json!(false));
    let container = app.entry("container").or_insert_with(|| json!({ "type": "MESOS" }));
    let Json::Object(container) = container else { return };
    if !server.has_networks() {
        drop_if(container, "portMappings", &json!([]));
    }
    let bridge = mode == "container/bridge";
    let more = ports.map_or(0, |ports| ports.len());
    let default = if more > 0 { json!([]) } else { json!([{ "name": "default" }]) };
    fill(container, &[("portMappings", default)]);
    if let Some(Json::Array(mappings)) = container.get_mut("portMappings") {
        while mappings.len() < more {
            mappings.push(json!({}));
        }
    }
    each(container.get_mut("portMappings"), |mapping| {
        fill(
            mapping,
            &[("containerPort", json!(0)), ("protocol", json!("tcp")), ("labels", json!({}))],
        );
        if bridge {
            fill(mapping, &[("hostPort", json!(0))]);
        }
        drop_if(mapping, "servicePort", &json!(0));
        drop_if(mapping, "networkNames", &json!([]));
    });
}

fn container(app: &mut Fields, mode: &str) {
    let Some(Json::Object(container)) = app.get_mut("container") else { return };
    fill(container, &[("type", json!("DOCKER")), ("volumes", json!([]))]);
    if let Some(Json::Object(docker)) = container.get_mut("docker") {
        fill(
            docker,
            &[
                ("forcePullImage", json!(false)),
                ("privileged", json!(false)),
                ("parameters", json!([])),
            ],
        );
    }
    each(container.get_mut("volumes"), |volume| {
        if let Some(Json::Object(persistent)) = volume.get_mut("persistent") {
            fill(persistent, &[("type", json!("root"))]);
            drop_if(persistent, "constraints", &json!([]));
        }
    });
    // A Mesos container that only says so on the host network is no container at all.
    let bare = json!({ "type": "MESOS", "volumes": [] });
    if mode == "host" && Json::Object(container.clone()) == bare {
        app.shift_remove("container");
    }
}

fn checks(app: &mut Fields) {
    each(app.get_mut("healthChecks"), |check| {
        // Not read any more since 1.5, and false before unless somebody asked for it.
        check.shift_remove("ignoreHttp1xx");
        fill(
            check,
            &[
                ("protocol", json!("HTTP")),
                ("gracePeriodSeconds", json!(300)),
                ("intervalSeconds", json!(60)),
                ("timeoutSeconds", json!(20)),
                ("maxConsecutiveFailures", json!(3)),
                ("delaySeconds", json!(15)),
            ],
        );
        let protocol = check["protocol"].as_str().unwrap_or_default().to_owned();
        if protocol.contains("HTTP") {
            fill(check, &[("path", json!("/"))]);
        }
        // Answers of 1.6 and later have it, also where it means nothing.
        drop_if(check, "ipProtocol", &json!("IPv4"));
        if protocol != "COMMAND" && !check.contains_key("port") {
            fill(check, &[("portIndex", json!(0))]);
        }
    });
    each(app.get_mut("readinessChecks"), |check| {
        fill(
            check,
            &[
                ("name", json!("readinessCheck")),
                ("protocol", json!("HTTP")),
                ("path", json!("/")),
                ("portName", json!("http-api")),
                ("intervalSeconds", json!(30)),
                ("timeoutSeconds", json!(10)),
                ("httpStatusCodesForReady", json!([200])),
                ("preserveLastResponse", json!(false)),
            ],
        );
    });
}

fn defaults(app: &mut Fields, server: ServerVersion) {
    let resident = app.get("container").is_some_and(|container| {
        let volumes = container["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
        volumes.iter().any(|volume| volume["persistent"].is_object())
    });
    let single =
        app.get("labels").is_some_and(|labels| labels["MARATHON_SINGLE_INSTANCE_APP"] == "true");
    let (healthy, over) = match (resident, single) {
        (_, true) => (0.0, 0.0),
        (true, _) => (0.5, 0.0),
        _ => (1.0, 1.0),
    };
    let delay = if server >= ServerVersion(1, 8, 0) { 300 } else { 3600 };
    fill(
        app,
        &[
            ("instances", json!(1)),
            ("cpus", json!(1)),
            ("mem", json!(128)),
            ("disk", json!(0)),
            ("gpus", json!(0)),
            ("executor", json!("")),
            ("env", json!({})),
            ("labels", json!({})),
            ("constraints", json!([])),
            ("dependencies", json!([])),
            ("healthChecks", json!([])),
            ("readinessChecks", json!([])),
            ("fetch", json!([])),
            ("secrets", json!({})),
            ("requirePorts", json!(false)),
            ("backoffSeconds", json!(1)),
            ("backoffFactor", json!(1.15)),
            ("maxLaunchDelaySeconds", json!(delay)),
            ("killSelection", json!("YOUNGEST_FIRST")),
            ("upgradeStrategy", json!({})),
        ],
    );
    if let Some(Json::Object(strategy)) = app.get_mut("upgradeStrategy") {
        fill(
            strategy,
            &[("minimumHealthCapacity", json!(healthy)), ("maximumOverCapacity", json!(over))],
        );
    }
    if server.replaces() {
        let unreachable = match (resident, server >= ServerVersion(1, 5, 1)) {
            (true, _) => json!("disabled"),
            (_, true) => json!({ "inactiveAfterSeconds": 0, "expungeAfterSeconds": 0 }),
            _ => json!({ "inactiveAfterSeconds": 300, "expungeAfterSeconds": 600 }),
        };
        fill(app, &[("unreachableStrategy", unreachable)]);
    }
    app.shift_remove("storeUrls");
    drop_if(app, "tty", &json!(false));
    drop_if(app, "acceptedResourceRoles", &json!(["*"]));
}

/// `1.0` is `1`, however it was written.
fn plain_numbers(json: &mut Json) {
    match json {
        Json::Object(fields) => fields.values_mut().for_each(plain_numbers),
        Json::Array(items) => items.iter_mut().for_each(plain_numbers),
        Json::Number(number) => {
            if let Some(value) = number.as_f64()
                && value.fract() == 0.0
                && value.abs() < 9e15
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
                let whole = value as i64;
                *json = Json::from(whole);
            }
        }
        _ => {}
    }
}

fn each(list: Option<&mut Json>, mut change: impl FnMut(&mut Fields)) {
    for item in list.and_then(Json::as_array_mut).into_iter().flatten() {
        if let Json::Object(fields) = item {
            change(fields);
        }
    }
}

fn fill(fields: &mut Fields, defaults: &[(&str, Json)]) {
    for (name, value) in defaults {
        if !fields.contains_key(*name) {
            fields.insert((*name).to_owned(), value.clone());
        }
    }
}

fn drop_if(fields: &mut Fields, name: &str, value: &Json) {
    if fields.get(name) == Some(value) {
        fields.shift_remove(name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NEW: ServerVersion = ServerVersion(1, 10, 0);

    fn parse(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    /// Whether `whole` has everything that `part` has; `<assigned…>` stands for a port that the
    /// server chooses, which the normal form leaves out.
    fn covers(whole: Option<&Json>, part: &Json) -> bool {
        match (part, whole) {
            (Json::String(text), whole) if text.starts_with("<assigned") => {
                whole.is_none_or(Json::is_number)
            }
            (Json::Object(part), Some(Json::Object(whole))) => {
                part.iter().all(|(key, value)| covers(whole.get(key), value))
            }
            (Json::Array(part), Some(Json::Array(whole))) => {
                part.len() == whole.len()
                    && part.iter().zip(whole).all(|(part, whole)| covers(Some(whole), part))
            }
            (part, whole) => Some(part) == whole,
        }
    }

    #[test]
    fn the_vectors_hold() {
        let vectors = parse(include_str!("../../tests/data/marathon/normalisation-vectors.json"));
        let mut checked = 0;
        for case in vectors["cases"].as_array().unwrap() {
            let Some(expected) = case.get("expectSubset") else { continue };
            let normal = normalise(&case["input"], NEW);
            assert!(covers(Some(&normal), expected), "{}: {normal:#}", case["name"]);
            for pointer in case["expectAbsent"].as_array().unwrap() {
                let found = normal.pointer(pointer.as_str().unwrap());
                assert_eq!(found, None, "{}: {pointer}", case["name"]);
            }
            checked += 1;
        }
        assert!(checked >= 20, "{checked}");
    }

    #[test]
    fn a_normal_form_is_its_own_normal_form() {
        let vectors = parse(include_str!("../../tests/data/marathon/normalisation-vectors.json"));
        for case in vectors["cases"].as_array().unwrap() {
            let once = normalise(&case["input"], NEW);
            assert_eq!(normalise(&once, NEW), once, "{}", case["name"]);
        }
    }

    #[test]
    fn the_old_and_the_new_form_of_an_app_are_the_same() {
        let pair = |old: &str, new: &str| {
            changes(&normalise(&parse(old), NEW), &normalise(&parse(new), NEW))
        };
        let go = pair(
            include_str!("../../tests/data/marathon/pairs/TestApplicationString-output.json"),
            include_str!("../../tests/data/marathon/pairs/TestApplicationString-1.5-output.json"),
        );
        assert_eq!(go, []);
        // These two differ in the protocol of their check, and in nothing else.
        let nginx = pair(
            include_str!("../../tests/data/marathon/pairs/1-nginx.json"),
            include_str!("../../tests/data/marathon/pairs/1-nginx-marathon1.5.json"),
        );
        let lines: Vec<String> = nginx.iter().map(ToString::to_string).collect();
        assert_eq!(lines, [r#"~ healthChecks.0.protocol: "HTTP" -> "MESOS_HTTP""#,]);
    }

    #[test]
    fn the_answers_of_two_generations_are_the_same_app() {
        let answer = |text: &str, server| normalise(&parse(text)["apps"][0], server);
        let old = answer(
            include_str!("../../tests/data/marathon/pairs/zdd_app_blue.json"),
            ServerVersion(1, 1, 1),
        );
        let new = answer(
            include_str!("../../tests/data/marathon/pairs/zdd_app_blue_marathon1.5.json"),
            ServerVersion(1, 5, 0),
        );
        let lines: Vec<String> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                r#"~ healthChecks.0.protocol: "HTTP" -> "MESOS_HTTP""#,
                r#"+ unreachableStrategy: {"inactiveAfterSeconds":300,"expungeAfterSeconds":600}"#,
            ]
        );
    }

    #[test]
    fn ports_that_the_server_chose_are_no_change() {
        let file = parse(
            r#"{"id":"web","container":{"docker":{"image":"n","network":"BRIDGE","portMappings":[{"containerPort":80},{"containerPort":81,"servicePort":9000}]}}}"#,
        );
        let answer = parse(
            r#"{"id":"/web","version":"2016-09-01T10:00:01.000Z","networks":[{"mode":"container/bridge"}],"container":{"type":"DOCKER","docker":{"image":"n","forcePullImage":false,"privileged":false,"parameters":[]},"volumes":[],"portMappings":[{"containerPort":80,"hostPort":0,"servicePort":10007,"protocol":"tcp","labels":{}},{"containerPort":81,"hostPort":0,"servicePort":9001,"protocol":"tcp","labels":{}}]}}"#,
        );
        let current = normalise(&answer, NEW);
        let mut wanted = normalise(&file, NEW);
        adopt(&mut wanted, &current);
        let lines: Vec<String> =
            changes(&current, &wanted).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["~ container.portMappings.1.servicePort: 9001 -> 9000"]);
    }

    #[test]
    fn relative_ids_are_resolved() {
        let vectors = parse(include_str!("../../tests/data/marathon/app-ids.json"));
        for case in vectors["resolve"].as_array().unwrap() {
            let text = |index: usize| case[index].as_str().unwrap();
            assert_eq!(absolute(text(1), text(0)), text(2));
        }
    }
}
