//! Deployments that work.

use pipe_stdlib::core::{Intent, LocalCluster, Value};
use serde_json::json;

use crate::{
    after, before,
    call::Calling,
    server::{Answer, DEPLOYMENT, Marathon, OLD, OURS, listed, pause},
};

#[tokio::test]
async fn a_new_app_is_put_and_followed_until_it_is_healthy() {
    let marathon = Marathon::start().await;
    let done = Calling::new(&marathon, &after()).deploy().await;
    let record = done.record();
    assert_eq!(record["app"], "/product/web");
    assert_eq!(record["version"], OURS);
    assert_eq!(record["previous"], json!(null));
    assert_eq!(record["changed"], true);
    assert_eq!(
        record["tasks"][0],
        json!({ "id": "product_web.instance-0200._app.1", "host": "node1", "ports": [31200] })
    );
    assert_eq!(record["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(marathon.changes(), ["PUT /v2/apps/product/web?partialUpdate=false"]);
    assert_eq!(marathon.body(0), after());
    assert!(marathon.first("GET /v2/events") < marathon.first("PUT"), "subscribed before the PUT");
    assert_eq!(
        done.intents,
        [
            Intent::Deploy {
                marathon: marathon.url.clone(),
                app: "/product/web".into(),
                previous: None
            },
            Intent::Deployment {
                app: "/product/web".into(),
                id: DEPLOYMENT.into(),
                version: OURS.into()
            },
        ]
    );
    done.says("`/product/web` is new, 2 tasks");
    done.says("1 of 2 tasks healthy, 1 not checked yet (grace 30 s)");
    done.says("answers at http://node1:31200");
}

#[tokio::test]
async fn an_upgrade_says_what_changes_and_ends_when_no_old_task_is_left() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        for number in [3, 4] {
            m.runs(number, OURS);
            m.checked(number, OURS, true);
        }
        pause(150).await;
        // Success is claimed while an old task still runs: it is not believed.
        m.succeeds(&change.deployment);
        pause(150).await;
        m.retire(OURS);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["previous"], OLD);
    done.says("~ container.docker.image: \"registry/web:6\" -> \"registry/web:7\"");
    done.says("2 of 2 new tasks healthy; 2 old tasks still serve");
    assert!(done.took.as_millis() >= 300, "{:?}", done.took);
}

#[tokio::test]
async fn what_runs_already_is_not_put_again() {
    let marathon = Marathon::with_app(after(), 2).await;
    let done = Calling::new(&marathon, &after()).deploy().await;
    let record = done.record();
    assert_eq!((&record["changed"], &record["version"]), (&json!(false), &json!(OLD)));
    assert_eq!(record["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(marathon.changes(), [""; 0]);
    assert_eq!(done.intents, []);
    done.says("already runs this definition (version 2016-09-01T09:00:00.000Z): nothing to do");
}

#[tokio::test]
async fn what_runs_already_and_is_not_well_is_waited_for() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.inside().tasks.pop();
    let later = marathon.clone();
    tokio::spawn(async move {
        pause(200).await;
        later.runs(9, OLD);
        pause(100).await;
        later.checked(9, OLD, true);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], false);
    assert_eq!(marathon.changes(), [""; 0]);
    done.says("1 of 2 tasks healthy, 1 not checked yet");
}

#[tokio::test]
async fn a_definition_that_marathon_finds_equal_is_no_change() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.answers([Answer::NoChange]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], false);
    done.says("Marathon sees no difference");
}

#[tokio::test]
async fn only_the_number_of_tasks_replaces_none() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OLD);
        pause(200).await;
        m.checked(3, OLD, true);
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after())
        .with("with", Value::record([("instances", Value::Int(3))]))
        .deploy()
        .await;
    assert_eq!(done.record()["tasks"].as_array().unwrap().len(), 3);
    done.says("no task is replaced");
    done.says("~ instances: 2 -> 3");
    done.says("2 of 3 tasks healthy");
}

#[tokio::test]
async fn the_servers_number_of_tasks_is_kept_on_request() {
    let marathon = Marathon::with_app(before(), 5).await;
    let done = Calling::new(&marathon, &after()).with("keep_instances", true).deploy().await;
    assert_eq!(done.record()["tasks"].as_array().unwrap().len(), 5);
    assert_eq!(marathon.body(0)["instances"], 5);
}

#[tokio::test]
async fn an_app_without_checks_has_to_stay() {
    let mut app = after();
    app["healthChecks"] = json!([]);
    let marathon = Marathon::start().await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        m.runs(4, OURS);
        m.succeeds(&change.deployment);
        pause(60).await;
        m.ends(3, OURS, "TASK_FAILED", "Command exited with status 1");
        pause(30).await;
        m.runs(5, OURS);
    });
    let settle = Value::Duration(std::time::Duration::from_millis(600));
    let done = Calling::new(&marathon, &app).with("settle", settle).deploy().await;
    let tasks = done.record()["tasks"].to_string();
    assert!(tasks.contains("instance-0005") && !tasks.contains("instance-0003"), "{tasks}");
    assert!(done.took.as_millis() >= 690, "{:?}", done.took);
    done.says("no health check: success will mean started, not working");
    done.says("2 of 2 tasks running; crashed once");
}

#[tokio::test]
async fn a_slow_start_is_no_failure() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        m.runs(4, OURS);
        for number in [3, 4] {
            pause(400).await;
            // A few bad answers, and one crash, on the way.
            m.checked(number, OURS, false);
        }
        m.ends(4, OURS, "TASK_FAILED", "Command exited with status 1");
        m.runs(5, OURS);
        pause(200).await;
        m.checked(3, OURS, true);
        m.checked(5, OURS, true);
        m.retire(OURS);
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert_eq!(marathon.changes().len(), 1);
}

#[tokio::test]
async fn the_lock_of_another_deployment_is_waited_for() {
    let marathon = Marathon::with_app(before(), 2).await;
    let locked = r#"{"message":"App is locked by one or more deployments. Override with the option '?force=true'.","deployments":[{"id":"other"}]}"#;
    marathon.answers([Answer::Refuse(409, locked.into())]);
    marathon.inside().deployments.push(listed("other", OLD));
    let later = marathon.clone();
    tokio::spawn(async move {
        pause(300).await;
        later.leaves_the_list("other");
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert!(done.took.as_millis() >= 300, "{:?}", done.took);
    let put = "PUT /v2/apps/product/web?partialUpdate=false";
    assert_eq!(marathon.changes(), [put, put]);
    done.says("waiting for deployment other of /product/web");
}

#[tokio::test]
async fn force_names_what_it_cancels() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.inside().deployments.push(listed("other", OLD));
    let done = Calling::new(&marathon, &after()).with("force", true).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert_eq!(marathon.changes(), ["PUT /v2/apps/product/web?force=true&partialUpdate=false"]);
    done.says("force: cancels deployment other of /product/web");
}

#[tokio::test]
async fn in_the_local_cluster_the_image_has_the_local_name() {
    let marathon = Marathon::start().await;
    let mut calling = Calling::new(&marathon, &after());
    // Whatever `connect` says.
    calling.connections.marathon[0].url = "http://127.0.0.1:1".into();
    calling.connections.local =
        Some(LocalCluster { marathon: marathon.url.clone(), registry: "127.0.0.1:5000".into() });
    let done = calling.deploy().await;
    done.record();
    assert_eq!(marathon.body(0)["container"]["docker"]["image"], "127.0.0.1:5000/registry/web:7");
    done.says("registry/web:7 is 127.0.0.1:5000/registry/web:7 in the local cluster");
}

#[tokio::test]
async fn before_1_4_a_put_spells_out_what_has_to_go() {
    let mut old = before();
    old["env"] = json!({ "DEBUG": "1" });
    old["user"] = json!("root");
    let marathon = Marathon::with_app(old, 2).await;
    marathon.inside().server_version = "1.1.1";
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert_eq!(marathon.changes(), ["PUT /v2/apps/product/web"]);
    assert_eq!(marathon.body(0)["env"], json!({}));
    done.says("`user` stays as it is on the server");
}

#[tokio::test]
async fn a_definition_from_a_file_may_be_an_answer_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let text = json!({ "app": {
        "id": "/product/web", "cmd": "./run", "user": null, "version": OLD, "tasksRunning": 1, "ports": [1],
        "portDefinitions": [{ "port": 1 }], "uris": [], "fetch": [], "healthChecks": [{}] } });
    std::fs::write(folder.path().join("marathon.json"), text.to_string()).unwrap();
    let marathon = Marathon::start().await;
    let mut calling =
        Calling::new(&marathon, &json!({})).with("definition", Value::Path("marathon.json".into()));
    calling.root = folder.path().to_path_buf();
    let done = calling.deploy().await;
    done.record();
    assert_eq!(
        marathon.body(0),
        json!({ "id": "/product/web", "cmd": "./run", "portDefinitions": [{ "port": 1 }], "fetch": [], "healthChecks": [{}] })
    );
    done.says(
        "left out of the definition what only a server writes: version, tasksRunning, uris, ports",
    );
}
