//! The cluster's own life: started, found, stopped, killed.

use std::time::{Duration, Instant};

use pipe_local_cluster::{Settings, start, status, stop};
use rustix::process::Signal;
use serde_json::json;

use crate::harness::{Cluster, can, has, healthy, processes, program, web};

#[tokio::test(flavor = "multi_thread")]
async fn two_that_start_at_once_get_one_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path().join("a"));
    assert_eq!(status(&settings).unwrap(), None);
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let settings = settings.clone();
            std::thread::spawn(move || start(&settings, &program()).unwrap())
        })
        .collect();
    let running: Vec<_> = starting.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(running.iter().all(|one| *one == running[0]), "{running:?}");
    assert_eq!(status(&settings).unwrap().as_ref(), Some(&running[0]));
    assert_eq!(processes(&settings.folder).len(), 1);

    assert!(stop(&settings).await.unwrap());
    assert_eq!(status(&settings).unwrap(), None);
    assert_eq!(processes(&settings.folder), []);
    assert!(!stop(&settings).await.unwrap());

    let again = start(&settings, &program()).unwrap();
    assert_eq!((&again.marathon, &again.registry), (&running[0].marathon, &running[0].registry));
    assert_ne!(again.pid, running[0].pid);
    assert!(stop(&settings).await.unwrap());
}

#[tokio::test]
async fn stopping_leaves_no_process_and_the_apps_come_back() {
    if !can("stopping_leaves_no_process", "busybox", has("busybox")) {
        return;
    }
    let mut cluster = Cluster::new();
    cluster.deploy("/web", &web("kept", 2)).await;
    let before = cluster.until("/web", "healthy", healthy(2)).await;
    let marathon = cluster.running.marathon.clone();
    assert!(cluster.processes().len() >= 6);
    assert!(stop(&cluster.settings).await.unwrap());
    assert_eq!(processes(&cluster.settings.folder).len(), 0);
    assert_eq!(std::fs::read_dir(cluster.settings.folder.join("roots")).unwrap().count(), 0);

    cluster.again();
    assert_eq!(cluster.running.marathon, marathon, "the address stays");
    let after = cluster.until("/web", "healthy", healthy(2)).await;
    assert_eq!(after["version"], before["version"]);
    assert_eq!(cluster.page(&after["tasks"][0], "/").await, "kept\n");
    assert_eq!(
        cluster.get("/v2/apps/web/versions").await,
        json!({ "versions": [before["version"]] })
    );
}

#[tokio::test]
async fn tasks_die_with_a_cluster_that_is_killed() {
    let mut cluster = Cluster::new();
    // One that ignores TERM and one that left its session.
    let app = json!({
        "cmd": "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1000; :' & while :; do sleep 1; done",
    });
    cluster.deploy("/orphan", &app).await;
    cluster.settled().await;
    let begun = Instant::now();
    while cluster.processes().len() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", cluster.processes());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cluster.kill(Signal::KILL);
    let begun = Instant::now();
    while !cluster.processes().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", cluster.processes());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left = std::fs::read_to_string(cluster.settings.folder.join("cluster.json"));
    assert!(left.is_ok(), "it had no time to tidy up");
    cluster.again();
    let app = cluster.until("/orphan", "running again", |app| app["tasksRunning"] == 1).await;
    assert!(app["tasks"][0]["id"].is_string());
}

#[tokio::test]
async fn a_file_that_lies_is_no_cluster() {
    let cluster = Cluster::new();
    let other = Settings::new(cluster.folder().join("other"));
    std::fs::create_dir(&other.folder).unwrap();
    let file = |settings: &Settings| settings.folder.join("cluster.json");
    std::fs::copy(file(&cluster.settings), file(&other)).unwrap();
    assert_eq!(status(&other).unwrap(), None);
    assert!(!stop(&other).await.unwrap());
    assert!(status(&cluster.settings).unwrap().is_some());
}

#[test]
fn a_cluster_that_does_not_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path().join("a"));
    std::fs::create_dir(&settings.folder).unwrap();
    std::fs::write(settings.folder.join("state.json"), "no state").unwrap();
    let error = start(&settings, &program()).unwrap_err().to_string();
    assert!(error.contains("state") && error.contains("can't be read"), "{error}");
    assert_eq!(status(&settings).unwrap(), None);
}
