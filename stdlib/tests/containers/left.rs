//! Nothing is left behind.

use std::os::unix::fs::MetadataExt;

use pipe_stdlib::docker::{Owner, sweep};

use crate::{
    call::{BARE, Run, engine, left, soon},
    tools::Engine,
};

#[tokio::test]
async fn dropped_in_the_middle_all_of_it_goes() {
    let Some(engine) = engine("dropped_in_the_middle_all_of_it_goes") else { return };
    let run = Run::new(&engine);
    let session = run.boxed().await;
    let service = run.service(Some(&*session), &[("image", BARE.into())]).await.unwrap();
    assert_eq!(left(&engine, &run.name).len(), 3);
    drop(service);
    drop(session);
    soon("all goes", || left(&engine, &run.name).is_empty()).await;
}

#[tokio::test]
async fn what_a_dead_run_has_left_is_swept() {
    let Some(engine) = engine("what_a_dead_run_has_left_is_swept") else { return };
    let dead = Run::new(&engine);
    let service = dead.service(None, &[("image", BARE.into())]).await.unwrap();
    let other = Run::new(&engine);
    let living = other.service(None, &[("image", BARE.into())]).await.unwrap();
    // As when `pipe` is killed: nobody undoes it.
    std::mem::forget(service);

    let mut owners = Vec::new();
    let mut none = |owner: &Owner| {
        owners.push(owner.clone());
        false
    };
    let asked = std::sync::Mutex::new(&mut none);
    let ask = |owner: &Owner| (asked.lock().unwrap())(owner);
    assert_eq!(sweep(&dead.world, &dead.connections, ask).await.unwrap(), [""; 0]);
    let own = owners.iter().find(|owner| owner.run == dead.name).unwrap();
    assert_eq!(own.workspace, dead.path());
    assert!(own.is_here());

    let is_dead = |owner: &Owner| owner.run == dead.name;
    let gone = sweep(&dead.world, &dead.connections, is_dead).await.unwrap();
    let name = &dead.name;
    let names = [format!("container pipe-{name}-test-bare"), format!("network pipe-{name}-test")];
    assert_eq!(gone, names);
    assert_eq!(left(&engine, &dead.name), [""; 0]);
    assert_eq!(left(&engine, &other.name).len(), 2);
    living.undo(other.call(None)).await.unwrap();
}

/// Makes a container as a `pipe` has left it that is dead: of the folder of a run, or another one
/// under the same path.
fn remains(engine: &Engine, run: &Run, name: &str, folder: &str) {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let labels = [
        format!("pipe.run={name}"),
        "pipe.stage=test".to_owned(),
        "pipe.process=1-1".to_owned(),
        format!("pipe.workspace={}", run.path().display()),
        format!("pipe.host={}", host.trim()),
        format!("pipe.folder={folder}"),
    ];
    let labels = labels.iter().flat_map(|label| ["--label", label.as_str()]);
    let mut words = vec!["create", "--name", name, "--network", "none"];
    words.extend(labels);
    words.push(BARE);
    let made = engine.client(&words);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn the_next_run_in_the_folder_removes_it() {
    let Some(engine) = engine("the_next_run_in_the_folder_removes_it") else { return };
    let run = Run::new(&engine);
    let folder = std::fs::metadata(run.path()).unwrap();
    remains(&engine, &run, "dead", &format!("{}:{}", folder.dev(), folder.ino()));
    // A task that sees another folder under the same path may be alive.
    remains(&engine, &run, "elsewhere", "1:2");
    let session = run.boxed().await;
    assert_eq!(left(&engine, "dead"), [""; 0]);
    run.said.has("removed what an earlier run has left: container dead");
    assert_eq!(left(&engine, "elsewhere"), ["elsewhere"]);
    engine.client(&["rm", "elsewhere"]);
    session.end(run.call(None)).await.unwrap();
}
