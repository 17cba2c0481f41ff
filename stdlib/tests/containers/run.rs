//! One-off containers.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::{Duration, Instant},
};

use pipe_grammar::Code;
use pipe_stdlib::core::{FailureKind, Secret, Spot, Value};

use crate::call::{BARE, BOX, Run, engine, left};

fn shell(script: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("image", BOX.into()),
        ("entrypoint", Value::strings(["sh", "-c"])),
        ("command", Value::strings([script])),
    ]
}

#[tokio::test]
async fn its_output_is_shown_and_its_status_given() {
    let Some(engine) = engine("its_output_is_shown_and_its_status_given") else { return };
    let run = Run::new(&engine);
    std::fs::create_dir(run.path().join("sub")).unwrap();
    let mut given = shell("pwd; echo $SECRET | wc -c; echo err >&2; echo made > made");
    given.push(("dir", Value::Path("sub".into())));
    given.push(("env", Value::record([("SECRET", Value::Secret(Secret::new("123456")))])));
    let answer = run.run(&given).await.unwrap().to_json();
    assert_eq!(answer["status"], 0);
    run.said.has(&format!("Stdout: {}/sub", run.path().display()));
    run.said.has("Stdout: 7");
    run.said.has("Stderr: err");
    assert!(run.path().join("sub/made").is_file());

    let failed = run.run(&shell("echo before; exit 3")).await.unwrap_err();
    assert_eq!((failed.code, failed.kind), (Code::CONTAINER_FAILED, FailureKind::Step));
    assert_eq!(failed.message, "the container of `box:1` ended: status 3");
    assert_eq!(failed.evidence[0].1, ["before"]);
    let mut unchecked = shell("exit 3");
    unchecked.push(("check", Value::Bool(false)));
    assert_eq!(run.run(&unchecked).await.unwrap().to_json()["status"], 3);
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn the_image_decides_where_the_call_does_not() {
    let Some(engine) = engine("the_image_decides_where_the_call_does_not") else { return };
    let run = Run::new(&engine);
    // Its entrypoint is `/bin/false`.
    let failed = run.run(&[("image", BOX.into())]).await.unwrap_err();
    assert_eq!(failed.message, "the container of `box:1` ended: status 1");
    let without = [
        ("image", BOX.into()),
        ("entrypoint", Value::strings::<&str>([])),
        ("command", Value::strings(["echo", "hello"])),
        ("workspace", Value::Bool(false)),
    ];
    run.run(&without).await.unwrap();
    run.said.has("Stdout: hello");
    let missing = [("image", BARE.into()), ("command", Value::strings(["/none"]))];
    let failed = run.run(&missing).await.unwrap_err();
    assert_eq!(failed.message, "the image `bare:1` has no program `/none`");
    assert_eq!(failed.spot, Spot::Argument("command"));
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn it_may_run_as_somebody_else() {
    let Some(engine) = engine("it_may_run_as_somebody_else") else { return };
    let run = Run::new(&engine);
    std::fs::set_permissions(run.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut given = shell("touch theirs; id -u");
    given.push(("user", "4321:1".into()));
    run.run(&given).await.unwrap();
    run.said.has("Stdout: 4321");
    assert_eq!(std::fs::metadata(run.path().join("theirs")).unwrap().uid(), 4321);
    let mut nobody = shell("true");
    nobody.push(("user", "nobody-there".into()));
    let failed = run.run(&nobody).await.unwrap_err();
    assert_eq!(failed.message, "the image `box:1` knows no user `nobody-there`");
    assert_eq!(left(&engine, &run.name), [""; 0]);
}

#[tokio::test]
async fn volumes_are_mounted() {
    let Some(engine) = engine("volumes_are_mounted") else { return };
    let run = Run::new(&engine);
    std::fs::write(run.path().join("file"), "text").unwrap();
    let mut given = shell("cat /etc/given; echo x > /etc/given && echo written || true");
    given.push(("volumes", Value::strings(["./file:/etc/given:ro"])));
    run.run(&given).await.unwrap();
    run.said.has("Stdout: text");
    assert_eq!(std::fs::read_to_string(run.path().join("file")).unwrap(), "text");
    let mut missing = shell("true");
    missing.push(("volumes", Value::strings(["./none:/x"])));
    let failed = run.run(&missing).await.unwrap_err();
    let path = run.path().join("none").display().to_string();
    assert_eq!(failed.message, format!("`{path}` is not there to be mounted"));
    assert_eq!(failed.spot, Spot::Argument("volumes"));
}

#[tokio::test]
async fn cancelled_it_is_told_to_end_and_removed() {
    let Some(engine) = engine("cancelled_it_is_told_to_end_and_removed") else { return };
    let run = Run::new(&engine);
    let given = shell("trap 'echo bye; exit 0' TERM; echo up; sleep 600 & wait");
    let soon = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        run.cancel.cancel();
    };
    let begun = Instant::now();
    let (done, ()) = tokio::join!(run.run(&given), soon);
    assert_eq!(done.unwrap_err().kind, FailureKind::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    run.said.has("Stdout: bye");
    assert_eq!(left(&engine, &run.name), [""; 0]);
}
