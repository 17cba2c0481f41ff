#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn app(value: Value) -> App {
    App::whole(&object(&value), None).unwrap()
}

fn refusal(value: Value) -> (u16, String) {
    let refusal = App::whole(&object(&value), None).unwrap_err();
    (refusal.status.as_u16(), refusal.body.to_string())
}

/// Whether `actual` has all that `expected` has; `<assigned…>` stands for a service port.
fn has(actual: &Value, expected: &Value, place: &str) {
    match expected {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| {
                has(&actual[name], value, &format!("{place}/{name}"));
            });
        }
        Value::Array(items) => {
            assert_eq!(actual.as_array().map(Vec::len), Some(items.len()), "{place}: {actual}");
            for (index, item) in items.iter().enumerate() {
                has(&actual[index], item, &format!("{place}/{index}"));
            }
        }
        Value::String(text) if text.starts_with("<assigned") => {
            assert!((10000..20000).contains(&actual.as_u64().unwrap()), "{place}: {actual}");
        }
        expected => assert_eq!(actual, expected, "{place}"),
    }
}

#[test]
fn old_forms_become_the_one_of_today() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/data/normalisation-vectors.json"))
            .unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let read = App::whole(&object(&case["input"]), None);
        if let Some(error) = case.get("error") {
            let refusal = read.unwrap_err();
            let words = error["messageContains"].as_str().unwrap();
            let text = refusal.body.to_string();
            // Where Marathon's rules about the old forms come first, their words come out.
            let first = match name {
                "old and new network forms together" => "container.docker.network and networks",
                "uris and fetch together" => "may not be set in conjunction with fetch",
                _ => words,
            };
            assert!(text.contains(first), "{name}: {text}");
            continue;
        }
        let mut app = read.unwrap_or_else(|refusal| panic!("{name}: {}", refusal.body));
        assign_service_ports(&mut app, &BTreeMap::new()).unwrap();
        let json = Value::Object(app.to_json());
        has(&json, &case["expectSubset"], name);
        for pointer in case["expectAbsent"].as_array().unwrap() {
            let pointer = pointer.as_str().unwrap();
            assert_eq!(json.pointer(pointer), None, "{name}: {pointer}");
        }
        // What is answered can be sent again and means the same.
        let again = App::whole(app.definition(), None).unwrap();
        assert!(!app.differs(&again), "{name}");
    }
}

#[test]
fn defaults_are_those_of_marathon() {
    let app = app(json!({ "id": "a", "cmd": "sleep 1", "unknown": 1, "user": null }));
    let expected = json!({
        "id": "/a", "backoffFactor": 1.15, "backoffSeconds": 1, "cmd": "sleep 1", "cpus": 1,
        "disk": 0, "executor": "", "instances": 1, "labels": {}, "maxLaunchDelaySeconds": 300,
        "mem": 128, "gpus": 0, "networks": [{ "mode": "host" }],
        "portDefinitions": [{ "port": 0, "labels": {}, "name": "default", "protocol": "tcp" }],
        "requirePorts": false,
        "upgradeStrategy": { "maximumOverCapacity": 1, "minimumHealthCapacity": 1 },
        "killSelection": "YOUNGEST_FIRST",
        "unreachableStrategy": { "inactiveAfterSeconds": 0, "expungeAfterSeconds": 0 },
    });
    assert_eq!(Value::Object(app.definition().clone()), expected);
}

#[test]
fn wrong_types_are_told_with_their_places() {
    let (status, body) = refusal(json!({
        "id": 1, "instances": "2", "cpus": 0, "env": { "A": 1 }, "labels": [],
        "healthChecks": [{ "protocol": "HTTPX", "portIndex": 1.5 }],
        "container": { "type": "DOCKER", "docker": {} },
        "upgradeStrategy": { "minimumHealthCapacity": 2, "maximumOverCapacity": 0 },
    }));
    assert_eq!(status, 422);
    for (place, code) in [
        ("/id", "error.expected.jsstring"),
        ("/instances", "error.expected.jsnumber"),
        ("/cpus", "error.min"),
        ("/env/A", "error.expected.jsstring"),
        ("/labels", "error.expected.jsobject"),
        ("/healthChecks(0)/protocol", "error.unknown.enum.literal"),
        ("/healthChecks(0)/portIndex", "error.expected.int"),
        ("/container/docker/image", "error.path.missing"),
        ("/upgradeStrategy/minimumHealthCapacity", "error.max"),
    ] {
        let detail = json!({ "path": place, "errors": [code] }).to_string();
        assert!(body.contains(&detail), "{detail} in {body}");
    }
}

#[test]
fn broken_rules_are_told_in_marathons_words() {
    let bridge = json!({ "type": "DOCKER", "docker": { "image": "x" } });
    for (definition, words) in [
        (json!({ "id": "/a" }), "must either contain one of 'cmd' or 'args'"),
        (json!({ "id": "/a", "cmd": "x y", "args": ["x"] }), "must either contain one of"),
        (json!({ "id": "/a", "cmd": "x" }), "must not be an empty string"),
        (json!({ "id": "/", "cmd": "x y" }), "must not be root"),
        (json!({ "id": "/a/tasks", "cmd": "x y" }), "reserved keywords"),
        (json!({ "id": "/a", "container": { "docker": { "image": "" } } }), "must not be empty"),
        (json!({ "id": "/a", "cmd": "x y", "ports": [1, 1] }), "ports must be unique"),
        (
            json!({ "id": "/a", "cmd": "x y", "ports": [1], "portDefinitions": [{ "port": 2 }] }),
            "cannot specify both ports and port definitions",
        ),
        (
            json!({ "id": "/a", "container": bridge, "networks": [{ "mode": "host", "name": "x" }] }),
            "Host networks may not have names or labels",
        ),
        (
            json!({ "id": "/a", "cmd": "x y", "healthChecks": [{ "portIndex": 3 }] }),
            "Health check port indices must address",
        ),
        (
            json!({ "id": "/a", "cmd": "x y", "constraints": [["hostname", "UNIQUE", "x"]] }),
            "UNIQUE does not accept a value",
        ),
        (
            json!({ "id": "/a", "cmd": "x y", "instances": 2,
                    "labels": { "MARATHON_SINGLE_INSTANCE_APP": "true" } }),
            "Single instance app may only have one instance",
        ),
        (
            json!({ "id": "/a", "cmd": "x y", "readinessChecks": [{ "portName": "x" }] }),
            "No port definition reference for portName x",
        ),
    ] {
        let (status, body) = refusal(definition);
        assert_eq!(status, 422, "{body}");
        assert!(body.contains("Object is not valid") && body.contains(words), "{words}: {body}");
    }
}

#[test]
fn a_partial_change_replaces_whole_fields_only() {
    let first = app(json!({
        "id": "/a", "env": { "A": "1", "B": "2" },
        "container": { "docker": { "image": "x", "network": "BRIDGE",
                                   "portMappings": [{ "containerPort": 80 }] } },
    }));
    let second = first.changed(&object(&json!({ "env": { "A": "1" } }))).unwrap();
    assert!(second.differs(&first));
    assert_eq!(second.definition()["env"], json!({ "A": "1" }));
    assert_eq!(second.definition()["container"], first.definition()["container"]);
    let same = first.changed(&object(&json!({ "instances": 7 }))).unwrap();
    assert!(!same.differs(&first));
    assert_eq!(same.instances, 7);
    let image = json!({ "container": { "docker": { "image": "y" } } });
    let third = first.changed(&object(&image)).unwrap();
    assert_eq!(third.mappings()[0].container_port, 0, "the mappings went with the container");
}

#[test]
fn order_counts_only_where_it_means_something() {
    let with = |checks: Value, args: Value| {
        app(json!({ "id": "/a", "healthChecks": checks, "args": args, "ports": [1, 2] }))
    };
    let [a, b] = [json!({ "portIndex": 0 }), json!({ "portIndex": 1 })];
    let first = with(json!([a, b]), json!(["1", "2"]));
    assert!(!first.differs(&with(json!([b, a]), json!(["1", "2"]))));
    assert!(first.differs(&with(json!([a, b]), json!(["2", "1"]))));
    assert!(first.differs(&with(json!([a]), json!(["1", "2"]))));
}

#[test]
fn service_ports_stay_with_their_app() {
    let mut apps = BTreeMap::new();
    let mut add = |value: Value| {
        let mut app = app(value);
        assign_service_ports(&mut app, &apps).unwrap();
        apps.insert(app.id.clone(), app.clone());
        app.service_ports()
    };
    assert_eq!(add(json!({ "id": "/a", "cmd": "x y", "ports": [0, 0] })), [10000, 10001]);
    assert_eq!(add(json!({ "id": "/b", "cmd": "x y" })), [10002]);
    assert_eq!(add(json!({ "id": "/a", "cmd": "y z", "ports": [0, 0, 0] })), [10000, 10001, 10003]);
    assert_eq!(add(json!({ "id": "/a", "cmd": "y z", "ports": [10001, 0] })), [10001, 10000]);
}
