#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};

use super::{
    super::follow::{Counts, Goal},
    *,
};
use crate::client::marathon::{App, Decoder, Deployment, Event, LastFailure};

const OLD: &str = "2016-09-01T09:00:00.000Z";
const OURS: &str = "2016-09-01T10:00:01.000Z";
const NEWER: &str = "2016-09-01T11:00:00.000Z";
const ID: &str = "867ed450-f6a8-4d33-9b0e-e11c5513990b";

fn goal(instances: u64, checks: usize) -> Goal {
    Goal {
        app: "/product/web".into(),
        deployment: Some(ID.into()),
        version: OURS.into(),
        config_version: OURS.into(),
        instances,
        checks,
        settle: Duration::ZERO,
        within: Duration::from_secs(600),
        grace: Duration::from_secs(30),
        known_failure: None,
        new_tasks: true,
        restarts: true,
    }
}

fn attached(goal: Goal) -> Follow {
    let mut follow = Follow::new(goal);
    follow.attached = true;
    follow
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// `(number, version, state, healthy)`.
type Row<'a> = (u32, &'a str, &'a str, Option<bool>);

fn app(version: &str, tasks: &[Row<'_>]) -> App {
    let task = |(number, version, state, healthy): &Row<'_>| {
        let result = healthy.map(|alive| {
            json!({ "alive": alive, "consecutiveFailures": u8::from(!alive), "lastSuccess": alive.then_some("x") })
        });
        json!({
            "id": format!("product_web.instance-{number:04}._app.1"), "host": "node1", "version": version,
            "state": state, "healthCheckResults": result.into_iter().collect::<Vec<Json>>(), "slaveId": "S0",
        })
    };
    App::read(&json!({
        "id": "/product/web", "version": version, "instances": 2,
        "versionInfo": { "lastConfigChangeAt": version },
        "tasks": tasks.iter().map(task).collect::<Vec<Json>>(),
    }))
    .unwrap()
}

fn deployment(id: &str) -> Deployment {
    Deployment {
        id: id.into(),
        version: OURS.into(),
        apps: vec!["/product/web".into()],
        actions: vec![],
        not_ready: vec![],
    }
}

fn status(number: u32, state: &str, message: &str) -> Event {
    Event::Status {
        app: "/product/web".into(),
        task: format!("product_web.instance-{number:04}._app.1"),
        state: state.into(),
        message: message.into(),
        host: "node1".into(),
        version: OURS.into(),
    }
}

fn kill(number: u32) -> Event {
    Event::UnhealthyKill {
        app: "/product/web".into(),
        task: format!("product_web.instance-{number:04}._app.1"),
        reason: "500".into(),
        host: "node1".into(),
        version: OURS.into(),
    }
}

fn success() -> Event {
    Event::Success { deployment: ID.into(), empty: Some(false) }
}

fn replay(follow: &mut Follow, bytes: &[u8]) {
    for event in Decoder::default().push(bytes).iter().filter_map(Event::read) {
        follow.event(&event, at(1));
    }
}

const RUNS: &str = "TASK_RUNNING";

#[test]
fn success_needs_an_answer_that_shows_it() {
    let mut follow = attached(goal(2, 1));
    follow.event(&success(), at(1));
    assert_eq!(follow.verdict(at(1)), Verdict::Open);
    // Not checked yet is not healthy, an old task is not gone, too few are not enough.
    for tasks in [
        &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, None)][..],
        &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(false))],
        &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(true)), (1, OLD, RUNS, Some(true))],
        &[(3, OURS, RUNS, Some(true))],
        &[(3, OURS, RUNS, Some(true)), (4, OURS, "TASK_STAGING", Some(true))],
    ] {
        follow.app(Some(&app(OURS, tasks)), at(2));
        assert_eq!(follow.verdict(at(2)), Verdict::Open, "{tasks:?}");
    }
    follow
        .app(Some(&app(OURS, &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(true))])), at(3));
    assert_eq!(follow.verdict(at(3)), Verdict::Done);
}

#[test]
fn without_the_success_event_two_lists_without_it_do() {
    let mut follow = attached(goal(1, 1));
    follow.app(Some(&app(OURS, &[(3, OURS, RUNS, Some(true))])), at(1));
    follow.deployments(&[], at(1));
    follow.deployments(&[], at(1));
    assert_eq!(follow.verdict(at(1)), Verdict::Open, "both in the same moment");
    follow.deployments(&[deployment(ID)], at(2));
    follow.deployments(&[], at(3));
    assert_eq!(follow.verdict(at(3)), Verdict::Open, "it was there in between");
    follow.deployments(&[], at(4));
    assert_eq!(follow.verdict(at(4)), Verdict::Done);
}

#[test]
fn the_good_streams_alone_never_fail() {
    for bytes in [
        &include_bytes!("../../../tests/data/marathon/sse/rolling-ok.txt")[..],
        include_bytes!("../../../tests/data/marathon/sse/new-app.txt"),
        include_bytes!("../../../tests/data/marathon/sse/finished-before-response.txt"),
        include_bytes!("../../../tests/data/marathon/sse/old-1.1-plan.txt"),
        include_bytes!("../../../tests/data/marathon/sse/hostile.txt"),
    ] {
        let mut follow = attached(goal(2, 1));
        replay(&mut follow, bytes);
        assert_eq!(follow.verdict(at(1)), Verdict::Open);
        assert_eq!(follow.ended().len(), 0);
        assert!(follow.success);
    }
}

#[test]
fn an_image_that_is_not_there_is_hopeless_after_three_tries() {
    let mut follow = attached(goal(2, 1));
    replay(
        &mut follow,
        include_bytes!("../../../tests/data/marathon/sse/image-pull-loop-then-rollback.txt"),
    );
    assert_eq!(follow.hopeless(at(1)), Some((Cause::Image, 3)));
    assert_eq!(follow.verdict(at(1)), Verdict::Hopeless);
}

#[test]
fn a_second_unhealthy_kill_is_hopeless() {
    let mut follow = attached(goal(1, 1));
    replay(&mut follow, include_bytes!("../../../tests/data/marathon/sse/unhealthy-kill-loop.txt"));
    assert_eq!(follow.hopeless(at(1)), Some((Cause::Unhealthy, 2)));
    // The TASK_KILLED that follows each kill is the same end.
    assert_eq!(follow.ended().len(), 2);
}

#[test]
fn two_kills_of_one_wave_are_no_verdict() {
    let mut follow = attached(goal(2, 1));
    for number in [3, 4] {
        follow.event(&status(number, RUNS, ""), at(1));
    }
    for number in [3, 4] {
        follow.event(&kill(number), at(2));
        follow.event(&status(number, "TASK_KILLED", ""), at(2));
    }
    assert_eq!(follow.hopeless(at(2)), None);
    follow.event(&status(5, RUNS, ""), at(3));
    follow.event(&kill(5), at(4));
    assert_eq!(follow.hopeless(at(4)), Some((Cause::Unhealthy, 3)));
}

#[test]
fn a_crash_loop_is_one_that_starting_again_did_not_cure() {
    let mut follow = attached(goal(3, 1));
    for number in [3, 4, 5] {
        follow.event(&status(number, RUNS, ""), at(1));
    }
    for number in [3, 4, 5] {
        follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(2));
    }
    assert_eq!(follow.verdict(at(2)), Verdict::Open, "one wave");
    for number in [6, 7] {
        assert_eq!(follow.verdict(at(3)), Verdict::Open);
        follow.event(&status(number, RUNS, ""), at(3));
        follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(4));
        // Told twice, counted once.
        follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(4));
    }
    assert_eq!(follow.verdict(at(4)), Verdict::Hopeless);
    assert_eq!(follow.usual_cause(), Some((Cause::Crash, 5)));
}

#[test]
fn a_loop_of_status_0_is_hopeless_too() {
    let mut follow = attached(goal(1, 0));
    for number in 3..6 {
        assert_eq!(follow.verdict(at(1)), Verdict::Open);
        follow.event(&status(number, RUNS, ""), at(1));
        follow.event(&status(number, "TASK_FINISHED", ""), at(1));
    }
    assert_eq!(follow.hopeless(at(1)), Some((Cause::Finished, 3)));
}

#[test]
fn while_one_works_it_is_not_hopeless() {
    let mut follow = attached(goal(2, 1));
    follow.app(Some(&app(OURS, &[(9, OURS, RUNS, Some(true))])), at(1));
    for number in 10..20 {
        follow.event(&status(number, RUNS, ""), at(2));
        follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(2));
    }
    assert_eq!(follow.verdict(at(2)), Verdict::Open);
    assert_eq!(follow.verdict(at(600)), Verdict::Late);
}

#[test]
fn what_is_not_the_apps_fault_does_not_count() {
    let mut follow = attached(goal(1, 1));
    for (number, state) in
        [(3, "TASK_LOST"), (4, "TASK_KILLED"), (5, "TASK_GONE"), (6, "TASK_DROPPED")]
    {
        follow.event(&status(number, RUNS, ""), at(1));
        follow.event(&status(number, state, ""), at(1));
    }
    assert_eq!(follow.verdict(at(1)), Verdict::Open);
    // Nor do the ends of old tasks, or another app's.
    for number in 10..14 {
        let Event::Status { app, task, state, message, host, .. } =
            status(number, "TASK_FAILED", "x")
        else {
            unreachable!()
        };
        follow.event(
            &Event::Status {
                app: app.clone(),
                task: task.clone(),
                state: state.clone(),
                message: message.clone(),
                host: host.clone(),
                version: OLD.into(),
            },
            at(1),
        );
        follow.event(
            &Event::Status {
                app: "/other".into(),
                task,
                state,
                message,
                host,
                version: OURS.into(),
            },
            at(1),
        );
    }
    assert_eq!(follow.usual_cause(), None);
}

#[test]
fn reordered_and_repeated_events_change_nothing() {
    let mut follow = attached(goal(1, 1));
    follow.event(&status(3, "TASK_FAILED", "Command exited with status 1"), at(1));
    follow.event(&status(3, RUNS, ""), at(1));
    follow.event(&status(3, "TASK_STAGING", ""), at(1));
    assert_eq!(follow.counts(), Counts::default());
    assert_eq!(follow.ended().len(), 1);
}

#[test]
fn forced_over_is_superseded_and_a_bare_cancel_is_not() {
    let mut follow = attached(goal(2, 1));
    replay(&mut follow, include_bytes!("../../../tests/data/marathon/sse/forced-over.txt"));
    follow.app(Some(&app(OURS, &[(3, OURS, RUNS, None), (1, OLD, RUNS, None)])), at(2));
    assert_eq!(follow.verdict(at(2)), Verdict::Open, "the answer may lag behind");
    let mut other = Follow { ..follow };
    other.app(Some(&app(NEWER, &[(1, OLD, RUNS, None)])), at(4));
    assert_eq!(other.verdict(at(4)), Verdict::Superseded(NEWER.into()));

    let mut follow = attached(goal(2, 1));
    follow.event(&Event::Failed { deployment: ID.into(), reason: None }, at(1));
    for second in [1, 3, 5] {
        follow.app(Some(&app(OURS, &[(3, OURS, RUNS, None), (1, OLD, RUNS, None)])), at(second));
        assert_eq!(follow.verdict(at(second)), Verdict::Open);
    }
    assert_eq!(follow.verdict(at(6)), Verdict::Cancelled);
}

#[test]
fn an_app_that_is_gone_was_removed() {
    let mut follow = attached(goal(1, 1));
    follow.app(None, at(1));
    assert_eq!(follow.verdict(at(1)), Verdict::Open);
    follow.app(None, at(2));
    assert_eq!(follow.verdict(at(2)), Verdict::Removed);
}

#[test]
fn without_events_failures_are_read_from_the_answers() {
    let mut follow = Follow::new(goal(1, 1));
    for (second, number) in [(1, 3), (3, 4), (5, 5), (7, 6)] {
        follow.app(Some(&app(OURS, &[(number, OURS, RUNS, None)])), at(second));
    }
    assert_eq!(follow.hopeless(at(7)), Some((Cause::Unknown, 3)));

    // `lastTaskFailure` says more; one that was there before says nothing.
    let mut follow = Follow::new(Goal { known_failure: Some("t1".into()), ..goal(1, 1) });
    let failed = |task: &str| {
        let mut app = app(OURS, &[]);
        app.last_failure = Some(LastFailure {
            task: task.into(),
            state: "TASK_FAILED".into(),
            message: "Command exited with status 1".into(),
            host: "node1".into(),
            version: OURS.into(),
        });
        app
    };
    for (second, task) in ["t1", "t2", "t2", "t3"].iter().enumerate() {
        follow.app(Some(&failed(task)), at(second as u64));
        assert_eq!(follow.verdict(at(second as u64)), Verdict::Open);
    }
    follow.app(Some(&failed("t4")), at(9));
    assert_eq!(follow.hopeless(at(9)), Some((Cause::Crash, 3)));
}

#[test]
fn events_that_come_after_the_answers_tell_the_same() {
    let mut follow = attached(goal(1, 1));
    for number in [3, 4, 5] {
        follow.app(Some(&app(OURS, &[(number, OURS, RUNS, None)])), at(1));
    }
    for number in [3, 4, 5] {
        assert_eq!(follow.verdict(at(2)), Verdict::Open);
        follow.event(&status(number, RUNS, ""), at(2));
        follow.event(&status(number, "TASK_FINISHED", ""), at(2));
    }
    assert_eq!(follow.hopeless(at(2)), Some((Cause::Finished, 3)));
}

#[test]
fn answers_that_overtake_events_and_skip_a_task_change_nothing() {
    let mut follow = attached(goal(1, 1));
    follow.app(Some(&app(OURS, &[(4, OURS, RUNS, None)])), at(1));
    for number in [3, 4, 5] {
        assert_eq!(follow.verdict(at(2)), Verdict::Open);
        follow.event(&status(number, RUNS, ""), at(2));
        follow.event(&status(number, "TASK_FINISHED", ""), at(2));
    }
    assert_eq!(follow.hopeless(at(2)), Some((Cause::Finished, 3)));

    // A wave of three whose first end an answer tells early is still one wave.
    let mut follow = attached(goal(3, 1));
    let mut early = app(OURS, &[(4, OURS, RUNS, None), (5, OURS, RUNS, None)]);
    early.last_failure = Some(LastFailure {
        task: "product_web.instance-0003._app.1".into(),
        state: "TASK_FAILED".into(),
        message: "Command exited with status 1".into(),
        host: "node1".into(),
        version: OURS.into(),
    });
    follow.app(Some(&early), at(1));
    for number in [3, 4, 5] {
        follow.event(&status(number, RUNS, ""), at(2));
    }
    for number in [3, 4, 5] {
        follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(2));
    }
    assert_eq!((follow.hopeless(at(2)), follow.ended().len()), (None, 3));
}

#[test]
fn what_neither_runs_nor_starts_is_counted_apart() {
    let mut follow = attached(goal(2, 1));
    let tasks = [
        (3, OURS, RUNS, Some(true)),
        (4, OURS, "TASK_STAGING", None),
        (5, OURS, "TASK_KILLING", None),
        (6, OURS, "TASK_UNREACHABLE", None),
        (1, OLD, RUNS, Some(true)),
    ];
    follow.app(Some(&app(OURS, &tasks)), at(1));
    let expected = Counts {
        healthy: 1,
        starting: 1,
        ending: 1,
        unreachable: 1,
        others: 1,
        ..Counts::default()
    };
    assert_eq!(follow.counts(), expected);
    assert_eq!(
        super::super::progress::line(&follow),
        "1 of 2 new tasks healthy, 1 starting, 1 ending, 1 on an agent that is not heard of; \
         1 old task still serves"
    );
}

#[test]
fn an_answer_that_is_older_than_an_event_ends_no_task() {
    let mut follow = attached(goal(2, 1));
    for number in [3, 4] {
        follow.event(&status(number, RUNS, ""), at(1));
        follow.app(Some(&app(OURS, &[])), at(1));
    }
    let both = [(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(true))];
    follow.app(Some(&app(OURS, &both)), at(2));
    follow.event(&success(), at(2));
    assert_eq!((follow.verdict(at(2)), follow.ended().len()), (Verdict::Done, 0));
    // The other way round: it has ended, and an older answer still shows it.
    follow.event(&status(4, "TASK_FAILED", "Command exited with status 1"), at(3));
    follow.app(Some(&app(OURS, &both)), at(3));
    assert_eq!(follow.verdict(at(3)), Verdict::Open);
}

#[test]
fn an_app_without_checks_has_to_stay() {
    let mut follow = attached(Goal { settle: at(10), ..goal(1, 0) });
    follow.event(&success(), at(0));
    let answer = app(OURS, &[(3, OURS, RUNS, None)]);
    follow.app(Some(&answer), at(1));
    follow.app(Some(&answer), at(10));
    assert_eq!(follow.verdict(at(10)), Verdict::Open);
    follow.event(&status(3, "TASK_FAILED", "Command exited with status 1"), at(10));
    follow.app(Some(&app(OURS, &[(4, OURS, RUNS, None)])), at(12));
    assert_eq!(follow.verdict(at(12)), Verdict::Open, "it began anew");
    follow.app(Some(&app(OURS, &[(4, OURS, RUNS, None)])), at(22));
    assert_eq!(follow.verdict(at(22)), Verdict::Done);
}

#[test]
fn a_scaling_keeps_the_old_tasks_and_replaces_none() {
    let mut scaled = app(OURS, &[(1, OLD, RUNS, Some(true)), (2, OURS, RUNS, Some(true))]);
    scaled.config_version = OLD.into();
    let mut follow = attached(Goal { config_version: OLD.into(), ..goal(2, 1) });
    follow.event(&success(), at(1));
    follow.app(Some(&scaled), at(1));
    assert_eq!(follow.verdict(at(1)), Verdict::Done);
}

#[test]
fn a_well_app_that_nobody_deploys_is_done_at_once() {
    let mut follow = Follow::new(Goal { deployment: None, ..goal(1, 1) });
    follow.app(Some(&app(OURS, &[(1, OURS, RUNS, Some(true))])), at(0));
    follow.deployments(&[], at(0));
    assert_eq!(follow.verdict(at(0)), Verdict::Done);
}
