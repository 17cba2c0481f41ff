//! What goes wrong in a cluster, each with its verdict, and nothing left.

use std::time::{Duration, Instant};

use pipe_stdlib::{
    core::{Ended, Failure, FailureKind, Value},
    mesos::Timing,
};
use serde_json::json;

use crate::{
    call::{Place, plain, quick, soon},
    cluster::{Agent, Cluster, Fate, one_agent},
};

async fn cluster(script: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Cluster {
    Cluster::start(one_agent(), plain(), Box::new(script)).await
}

async fn good() -> Cluster {
    cluster(|_| Fate::Runs).await
}

/// Nothing runs, and the master has no framework of ours.
#[track_caller]
fn clean(cluster: &Cluster) -> impl Future<Output = ()> + '_ {
    soon("something is left", || cluster.is_over() && cluster.living().is_empty())
}

/// A stage that does not begin.
async fn refused(cluster: &Cluster, given: &[(&str, Value)]) -> Failure {
    let place = Place::new(cluster);
    let failure = place.start(given, quick()).await.err().expect("it does not begin");
    clean(cluster).await;
    failure
}

fn shown(failure: &Failure) -> String {
    format!("{:?} {} | {} | {:?}", failure.kind, failure.message, failure.label, failure.help)
}

#[track_caller]
fn says(failure: &Failure, kind: FailureKind, texts: &[&str]) {
    let shown = shown(failure);
    assert_eq!(failure.kind, kind, "{shown}");
    for text in texts {
        assert!(shown.contains(text), "`{text}` in {shown}");
    }
}

/// Something happens to the only task while a command runs in it; gives the command's end.
async fn while_it_runs(
    cluster: &Cluster,
    script: &str,
    happens: impl AsyncFnOnce(&Cluster, &str),
) -> (Result<Ended, Failure>, String) {
    let place = Place::new(cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let task = cluster.living().pop().unwrap();
    let (done, ()) = tokio::join!(place.sh(&*session, script), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        happens(cluster, &task).await;
    });
    session.end(place.call()).await.unwrap();
    clean(cluster).await;
    done
}

#[tokio::test]
async fn the_stream_breaks_while_a_command_runs() {
    let cluster = good().await;
    let (ended, text) =
        while_it_runs(&cluster, "echo a; sleep 0.8; echo b; exit 3", async |c, _| {
            c.cut();
        })
        .await;
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(3)), "a\nb\n"));
    let subscribes = cluster.calls("SUBSCRIBE");
    assert_eq!(subscribes.len(), 2);
    // The id stands in both places.
    let again = &subscribes[1];
    assert_eq!(again["framework_id"], again["subscribe"]["framework_info"]["id"]);
    assert!(again["framework_id"]["value"].is_string());
    assert!(!cluster.calls("RECONCILE").is_empty());
}

#[tokio::test]
async fn the_stream_falls_silent_while_a_command_runs() {
    let cluster = good().await;
    let (ended, text) =
        while_it_runs(&cluster, "echo a; sleep 4; echo b", async |c, _| c.mute()).await;
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(0)), "a\nb\n"));
    // Nobody has closed it: five heartbeats were missing.
    assert_eq!(cluster.calls("SUBSCRIBE").len(), 2);
}

#[tokio::test]
async fn another_master_leads() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let cluster = good().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let follower = format!("http://{}", listener.local_addr().unwrap());
    let leader = cluster.url.strip_prefix("http:").unwrap().to_owned();
    // As recorded: no scheme, `/master` put in front, no body.
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {leader}/master/api/v1/scheduler\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1 << 16];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let mut place = Place::new(&cluster);
    place.connection().masters = vec!["http://127.0.0.1:1".to_owned(), follower];
    let session = place.start(&[], quick()).await.unwrap();
    let (ended, text) = place.sh(&*session, "echo here").await;
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(0)), "here\n"));
    session.end(place.call()).await.unwrap();
    clean(&cluster).await;
}

#[tokio::test]
async fn two_roles_and_two_stages_share_a_port() {
    let cluster = good().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut place = Place::new(&cluster);
    place.connection().advertise = Some(free.to_string());
    for _ in 0..2 {
        let one = place.start(&[("role", "a".into())], quick()).await.unwrap();
        let two = place.start(&[("role", "b".into())], quick()).await.unwrap();
        assert_eq!(place.sh(&*one, "true").await.0, Ok(Ended::Status(0)));
        one.end(place.call()).await.unwrap();
        assert_eq!(place.sh(&*two, "exit 3").await.0, Ok(Ended::Status(3)));
        two.end(place.call()).await.unwrap();
    }
    let info = cluster.calls("SUBSCRIBE")[1]["subscribe"]["framework_info"].clone();
    assert_eq!(info["roles"], json!(["b"]));
    clean(&cluster).await;
}

#[tokio::test]
async fn the_master_starts_only_now() {
    let cluster = good().await;
    cluster.refuse(vec![
        (404, json!("404 Not Found.")),
        (503, json!("Master has not finished recovery")),
        (503, json!("No leader elected")),
    ]);
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    session.end(place.call()).await.unwrap();
    clean(&cluster).await;
}

#[tokio::test]
async fn the_master_does_not_start_at_all() {
    let cluster = good().await;
    cluster.refuse(vec![(503, json!("No leader elected")); 100]);
    let place = Place::new(&cluster);
    let failure = place.start(&[], quick()).await.err().unwrap();
    says(&failure, FailureKind::Infrastructure, &["not ready", "no leader elected"]);
}

#[tokio::test]
async fn the_role_is_not_ours() {
    let cluster = good().await;
    let message = "Role 'ci' is not present in the master's --roles";
    cluster.refuse(vec![(200, json!({ "type": "ERROR", "error": { "message": message } }))]);
    let place = Place::new(&cluster);
    let failure = place.start(&[("role", "ci".into())], quick()).await.err().unwrap();
    says(&failure, FailureKind::Infrastructure, &["refuses the framework", "`role:`"]);
    assert_eq!(cluster.calls("SUBSCRIBE").len(), 1);
}

#[tokio::test]
async fn the_principal_is_another_one() {
    let cluster = good().await;
    let text = "Framework principal 'a' does not match authenticated principal 'b'";
    cluster.refuse(vec![(400, json!(text))]);
    let place = Place::new(&cluster);
    let failure = place.start(&[], quick()).await.err().unwrap();
    says(&failure, FailureKind::Infrastructure, &["another name", "`username:`"]);
}

#[tokio::test]
async fn nobody_knows_us() {
    let cluster = good().await;
    cluster.refuse(vec![(401, json!("401 Unauthorized."))]);
    let place = Place::new(&cluster);
    let failure = place.start(&[], quick()).await.err().unwrap();
    says(&failure, FailureKind::Infrastructure, &["does not know us", "`token:`"]);
}

#[tokio::test]
async fn the_offer_is_gone_when_it_is_taken() {
    let cluster = cluster(|number| match number {
        0 => Fate::Update("TASK_DROPPED", "INVALID_OFFERS", "Offer O1 is no longer valid", false),
        _ => Fate::Runs,
    })
    .await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let (ended, text) = place.sh(&*session, "echo here").await;
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(0)), "here\n"));
    session.end(place.call()).await.unwrap();
    let said = place.said().join("\n");
    assert!(said.contains("the offer was gone already; it waits for an agent again"), "{said}");
    // Never the same id twice.
    let ids: Vec<String> = cluster
        .calls("ACCEPT")
        .iter()
        .map(|call| {
            let launch = &call["accept"]["operations"][0]["launch"]["task_infos"][0];
            launch["task_id"]["value"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    clean(&cluster).await;
}

#[tokio::test]
async fn an_offer_is_taken_back() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 0.5", async |c, _| {
        c.send(&json!({ "type": "RESCIND", "rescind": { "offer_id": { "value": "offer-0-1" } } }));
    })
    .await;
    assert_eq!(ended, Ok(Ended::Status(0)));
}

#[tokio::test]
async fn answers_that_come_late_change_nothing() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 0.8; exit 2", async |c, task| {
        // Of the master's memory, not of the task.
        for state in ["TASK_UNKNOWN", "TASK_RUNNING", "TASK_GONE", "TASK_RUNNING"] {
            c.update(task, state, "RECONCILIATION", "", false);
        }
        c.update(task, "TASK_ERROR", "TASK_INVALID", "Task has duplicate ID", false);
    })
    .await;
    assert_eq!(ended, Ok(Ended::Status(2)));
}

#[tokio::test]
async fn the_agent_is_lost_and_comes_back() {
    let cluster = good().await;
    let (ended, text) = while_it_runs(&cluster, "sleep 1; echo still", async |c, task| {
        c.update(task, "TASK_UNREACHABLE", "SLAVE_REMOVED", "", false);
        tokio::time::sleep(Duration::from_millis(300)).await;
        c.update(task, "TASK_RUNNING", "RECONCILIATION", "", false);
    })
    .await;
    assert_eq!((ended, text.as_str()), (Ok(Ended::Status(0)), "still\n"));
}

#[tokio::test]
async fn the_agent_is_gone_for_good() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 30", async |c, task| {
        c.update(task, "TASK_GONE_BY_OPERATOR", "SLAVE_REMOVED_BY_OPERATOR", "", false);
    })
    .await;
    let declared = "an operator has declared its agent gone";
    says(&ended.unwrap_err(), FailureKind::Infrastructure, &[declared]);
}

#[tokio::test]
async fn the_executor_is_lost() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 30", async |c, task| {
        c.strike(task);
        c.update(task, "TASK_FAILED", "EXECUTOR_TERMINATED", "Executor terminated", true);
    })
    .await;
    says(&ended.unwrap_err(), FailureKind::Infrastructure, &["was lost", "TASK_FAILED"]);
}

#[tokio::test]
async fn memory_was_not_enough() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 30", async |c, task| {
        c.strike(task);
        let message = "Memory limit exceeded: Requested: 32MB Maximum Used: 33MB\n\nSTATISTICS";
        c.update(task, "TASK_FAILED", "CONTAINER_LIMITATION_MEMORY", message, true);
    })
    .await;
    says(&ended.unwrap_err(), FailureKind::Step, &["33MB", "asked for 32MB", "mesos.task(mem:"]);
}

#[tokio::test]
async fn somebody_else_ends_the_task() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 30", async |c, task| {
        c.strike(task);
        c.update(task, "TASK_KILLED", "", "Command terminated with signal Terminated", true);
    })
    .await;
    says(&ended.unwrap_err(), FailureKind::Infrastructure, &["was ended by somebody else"]);
}

#[tokio::test]
async fn nothing_can_be_fetched() {
    let cluster = good().await;
    let mut place = Place::new(&cluster);
    // Nobody listens under this address.
    place.connection().advertise = Some("127.0.0.2".to_owned());
    let failure = place.start(&[], Timing { hello: Duration::from_secs(9), ..quick() }).await;
    // The server listens on all addresses of this machine, so this one is reached, too.
    let session = failure.unwrap();
    session.end(place.call()).await.unwrap();
    place.connection().advertise = Some("nowhere.invalid".to_owned());
    let failure = place.start(&[], quick()).await.err().unwrap();
    let texts = ["could not fetch", "nowhere.invalid", "advertise:"];
    says(&failure, FailureKind::Infrastructure, &texts);
    clean(&cluster).await;
}

#[tokio::test]
async fn the_worker_does_not_find_us() {
    let executor = crate::call::workers(|_| "http://127.0.0.1:1/token".to_owned());
    let cluster = Cluster::start(one_agent(), executor, Box::new(|_| Fate::Runs)).await;
    let failure = refused(&cluster, &[]).await;
    let texts = ["does not reach this machine", "advertise"];
    says(&failure, FailureKind::Infrastructure, &texts);
}

#[tokio::test]
async fn images_that_can_t_be_had() {
    for (message, kind, text) in [
        (
            "Failed to launch container: Unsupported manifest MIME type: application/vnd.oci",
            FailureKind::Step,
            "Mesos reads no OCI manifests",
        ),
        (
            "Failed to launch container: Failed to run 'docker pull x': manifest unknown",
            FailureKind::Step,
            "could not get its image",
        ),
    ] {
        let cluster =
            cluster(move |_| Fate::Update("TASK_FAILED", "CONTAINER_LAUNCH_FAILED", message, true))
                .await;
        says(&refused(&cluster, &[("image", "x".into())]).await, kind, &[text, "TASK_FAILED"]);
    }
}

#[tokio::test]
async fn the_agent_has_no_such_user() {
    let cluster = cluster(|_| {
        let message = "Failed to create executor directory '/x': No such user";
        Fate::Update("TASK_FAILED", "EXECUTOR_TERMINATED", message, true)
    })
    .await;
    let failure = refused(&cluster, &[("user", "nobody-here".into())]).await;
    says(&failure, FailureKind::Step, &["does not have its user", "user:"]);
    let accept = &cluster.calls("ACCEPT")[0];
    let info = &accept["accept"]["operations"][0]["launch"]["task_infos"][0];
    assert_eq!(info["command"]["user"], "nobody-here");
}

#[tokio::test]
async fn no_offer_is_enough() {
    let agents = vec![
        Agent { host: "n1", cpus: 0.5, mem: 4096.0, rack: "r1" },
        Agent { host: "n2", cpus: 4.0, mem: 4096.0, rack: "r2" },
    ];
    let cluster = Cluster::start(agents, plain(), Box::new(|_| Fate::Runs)).await;
    let place = Place::new(&cluster);
    let where_ = Value::record([("rack", Value::from("r1"))]);
    let within = Value::Duration(Duration::from_millis(700));
    let given = [("where", where_), ("offer_within", within)];
    let failure = place.start(&given, quick()).await.err().unwrap();
    says(&failure, FailureKind::Infrastructure, &["no agent offered 1 cpu", "within 700ms"]);
    let evidence = format!("{:?}", failure.evidence);
    for text in ["n1: only 0.5 cpus", "n2: rack is r2", "the cluster has 2 agents"] {
        assert!(evidence.contains(text), "`{text}` in {evidence}");
    }
    // It was explained while it waited, too.
    let said = place.said().join("\n");
    assert!(said.contains("waits for an agent: 2 agents offer something, none enough"), "{said}");
    // Nothing was held meanwhile.
    assert!(!cluster.calls("DECLINE").is_empty());
    clean(&cluster).await;
}

#[tokio::test]
async fn offers_come_late() {
    let cluster = good().await;
    cluster.hold(true);
    let place = Place::new(&cluster);
    let (session, ()) = tokio::join!(place.start(&[], quick()), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.hold(false);
    });
    session.unwrap().end(place.call()).await.unwrap();
    let said = place.said().join("\n");
    assert!(said.contains("no agent offers anything; needed: 1 cpu"), "{said}");
    clean(&cluster).await;
}

#[tokio::test]
async fn the_framework_is_removed() {
    let cluster = good().await;
    let (ended, _) = while_it_runs(&cluster, "sleep 30", async |c, _| {
        c.remove();
    })
    .await;
    says(&ended.unwrap_err(), FailureKind::Infrastructure, &["has removed this run's framework"]);
}

#[tokio::test]
async fn it_is_cancelled_while_it_waits() {
    let cluster = good().await;
    cluster.hold(true);
    let place = Place::new(&cluster);
    let cancel = place.cancel.clone();
    let (session, ()) = tokio::join!(place.start(&[], quick()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    });
    assert_eq!(session.err().unwrap().kind, FailureKind::Cancelled);
    clean(&cluster).await;
}

#[tokio::test]
async fn it_is_cancelled_while_a_command_runs_that_ignores_term() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let cancel = place.cancel.clone();
    let started = Instant::now();
    let script = "trap '' TERM; sleep 30 & wait; sleep 30";
    let ((ended, _), ()) = tokio::join!(place.sh(&*session, script), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    });
    assert_eq!(ended, Ok(Ended::Cancelled));
    assert!(started.elapsed() < Duration::from_secs(5));
    session.end(place.call()).await.unwrap();
    clean(&cluster).await;
}

#[tokio::test]
async fn a_dropped_stage_leaves_nothing() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    assert_eq!(cluster.living().len(), 1);
    drop(session);
    clean(&cluster).await;
}

#[tokio::test]
async fn what_is_accepted_waits_for_nothing() {
    let cluster = good().await;
    let place = Place::new(&cluster);
    let session = place.start(&[], quick()).await.unwrap();
    let times = cluster.times();
    let of = |kind: &str| times.iter().find(|(found, _)| found == kind).unwrap().1;
    let took = of("ACCEPT").saturating_sub(of("OFFERS"));
    println!("from a fitting offer to ACCEPT received: {took:?}");
    assert!(took < Duration::from_millis(20), "{took:?}");
    session.end(place.call()).await.unwrap();
    clean(&cluster).await;
}
