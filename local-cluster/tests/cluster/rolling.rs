//! Upgrades while the app serves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Cluster, can, has, healthy, web};

/// Samples an app until no deployment works on it: the fewest healthy tasks and the most tasks.
async fn watch(cluster: &Cluster, id: &str) -> (u64, usize) {
    let (mut fewest, mut most) = (u64::MAX, 0);
    loop {
        let app = cluster.app(id).await;
        fewest = fewest.min(app["tasksHealthy"].as_u64().unwrap());
        most = most.max(app["tasks"].as_array().unwrap().len());
        if app["deployments"] == json!([]) {
            return (fewest, most);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn upgrade(strategy: Value) -> Option<(u64, usize, usize)> {
    if !can("upgrades", "busybox", has("busybox")) {
        return None;
    }
    let cluster = Cluster::new();
    let with = |page: &str| {
        let mut app = web(page, 3);
        app["upgradeStrategy"] = strategy.clone();
        app
    };
    cluster.deploy("/web", &with("one")).await;
    let before = cluster.until("/web", "healthy", healthy(3)).await;
    let events = cluster.events().await;
    let deployment = cluster.deploy("/web", &with("two")).await;
    let (fewest, most) = watch(&cluster, "/web").await;
    events.success(&deployment).await;
    let after = cluster.app("/web").await;
    assert_eq!(after["tasksHealthy"], 3);
    for task in after["tasks"].as_array().unwrap() {
        assert_eq!(cluster.page(task, "/").await, "two\n");
        assert_eq!(task["version"], after["version"]);
        assert_ne!(task["version"], before["version"]);
    }
    let kinds = events.kinds();
    let end = &kinds[kinds.len() - 3..];
    assert_eq!(
        end,
        [
            "remove_health_check_event",
            "deployment_step_success RestartApplication",
            "deployment_success"
        ]
    );
    // How many old ones were killed before the first new one was healthy.
    let first = kinds.iter().position(|kind| kind == "instance_health_changed_event").unwrap();
    let killed = kinds[..first].iter().filter(|k| *k == "instance_changed_event Killing").count();
    Some((fewest, most, killed))
}

#[tokio::test]
async fn no_moment_has_fewer_healthy_tasks_than_asked_for() {
    let strategy = json!({ "minimumHealthCapacity": 1, "maximumOverCapacity": 1 });
    if let Some((fewest, most, killed)) = upgrade(strategy).await {
        assert_eq!((fewest, killed), (3, 0));
        assert!(most <= 6, "{most}");
    }
}

#[tokio::test]
async fn one_more_at_a_time_where_nothing_may_run_in_addition() {
    let strategy = json!({ "minimumHealthCapacity": 1, "maximumOverCapacity": 0 });
    if let Some((fewest, most, killed)) = upgrade(strategy).await {
        assert_eq!((fewest, most, killed), (3, 4, 0));
    }
}

#[tokio::test]
async fn half_go_first_where_half_are_enough() {
    let strategy = json!({ "minimumHealthCapacity": 0.5, "maximumOverCapacity": 0 });
    if let Some((fewest, most, killed)) = upgrade(strategy).await {
        assert_eq!((fewest, most, killed), (2, 3, 1));
    }
}

#[tokio::test]
async fn all_go_first_where_none_is_needed() {
    let strategy = json!({ "minimumHealthCapacity": 0, "maximumOverCapacity": 0 });
    if let Some((fewest, most, killed)) = upgrade(strategy).await {
        assert_eq!((fewest, most, killed), (0, 3, 3));
    }
}

#[tokio::test]
async fn a_new_version_that_never_gets_healthy_leaves_the_old_one_alone() {
    if !can("a_new_version_that_never_gets_healthy", "busybox", has("busybox")) {
        return;
    }
    let cluster = Cluster::new();
    cluster.deploy("/web", &web("one", 3)).await;
    cluster.until("/web", "healthy", healthy(3)).await;
    let mut broken = web("two", 3);
    broken["healthChecks"][0]["path"] = json!("/missing");
    broken["healthChecks"][0]["gracePeriodSeconds"] = json!(1);
    cluster.deploy("/web", &broken).await;
    let events = cluster.events().await;
    events.wait("unhealthy_instance_kill_event", |event| event["reason"] == "404 Not Found").await;
    let failed = |app: &Value| app["lastTaskFailure"]["state"] == "TASK_KILLED";
    let app = cluster.until("/web", "killed", failed).await;
    assert_eq!(app["tasksHealthy"], 3, "{app:#}");

    // The way back, as a client goes it: the definition of before, by force.
    let back = cluster.put("/v2/apps/web?force=true&partialUpdate=false", &web("one", 3)).await;
    events.success(back.body["deploymentId"].as_str().unwrap()).await;
    let app = cluster.app("/web").await;
    assert_eq!(app["tasksHealthy"], 3);
    for task in app["tasks"].as_array().unwrap() {
        assert_eq!(cluster.page(task, "/").await, "one\n");
    }
}
