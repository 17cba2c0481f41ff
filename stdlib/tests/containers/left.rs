//! Nothing is left behind.

use pipe_stdlib::docker::{Owner, sweep};

use crate::call::{BARE, Run, engine, left, soon};

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

#[tokio::test]
async fn the_next_run_in_the_folder_removes_it() {
    let Some(engine) = engine("the_next_run_in_the_folder_removes_it") else { return };
    let mut run = Run::new(&engine);
    let service = run.service(None, &[("image", BARE.into())]).await.unwrap();
    std::mem::forget(service);
    let dead = run.name.clone();
    run.name = format!("{dead}-next");
    let session = run.boxed().await;
    assert_eq!(left(&engine, &dead), [""; 0]);
    run.said.has(&format!("removed what an earlier run has left: container pipe-{dead}-test-bare"));
    session.end(run.call(None)).await.unwrap();
}
