//! Deployments told by the streams of `tests/data/marathon/sse`, cut into pieces of 7 bytes.

use pipe_stdlib::core::FailureKind;
use serde_json::json;

use crate::{
    after, before,
    call::Calling,
    server::{FOREIGN, Marathon, OURS, pause},
};

macro_rules! stream {
    ($name:literal) => {
        include_bytes!(concat!("../data/marathon/sse/", $name, ".txt"))
    };
}

fn play(marathon: &Marathon, bytes: &'static [u8]) {
    for piece in bytes.chunks(7) {
        marathon.emit_raw(piece);
    }
}

/// What the stream told is what is there.
fn all_is_new(marathon: &Marathon, numbers: &[u64]) {
    let mut inside = marathon.inside();
    inside.tasks.clear();
    drop(inside);
    marathon.cover(numbers, OURS);
}

#[tokio::test]
async fn the_good_streams() {
    for (bytes, numbers) in [
        (&stream!("rolling-ok")[..], &[3, 4][..]),
        (stream!("finished-before-response"), &[3, 4]),
        (stream!("old-1.1-plan"), &[3, 4]),
        (stream!("hostile"), &[3, 4]),
    ] {
        let marathon = Marathon::with_app(before(), 2).await;
        marathon.script(async move |m: Marathon, _| {
            all_is_new(&m, numbers);
            play(&m, bytes);
        });
        let done = Calling::new(&marathon, &after()).deploy().await;
        assert_eq!(done.record()["version"], OURS);
        // The event alone tells it: the list is as it was.
        assert_eq!(marathon.inside().deployments.len(), 1);
    }
}

#[tokio::test]
async fn the_stream_of_a_new_app() {
    let marathon = Marathon::start().await;
    marathon.script(async |m: Marathon, _| {
        all_is_new(&m, &[1]);
        play(&m, stream!("new-app"));
    });
    let mut app = after();
    app["instances"] = json!(1);
    let done = Calling::new(&marathon, &app).deploy().await;
    assert_eq!(done.record()["tasks"][0]["id"], "product_web.instance-0001._app.1");
}

#[tokio::test]
async fn the_stream_of_an_image_that_is_not_there() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, _| play(&m, stream!("image-pull-loop-then-rollback")));
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Step);
    assert!(
        failure.message.ends_with(
            "it could not pull its image 3 times; the previous version runs again, 2 of 2 healthy"
        ),
        "{}",
        failure.message
    );
    assert!(done.evidence().contains("Error: image web:nope not found"), "{}", done.evidence());
    assert_eq!(marathon.changes()[1], "PUT /v2/apps/product/web?force=true&partialUpdate=false");
    assert_eq!(marathon.changes().len(), 2);
}

#[tokio::test]
async fn the_stream_of_unhealthy_kills() {
    let marathon = Marathon::with_app(before(), 1).await;
    marathon.script(async |m: Marathon, _| play(&m, stream!("unhealthy-kill-loop")));
    let mut app = after();
    app["instances"] = json!(1);
    let done = Calling::new(&marathon, &app).deploy().await;
    assert!(
        done.failure().message.ends_with(
            "it was killed as unhealthy twice; the previous version runs again, 1 of 1 healthy"
        ),
        "{}",
        done.failure().message
    );
}

#[tokio::test]
async fn the_stream_of_a_deployment_that_is_forced_over() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        play(&m, stream!("forced-over"));
        pause(200).await;
        // The store is slower than the event.
        m.taken_over(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.failure().kind, FailureKind::Superseded);
    assert!(done.failure().message.contains(FOREIGN), "{}", done.failure().message);
    assert_eq!(marathon.changes().len(), 1);
}
