//! `marathon.blue_green` and `marathon.canary`: what becomes of the two apps, in which order.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use pipe_grammar::Code;
use pipe_stdlib::{
    core::{
        Arguments, Call, Connections, Failure, FailureKind, Held, Intent, Outcome, Report,
        Signature, Type, Value, World,
    },
    library,
    marathon::{blue_green_with, canary_with},
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use crate::{
    call::{Said, connection, quick},
    server::pause,
    several::{Several, ports_differ},
};

fn shop(version: u32) -> Json {
    json!({
        "id": "/shop", "cmd": format!("./shop-{version}"), "instances": 2, "cpus": 0.1, "mem": 64,
        "ports": [10000],
        "labels": { "HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "shop", "team": "a" },
        "healthChecks": [{ "protocol": "HTTP", "path": "/", "portIndex": 0 }],
    })
}

/// A block of a Pipelinefile.
struct Block {
    connections: Connections,
    world: World,
    root: PathBuf,
    said: Said,
    cancel: CancellationToken,
}

/// The end of a block, or its call, by arguments.
type Given<'a> = &'a [(&'static str, Value)];

impl Block {
    fn of(marathon: &Several) -> Self {
        let root = std::env::temp_dir();
        Self {
            connections: Connections {
                marathon: vec![connection(&marathon.url)],
                ..Connections::default()
            },
            world: World::new(root.clone(), root.clone(), BTreeMap::new()),
            root,
            said: Said::default(),
            cancel: CancellationToken::new(),
        }
    }

    /// The same run, later: what it has intended is known.
    fn again(self) -> Self {
        Self { cancel: CancellationToken::new(), ..self }
    }

    fn call<'a>(&'a self, cancel: &'a CancellationToken) -> Call<'a> {
        Call {
            world: &self.world,
            connections: &self.connections,
            connection: None,
            dir: &self.root,
            report: &self.said,
            cancel,
            run: "test",
            run_folder: &self.root,
            stage: "test",
            session: None,
        }
    }

    async fn blue_green(&self, version: u32, given: Given<'_>) -> Result<Arc<dyn Held>, Failure> {
        let arguments = arguments(declared("blue_green"), Some(&shop(version)), given);
        blue_green_with(self.call(&self.cancel), arguments, &quick()).await
    }

    async fn canary(&self, version: u32, given: Given<'_>) -> Result<Arc<dyn Held>, Failure> {
        let arguments = arguments(declared("canary"), Some(&shop(version)), given);
        canary_with(self.call(&self.cancel), arguments, &quick()).await
    }

    async fn method(
        &self,
        of: &str,
        held: &Arc<dyn Held>,
        name: &str,
        given: Given<'_>,
    ) -> Outcome {
        let Some(Type::Held(ty)) = library().named_type(of) else { panic!("{of}") };
        let signature = library().held_method(ty, name).unwrap();
        held.call(self.call(&self.cancel), name, arguments(&signature, None, given)).await
    }

    async fn promote(&self, held: &Arc<dyn Held>, given: Given<'_>) -> Outcome {
        self.method("Green", held, "promote", given).await
    }

    /// As at the end of a block: no cancellation of the run touches it.
    async fn undo(&self, held: &Arc<dyn Held>) {
        held.undo(self.call(&CancellationToken::new())).await.unwrap();
    }

    fn lines(&self) -> String {
        self.said.lines().join("\n")
    }
}

fn declared(name: &str) -> &'static Signature {
    library().signature(library().find(Some("marathon"), name).unwrap())
}

fn arguments(signature: &Signature, definition: Option<&Json>, given: Given<'_>) -> Arguments {
    let mut arguments = Arguments::default();
    for parameter in signature.parameters.iter().flatten() {
        let name = parameter.name.clone();
        match given.iter().find(|(found, _)| *found == &*name) {
            Some((_, value)) => arguments.bind(name, value.clone(), true),
            None if &*name == "definition" => {
                arguments.bind(name, Value::from_json(definition.unwrap()), true);
            }
            None => arguments.bind(name, parameter.default.clone().unwrap_or_default(), false),
        }
    }
    arguments
}

fn millis(millis: u64) -> Value {
    Value::Duration(Duration::from_millis(millis))
}

fn is(running: Vec<(String, usize)>, wanted: &[(&str, usize)]) {
    let running: Vec<(&str, usize)> = running.iter().map(|(id, n)| (id.as_str(), *n)).collect();
    assert_eq!(running, wanted);
}

#[tokio::test]
async fn the_traffic_moves_when_it_is_promoted_and_not_before() {
    let marathon = Several::with(&[shop(1)]).await;
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[]).await.unwrap();
    assert_eq!(marathon.changes(), ["PUT /shop-green 2 quiet"]);
    assert_eq!(marathon.app("/shop-green")["labels"], json!({ "team": "a" }));
    assert!(ports_differ(&marathon));
    let fields = green.fields().to_json();
    assert_eq!(fields["id"], "/shop-green");
    let port = &marathon.app("/shop-green")["tasks"][0]["ports"][0];
    assert_eq!(fields["url"], format!("http://127.0.0.1:{port}"));
    assert_eq!(fields["tasks"].as_array().unwrap().len(), 2);

    block.promote(&green, &[("drain", millis(50))]).await.unwrap();
    block.undo(&green).await;
    assert_eq!(
        marathon.changes()[1..],
        ["PUT /shop-green 0 quiet", "PUT /shop-green 2 served", "DELETE /shop"]
    );
    is(marathon.running(), &[("/shop-green", 2)]);
    let labels = &marathon.app("/shop-green")["labels"];
    assert_eq!(labels["HAPROXY_0_PORT"], "10000");
    assert_eq!(labels["HAPROXY_DEPLOYMENT_GROUP"], "shop");
    assert_eq!(labels["team"], "a");
    // Without a zone, or the load balancer ends.
    let at = labels["HAPROXY_DEPLOYMENT_STARTED_AT"].as_str().unwrap();
    assert!(at.parse::<jiff::civil::DateTime>().is_ok() && !at.contains(['Z', '+']), "{at}");
    // Other tasks than those that were tried.
    assert_ne!(green.fields().to_json()["tasks"], fields["tasks"]);
    let promise = Intent::Promote {
        marathon: marathon.url.clone(),
        app: "/shop-green".into(),
        instead: Some("/shop".into()),
    };
    assert!(block.said.intents().contains(&promise));

    // The next one is blue, and has the port that nobody has any more.
    let block = Block::of(&marathon);
    let blue = block.blue_green(3, &[]).await.unwrap();
    assert_eq!(marathon.app("/shop-blue")["ports"], json!([10000]));
    block.promote(&blue, &[("drain", millis(0))]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2)]);
    let failure = block.promote(&blue, &[]).await.unwrap_err();
    assert_eq!(failure.message, "`/shop-blue` is promoted already");
}

#[tokio::test]
async fn what_is_not_promoted_goes_and_nothing_has_changed() {
    let marathon = Several::with(&[shop(1)]).await;
    let before = marathon.app("/shop");
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[]).await.unwrap();
    block.undo(&green).await;
    block.undo(&green).await;
    assert_eq!(marathon.changes(), ["PUT /shop-green 2 quiet", "DELETE /shop-green"]);
    assert_eq!(marathon.app("/shop"), before);
    let failure = block.promote(&green, &[]).await.unwrap_err();
    assert_eq!(
        (failure.code, &*failure.message),
        (Code::APP_LOST, "`/shop-green` is removed already")
    );
    let beside = Intent::Beside {
        marathon: marathon.url.clone(),
        app: "/shop-green".into(),
        of: "/shop".into(),
    };
    assert_eq!(block.said.intents()[0], beside);
}

#[tokio::test]
async fn a_new_version_that_does_not_work_is_removed_at_once() {
    let marathon = Several::with(&[shop(1)]).await;
    marathon.inside().works = |app| app["cmd"] != "./shop-2";
    let block = Block::of(&marathon);
    let Err(failure) = block.blue_green(2, &[("within", millis(400))]).await else { panic!() };
    assert_eq!(failure.code, Code::DEPLOYMENT_FAILED);
    is(marathon.running(), &[("/shop", 2)]);
}

#[tokio::test]
async fn a_new_version_that_does_not_work_with_traffic_loses_it() {
    let marathon = Several::with(&[shop(1)]).await;
    marathon.inside().works = |app| app["labels"]["HAPROXY_0_PORT"].is_null();
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[]).await.unwrap();
    let failure = block.promote(&green, &[("within", millis(700))]).await.unwrap_err();
    assert_eq!((failure.code, failure.kind), (Code::DEPLOYMENT_FAILED, FailureKind::Timeout));
    assert_eq!(marathon.changes().last().unwrap(), "PUT /shop-green 0 quiet");
    is(marathon.running(), &[("/shop", 2), ("/shop-green", 0)]);
    block.undo(&green).await;
    is(marathon.running(), &[("/shop", 2)]);
}

#[tokio::test]
async fn the_first_version_of_all_gets_the_traffic_of_nobody() {
    let marathon = Several::with(&[]).await;
    let block = Block::of(&marathon);
    let first = block.blue_green(1, &[]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2)]);
    block.promote(&first, &[]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2)]);
    assert_eq!(marathon.changes().last().unwrap(), "PUT /shop-blue 2 served");
}

#[tokio::test]
async fn with_a_load_balancer_the_last_connection_is_waited_for() {
    let marathon = Several::with(&[shop(1)]).await;
    marathon.inside().open = 3;
    let url = Value::string(marathon.url.as_str());
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[("load_balancer", url)]).await.unwrap();
    let later = marathon.clone();
    let closing = tokio::spawn(async move {
        while !later.changes().contains(&"PUT /shop-green 2 served".to_owned()) {
            pause(10).await;
        }
        pause(300).await;
        let removed = later.changes().contains(&"DELETE /shop".to_owned());
        later.inside().open = 0;
        removed
    });
    block.promote(&green, &[]).await.unwrap();
    assert!(!closing.await.unwrap(), "removed while connections were open");
    is(marathon.running(), &[("/shop-green", 2)]);
    assert!(
        block.lines().contains("2 of 2 new tasks get traffic; 6 connections to old tasks are open")
    );

    // Longer than `drain` nothing is waited for.
    marathon.inside().open = 1;
    let url = Value::string(marathon.url.as_str());
    let blue = block.blue_green(3, &[("load_balancer", url)]).await.unwrap();
    block.promote(&blue, &[("drain", millis(100))]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2)]);
    assert!(
        block
            .lines()
            .contains("2 connections to old tasks are still open after 100ms: they are cut")
    );
}

#[tokio::test]
async fn a_load_balancer_that_does_not_follow_keeps_the_old_one() {
    let marathon = Several::with(&[shop(1)]).await;
    marathon.inside().follows = false;
    let url = Value::string(marathon.url.as_str());
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[("load_balancer", url)]).await.unwrap();
    let failure = block.promote(&green, &[("within", millis(900))]).await.unwrap_err();
    assert!(
        failure.message.contains("does not send to `/shop-green`: it knows 0 of 2 tasks"),
        "{failure:?}"
    );
    block.undo(&green).await;
    // First out of the traffic, then away.
    let changes = marathon.changes();
    assert_eq!(changes[changes.len() - 2..], ["PUT /shop-green 2 quiet", "DELETE /shop-green"]);
    is(marathon.running(), &[("/shop", 2)]);

    let wrong = Value::string("http://127.0.0.1:1");
    let Err(failure) = block.blue_green(2, &[("load_balancer", wrong)]).await else { panic!() };
    assert_eq!(failure.message, "`http://127.0.0.1:1` can't be reached: connection refused");
    is(marathon.running(), &[("/shop", 2)]);
}

#[tokio::test]
async fn cancelled_while_it_drains_the_old_one_keeps_the_traffic() {
    let marathon = Several::with(&[shop(1)]).await;
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[]).await.unwrap();
    let cancel = block.cancel.clone();
    let watched = marathon.clone();
    tokio::spawn(async move {
        while !watched.changes().contains(&"PUT /shop-green 2 served".to_owned()) {
            pause(10).await;
        }
        pause(300).await;
        cancel.cancel();
    });
    let failure = block.promote(&green, &[]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Cancelled);
    block.undo(&green).await;
    let changes = marathon.changes();
    assert_eq!(changes[changes.len() - 2..], ["PUT /shop-green 2 quiet", "DELETE /shop-green"]);
    is(marathon.running(), &[("/shop", 2)]);
}

#[tokio::test]
async fn whoever_changed_the_old_one_meanwhile_is_not_undone() {
    let marathon = Several::with(&[shop(1)]).await;
    let block = Block::of(&marathon);
    let green = block.blue_green(2, &[]).await.unwrap();
    marathon.touch("/shop");
    let failure = block.promote(&green, &[]).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Superseded);
    assert_eq!(marathon.changes(), ["PUT /shop-green 2 quiet"]);
    block.undo(&green).await;
    is(marathon.running(), &[("/shop", 2)]);
}

#[tokio::test]
async fn what_a_killed_run_has_left_is_told_and_goes_by_force_or_for_the_same_run() {
    let marathon = Several::with(&[shop(1)]).await;
    let killed = Block::of(&marathon);
    killed.blue_green(2, &[]).await.unwrap();
    let other = Block::of(&marathon);
    let Err(failure) = other.blue_green(3, &[]).await else { panic!() };
    assert_eq!(
        failure.message,
        "`/shop-green` is there already, without traffic: another run tries it, or one was cut off"
    );
    assert_eq!(
        failure.help,
        ["when no other run is at work, `force: true` removes `/shop-green` first"]
    );
    assert_eq!(marathon.changes().len(), 1);

    // The run itself, resumed.
    let resumed = killed.again();
    resumed.blue_green(2, &[]).await.unwrap();
    assert_eq!(marathon.changes()[1..], ["DELETE /shop-green", "PUT /shop-green 2 quiet"]);
    other.blue_green(3, &[("force", Value::Bool(true))]).await.unwrap();
    assert_eq!(marathon.app("/shop-green")["cmd"], "./shop-3");

    // Cut off between the two: the newer has the traffic, the older is in the way.
    let mut half = shop(3);
    half["id"] = json!("/shop-green");
    half["ports"] = json!([10001]);
    half["labels"]["HAPROXY_DEPLOYMENT_STARTED_AT"] = json!("2026-11-25T10:00:00.000000");
    let marathon = Several::with(&[shop(1), half]).await;
    let block = Block::of(&marathon);
    let Err(failure) = block.blue_green(4, &[]).await else { panic!() };
    assert_eq!(
        failure.message,
        "both `/shop` and `/shop-green` have traffic: a switch was cut off"
    );
    block.blue_green(4, &[("force", Value::Bool(true))]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2), ("/shop-green", 2)]);
}

#[tokio::test]
async fn of_two_with_traffic_the_newer_one_stays_only_if_it_works() {
    let half = || {
        let mut half = shop(3);
        half["id"] = json!("/shop-green");
        half["ports"] = json!([10001]);
        half["labels"]["HAPROXY_DEPLOYMENT_STARTED_AT"] = json!("2026-11-25T10:00:00.000000");
        half
    };
    let marathon = Several::with(&[shop(1)]).await;
    marathon.inside().works = |app| app["cmd"] != "./shop-3";
    marathon.start("/shop-green", half());
    let block = Block::of(&marathon);
    block
        .said
        .intend(Intent::Promote {
            marathon: marathon.url.clone(),
            app: "/shop-green".into(),
            instead: Some("/shop".into()),
        })
        .unwrap();
    // It was to replace the other one, but is not what serves.
    let Err(failure) = block.blue_green(4, &[]).await else { panic!() };
    assert_eq!(
        failure.message,
        "both `/shop-green` and `/shop` have traffic: a switch was cut off"
    );
    block.blue_green(4, &[("force", Value::Bool(true))]).await.unwrap();
    assert_eq!(
        marathon.changes(),
        ["PUT /shop-green 2 quiet", "DELETE /shop-green", "PUT /shop-green 2 quiet"]
    );
    is(marathon.running(), &[("/shop", 2), ("/shop-green", 2)]);

    // One that works is what this run wanted: the other goes, as it would have.
    let marathon = Several::with(&[shop(1), half()]).await;
    let block = Block::of(&marathon);
    block
        .said
        .intend(Intent::Promote {
            marathon: marathon.url.clone(),
            app: "/shop-green".into(),
            instead: Some("/shop".into()),
        })
        .unwrap();
    block.blue_green(4, &[]).await.unwrap();
    is(marathon.running(), &[("/shop-blue", 2), ("/shop-green", 2)]);
}

#[tokio::test]
async fn an_app_that_shares_its_traffic_with_nobody_is_told() {
    let mut alone = shop(1);
    alone["labels"] = json!({ "HAPROXY_GROUP": "external" });
    let marathon = Several::with(&[alone]).await;
    let block = Block::of(&marathon);
    for failure in [block.blue_green(2, &[]).await.err(), block.canary(2, &[]).await.err()] {
        let failure = failure.unwrap();
        assert_eq!(
            failure.message,
            "`/shop` runs without the label `HAPROXY_DEPLOYMENT_GROUP` of its definition"
        );
        assert_eq!(failure.help, ["deploy this definition once: `marathon.deploy(…)`"]);
    }
    let none = Value::record([("instances", Value::Int(0))]);
    let Err(failure) = block.blue_green(2, &[("with", none)]).await else { panic!() };
    assert_eq!(failure.message, "`/shop` is to have no task, so there is nothing to try");
    assert!(marathon.changes().is_empty());
}

#[tokio::test]
async fn a_canary_shares_the_traffic_and_becomes_the_app_or_goes() {
    let marathon = Several::with(&[shop(1)]).await;
    let block = Block::of(&marathon);
    let few = block.canary(2, &[]).await.unwrap();
    is(marathon.running(), &[("/shop", 2), ("/shop-canary", 1)]);
    let canary = marathon.app("/shop-canary");
    assert_eq!(canary["labels"]["HAPROXY_0_PORT"], "10000");
    assert!(ports_differ(&marathon));
    assert!(block.lines().contains("1 of 2 tasks in the traffic of `/shop` will be new"));
    block.method("Canary", &few, "scale", &[("instances", Value::Int(2))]).await.unwrap();
    assert_eq!(few.fields().to_json()["tasks"].as_array().unwrap().len(), 2);
    assert!(block.lines().contains("it will get all of the traffic"));
    block.undo(&few).await;
    assert_eq!(marathon.changes()[2..], ["PUT /shop-canary 2 quiet", "DELETE /shop-canary"]);
    assert_eq!(marathon.app("/shop")["cmd"], "./shop-1");

    let few = block.canary(2, &[]).await.unwrap();
    block.method("Canary", &few, "promote", &[]).await.unwrap();
    block.undo(&few).await;
    is(marathon.running(), &[("/shop", 2)]);
    assert_eq!(marathon.app("/shop")["cmd"], "./shop-2");
}

#[tokio::test]
async fn a_canary_that_can_not_be_promoted_leaves_the_app_as_it_was() {
    let marathon = Several::with(&[shop(1)]).await;
    let block = Block::of(&marathon);
    let few = block.canary(2, &[]).await.unwrap();
    marathon.inside().works = |app| app["id"] != "/shop" || app["cmd"] == "./shop-1";
    let promoted = block.method("Canary", &few, "promote", &[("within", millis(400))]).await;
    assert_eq!(promoted.unwrap_err().code, Code::DEPLOYMENT_FAILED);
    block.undo(&few).await;
    is(marathon.running(), &[("/shop", 2)]);
    assert_eq!(marathon.app("/shop")["cmd"], "./shop-1");
}

#[tokio::test]
async fn a_canary_needs_an_app_and_no_other_canary() {
    let marathon = Several::with(&[]).await;
    let block = Block::of(&marathon);
    let Err(failure) = block.canary(2, &[]).await else { panic!() };
    assert_eq!(failure.message, "no `/shop` runs that a canary could stand beside");
    let Err(failure) = block.canary(2, &[("instances", Value::Int(0))]).await else { panic!() };
    assert_eq!(failure.message, "a canary has at least one task");

    // Without a load balancer it takes its work itself.
    let mut worker = shop(1);
    worker["labels"] = json!({});
    let marathon = Several::with(&[worker]).await;
    let block = Block::of(&marathon);
    let labels = Value::record([("labels", Value::Null)]);
    block.canary(2, &[("with", labels.clone())]).await.unwrap();
    is(marathon.running(), &[("/shop", 2), ("/shop-canary", 1)]);
    let other = Block::of(&marathon);
    let Err(failure) = other.canary(2, &[("with", labels)]).await else { panic!() };
    assert_eq!(
        failure.help,
        ["when no other run is at work: `marathon.destroy(\"/shop-canary\")`"]
    );
}
