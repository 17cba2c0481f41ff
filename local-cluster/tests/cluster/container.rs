//! Apps that run in images.

use serde_json::{Value, json};

use crate::{
    harness::{Cluster, can, healthy, is_root},
    image,
};

fn bridged(image: &str) -> Value {
    json!({
        "instances": 2,
        "cpus": 0.1,
        "container": { "type": "DOCKER", "docker": {
            "image": image, "network": "BRIDGE", "portMappings": [{ "containerPort": 8080, "hostPort": 0 }],
        } },
        "healthChecks": [{
            "protocol": "HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 50,
        }],
    })
}

/// What a container app does, whoever the cluster runs as.
async fn serves(cluster: &Cluster) {
    let image = image::push(cluster, "docker.io/ssk2/demo", "from the image\n", |_| {}).await;
    cluster.deploy("/demo", &bridged(&image)).await;
    // Two of them listen on the same port 8080, each in a network of its own.
    let app = cluster.until("/demo", "healthy", healthy(2)).await;
    for task in app["tasks"].as_array().unwrap() {
        assert_eq!(cluster.page(task, "/").await, "from the image\n");
    }

    // A shell command replaces the entry point; its root is the image, its network its own.
    let look = "id -u > $MESOS_SANDBOX/user; ls / > $MESOS_SANDBOX/root; env > $MESOS_SANDBOX/env; \
                echo changed > /srv/index.html; cat /proc/1/cmdline > $MESOS_SANDBOX/init; exec httpd -f -p $PORT0";
    let mut app = bridged(&image);
    app["cmd"] = json!(look);
    app["instances"] = json!(1);
    app["env"] = json!({ "OWN": "1" });
    app["container"]["docker"]["portMappings"] = json!([{ "containerPort": 0 }]);
    cluster.deploy("/look", &app).await;
    let app = cluster.until("/look", "healthy", healthy(1)).await;
    let task = &app["tasks"][0];
    assert_eq!(cluster.page(task, "/").await, "changed\n");
    let folder = cluster.settings.folder.join("tasks").join(task["id"].as_str().unwrap());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("user"), "0\n");
    let names = read("root");
    assert!(names.lines().all(|name| !matches!(name, "home" | "usr" | "boot")), "{names}");
    for line in
        ["GREETING=from the image", "OWN=1", "MARATHON_APP_ID=/look", "HOME=/root", "PWD=/srv"]
    {
        assert!(read("env").lines().any(|known| known == line), "{line} in {}", read("env"));
    }
    // The others still have the page of the image.
    let others = cluster.app("/demo").await;
    assert_eq!(cluster.page(&others["tasks"][0], "/").await, "from the image\n");

    // The image's user, by name; nothing listens, and that is seen through the mapped port.
    let image = image::push(cluster, "ssk2/user", "x", |config| {
        config.config.user = "web".into();
        config.config.entrypoint = None;
        config.config.cmd = Some(vec![
            "/bin/sh".into(),
            "-c".into(),
            "id > /mnt/mesos/sandbox/who; sleep 1000".into(),
        ]);
    })
    .await;
    let mut app = bridged(&image);
    app["instances"] = json!(1);
    app["healthChecks"] = json!([{ "protocol": "TCP", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 1 }]);
    cluster.deploy("/user", &app).await;
    let app = cluster.until("/user", "failed", |app| app["lastTaskFailure"].is_object()).await;
    let failure = &app["lastTaskFailure"];
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("Connection reset by peer"), "{message}");
    let folder = cluster.settings.folder.join("tasks").join(failure["taskId"].as_str().unwrap());
    let who = std::fs::read_to_string(folder.join("who")).unwrap();
    assert!(who.starts_with("uid=1000(web) gid=1000"), "{who}");
}

/// What Mesos says when Docker can't pull.
async fn misses(cluster: &Cluster) {
    let own = format!("{}/no/such:1", cluster.running.registry);
    for (id, image, words) in [
        ("/missing", own.as_str(), "manifest unknown"),
        ("/elsewhere", "docker.io/library/nginx:1", "repository does not exist"),
    ] {
        cluster.deploy(id, &bridged(image)).await;
        let app = cluster.until(id, "failed", |app| app["lastTaskFailure"].is_object()).await;
        let message = app["lastTaskFailure"]["message"].as_str().unwrap();
        let begin = format!(
            "Failed to launch container: Failed to run 'docker -H unix:///var/run/docker.sock pull {image}': exited with status 1; stderr='"
        );
        assert!(message.starts_with(&begin) && message.contains(words), "{message}");
        assert_eq!(app["lastTaskFailure"]["state"], "TASK_FAILED");
    }
}

/// A program that is not in the image, and one that ends.
async fn ends(cluster: &Cluster) {
    let image = image::push(cluster, "ssk2/ends", "x", |config| {
        config.config.entrypoint = None;
        config.config.cmd = Some(vec!["no-such-program".into()]);
    })
    .await;
    for (id, change, message) in [
        ("/no-program", json!({}), "Container exited with status 127"),
        ("/status", json!({ "cmd": "exit 42" }), "Container exited with status 42"),
        ("/signal", json!({ "cmd": "kill -9 $$" }), "Container exited with status 137"),
    ] {
        let mut app = bridged(&image);
        app["healthChecks"] = json!([]);
        app.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        cluster.deploy(id, &app).await;
        let app = cluster.until(id, "failed", |app| app["lastTaskFailure"].is_object()).await;
        assert_eq!(app["lastTaskFailure"]["message"], message, "{id}");
    }
}

async fn all(cluster: &Cluster) {
    serves(cluster).await;
    misses(cluster).await;
    ends(cluster).await;
}

#[tokio::test]
async fn an_image_runs_in_a_root_of_its_own() {
    if can("an_image_runs_in_a_root_of_its_own", "busybox", image::busybox().is_some()) {
        all(&Cluster::new()).await;
    }
}

#[tokio::test]
async fn an_image_runs_without_root() {
    let test = "an_image_runs_without_root";
    if can(test, "busybox", image::busybox().is_some())
        && can(test, "root, to be another user", is_root())
    {
        all(&Cluster::with(100, Some(65534))).await;
    }
}

#[tokio::test]
async fn a_command_runs_as_the_user_that_is_asked_for() {
    if !can("a_command_runs_as_the_user_that_is_asked_for", "root", is_root()) {
        return;
    }
    let cluster = Cluster::new();
    // It may write in its folder, though the way there is barred to it.
    let app = json!({ "cmd": "id -u > user; exec sleep 1000", "user": "65534" });
    cluster.deploy("/nobody", &app).await;
    let app = cluster.until("/nobody", "running", |app| app["tasksRunning"] == 1).await;
    let task = app["tasks"][0]["id"].as_str().unwrap();
    let file = cluster.settings.folder.join("tasks").join(task).join("user");
    for _ in 0..200 {
        if std::fs::read_to_string(&file).is_ok_and(|text| text == "65534\n") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}: {:?}", std::fs::read_to_string(&file), cluster.app("/nobody").await);
}
