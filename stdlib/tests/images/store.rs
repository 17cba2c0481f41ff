//! The image store of the machine: many builds at once, a build that ends half-way, and time.

use std::{fs, path::Path, time::Duration};

use pipe_stdlib::core::{FailureKind, Value};
use serde_json::Value as Json;

use crate::{
    call::Machine,
    compare::pulled,
    tools::{Registry, folder, has, skopeo},
};

/// Bytes that no compression makes smaller.
pub(crate) fn noise(size: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_builds_share_one_store() {
    let state = tempfile::tempdir().unwrap();
    let mut machine = Machine::new();
    machine.set("PIPE_STATE_DIR", &state.path().display().to_string());
    let contexts: Vec<_> = (0..8)
        .map(|_| {
            let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY . /\n")]);
            fs::write(context.path().join("noise"), noise(1 << 20)).unwrap();
            context
        })
        .collect();
    let arguments = [("tag", Value::from("demo:1"))];
    let builds = contexts.iter().map(|context| machine.build(context.path(), &arguments));
    let built = futures_util::future::join_all(builds).await;
    let first = built[0].text("id");
    assert!(built.iter().all(|done| done.text("id") == first));
    assert_eq!(count(&state.path().join("images/new")), 0);
    // A layer, a configuration, a manifest.
    assert_eq!(count(&state.path().join("images/blobs/sha256")), 3);
}

#[tokio::test]
async fn a_build_that_is_cancelled_while_it_writes_leaves_nothing() {
    let machine = Machine::new();
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY . /\n")]);
    fs::write(context.path().join("noise"), noise(24 << 20)).unwrap();
    let images = machine.home.path().join(".local/state/pipe/images");
    let new = images.join("new");
    let cancel = machine.cancel.clone();
    let watch = {
        let new = new.clone();
        tokio::task::spawn_blocking(move || {
            while count(&new) == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            cancel.cancel();
        })
    };
    let done = machine.build(context.path(), &[("tag", "demo:1".into())]).await;
    watch.await.unwrap();
    assert_eq!(done.failure().kind, FailureKind::Cancelled);
    // The thread that writes ends at its next piece.
    for _ in 0..250 {
        if count(&new) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for folder in ["new", "blobs/sha256", "layers", "images"] {
        assert_eq!(count(&images.join(folder)), 0, "{folder}");
    }
}

#[tokio::test]
async fn a_file_that_changes_under_a_build_is_noticed() {
    let machine = Machine::new();
    let context = folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY . /\n")]);
    let path = context.path().join("noise");
    fs::write(&path, noise(4 << 20)).unwrap();
    let new = machine.home.path().join(".local/state/pipe/images/new");
    let watch = tokio::task::spawn_blocking(move || {
        while count(&new) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Shorter than its header in the archive says.
        fs::write(&path, "short").unwrap();
    });
    let done = machine.build(context.path(), &[("tag", "demo:1".into())]).await;
    watch.await.unwrap();
    let message = &done.failure().message;
    assert!(message.contains("noise"), "{message}");
    assert!(message.contains("while"), "{message}");
}

#[tokio::test]
async fn a_time_can_be_given_to_everything_in_an_image() {
    let name = "a_time_can_be_given_to_everything_in_an_image";
    if !has(name, &["docker-registry", "skopeo"]) {
        return;
    }
    let (registry, mut machine) = (Registry::start(), Machine::new());
    let context =
        folder(&[("Dockerfile", 0o644, "FROM scratch\nCOPY f /a/b/\n"), ("f", 0o644, "")]);
    let tag = registry.image("demo:1");
    let arguments = [("tag", Value::from(tag.as_str())), ("push", Value::from(true))];
    machine.set("SOURCE_DATE_EPOCH", "1700000000");
    machine.build(context.path(), &arguments).await.text("id");
    let config: Json = serde_json::from_str(&skopeo(&tag, &["--config"])).unwrap();
    assert_eq!(config["created"], "2023-11-14T22:13:20Z");
    assert_eq!(config["history"][0]["created"], "2023-11-14T22:13:20Z");
    assert!(pulled(&tag).await.contains_key("a/b/f"));

    machine.set("SOURCE_DATE_EPOCH", "yesterday");
    let failed = machine.build(context.path(), &arguments).await;
    let message = "`SOURCE_DATE_EPOCH` is `yesterday`, which is no number of seconds";
    assert_eq!(failed.failure().message, message);
}
