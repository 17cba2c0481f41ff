//! The environment variables of a task (`mesos/EnvironmentHelper.scala`, `TaskBuilder.scala`).

use std::collections::BTreeMap;

use super::Launch;
use crate::marathon::{app::App, engine::HOST};

/// Longer values of labels are left out.
const LONGEST: usize = 512;
const LABEL: &str = "MARATHON_APP_LABEL_";

/// All that Marathon and Mesos set, the app's own last.
pub(super) fn environment(launch: &Launch, sandbox: &str) -> BTreeMap<String, String> {
    let app = &launch.app;
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        all.insert(name.to_owned(), value);
    };
    set("MARATHON_APP_ID", app.id.to_string());
    set("MARATHON_APP_VERSION", app.version.to_string());
    if let Some(image) = app.image() {
        set("MARATHON_APP_DOCKER_IMAGE", image.to_owned());
    }
    set("MARATHON_APP_RESOURCE_CPUS", decimal(app.cpus));
    set("MARATHON_APP_RESOURCE_MEM", decimal(app.mem));
    set("MARATHON_APP_RESOURCE_DISK", decimal(app.disk));
    set("MARATHON_APP_RESOURCE_GPUS", app.gpus.to_string());
    set("MESOS_TASK_ID", launch.task.clone());
    set("MESOS_SANDBOX", sandbox.to_owned());
    set("HOST", HOST.to_owned());
    all.extend(labels(&app.labels));
    all.extend(ports(app, &launch.ports));
    // Values that are kept elsewhere as secrets are not known here.
    all.extend(
        app.env.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))),
    );
    all
}

/// A number as Scala writes a double: always with a fraction.
fn decimal(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.1}") } else { number.to_string() }
}

fn labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut names = Vec::new();
    for (key, value) in labels {
        if key.len() >= LONGEST - LABEL.len() || value.len() >= LONGEST {
            continue;
        }
        let mut name = String::new();
        for letter in key.chars() {
            match letter {
                letter if letter.is_ascii_alphanumeric() || letter == '_' => {
                    name.extend(letter.to_uppercase());
                }
                // Several in a row become one.
                _ if name.ends_with('_') => {}
                _ => name.push('_'),
            }
        }
        all.insert(format!("{LABEL}{name}"), value.clone());
        names.push(name);
    }
    all.insert("MARATHON_APP_LABELS".to_owned(), names.join(" "));
    all
}

/// `PORT0`, `PORT_8080`, `PORT_HTTP`, `PORT` and `PORTS`.
fn ports(app: &App, chosen: &[Option<u16>]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let wanted: Vec<(Option<&str>, u16)> = if app.is_bridged() {
        app.mappings().iter().map(|m| (m.name.as_deref(), m.container_port)).collect()
    } else {
        app.port_definitions.iter().map(|p| (p.name.as_deref(), p.port)).collect()
    };
    let mut assigned = Vec::new();
    for (index, ((name, wanted), host)) in wanted.into_iter().zip(chosen).enumerate() {
        let Some(port) = host.or(Some(wanted)).filter(|port| *port != 0) else { continue };
        all.insert(format!("PORT{index}"), port.to_string());
        all.insert(format!("PORT_{}", if wanted == 0 { port } else { wanted }), port.to_string());
        if let Some(name) = name {
            all.insert(format!("PORT_{}", name.to_uppercase()), port.to_string());
        }
        assigned.extend(*host);
    }
    if let Some(first) = assigned.first() {
        all.insert("PORT".to_owned(), first.to_string());
    }
    if !chosen.is_empty() {
        let list: Vec<String> = assigned.iter().map(u16::to_string).collect();
        all.insert("PORTS".to_owned(), list.join(","));
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_sees_what_marathon_sets() {
        let definition = json!({
            "id": "/product/web", "cpus": 0.5, "mem": 64, "env": { "HOST": "mine", "A": "b" },
            "labels": { "HAPROXY_0_VHOST": "x", "a.b--c": "y" },
            "container": { "docker": { "image": "web:1" }, "portMappings": [
                { "containerPort": 80, "name": "http" }, { "containerPort": 0 }] },
            "networks": [{ "mode": "container/bridge" }],
        });
        let app = App::whole(definition.as_object().unwrap(), None).unwrap();
        let task = "product_web.instance-1._app.1".to_owned();
        let launch = Launch { task, app, ports: vec![Some(31000), Some(31001)] };
        let all = environment(&launch, "/mnt/mesos/sandbox");
        for (name, value) in [
            ("MARATHON_APP_ID", "/product/web"),
            ("MARATHON_APP_DOCKER_IMAGE", "web:1"),
            ("MARATHON_APP_RESOURCE_CPUS", "0.5"),
            ("MARATHON_APP_RESOURCE_MEM", "64.0"),
            ("MARATHON_APP_LABELS", "HAPROXY_0_VHOST A_B_C"),
            ("MARATHON_APP_LABEL_A_B_C", "y"),
            ("MESOS_SANDBOX", "/mnt/mesos/sandbox"),
            ("HOST", "mine"),
            ("A", "b"),
            ("PORT", "31000"),
            ("PORTS", "31000,31001"),
            ("PORT0", "31000"),
            ("PORT1", "31001"),
            ("PORT_80", "31000"),
            ("PORT_HTTP", "31000"),
            ("PORT_31001", "31001"),
        ] {
            assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
        }
    }
}
