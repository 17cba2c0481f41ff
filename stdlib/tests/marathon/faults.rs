//! A network and a server that do what networks and servers do.

use pipe_grammar::Code;
use pipe_stdlib::core::FailureKind;
use serde_json::json;

use crate::{
    after, before,
    call::{Calling, connection},
    server::{Answer, DEPLOYMENT, EventStream, FOREIGN, Marathon, OURS, pause},
};

const PUT: &str = "PUT /v2/apps/product/web?partialUpdate=false";

#[tokio::test]
async fn the_stream_breaks_in_the_middle() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        pause(50).await;
        m.cut_streams();
        // Nobody hears these.
        m.runs(4, OURS);
        m.checked(3, OURS, true);
        pause(100).await;
        m.checked(4, OURS, true);
        m.retire(OURS);
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    let streams =
        marathon.inside().seen.iter().filter(|seen| seen.line == "GET /v2/events").count();
    assert!(streams >= 2, "{streams}");
}

#[tokio::test]
async fn success_is_told_before_the_answer() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.answers([Answer::SuccessFirst]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    // The event alone tells it: the list still has the deployment.
    assert_eq!(marathon.inside().deployments.len(), 1);
}

#[tokio::test]
async fn success_is_never_told() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        for number in [3, 4] {
            m.runs(number, OURS);
            m.checked(number, OURS, true);
        }
        m.retire(OURS);
        m.leaves_the_list(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert!(done.took.as_millis() >= 1000, "{:?}", done.took);
}

#[tokio::test]
async fn there_are_no_events_at_all() {
    for events in [EventStream::Refused(405), EventStream::Refused(404), EventStream::Silent] {
        let marathon = Marathon::with_app(before(), 2).await;
        marathon.inside().events = events;
        let done = Calling::new(&marathon, &after()).deploy().await;
        assert_eq!(done.record()["changed"], true);
        let told = done
            .said
            .iter()
            .filter(|line| line.starts_with("no events from this Marathon"))
            .count();
        assert_eq!(told, 1, "{:#?}", done.said);
    }
}

#[tokio::test]
async fn without_events_a_crash_loop_is_seen_too() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.inside().events = EventStream::Refused(405);
    marathon.script(async |m: Marathon, _| {
        for number in 3..8 {
            m.runs(number, OURS);
            pause(200).await;
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
        }
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    let message = &done.failure().message;
    assert!(
        message.contains("it crashed 3 times; the previous version runs again, 2 of 2 healthy"),
        "{message}"
    );
}

#[tokio::test]
async fn events_come_twice_and_in_any_order() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.succeeds(&change.deployment);
        m.inside().deployments.push(crate::server::listed(DEPLOYMENT, OURS));
        m.checked(3, OURS, true);
        for number in [3, 4] {
            m.runs(number, OURS);
            m.emit("brand_new_event", json!({ "a": 1 }));
            m.checked(number, OURS, false);
            m.checked(number, OURS, true);
        }
        m.emit("deployment_failed", json!({ "id": "not-ours" }));
        pause(100).await;
        m.retire(OURS);
        m.succeeds(&change.deployment);
        m.succeeds(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["tasks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_list_lacks_a_deployment_that_has_just_begun() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.inside().lists_deployments = false;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        pause(900).await;
        m.inside().lists_deployments = true;
        pause(300).await;
        m.rolls_on(&change, 4).await;
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    assert!(done.took.as_millis() >= 1200, "{:?}", done.took);
}

#[tokio::test]
async fn the_answer_is_lost_and_the_change_was_made() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.answers([Answer::AcceptAndHang]);
    marathon.script(async |m: Marathon, change| {
        pause(700).await;
        m.rolls(change).await;
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["version"], OURS);
    assert_eq!(marathon.changes(), [PUT], "sent once");
    done.says("looking whether the change was made");
    done.says("it was made");
}

#[tokio::test]
async fn the_answer_is_lost_and_the_change_was_not_made() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.answers([Answer::Hang]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["version"], OURS);
    assert_eq!(marathon.changes(), [PUT, PUT]);
    done.says("it was not made; sending it again");
}

#[tokio::test]
async fn an_error_page_may_hide_a_change() {
    let marathon = Marathon::with_app(before(), 2).await;
    let page = "<html><body><h1>504 Gateway Time-out</h1></body></html>";
    marathon.answers([Answer::Refuse(504, page.into()), Answer::Refuse(504, page.into())]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Infrastructure, Code::UNREACHABLE_SERVER)
    );
    assert!(!failure.message.contains('<'), "{}", failure.message);
    assert_eq!(marathon.changes(), [PUT, PUT]);
}

#[tokio::test]
async fn there_is_no_leader_for_a_while() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.inside().failing = (5, 502, "<html>Could not determine the current leader</html>");
    marathon.answers([Answer::Refuse(502, "Connection to leader refused.".into())]);
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    // This change did not arrive, so it is sent again without a look.
    assert_eq!(marathon.changes(), [PUT, PUT]);
    done.never_says("looking");
}

#[tokio::test]
async fn the_leader_is_gone_while_the_deployment_runs() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        pause(60).await;
        m.cut_streams();
        m.inside().failing = (6, 502, "<html>no</html>");
        pause(300).await;
        m.rolls_on(&change, 4).await;
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.record()["changed"], true);
    done.says("the deployment goes on without us, asking again");
    done.says("Marathon answers again");
}

#[tokio::test]
async fn the_server_stays_away() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, _| {
        m.inside().failing = (u32::MAX, 503, "<html>no</html>");
        m.cut_streams();
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Infrastructure, Code::UNREACHABLE_SERVER)
    );
    assert!(failure.message.starts_with("lost sight of `/product/web`"), "{}", failure.message);
    assert!(failure.help[0].contains(DEPLOYMENT), "{:?}", failure.help);
    assert_eq!(marathon.changes(), [PUT], "nothing is led back blindly");
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn another_deployment_takes_over() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        pause(50).await;
        m.taken_over(&change.deployment);
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Superseded, Code::DEPLOYMENT_SUPERSEDED)
    );
    assert_eq!(
        failure.message,
        format!(
            "`/product/web` was taken over by another deployment (version {FOREIGN}); nothing was led back"
        )
    );
    assert_eq!(marathon.changes(), [PUT]);
}

#[tokio::test]
async fn another_deployment_takes_over_just_before_the_way_back() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        for number in 3..6 {
            m.runs(number, OURS);
            pause(10).await;
            if number == 5 {
                m.taken_over(&change.deployment);
            }
            m.ends(number, OURS, "TASK_FAILED", "Command exited with status 1");
        }
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(marathon.changes(), [PUT], "{}", done.failure().message);
}

#[tokio::test]
async fn somebody_removes_the_app() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, _| {
        m.inside().app = None;
        m.emit("app_terminated_event", json!({ "appId": "/product/web" }));
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    assert_eq!(done.failure().kind, FailureKind::Superseded);
    assert_eq!(
        done.failure().message,
        "`/product/web` was removed by somebody while it was deployed"
    );
    assert_eq!(marathon.changes(), [PUT]);
}

#[tokio::test]
async fn somebody_stops_the_deployment_half_way() {
    let marathon = Marathon::with_app(before(), 2).await;
    marathon.script(async |m: Marathon, change| {
        m.runs(3, OURS);
        m.checked(3, OURS, true);
        m.leaves_the_list(&change.deployment);
        m.emit("deployment_failed", json!({ "id": change.deployment, "reason": "cancelled" }));
    });
    let done = Calling::new(&marathon, &after()).deploy().await;
    let failure = done.failure();
    assert_eq!(failure.kind, FailureKind::Superseded);
    assert!(
        failure.message.ends_with("half-way: 1 of 2 new tasks healthy; 2 old tasks still serve"),
        "{}",
        failure.message
    );
    assert_eq!(marathon.changes(), [PUT]);
}

#[tokio::test]
async fn nobody_is_there() {
    let marathon = Marathon::start().await;
    let mut calling = Calling::new(&marathon, &after());
    calling.connections.marathon = vec![connection("http://127.0.0.1:1")];
    let done = calling.deploy().await;
    let failure = done.failure();
    assert_eq!(
        (failure.kind, failure.code),
        (FailureKind::Infrastructure, Code::UNREACHABLE_SERVER)
    );
    assert_eq!(failure.message, "`http://127.0.0.1:1` can't be reached: connection refused");
    assert!(done.took.as_secs() < 8, "{:?}", done.took);
}

#[tokio::test]
async fn somebody_else_is_there() {
    for (status, text) in [
        (200, "<html>hello</html>"),
        (404, "<html>nginx</html>"),
        (500, r#"{"message":"URI not found"}"#),
        (200, "{}"),
    ] {
        let marathon = Marathon::start().await;
        marathon.inside().failing = (9, status, text);
        let done = Calling::new(&marathon, &after()).deploy().await;
        let failure = done.failure();
        assert_eq!(failure.code, Code::SERVER_ERROR, "{status} {text}");
        assert_eq!(failure.message, format!("what answers at `{}` is no Marathon", marathon.url));
    }
}

#[tokio::test]
async fn a_token_is_sent_to_marathon_and_a_refusal_of_it_explained() {
    let marathon = Marathon::start().await;
    marathon.inside().failing = (9, 401, r#"{"message":"Invalid username or password."}"#);
    let mut calling = Calling::new(&marathon, &after());
    calling.connections.marathon[0].token = Some(pipe_stdlib::core::Secret::new("eyJ0"));
    let done = calling.deploy().await;
    let failure = done.failure();
    assert_eq!(
        failure.message,
        "Marathon does not know us: Invalid username or password (HTTP 401)"
    );
    assert!(failure.help[0].contains("`token:`"));
    assert_eq!(marathon.inside().seen[0].authorization.as_deref(), Some("token=eyJ0"));
}
