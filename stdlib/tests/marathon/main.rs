//! `marathon.deploy` and its neighbours against a Marathon that plays scenarios: what is asked of
//! it, what is said, and how it ends.

#![allow(clippy::unwrap_used)]

mod beside;
mod call;
mod definitions;
mod failing;
mod faults;
mod good;
mod neighbours;
mod refused;
mod replay;
mod server;
mod several;

use serde_json::{Value as Json, json};

/// The definition that runs before.
fn before() -> Json {
    let mut app = after();
    app["container"]["docker"]["image"] = json!("registry/web:6");
    app
}

/// The definition that is deployed: the form of 2016, as people have it in their files.
fn after() -> Json {
    json!({
        "id": server::APP, "instances": 2, "cpus": 0.1, "mem": 64,
        "container": { "type": "DOCKER", "docker": {
            "image": "registry/web:7", "network": "BRIDGE",
            "portMappings": [{ "containerPort": 8080, "hostPort": 0 }] } },
        "healthChecks": [{
            "protocol": "HTTP", "path": "/health", "portIndex": 0,
            "gracePeriodSeconds": 30, "intervalSeconds": 5 }],
    })
}
