//! The load balancer before the apps.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Cluster, can, has, healthy, web};

/// A port that nobody has at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn served(page: &str, instances: u32, service_port: u16, labels: Value) -> Value {
    let mut app = web(page, instances);
    app["portDefinitions"] = json!([{ "port": service_port }]);
    app["labels"] = labels;
    app
}

/// The page behind a port, in a connection of its own.
fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.rsplit("\r\n\r\n").next().map(|body| body.trim().to_owned())
}

fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "not soon: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The lines of the statistics: service, server, connections, state.
async fn statistics(cluster: &Cluster) -> Vec<(String, String, String)> {
    let url = format!("{}/haproxy?stats;csv", cluster.running.marathon);
    let text = cluster.client.get(url).send().await.unwrap().text().await.unwrap();
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().trim_start_matches("# ").split(',').collect();
    let at = |name: &str| head.iter().position(|found| *found == name).unwrap();
    let (service, open, state) = (at("pxname"), at("scur"), at("status"));
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    cells.map(|c| (c[service].to_owned(), c[open].to_owned(), c[state].to_owned())).collect()
}

/// Waits until the statistics are these: a connection is counted until both ends have closed it.
async fn shows(cluster: &Cluster, wanted: &[(String, String, String)]) {
    let end = Instant::now() + Duration::from_secs(10);
    while statistics(cluster).await != wanted {
        assert!(Instant::now() < end, "{:?}", statistics(cluster).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn processes(cluster: &Cluster) -> usize {
    let url = format!("{}/_haproxy_getpids", cluster.running.marathon);
    let text = cluster.client.get(url).send().await.unwrap().text().await.unwrap();
    text.lines().count()
}

#[tokio::test]
async fn an_app_answers_at_its_service_port_as_long_as_it_has_tasks() {
    if !can("an_app_answers_at_its_service_port", "busybox", has("busybox")) {
        return;
    }
    let cluster = Cluster::new();
    let port = free_port();
    let app = served("one", 2, port, json!({ "HAPROXY_GROUP": "external" }));
    cluster.deploy("/web", &app).await;
    cluster.until("/web", "healthy", healthy(2)).await;
    soon("it answers", || page(port).as_deref() == Some("one"));
    let name = format!("web_{port}");
    let up = (name, "0".to_owned(), "UP".to_owned());
    shows(&cluster, &[up.clone(), up]).await;
    cluster.put("/v2/apps/web", &json!({ "instances": 0 })).await;
    cluster.settled().await;
    soon("nothing answers", || TcpStream::connect(("127.0.0.1", port)).is_err());
    let quiet = served("two", 1, port, json!({}));
    cluster.deploy("/web", &quiet).await;
    cluster.until("/web", "healthy", healthy(1)).await;
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[tokio::test]
async fn the_newer_of_two_takes_over_and_open_connections_stay() {
    if !can("the_newer_of_two_takes_over", "busybox", has("busybox")) {
        return;
    }
    let cluster = Cluster::new();
    let port = free_port();
    let labels = json!({ "HAPROXY_GROUP": "external", "HAPROXY_DEPLOYMENT_GROUP": "web" });
    cluster.deploy("/web-blue", &served("blue", 1, port, labels.clone())).await;
    cluster.until("/web-blue", "healthy", healthy(1)).await;
    soon("blue answers", || page(port).as_deref() == Some("blue"));
    let mut open = TcpStream::connect(("127.0.0.1", port)).unwrap();

    let mut newer = labels;
    newer["HAPROXY_0_PORT"] = json!(port.to_string());
    newer["HAPROXY_DEPLOYMENT_STARTED_AT"] = json!("2026-11-25T15:00:00.000000");
    cluster.deploy("/web-green", &served("green", 1, 0, newer)).await;
    cluster.until("/web-green", "healthy", healthy(1)).await;
    soon("green answers", || page(port).as_deref() == Some("green"));
    assert!((0..10).all(|_| page(port).as_deref() == Some("green")));
    let name = format!("web_{port}");
    let line = |open: &str, state: &str| (name.clone(), open.to_owned(), state.to_owned());
    shows(&cluster, &[line("1", "MAINT"), line("0", "UP")]).await;

    // An app that leaves the traffic keeps its connections too, unseen but for the processes.
    assert_eq!(processes(&cluster).await, 1);
    let mut late = TcpStream::connect(("127.0.0.1", port)).unwrap();
    soon("it is counted", || page(port).is_some());
    let mut green = served("green", 1, 0, json!({}));
    // Its task of before is kept until this one is healthy.
    green["healthChecks"][0]["path"] = json!("/missing");
    cluster.deploy("/web-green", &green).await;
    soon("blue answers again", || page(port).as_deref() == Some("blue"));
    assert_eq!(processes(&cluster).await, 2);
    late.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("green\n"), "{answer}");
    drop(late);
    let end = Instant::now() + Duration::from_secs(10);
    while processes(&cluster).await > 1 {
        assert!(Instant::now() < end);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // The connection of before still leads to blue.
    open.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("blue\n"), "{answer}");
    drop(open);
    shows(&cluster, &[line("0", "UP")]).await;
}
