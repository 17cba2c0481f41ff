//! Definitions that are not taken, and calls that go nowhere.

use pipe_grammar::Code;
use pipe_stdlib::core::{FailureKind, Spot, Value};
use serde_json::json;

use crate::{
    after, before,
    call::Calling,
    server::{Answer, Marathon, OLD, listed},
};

#[tokio::test]
async fn a_refusal_points_at_what_is_wrong() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.answers([Answer::Refuse(
        422,
        r#"{"message":"Object is not valid","details":[{"path":"/container/docker/image","errors":["no such image"]}]}"#.into(),
    )]);
    let docker = Value::record([("image", Value::from("web/:7"))]);
    let with = Value::record([("container", Value::record([("docker", docker)]))]);
    let done = Calling::new(&marathon, &after()).with("with", with).deploy().await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::APP_REFUSED, FailureKind::Step));
    assert_eq!(failure.message, "Marathon refuses `/product/web`");
    assert_eq!(failure.label, "`/container/docker/image`: no such image");
    assert_eq!(
        failure.spot,
        Spot::Pointer { argument: "with", pointer: "/container/docker/image".into() }
    );
    assert_eq!(marathon.changes().len(), 1, "a refusal is final");
}

#[tokio::test]
async fn several_mistakes_have_a_place_each() {
    let marathon = Marathon::start().await;
    marathon.answers([Answer::Refuse(
        422,
        r#"{"message":"Object is not valid","details":[
            {"path":"/container/portMappings(0)/containerPort","errors":["must be a port"]},
            {"path":"/healthChecks(0)/path","errors":["error.expected.jsstring","too long."]}]}"#
            .into(),
    )]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    let problems: Vec<(&Spot, &str)> =
        failure.problems.iter().map(|p| (&p.spot, p.message.as_str())).collect();
    let spot = |pointer: &str| Spot::Pointer { argument: "definition", pointer: pointer.into() };
    assert_eq!(
        problems,
        [
            // The server speaks of the new form; the definition has the one of 2016.
            (
                &spot("/container/docker/portMappings/0/containerPort"),
                "`/container/portMappings/0/containerPort`: must be a port"
            ),
            (&spot("/healthChecks/0/path"), "`/healthChecks/0/path`: must be a text"),
            (&spot("/healthChecks/0/path"), "`/healthChecks/0/path`: too long"),
        ]
    );
}

#[tokio::test]
async fn a_lock_that_stays_ends_the_wait() {
    let marathon = Marathon::with_app(before(), 2).await;
    let locked =
        r#"{"message":"App is locked by one or more deployments.","deployments":[{"id":"other"}]}"#;
    marathon.answers([Answer::Refuse(409, locked.into())]);
    marathon.inside().deployments.push(listed("other", OLD));
    let lock_within = Value::Duration(std::time::Duration::from_millis(300));
    let done = Calling::new(&marathon, &after()).with("lock_within", lock_within).deploy().await;
    let failure = done.failure();
    assert_eq!((failure.code, failure.kind), (Code::APP_LOCKED, FailureKind::Infrastructure));
    assert_eq!(done.evidence(), "what holds it\nother of /product/web\n");
    assert!(done.took.as_millis() >= 300 && done.took.as_secs() < 8, "{:?}", done.took);
    assert_eq!(marathon.changes().len(), 1);
}

#[tokio::test]
async fn a_conflict_without_deployments_is_not_waited_for() {
    let marathon = Marathon::start().await;
    let exists = r#"{"message":"An app with the path /product already exists."}"#;
    marathon.answers([Answer::Refuse(409, exists.into())]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert!(
        done.failure().message.contains("already exists (HTTP 409)"),
        "{}",
        done.failure().message
    );
    assert!(done.took.as_secs() < 8);
}

#[tokio::test]
async fn without_a_connection_there_are_three_ways_on() {
    let marathon = Marathon::start().await;
    let mut calling = Calling::new(&marathon, &after());
    calling.connections.marathon.clear();
    let done = calling.deploy().await;
    let failure = done.failure();
    assert_eq!(failure.code, Code::NO_CONNECTION);
    assert_eq!(failure.help.len(), 3);
    assert!(failure.help[2].contains("pipe run --local"));
}

#[tokio::test]
async fn a_definition_that_is_none_is_never_sent() {
    let marathon = Marathon::start().await;
    for (definition, code, words) in [
        (json!([]), Code::INVALID_APP, "an app definition is an object"),
        (json!({ "id": "/g", "apps": [] }), Code::INVALID_APP, "this is a group, not an app"),
        (json!({ "cmd": "x" }), Code::INVALID_APP, "the app definition has no `id`"),
        (json!({ "id": "/w", "cdm": "x" }), Code::INVALID_APP, "has no field `cdm`"),
        (
            json!({ "id": "/w", "cmd": "x", "memm": 1, "cpu": 2 }),
            Code::INVALID_APP,
            "2 things are wrong in the app definition",
        ),
        (json!({ "id": "/Web_1", "cmd": "x" }), Code::INVALID_APP, "`/Web_1` is no id of an app"),
        (json!("no/such/file.json"), Code::MISSING_FILE, "`no/such/file.json` does not exist"),
        (json!("../../../../../../x.json"), Code::BAD_PATH, "leaves the repository"),
    ] {
        let done = Calling::new(&marathon, &definition).deploy().await;
        let failure = done.failure();
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    assert!(marathon.inside().seen.is_empty());
}
