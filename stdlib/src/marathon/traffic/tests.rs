#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn definition(json: Json) -> Definition {
    let mut json = json;
    json["id"] = json!("/shop/web");
    Definition::bare("/shop/web", json)
}

fn balanced(mut json: Json) -> Json {
    json["labels"] = json!({
        "team": "a", "HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "web",
    });
    json
}

fn now() -> Timestamp {
    "2026-11-25T15:00:00.5Z".parse().unwrap()
}

#[test]
fn what_a_load_balancer_serves() {
    let labels = |labels: Json| json!({ "labels": labels });
    assert!(has_traffic(&labels(json!({ "HAPROXY_GROUP": "external" }))));
    assert!(has_traffic(&labels(json!({ "HAPROXY_1_GROUP": "internal" }))));
    assert!(!has_traffic(&labels(
        json!({ "HAPROXY_DEPLOYMENT_GROUP": "web", "HAPROXY_0_PORT": "80" })
    )));
    assert!(!has_traffic(&json!({})));
    assert_eq!(group(&labels(json!({ "HAPROXY_DEPLOYMENT_GROUP": "/web" }))), Some("web"));
}

#[test]
fn service_ports_of_every_generation_are_found_and_changed() {
    for (app, changed) in [
        (
            json!({ "container": { "docker": { "portMappings": [{ "containerPort": 1, "servicePort": 10000 }] } } }),
            json!({ "container": { "docker": { "portMappings": [{ "containerPort": 1, "servicePort": 7 }] } } }),
        ),
        (
            json!({ "container": { "portMappings": [{ "servicePort": 10000 }], "docker": {} } }),
            json!({ "container": { "portMappings": [{ "servicePort": 7 }], "docker": {} } }),
        ),
        (
            json!({ "portDefinitions": [{ "port": 10000 }] }),
            json!({ "portDefinitions": [{ "port": 7 }] }),
        ),
        (json!({ "ports": [10000] }), json!({ "ports": [7] })),
    ] {
        assert_eq!(service_ports(&app), [10000], "{app}");
        let mut new = app.clone();
        set_service_ports(&mut new, &[7]);
        assert_eq!(new, changed);
    }
    assert_eq!(service_ports(&json!({ "portDefinitions": [{}] })), [0]);
    assert_eq!(service_ports(&json!({ "cmd": "x" })), [0; 0]);
}

#[test]
fn what_is_missing_is_named() {
    let why = |json: Json| check(&definition(json)).unwrap_err().message;
    assert_eq!(
        why(json!({ "ports": [1] })),
        "`/shop/web` has no label `HAPROXY_GROUP`, so no load balancer knows it"
    );
    let failure = check(&definition(json!({ "ports": [1], "labels": { "HAPROXY_GROUP": "x" } })))
        .unwrap_err();
    assert_eq!(failure.message, "`/shop/web` has no label `HAPROXY_DEPLOYMENT_GROUP`");
    assert_eq!(
        failure.help,
        ["write `\"HAPROXY_DEPLOYMENT_GROUP\": \"shop-web\"` into its labels"]
    );
    let no_port =
        "`/shop/web` has no service port of its own, so a second version would get another";
    assert_eq!(why(balanced(json!({ "cmd": "x" }))), no_port);
    assert_eq!(why(balanced(json!({ "portDefinitions": [{ "port": 0 }] }))), no_port);
    let mut by_name = balanced(json!({ "cmd": "x" }));
    by_name["labels"]["HAPROXY_0_VHOST"] = json!("shop.example.com");
    assert_eq!(check(&definition(by_name)).unwrap(), "web");
}

#[test]
fn an_app_beside_another_has_its_own_ports_and_listens_where_that_one_does() {
    let app = definition(balanced(json!({ "instances": 3, "ports": [10000, 0, 10002] })));
    let beside = Beside::new(&app, "/shop/web-green", &[10000, 10002]);
    let quiet = beside.without_traffic();
    assert_eq!(
        (quiet.id.as_str(), &quiet.json["id"]),
        ("/shop/web-green", &json!("/shop/web-green"))
    );
    assert_eq!(quiet.json["ports"], json!([0, 0, 0]));
    assert_eq!(quiet.json["labels"], json!({ "team": "a" }));
    let served = beside.with_traffic(None, Some("green"), now()).json;
    assert_eq!(served["ports"], json!([0, 0, 0]));
    assert_eq!(
        served["labels"],
        json!({
            "team": "a", "HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "web",
            "HAPROXY_0_PORT": "10000", "HAPROXY_2_PORT": "10002", "HAPROXY_APP_ID": "/shop/web",
            "HAPROXY_DEPLOYMENT_STARTED_AT": "2026-11-25T15:00:00.500000",
            "HAPROXY_DEPLOYMENT_TARGET_INSTANCES": "3", "HAPROXY_DEPLOYMENT_COLOUR": "green",
        })
    );
}

#[test]
fn a_port_that_nobody_has_is_kept_and_the_alternative_is_used_where_there_is_one() {
    let mut json = balanced(json!({ "ports": [10000] }));
    json["labels"]["HAPROXY_DEPLOYMENT_ALT_PORT"] = json!("10001");
    let app = definition(json);
    let port =
        |taken: &[u64]| Beside::new(&app, "/x", taken).without_traffic().json["ports"][0].clone();
    assert_eq!(port(&[]), 10000);
    assert_eq!(port(&[10000]), 10001);
    assert_eq!(port(&[10001]), 10000);
    assert_eq!(port(&[10000, 10001]), 0);
}

#[test]
fn the_newer_one_is_newer_whatever_zone_the_older_was_written_in() {
    assert_eq!(later_than("", now()), "2026-11-25T15:00:00.500000");
    assert_eq!(later_than("2026-11-25T14:00:00.000001", now()), "2026-11-25T15:00:00.500000");
    assert_eq!(later_than("2026-11-25T17:00:00.000001", now()), "2026-11-25T17:00:01.000001");
    assert_eq!(later_than("yesterday", now()), "2026-11-25T15:00:00.500000");
}
