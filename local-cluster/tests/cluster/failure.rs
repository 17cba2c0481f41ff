//! Apps that crash, are not well, or have no place.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Cluster, can, has};

#[tokio::test]
async fn a_crashing_app_is_tried_again_ever_more_slowly() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    let app = json!({
        "cmd": "echo no such table >&2; exit 3", "backoffSeconds": 1, "backoffFactor": 2,
        "healthChecks": [{ "protocol": "TCP", "gracePeriodSeconds": 3000 }],
    });
    let deployment = cluster.deploy("/crash", &app).await;
    let failed = |event: &Value| event["taskStatus"] == "TASK_FAILED";
    let begun = Instant::now();
    while events.of("status_update_event").iter().filter(|e| failed(e)).count() < 4 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // 100, 200 and 400 ms lie between four starts.
    assert!(begun.elapsed() > Duration::from_millis(600), "{:?}", begun.elapsed());
    let app = cluster.app("/crash").await;
    let failure = &app["lastTaskFailure"];
    assert_eq!(failure["message"], "Command exited with status 3");
    assert_eq!((&failure["state"], &failure["version"]), (&json!("TASK_FAILED"), &app["version"]));
    assert_eq!(app["deployments"], json!([{ "id": deployment }]), "it never fails by itself");
    let queue = cluster.get("/v2/queue").await;
    assert_eq!(queue["queue"][0]["app"]["id"], "/crash");
    assert_eq!(queue["queue"][0]["delay"]["overdue"], false);
    // What it wrote is still there.
    let path = format!(
        "/files/read?path=/tasks/{}/stderr&offset=0&length=100",
        failure["taskId"].as_str().unwrap()
    );
    assert_eq!(cluster.get(&path).await, json!({ "data": "no such table\n", "offset": 0 }));

    let reset = cluster.ask(Method::DELETE, "/v2/queue/crash/delay", None).await;
    assert_eq!(reset.status, 204);
    let unknown = cluster.ask(Method::DELETE, "/v2/queue/none/delay", None).await;
    assert_eq!(unknown.body, json!({ "message": "Application /none not found in tasks queue." }));
}

#[tokio::test]
async fn an_app_that_ends_well_is_started_again_without_a_failure() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    cluster.deploy("/once", &json!({ "cmd": "exit 0" })).await;
    let ended = events.wait("status_update_event", |e| e["taskStatus"] == "TASK_FINISHED").await;
    assert_eq!(ended["message"], "Command exited with status 0");
    let again = |event: &Value| {
        let task = event["taskId"].as_str().unwrap();
        event["taskStatus"] == "TASK_FINISHED" && task.ends_with("._app.2")
    };
    events.wait("status_update_event", again).await;
    assert_eq!(cluster.app("/once").await.get("lastTaskFailure"), None);
}

#[tokio::test]
async fn a_signal_is_told_by_its_name() {
    let cluster = Cluster::new();
    cluster.deploy("/kill", &json!({ "cmd": "kill -9 $$" })).await;
    let app = cluster.until("/kill", "failed", |app| app["lastTaskFailure"].is_object()).await;
    assert_eq!(app["lastTaskFailure"]["message"], "Command terminated with signal Killed");
}

#[tokio::test]
async fn the_fourth_failure_in_a_row_kills_but_none_in_the_grace_period() {
    if !can("the_fourth_failure_in_a_row_kills", "busybox", has("busybox")) {
        return;
    }
    let cluster = Cluster::new();
    let events = cluster.events().await;
    let app = json!({
        "cmd": "exec busybox httpd -f -p 127.0.0.1:$PORT0",
        "healthChecks": [{
            "protocol": "HTTP", "path": "/missing", "portIndex": 0, "gracePeriodSeconds": 10,
            "intervalSeconds": 2, "maxConsecutiveFailures": 3,
        }],
    });
    cluster.deploy("/sick", &app).await;
    let running = |event: &Value| event["taskStatus"] == "TASK_RUNNING";
    events.wait("status_update_event", running).await;
    let begun = Instant::now();
    let kill = events.wait("unhealthy_instance_kill_event", |_| true).await;
    // 1 s of grace, then failures at 1.0, 1.2, 1.4 and 1.6 s or a bit later.
    let lasted = begun.elapsed();
    assert!(lasted > Duration::from_millis(1400) && lasted < Duration::from_secs(4), "{lasted:?}");
    assert_eq!(kill["reason"], "404 Not Found");
    let kinds = events.kinds();
    let end = kinds.iter().position(|kind| kind == "unhealthy_instance_kill_event").unwrap();
    let failures = kinds[..end].iter().filter(|kind| *kind == "failed_health_check_event").count();
    assert_eq!(failures, 4);
    let unhealthy = events.of("instance_health_changed_event");
    assert_eq!(unhealthy[0]["healthy"], false);
    let app = cluster.until("/sick", "killed", |app| app["lastTaskFailure"].is_object()).await;
    assert_eq!(
        app["lastTaskFailure"]["message"],
        "Task was killed since health check failed. Reason: 404 Not Found"
    );
    // Another takes its place at once: such kills do not count as failures.
    events.wait("status_update_event", |e| running(e) && e["taskId"] != kill["taskId"]).await;
}

#[tokio::test]
async fn commands_are_run_beside_the_app() {
    let cluster = Cluster::new();
    let app = json!({
        "cmd": "sleep 0.5; touch ready; exec sleep 1000",
        "healthChecks": [{
            "protocol": "COMMAND", "command": { "value": "test -e $MESOS_SANDBOX/ready" },
            "delaySeconds": 1, "intervalSeconds": 1, "gracePeriodSeconds": 100,
        }],
    });
    cluster.deploy("/command", &app).await;
    cluster.until("/command", "running", |app| app["tasksRunning"] == 1).await;
    assert_eq!(cluster.app("/command").await["tasksHealthy"], 0);
    cluster.until("/command", "healthy", |app| app["tasksHealthy"] == 1).await;
}

#[tokio::test]
async fn readiness_is_waited_for() {
    if !can("readiness_is_waited_for", "busybox", has("busybox")) {
        return;
    }
    let cluster = Cluster::new();
    let app = json!({
        "cmd": "(sleep 1; echo ok > ready) & exec busybox httpd -f -p 127.0.0.1:$PORT0",
        "portDefinitions": [{ "port": 0, "name": "http-api" }],
        "readinessChecks": [{ "path": "/ready", "intervalSeconds": 2, "timeoutSeconds": 1, "preserveLastResponse": true }],
    });
    cluster.deploy("/slow", &app).await;
    let begun = Instant::now();
    let result = loop {
        let deployments = cluster.get("/v2/deployments").await;
        let result = deployments[0]["currentActions"][0]["readinessCheckResults"][0].clone();
        if result["lastResponse"]["status"] == 404 {
            break result;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{deployments:#}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(result["ready"], false);
    cluster.settled().await;
    assert!(begun.elapsed() > Duration::from_millis(500));
}

#[tokio::test]
async fn an_app_that_ignores_term_is_killed_after_its_grace_period() {
    let cluster = Cluster::new();
    let events = cluster.events().await;
    let app = json!({ "cmd": "trap '' TERM; while :; do sleep 1; done", "taskKillGracePeriodSeconds": 5 });
    let deployment = cluster.deploy("/stubborn", &app).await;
    events.success(&deployment).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let deleted = cluster.ask(Method::DELETE, "/v2/apps/stubborn", None).await;
    events.success(deleted.body["deploymentId"].as_str().unwrap()).await;
    let lasted = begun.elapsed();
    assert!(lasted > Duration::from_millis(450) && lasted < Duration::from_secs(3), "{lasted:?}");
    let killed = events.wait("status_update_event", |e| e["taskStatus"] == "TASK_KILLED").await;
    assert_eq!(killed["message"], "Command terminated with signal Killed");
    assert_eq!(cluster.processes(), []);
}

#[tokio::test]
async fn what_has_no_place_waits_and_says_why() {
    let cluster = Cluster::new();
    let app =
        json!({ "cmd": "sleep 1000", "instances": 2, "constraints": [["hostname", "UNIQUE"]] });
    cluster.deploy("/unique", &app).await;
    cluster.until("/unique", "one runs", |app| app["tasksRunning"] == 1).await;
    let reason = async |index: usize| {
        let begun = Instant::now();
        loop {
            let queue = cluster.get("/v2/queue?embed=lastUnusedOffers").await;
            let entry = queue["queue"][0].clone();
            let row = &entry["processedOffersSummary"]["rejectSummaryLastOffers"][index];
            if row["declined"] == 1 {
                return (
                    entry["count"].clone(),
                    row["reason"].clone(),
                    entry["delay"]["overdue"].clone(),
                );
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{queue:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(reason(1).await, (json!(1), json!("UnfulfilledConstraint"), json!(true)));
    cluster.ask(Method::DELETE, "/v2/apps/unique", None).await;
    cluster.settled().await;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let app =
        json!({ "cmd": "sleep 1000", "requirePorts": true, "portDefinitions": [{ "port": port }] });
    cluster.deploy("/fixed", &app).await;
    assert_eq!(reason(8).await, (json!(1), json!("InsufficientPorts"), json!(true)));
    drop(taken);
    cluster.settled().await;
    assert_eq!(cluster.app("/fixed").await["tasks"][0]["ports"], json!([port]));
}
