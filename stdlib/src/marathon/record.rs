//! The records of the language that describe an app: `Deployment`, `Task`.

use serde_json::Value as Json;

use crate::{client::marathon::Task, core::Value};

/// The types that the functions of this module name, in the language's own syntax.
pub(super) const TYPES: &[(&str, &str)] = &[
    (
        "Deployment",
        "{ app: string, version: string, previous: string?, changed: bool, tasks: list<Task> }",
    ),
    ("Task", "{ id: string, host: string, ports: list<int> }"),
];

/// A `Deployment`.
pub(super) fn deployment(
    app: &str,
    version: &str,
    previous: Option<&str>,
    changed: bool,
    tasks: &[Task],
) -> Value {
    Value::record([
        ("app", Value::string(app)),
        ("version", Value::string(version)),
        ("previous", Value::from(previous)),
        ("changed", Value::Bool(changed)),
        ("tasks", list(tasks)),
    ])
}

/// A list of `Task`.
pub(super) fn list(tasks: &[Task]) -> Value {
    Value::list(tasks.iter().map(|task| {
        Value::record([
            ("id", Value::string(task.id.as_str())),
            ("host", Value::string(task.host.as_str())),
            ("ports", Value::list(task.ports.iter().map(|port| Value::Int((*port).into())))),
        ])
    }))
}

/// Where a task answers: `http://host:port`, without the scheme where only TCP is checked.
/// `normal`: the definition in normal form.
pub(super) fn addresses(task: &Task, normal: &Json) -> Vec<String> {
    let protocols: Vec<&str> = normal["healthChecks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|check| check["protocol"].as_str())
        .collect();
    let any = |name: &str| protocols.iter().any(|protocol| protocol.ends_with(name));
    let scheme = if any("HTTPS") {
        "https://"
    } else if any("TCP") && !any("HTTP") {
        ""
    } else {
        "http://"
    };
    task.ports.iter().map(|port| format!("{scheme}{}:{port}", task.host)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::client::marathon::App;

    #[test]
    fn the_scheme_follows_from_the_checks() {
        let app = App::read(&json!({ "id": "/a", "tasks": [
            { "id": "t", "host": "node1", "ports": [31000, 31001] }] }))
        .unwrap();
        let shown = |protocols: &[&str]| {
            let checks: Json = protocols.iter().map(|p| json!({ "protocol": p })).collect();
            addresses(&app.tasks[0], &json!({ "healthChecks": checks })).remove(1)
        };
        assert_eq!(shown(&[]), "http://node1:31001");
        assert_eq!(shown(&["MESOS_HTTP", "TCP"]), "http://node1:31001");
        assert_eq!(shown(&["MESOS_HTTPS"]), "https://node1:31001");
        assert_eq!(shown(&["MESOS_TCP"]), "node1:31001");
    }
}
