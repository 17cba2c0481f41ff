//! Putting, changing, restoring and deleting apps.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Cluster, can, has, healthy, web};

fn busybox(test: &str) -> bool {
    can(test, "busybox", has("busybox"))
}

#[tokio::test]
async fn a_new_app_comes_up_and_answers() {
    if !busybox("a_new_app_comes_up_and_answers") {
        return;
    }
    let cluster = Cluster::new();
    assert_eq!(cluster.get("/v2/info").await["elected"], true);
    let ping = cluster.client.get(format!("{}/ping", cluster.running.marathon));
    assert_eq!(ping.send().await.unwrap().text().await.unwrap(), "pong");

    let events = cluster.events().await;
    let answer = cluster.put("/v2/apps//product/web", &web("hello", 1)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["location"], "/product/web");
    let id = answer.body["deploymentId"].as_str().unwrap();
    assert_eq!(answer.headers["marathon-deployment-id"], id);
    events.success(id).await;
    let kinds: Vec<String> =
        events.kinds().into_iter().filter(|kind| kind != "event_stream_attached").collect();
    let (posted, rest): (Vec<_>, Vec<_>) =
        kinds.into_iter().partition(|k| k == "api_post_event" || k == "group_change_success");
    assert_eq!(posted.len(), 2);
    assert_eq!(
        rest,
        [
            "deployment_info StartApplication",
            "add_health_check_event",
            "deployment_step_success StartApplication",
            "deployment_info ScaleApplication",
            "instance_changed_event Scheduled",
            "instance_changed_event Provisioned",
            "status_update_event TASK_STARTING",
            "instance_changed_event Starting",
            "status_update_event TASK_RUNNING",
            "instance_changed_event Running",
            "health_status_changed_event",
            "instance_health_changed_event",
            "deployment_step_success ScaleApplication",
            "deployment_success",
        ]
    );
    let app = cluster.app("/product/web").await;
    assert_eq!(app["version"], answer.body["version"]);
    assert_eq!((&app["tasksRunning"], &app["tasksHealthy"]), (&json!(1), &json!(1)));
    let task = &app["tasks"][0];
    assert_eq!(task["healthCheckResults"][0]["alive"], true);
    assert_eq!(task["servicePorts"], json!([10000]));
    assert_eq!(cluster.page(task, "/").await, "hello\n");

    // The same again changes nothing and says so.
    let again = cluster.deploy("/product/web", &web("hello", 1)).await;
    let success = events.success(&again).await;
    assert_eq!(success["plan"]["steps"], json!([]));
    assert_eq!(cluster.app("/product/web").await["version"], app["version"]);
    assert_eq!(cluster.get("/v2/deployments").await, json!([]));
}

#[tokio::test]
async fn a_task_sees_its_environment() {
    let cluster = Cluster::new();
    let app = json!({
        "cmd": "env > environment; exec sleep 1000", "labels": { "A": "b" }, "env": { "X": "y z" },
    });
    cluster.deploy("/env", &app).await;
    cluster.until("/env", "running", |app| app["tasksRunning"] == 1).await;
    let task = cluster.app("/env").await["tasks"][0].clone();
    let id = task["id"].as_str().unwrap();
    let file = cluster.settings.folder.join("tasks").join(id).join("environment");
    let text = loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.contains("PORTS=") {
            break text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    for line in [
        "MARATHON_APP_ID=/env".to_owned(),
        "MARATHON_APP_LABEL_A=b".to_owned(),
        "X=y z".to_owned(),
        "HOST=127.0.0.1".to_owned(),
        format!("PORT0={}", task["ports"][0]),
        format!("MESOS_TASK_ID={id}"),
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in {text}");
    }
    assert!(!text.contains("CLUSTER_SECOND"), "the cluster's own environment stays there");
}

#[tokio::test]
async fn changes_wait_for_each_other_or_are_forced() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    // Never healthy: nothing listens.
    let stuck = |seconds: u32| json!({ "cmd": format!("sleep {seconds}"), "healthChecks": [{ "protocol": "TCP", "gracePeriodSeconds": 3000 }] });
    let first = cluster.deploy("/a", &stuck(1000)).await;
    let refused = cluster.put("/v2/apps/a", &stuck(2000)).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body["deployments"], json!([{ "id": first }]));
    let failed = events.wait("deployment_failed", |_| true).await;
    assert_ne!(failed["id"], first.as_str(), "the plan that nobody was told of");
    events.wait("group_change_failed", |_| true).await;
    let exists =
        cluster.ask(Method::POST, "/v2/apps", Some(&json!({ "id": "/a", "cmd": "x y" }))).await;
    assert_eq!(exists.status, 409);
    assert_eq!(exists.body, json!({ "message": "An app with id [/a] already exists." }));

    let forced = cluster.put("/v2/apps/a?force=true", &stuck(2000)).await;
    assert_eq!(forced.status, 200);
    let failed = events.wait("deployment_failed", |event| event["id"] == first.as_str()).await;
    assert_eq!(failed["reason"], "The upgrade has been cancelled");
    let left = cluster.get("/v2/deployments").await;
    assert_eq!(left[0]["id"], forced.body["deploymentId"]);
    assert_eq!(left[0]["currentActions"][0]["action"], "RestartApplication");
    assert_eq!((&left[0]["currentStep"], &left[0]["totalSteps"]), (&json!(1), &json!(1)));

    // Dropped without a way back: an empty 202, and the app stays as it is.
    let id = left[0]["id"].as_str().unwrap();
    let dropped =
        cluster.ask(Method::DELETE, &format!("/v2/deployments/{id}?force=true"), None).await;
    assert_eq!((dropped.status, dropped.body), (202, json!("")));
    let gone = cluster.ask(Method::DELETE, &format!("/v2/deployments/{id}"), None).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.body, json!({ "message": format!("DeploymentPlan {id} does not exist") }));
    assert_eq!(cluster.app("/a").await["cmd"], "sleep 2000");
}

#[tokio::test]
async fn a_deployment_is_taken_back() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    let good = json!({ "cmd": "sleep 1000" });
    let first = cluster.deploy("/a", &good).await;
    events.success(&first).await;
    let before = cluster.app("/a").await;
    let bad = json!({ "cmd": "sleep 1000", "healthChecks": [{ "protocol": "TCP", "gracePeriodSeconds": 3000 }] });
    let second = cluster.deploy("/a", &bad).await;
    let back = cluster.ask(Method::DELETE, &format!("/v2/deployments/{second}"), None).await;
    assert_eq!(back.status, 200);
    events.success(back.body["deploymentId"].as_str().unwrap()).await;
    let after = cluster.app("/a").await;
    assert_eq!(after.get("healthChecks"), None);
    assert_eq!(after["version"], back.body["version"]);
    assert_ne!(after["version"], before["version"], "a third version, so that all tasks are new");
    assert_ne!(after["tasks"][0]["id"], before["tasks"][0]["id"]);

    // The first deployment of an app is taken back by removing the app.
    let third = cluster.deploy("/b", &bad).await;
    let back = cluster.ask(Method::DELETE, &format!("/v2/deployments/{third}"), None).await;
    events.success(back.body["deploymentId"].as_str().unwrap()).await;
    let gone = cluster.ask(Method::GET, "/v2/apps/b", None).await;
    assert_eq!((gone.status, gone.body), (404, json!({ "message": "App '/b' does not exist" })));
}

#[tokio::test]
async fn versions_are_kept_and_restored() {
    let cluster = Cluster::new();
    cluster.deploy("/a", &json!({ "cmd": "sleep 1000" })).await;
    cluster.settled().await;
    let first = cluster.app("/a").await;
    cluster.deploy("/a", &json!({ "cmd": "sleep 2000" })).await;
    cluster.settled().await;
    let second = cluster.app("/a").await;
    let versions = cluster.get("/v2/apps/a/versions").await;
    assert_eq!(versions, json!({ "versions": [second["version"], first["version"]] }));
    let at =
        cluster.get(&format!("/v2/apps/a/versions/{}", first["version"].as_str().unwrap())).await;
    assert_eq!(at["cmd"], "sleep 1000");

    let both = json!({ "version": first["version"], "instances": 2 });
    let refused = cluster.put("/v2/apps/a", &both).await;
    assert_eq!(refused.status, 422);
    let words = "The 'version' field may only be combined with the 'id' field.";
    assert_eq!(refused.body["details"], json!([{ "path": "/", "errors": [words] }]));
    let restored = cluster.put("/v2/apps/a", &json!({ "version": first["version"] })).await;
    assert_eq!(restored.status, 200);
    cluster.settled().await;
    let third = cluster.app("/a").await;
    assert_eq!(third["cmd"], "sleep 1000");
    assert_ne!(third["version"], first["version"]);
    assert_eq!(third["versionInfo"]["lastConfigChangeAt"], third["version"]);

    // Scaling is no change of the configuration, and restarts nothing.
    cluster.put("/v2/apps/a", &json!({ "instances": 2 })).await;
    cluster.settled().await;
    let scaled = cluster.app("/a").await;
    assert_eq!(scaled["versionInfo"]["lastConfigChangeAt"], third["version"]);
    assert_eq!(scaled["versionInfo"]["lastScalingAt"], scaled["version"]);
    let ids: Vec<&Value> = scaled["tasks"].as_array().unwrap().iter().map(|t| &t["id"]).collect();
    assert!(ids.len() == 2 && ids.contains(&&third["tasks"][0]["id"]));
}

#[tokio::test]
async fn deleting_ends_all_tasks_and_forgets_the_app() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    let deployed = cluster.deploy("/x/a", &json!({ "cmd": "sleep 1000", "instances": 2 })).await;
    events.success(&deployed).await;
    assert_eq!(cluster.get("/v2/apps/x/*").await["*"].as_array().unwrap().len(), 1);
    let deleted = cluster.ask(Method::DELETE, "/v2/apps/x/a", None).await;
    assert_eq!(deleted.status, 200);
    events.success(deleted.body["deploymentId"].as_str().unwrap()).await;
    let kinds = events.kinds();
    let end: Vec<&str> = kinds[kinds.len() - 3..].iter().map(String::as_str).collect();
    assert_eq!(
        end,
        ["app_terminated_event", "deployment_step_success StopApplication", "deployment_success"]
    );
    let killed = events.of("status_update_event");
    let killed = killed.iter().filter(|event| event["taskStatus"] == "TASK_KILLED");
    assert!(killed.clone().count() == 2);
    assert!(killed.clone().all(|e| e["message"] == "Command terminated with signal Terminated"));
    assert_eq!(cluster.ask(Method::GET, "/v2/apps/x/a", None).await.status, 404);
    assert_eq!(cluster.get("/v2/tasks").await, json!({ "tasks": [] }));
}

#[tokio::test]
async fn tasks_are_killed_one_by_one() {
    let cluster = Cluster::new();
    cluster.deploy("/a", &json!({ "cmd": "sleep 1000", "instances": 2 })).await;
    cluster.settled().await;
    let before = cluster.app("/a").await;
    let id = before["tasks"][0]["id"].as_str().unwrap();
    let unknown = cluster.ask(Method::DELETE, "/v2/apps/a/tasks/x", None).await;
    assert_eq!(unknown.body, json!({ "message": "Task 'x' does not exist" }));
    let both = cluster.ask(Method::DELETE, "/v2/apps/a/tasks?scale=true&wipe=true", None).await;
    assert_eq!(both.status, 400);
    let killed = cluster.ask(Method::DELETE, &format!("/v2/apps/a/tasks/{id}"), None).await;
    assert_eq!(killed.body["task"]["id"], id);
    let replaced = |app: &Value| {
        let tasks = app["tasks"].as_array().unwrap();
        app["tasksRunning"] == 2 && tasks.iter().all(|task| task["id"] != id)
    };
    let after = cluster.until("/a", "two tasks again", replaced).await;
    let id = after["tasks"][0]["id"].as_str().unwrap();
    let scaled =
        cluster.ask(Method::DELETE, &format!("/v2/apps/a/tasks/{id}?scale=true"), None).await;
    assert!(scaled.body["deploymentId"].is_string());
    cluster.settled().await;
    let last = cluster.app("/a").await;
    assert_eq!((&last["instances"], last["tasks"].as_array().unwrap().len()), (&json!(1), 1));
    assert_ne!(last["tasks"][0]["id"], id);
}

#[tokio::test]
async fn mistakes_are_answered_as_marathon_does() {
    let cluster = Cluster::new();
    let put = |body: &'static str| {
        let request = cluster.client.put(format!("{}/v2/apps/a", cluster.running.marathon));
        request.header("Content-Type", "application/json").body(body).send()
    };
    let read = async |body: &'static str| {
        let response = put(body).await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, body) = read("<html>").await;
    assert_eq!((status, &body["message"]), (400, &json!("Invalid JSON")));
    assert!(body["details"].is_string());
    let none = json!({ "message": "Please specify data in JSON format" });
    assert_eq!(read("").await, (400, none));
    let (status, body) = read(r#"{"cmd":"x y","instances":"2"}"#).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["details"],
        json!([{ "path": "/instances", "errors": ["error.expected.jsnumber"] }])
    );
    let (status, body) = read("{}").await;
    assert_eq!((status, &body["message"]), (422, &json!("Object is not valid")));

    let nowhere = cluster.ask(Method::GET, "/v3/x", None).await;
    assert_eq!((nowhere.status, nowhere.body), (500, json!({ "message": "URI not found" })));
    let form = cluster.client.put(format!("{}/v2/apps/a", cluster.running.marathon));
    let form = form.header("Content-Type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(form.status(), 415);
    // What a page of the web would send through a browser.
    let foreign = cluster.client.get(format!("{}/v2/apps", cluster.running.marathon));
    let foreign = foreign.header("Origin", "https://evil.example").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    let rebound = cluster.client.get(format!("{}/v2/apps", cluster.running.marathon));
    assert_eq!(rebound.header("Host", "evil.example").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn an_app_waits_for_those_that_it_depends_on() {
    if !busybox("an_app_waits_for_those_that_it_depends_on") {
        return;
    }
    let cluster = Cluster::new();
    let mut web = web("page", 1);
    web["id"] = json!("/x/web");
    web["dependencies"] = json!(["db"]);
    let db = json!({
        "id": "/x/db", "cmd": "sleep 0.5; exec busybox httpd -f -p 127.0.0.1:$PORT0",
        "healthChecks": [{ "protocol": "TCP", "intervalSeconds": 1, "gracePeriodSeconds": 100 }],
    });
    let answer = cluster.put("/v2/apps", &json!([web, db])).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let deployments = cluster.get("/v2/deployments").await;
    assert_eq!(deployments[0]["affectedApps"], json!(["/x/db", "/x/web"]));
    assert_eq!(deployments[0]["totalSteps"], 3);
    assert_eq!(cluster.app("/x/web").await["tasks"], json!([]), "not before the other");
    cluster.until("/x/web", "healthy", healthy(1)).await;
    assert_eq!(cluster.app("/x/db").await["tasksHealthy"], 1);
}
