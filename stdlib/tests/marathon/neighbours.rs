//! Scaling, restarting, going back, removing and asking.

use pipe_grammar::Code;
use pipe_stdlib::core::{FailureKind, Intent, Value};
use serde_json::json;

use crate::{
    after, before,
    call::Calling,
    server::{Answer, BACK, DEPLOYMENT, Marathon, OLD, OURS, listed, pause},
};

const SCALE: &str = "PUT /v2/apps/product/web";
const RESTART: &str = "POST /v2/apps/product/web/restart";

fn locked(by: &str) -> Answer {
    Answer::Refuse(
        409,
        json!({ "message": "App is locked by one or more deployments.", "deployments": [{ "id": by }] })
            .to_string(),
    )
}

#[tokio::test]
async fn scaling_replaces_no_task() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OLD);
        pause(200).await;
        m.checked(3, OLD, true);
        m.succeeds(&change.deployment);
    });
    let done = Calling::of_app(&marathon).with("instances", Value::Int(3)).scale().await;
    let record = done.record();
    assert_eq!(
        (&record["version"], &record["previous"], &record["changed"]),
        (&json!(OURS), &json!(OLD), &json!(true))
    );
    assert_eq!(record["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(marathon.changes(), [SCALE]);
    assert_eq!(marathon.body(0), json!({ "instances": 3 }));
    assert!(marathon.first("GET /v2/events") < marathon.first("PUT"));
    done.says("from 2 tasks to 3");
    done.says("2 of 3 tasks healthy, 1 not checked yet");
}

#[tokio::test]
async fn scaling_to_0_waits_until_no_task_is_left() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |m: Marathon, change| {
        pause(100).await;
        m.retire(OURS);
        m.succeeds(&change.deployment);
    });
    let done = Calling::of_app(&marathon).with("instances", Value::Int(0)).scale().await;
    assert_eq!(done.record()["tasks"], json!([]));
    done.says("2 tasks still to end");
    done.says("`/product/web` has no tasks now");
}

#[tokio::test]
async fn as_many_tasks_as_there_are_is_nothing_to_do() {
    let marathon = Marathon::with_app(after(), 2).await;
    let done = Calling::of_app(&marathon).with("instances", Value::Int(2)).scale().await;
    assert_eq!(done.record()["changed"], false);
    assert_eq!(marathon.changes(), [""; 0]);
    done.says("has 2 tasks already: nothing to do");
}

#[tokio::test]
async fn a_scaling_that_does_not_work_goes_back_to_the_number_before() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |_: Marathon, _| {});
    marathon.script(async |m: Marathon, change| m.succeeds(&change.deployment));
    let done =
        Calling::of_app(&marathon).with("instances", Value::Int(9)).within(300).scale().await;
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(
        failure.message.ends_with(
            "within 300ms: 2 of 9 tasks healthy; the previous version runs again, 2 of 2 healthy"
        ),
        "{}",
        failure.message
    );
    assert_eq!(marathon.body(1)["instances"], 2);
    assert_eq!(marathon.inside().tasks.len(), 2, "the old tasks were never touched");
}

#[tokio::test]
async fn a_lock_is_waited_for_by_all() {
    for built_in in ["scale", "restart", "destroy"] {
        let marathon = Marathon::with_app(after(), 2).await;
        marathon.inside().deployments.push(listed("other", OLD));
        marathon.answers([locked("other")]);
        marathon.script(async |m: Marathon, change| {
            match change.instances {
                1 => {
                    m.retire(OURS);
                    m.cover(&[7], OURS);
                }
                0 => m.inside().tasks.clear(),
                _ => m.clone().rolls(change.clone()).await,
            }
            m.succeeds(&change.deployment);
        });
        let later = marathon.clone();
        tokio::spawn(async move {
            pause(200).await;
            later.leaves_the_list("other");
        });
        let calling = Calling::of_app(&marathon);
        let done = match built_in {
            "scale" => calling.with("instances", Value::Int(0)).scale().await,
            "restart" => calling.restart().await,
            _ => calling.destroy().await,
        };
        assert!(done.outcome.is_ok(), "{built_in}: {:#?}", done.outcome);
        assert_eq!(marathon.changes().len(), 2, "{built_in}");
        done.says("waiting for deployment other of /product/web");
        assert!(done.took.as_millis() >= 200 && done.took.as_secs() < 8, "{:?}", done.took);
    }
}

#[tokio::test]
async fn an_app_that_is_not_there_is_said_by_all() {
    let marathon = Marathon::start().await;
    for done in [
        Calling::of_app(&marathon).with("instances", Value::Int(1)).scale().await,
        Calling::of_app(&marathon).restart().await,
        Calling::of_app(&marathon).destroy().await,
        Calling::of_app(&marathon).with("to", OLD).rollback().await,
    ] {
        let failure = done.failure();
        assert_eq!(failure.code, Code::APP_LOST);
        assert_eq!(failure.message, "there is no app `/product/web`");
        assert_eq!(done.intents, []);
    }
    let done = Calling::of_app(&marathon).with("app", "/Web_1").restart().await;
    assert_eq!(done.failure().code, Code::INVALID_APP);
    let done = Calling::of_app(&marathon).with("instances", Value::Int(-1)).scale().await;
    assert_eq!(done.failure().message, "an app can't have -1 tasks");
    assert_eq!(marathon.changes(), [""; 0]);
}

#[tokio::test]
async fn a_restart_replaces_every_task() {
    let marathon = Marathon::with_app(after(), 2).await;
    // A relative id is the same app.
    let done = Calling::of_app(&marathon).with("app", "product/web").restart().await;
    let record = done.record();
    assert_eq!((&record["version"], &record["changed"]), (&json!(OURS), &json!(true)));
    assert_eq!(record["tasks"][0]["id"], "product_web.instance-0200._app.1");
    assert_eq!(marathon.changes(), [RESTART]);
    done.says("`/product/web` restarts: 2 tasks to replace");
    done.says("1 of 2 new tasks healthy");
}

#[tokio::test]
async fn a_restart_whose_answer_is_lost_is_not_sent_again() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.answers([Answer::AcceptAndHang]);
    marathon.script(async |m: Marathon, change| {
        pause(700).await;
        m.rolls(change).await;
    });
    let done = Calling::of_app(&marathon).restart().await;
    assert_eq!(done.record()["version"], OURS);
    assert_eq!(marathon.changes(), [RESTART]);
    done.says("it was made");
}

#[tokio::test]
async fn a_restart_that_does_not_work_is_left() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |m: Marathon, _| {
        for number in 3..6 {
            m.runs(number, OURS);
            pause(20).await;
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
        }
    });
    let done = Calling::of_app(&marathon).restart().await;
    let message = &done.failure().message;
    assert!(
        message.contains("it crashed 3 times; left as it is, 0 tasks of the new version, 2 tasks of the old one; deployment"),
        "{message}"
    );
    assert_eq!(marathon.changes(), [RESTART]);
}

#[tokio::test]
async fn an_app_is_removed_and_waited_for() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |m: Marathon, change| {
        pause(200).await;
        m.inside().tasks.clear();
        m.succeeds(&change.deployment);
    });
    let done = Calling::of_app(&marathon).destroy().await;
    assert_eq!(done.record(), json!(null));
    // Unlike Marathon's own default, other deployments are not cancelled by it.
    assert_eq!(marathon.changes(), ["DELETE /v2/apps/product/web?force=false"]);
    assert!(
        matches!(&done.intents[..], [Intent::Deploy { previous: Some(old), .. }] if old == OLD)
    );
    assert!(done.took.as_millis() >= 200, "{:?}", done.took);
    let again = Calling::of_app(&marathon).with("missing_ok", true).destroy().await;
    assert_eq!(again.record(), json!(null));
    again.says("there is no app `/product/web`: nothing to do");
}

#[tokio::test]
async fn a_removal_that_takes_too_long_is_said() {
    let marathon = Marathon::with_app(after(), 2).await;
    marathon.script(async |_: Marathon, _| {});
    let done = Calling::of_app(&marathon).within(200).destroy().await;
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(
        failure.message,
        "`/product/web` is not gone within 200ms: its tasks have still to end"
    );
    assert!(failure.help[0].contains("goes on"));
}

#[tokio::test]
async fn a_status_is_what_marathon_knows() {
    let marathon = Marathon::start().await;
    let none = Calling::of_app(&marathon).status().await;
    assert_eq!(none.record(), json!(null));

    let marathon = Marathon::with_app(after(), 2).await;
    marathon.inside().deployments.push(listed("other", OLD));
    marathon.inside().tasks.pop();
    marathon.runs(3, OLD);
    let status = Calling::of_app(&marathon).status().await.record();
    assert_eq!(status["tasks"].as_array().unwrap().len(), 2);
    for (field, value) in [
        ("app", json!("/product/web")),
        ("version", json!(OLD)),
        ("image", json!("registry/web:7")),
        ("instances", json!(2)),
        ("healthy", json!(1)),
        ("deploying", json!(true)),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_difference_is_shown_and_nothing_is_sent() {
    let marathon = Marathon::with_app(before(), 2).await;
    let with = Value::record([("instances", Value::Int(3))]);
    let diff = Calling::new(&marathon, &after()).with("with", with.clone()).diff().await;
    assert_eq!(
        diff.record(),
        json!({ "changed": true, "restarts": true,
            "text": "~ instances: 2 -> 3\n~ container.docker.image: \"registry/web:6\" -> \"registry/web:7\"" })
    );
    let diff = Calling::new(&marathon, &before()).with("with", with).diff().await;
    assert_eq!(
        diff.record(),
        json!({ "changed": true, "restarts": false, "text": "~ instances: 2 -> 3" })
    );
    let diff = Calling::new(&marathon, &before()).diff().await.record();
    assert_eq!((&diff["changed"], &diff["restarts"]), (&json!(false), &json!(false)));
    let empty = Marathon::start().await;
    let diff = Calling::new(&empty, &after()).diff().await.record();
    assert_eq!(diff, json!({ "changed": true, "restarts": true, "text": "`/product/web` is new" }));
    assert_eq!((marathon.changes().len(), empty.changes().len()), (0, 0));
}

#[tokio::test]
async fn a_run_goes_back_to_what_ran_before_it() {
    let marathon = Marathon::with_app(before(), 2).await;
    let deployed = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(deployed.record()["version"], OURS);
    let back = Calling::of_app(&marathon).after(&deployed).rollback().await;
    let record = back.record();
    assert_eq!(
        (&record["version"], &record["previous"], &record["changed"]),
        (&json!(BACK), &json!(OURS), &json!(true))
    );
    assert_eq!(marathon.body(1)["container"]["docker"]["image"], "registry/web:6");
    assert_eq!(
        marathon.changes()[1],
        "PUT /v2/apps/product/web?partialUpdate=false",
        "nobody is cancelled"
    );
    back.says("goes back from version 2016-09-01T10:00:01.000Z to 2016-09-01T09:00:00.000Z:");
    back.says("~ container.docker.image: \"registry/web:7\" -> \"registry/web:6\"");
    assert!(
        back.intents
            .contains(&Intent::Rollback { app: "/product/web".into(), to: Some(OLD.into()) })
    );

    // A second time there is nothing to do, although the version is another one.
    let again = Calling::of_app(&marathon).after(&back).rollback().await;
    assert_eq!(again.record()["changed"], false);
    again.says("runs what it ran in version 2016-09-01T09:00:00.000Z: nothing to do");
    assert_eq!(marathon.changes().len(), 2);
}

#[tokio::test]
async fn a_deployment_of_this_run_that_still_goes_on_is_cancelled_by_the_way_back() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |_: Marathon, _| {});
    let left =
        Calling::new(&marathon, &after()).with("on_failure", "leave").within(200).deploy().await;
    assert!(left.failure().message.contains("left as it is"));
    marathon.answers([locked(DEPLOYMENT)]);
    let back = Calling::of_app(&marathon).after(&left).rollback().await;
    assert_eq!(back.record()["changed"], true);
    assert_eq!(
        marathon.changes()[1..],
        [
            "PUT /v2/apps/product/web?partialUpdate=false",
            "PUT /v2/apps/product/web?force=true&partialUpdate=false"
        ]
    );
}

#[tokio::test]
async fn what_this_run_has_not_changed_or_has_made_is_left() {
    let marathon = Marathon::with_app(before(), 2).await;
    let untouched = Calling::of_app(&marathon).rollback().await;
    assert_eq!(untouched.record()["version"], OLD);
    untouched.says("this run has not changed `/product/web`: nothing to do");

    let marathon = Marathon::start().await;
    let nothing = Calling::of_app(&marathon).rollback().await;
    assert_eq!(nothing.record(), json!(null));

    let made = Calling::new(&marathon, &after()).deploy().await;
    let left = Calling::of_app(&marathon).after(&made).rollback().await;
    assert_eq!(left.record()["version"], OURS);
    left.says("`/product/web` was made by this run, there is nothing to go back to: it is left");
    assert_eq!(marathon.changes().len(), 1);
}

#[tokio::test]
async fn a_version_that_marathon_has_not_is_answered_with_those_it_has() {
    let marathon = Marathon::with_app(before(), 2).await;
    let done = Calling::of_app(&marathon).with("to", "2015-01-01T00:00:00.000Z").rollback().await;
    let failure = done.failure();
    assert_eq!(failure.code, Code::APP_LOST);
    assert_eq!(
        failure.message,
        "Marathon has no version `2015-01-01T00:00:00.000Z` of `/product/web`"
    );
    assert_eq!(
        done.evidence(),
        "the versions that it has, newest first\n2016-09-01T09:00:00.000Z\n"
    );
    assert_eq!(marathon.changes(), [""; 0]);
}
