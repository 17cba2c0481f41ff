//! Versions that do not work, and the way back.

use pipe_grammar::Code;
use pipe_stdlib::core::{FailureKind, Intent, Value};
use serde_json::json;

use crate::{
    after, before,
    call::{Calling, Done},
    server::{Answer, BACK, DEPLOYMENT, Marathon, OLD, OURS, pause},
};

/// The way back is one forced PUT of what ran before, and nothing is ever deleted.
#[track_caller]
fn went_back(marathon: &Marathon, done: &Done) {
    assert_eq!(
        marathon.changes(),
        [
            "PUT /v2/apps/product/web?partialUpdate=false",
            "PUT /v2/apps/product/web?force=true&partialUpdate=false",
        ]
    );
    let mut previous = before();
    previous["instances"] = json!(3);
    assert_eq!(marathon.body(1), previous);
    let inside = marathon.inside();
    assert_eq!(inside.tasks.len(), 3);
    assert!(inside.tasks.iter().all(|task| task["version"] == BACK), "{:#?}", inside.tasks);
    assert_eq!(
        done.intents.last().unwrap(),
        &Intent::Rollback { app: "/product/web".into(), to: Some(OLD.into()) }
    );
    let message = &done.failure().message;
    assert!(message.ends_with("; the previous version runs again, 3 of 3 healthy"), "{message}");
    assert_eq!(done.failure().code, Code::DEPLOYMENT_FAILED);
}

async fn three() -> (Marathon, Calling) {
    let marathon = Marathon::with_app(before(), 3).await;
    let calling = Calling::new(&marathon, &after()).with("keep_instances", true);
    (marathon, calling)
}

#[tokio::test]
async fn a_crash_loop_goes_back_and_shows_the_last_lines() {
    let (marathon, calling) = three().await;
    let stderr = "listening on 8080\nthread 'main' panicked: no database\n";
    marathon
        .inside()
        .files
        .insert("/tasks/product_web.instance-0008._app.1/stderr".into(), stderr.into());
    marathon.script(async |m: Marathon, _| {
        for number in 4..9 {
            m.runs(number, OURS);
            pause(20).await;
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 139");
        }
    });
    let done = calling.deploy().await;
    went_back(&marathon, &done);
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Step);
    let message = &failure.message;
    assert!(
        message.starts_with(&format!("`/product/web` did not work in version {OURS}: it crashed ")),
        "{message}"
    );
    let evidence = done.evidence();
    assert!(
        evidence.contains("TASK_FAILED: Command exited with status 139 (crashed by SIGSEGV)"),
        "{evidence}"
    );
    done.says("healthy; crashed ");
    done.says("going back to version 2016-09-01T09:00:00.000Z");
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn the_last_lines_of_stderr_are_shown() {
    let (marathon, calling) = three().await;
    marathon.script(async |m: Marathon, _| {
        for number in 4..7 {
            let stderr = format!("line of {number}\n");
            m.inside()
                .files
                .insert(format!("/tasks/product_web.instance-{number:04}._app.1/stderr"), stderr);
            m.runs(number, OURS);
            pause(20).await;
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
        }
    });
    let done = calling.deploy().await;
    went_back(&marathon, &done);
    let evidence = done.evidence();
    assert!(evidence.contains("the last lines of its stderr\nline of 6\n"), "{evidence}");
}

#[tokio::test]
async fn on_a_real_cluster_the_agent_has_the_last_lines() {
    let (marathon, mut calling) = three().await;
    calling.connections.marathon[0].token = Some(pipe_stdlib::core::Secret::new("eyJ0"));
    marathon.script(async |m: Marathon, _| {
        for number in 4..7 {
            let task = format!("product_web.instance-{number:04}._app.1");
            let folder = format!("/frameworks/f-0000/executors/{task}/runs/latest/stderr");
            // More than is read: the first line is cut.
            let text = format!("{}\nno database\n", "x".repeat(20_000));
            m.inside().files.insert(folder, text);
            m.runs(number, OURS);
            pause(60).await;
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
        }
    });
    let done = calling.deploy().await;
    went_back(&marathon, &done);
    let evidence = done.evidence();
    assert!(evidence.ends_with("the last lines of its stderr\nno database\n"), "{evidence}");
    let inside = marathon.inside();
    let own = |line: &str| line.starts_with("GET /v2") || line.contains("path=%2Ftasks%2F");
    for seen in inside.seen.iter().filter(|seen| seen.line.starts_with("GET ")) {
        let token = seen.authorization.as_deref();
        assert_eq!(token, own(&seen.line).then_some("token=eyJ0"), "{}", seen.line);
    }
}

#[tokio::test]
async fn a_loop_of_unhealthy_kills_goes_back() {
    let (marathon, calling) = three().await;
    marathon.script(async |m: Marathon, _| {
        for number in 4..6 {
            m.runs(number, OURS);
            pause(20).await;
            m.checked(number, OURS, false);
            m.killed_as_unhealthy(number, OURS, "500 Internal Server Error");
        }
    });
    let done = calling.deploy().await;
    went_back(&marathon, &done);
    assert!(
        done.failure().message.contains("it was killed as unhealthy twice;"),
        "{}",
        done.failure().message
    );
    assert!(done.evidence().contains("its health checks failed: 500 Internal Server Error"));
    assert!(done.failure().help[0].contains("portIndex"));
}

#[tokio::test]
async fn a_version_that_never_gets_healthy_is_late() {
    let (marathon, calling) = three().await;
    marathon.script(async |m: Marathon, _| {
        for number in 4..7 {
            m.runs(number, OURS);
            m.checked(number, OURS, false);
        }
    });
    let done = calling.within(500).deploy().await;
    went_back(&marathon, &done);
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(
        failure.message.contains(
            "within 500ms: 0 of 3 new tasks healthy, 3 unhealthy; 3 old tasks still serve;"
        ),
        "{}",
        failure.message
    );
    assert!(
        done.evidence().contains("its health check failed 1 times in a row: Connection refused")
    );
    assert!(done.took.as_millis() >= 500 && done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn tasks_that_find_no_room_are_late_and_the_queue_is_shown() {
    let (marathon, calling) = three().await;
    marathon.inside().queue = json!({ "queue": [{ "app": { "id": "/product/web" }, "count": 3,
        "delay": { "timeLeftSeconds": 0, "overdue": true },
        "processedOffersSummary": { "rejectSummaryLastOffers": [
            { "reason": "InsufficientCpus", "declined": 0, "processed": 3 },
            { "reason": "InsufficientMemory", "declined": 3, "processed": 3 } ] } }] });
    marathon.script(async |_: Marathon, _| {});
    let done = calling.within(400).deploy().await;
    went_back(&marathon, &done);
    done.says("3 tasks wait for an agent with room (3 agents looked at: 3 too little memory)");
    assert!(done.evidence().contains("what waits\n3 tasks wait"), "{}", done.evidence());
}

#[tokio::test]
async fn a_new_app_whose_program_ends_by_itself_is_scaled_to_0() {
    let marathon = Marathon::start().await;
    marathon.script(ends_by_itself);
    marathon.script(async |m: Marathon, change| {
        m.inside().tasks.clear();
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert!(
        failure.message.ends_with("it ended by itself 3 times; it is new, so it was scaled to 0"),
        "{}",
        failure.message
    );
    assert!(failure.help[0].contains("must keep running"));
    assert_eq!(
        marathon.changes(),
        ["PUT /v2/apps/product/web?partialUpdate=false", "PUT /v2/apps/product/web?force=true"]
    );
    assert_eq!(marathon.body(1), json!({ "instances": 0 }));
    assert_eq!(
        done.intents.last().unwrap(),
        &Intent::Rollback { app: "/product/web".into(), to: None }
    );
}

#[tokio::test]
async fn a_new_app_is_removed_on_request() {
    let marathon = Marathon::start().await;
    marathon.script(ends_by_itself);
    marathon.script(async |m: Marathon, change| {
        pause(100).await;
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).with("on_failure", "remove").deploy().await;
    assert!(done.failure().message.ends_with("; it is new, so it was removed"));
    assert_eq!(
        marathon.changes(),
        ["PUT /v2/apps/product/web?partialUpdate=false", "DELETE /v2/apps/product/web?force=true"]
    );
}

async fn ends_by_itself(m: Marathon, _: crate::server::Change) {
    for number in 3..6 {
        m.runs(number, OURS);
        pause(20).await;
        m.ends(number, OURS, "TASK_FINISHED", "");
    }
}

#[tokio::test]
async fn what_does_not_work_is_left_on_request() {
    let (marathon, calling) = three().await;
    marathon.script(crashes);
    let done = calling.with("on_failure", "leave").deploy().await;
    assert_eq!(marathon.changes().len(), 1);
    let message = &done.failure().message;
    assert!(message.ends_with(&format!("left as it is, 0 tasks of the new version, 3 tasks of the old one; deployment {DEPLOYMENT} goes on and keeps the app locked")), "{message}");
}

async fn crashes(m: Marathon, _: crate::server::Change) {
    for number in 4..7 {
        m.runs(number, OURS);
        pause(20).await;
        m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
    }
}

#[tokio::test]
async fn a_way_back_that_does_not_work_either_is_said() {
    let (marathon, mut calling) = three().await;
    calling.timing.within = std::time::Duration::from_millis(500);
    marathon.script(crashes);
    marathon.script(async |m: Marathon, change| {
        m.runs(20, &change.version);
        m.checked(20, &change.version, false);
    });
    let mut definition = before();
    definition["healthChecks"][0]["gracePeriodSeconds"] = json!(0);
    definition["healthChecks"][0]["intervalSeconds"] = json!(0);
    {
        let mut inside = marathon.inside();
        inside.app.as_mut().unwrap()["healthChecks"] = definition["healthChecks"].clone();
    }
    let done = calling.deploy().await;
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Infrastructure);
    assert!(failure.message.contains("it crashed 3 times; the previous version does not work either: 0 of 3 tasks healthy, 1 unhealthy"), "{}", failure.message);
    assert!(failure.help[0].contains("1b1b1b1b-0000-4000-8000-000000000001"), "{:?}", failure.help);
}

#[tokio::test]
async fn a_way_back_that_is_refused_is_said() {
    let (marathon, calling) = three().await;
    marathon.script(crashes);
    marathon.answers([
        Answer::Accept,
        Answer::Refuse(
            422,
            r#"{"message":"Object is not valid","details":[{"path":"/","errors":["x"]}]}"#.into(),
        ),
    ]);
    let done = calling.deploy().await;
    assert_eq!(done.failure().kind, FailureKind::Infrastructure);
    assert!(
        done.failure().message.ends_with("the way back failed: Object is not valid (HTTP 422)"),
        "{}",
        done.failure().message
    );
}

#[tokio::test]
async fn before_1_4_the_way_back_is_a_version() {
    let (marathon, calling) = three().await;
    marathon.inside().server_version = "1.3.13";
    marathon.script(crashes);
    let done = calling.deploy().await;
    assert!(done.failure().message.ends_with("the previous version runs again, 3 of 3 healthy"));
    assert_eq!(marathon.body(1), json!({ "version": OLD }));
}

#[tokio::test]
async fn a_scaling_that_fails_is_scaled_back() {
    let mut app = after();
    app["instances"] = json!(3);
    let marathon = Marathon::with_app(app.clone(), 3).await;
    marathon.script(async |_: Marathon, _| {});
    marathon.script(async |m: Marathon, change| m.succeeds(&change.deployment));
    let done = Calling::new(&marathon, &app)
        .with("with", Value::record([("instances", Value::Int(9))]))
        .within(300)
        .deploy()
        .await;
    assert_eq!(marathon.body(1)["instances"], 3);
    let message = &done.failure().message;
    assert!(
        message.contains("3 of 9 tasks healthy; the previous version runs again, 3 of 3 healthy"),
        "{message}"
    );
}

#[tokio::test]
async fn a_cancelled_deployment_goes_back_at_once() {
    let (marathon, calling) = three().await;
    let cancel = calling.cancel.clone();
    marathon.script(async move |m: Marathon, _| {
        m.runs(4, OURS);
        pause(100).await;
        cancel.cancel();
    });
    let done = calling.deploy().await;
    let failure = done.failure();
    assert_eq!((failure.kind, failure.code), (FailureKind::Cancelled, Code::CANCELLED));
    assert_eq!(
        failure.message,
        "cancelled while `/product/web` was deployed; the previous version runs again, 3 of 3 healthy"
    );
    assert_eq!(marathon.changes().len(), 2);
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn a_cancellation_does_not_wait_for_ever_for_the_way_back() {
    let (marathon, calling) = three().await;
    let cancel = calling.cancel.clone();
    marathon.script(async move |_: Marathon, _| cancel.cancel());
    marathon.script(async |_: Marathon, _| {});
    let done = calling.deploy().await;
    assert_eq!(done.failure().kind, FailureKind::Cancelled);
    assert!(
        done.failure().message.contains("the previous version does not work either: 0 of 3"),
        "{}",
        done.failure().message
    );
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn a_cancellation_before_the_put_changes_nothing() {
    let (marathon, calling) = three().await;
    calling.cancel.cancel();
    let done = calling.deploy().await;
    assert_eq!(done.failure().kind, FailureKind::Cancelled);
    assert_eq!(marathon.changes(), [""; 0]);
}

#[tokio::test]
async fn a_cancellation_does_not_wait_for_ever_for_a_removal() {
    let marathon = Marathon::start().await;
    let calling = Calling::new(&marathon, &after()).with("on_failure", "remove");
    let (early, late) = (calling.cancel.clone(), calling.cancel.clone());
    marathon.script(ends_by_itself);
    // The removal has begun when the call is cancelled.
    marathon.script(async move |_: Marathon, _| {
        assert!(!early.is_cancelled());
        pause(200).await;
        late.cancel();
    });
    let done = calling.deploy().await;
    let message = &done.failure().message;
    assert!(message.ends_with("its removal is not done yet"), "{message}");
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
    assert_eq!(marathon.changes().len(), 2);
}
