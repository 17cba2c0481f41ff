//! The old forms of a definition turned into the one of today, and the defaults that depend on
//! other fields. Facts from Marathon's `api/v2/AppNormalization.scala`.

use serde_json::{Map, Value, json};

use crate::marathon::error::Refusal;

type Definition = Map<String, Value>;

/// The name that `--mesos_bridge_name` has by default.
const MESOS_BRIDGE: &str = "mesos-bridge";

/// The port of an app that speaks of none.
fn default_mapping() -> Value {
    json!([{ "containerPort": 0, "labels": {}, "name": "default", "protocol": "tcp", "servicePort": 0 }])
}

/// Translates whatever old fields are there; adds nothing.
pub(super) fn translate(given: &mut Definition) -> Result<(), Refusal> {
    let ip_address = given.shift_remove("ipAddress");
    let docker_network = network_of_docker(given);
    if let Some(networks) = networks(ip_address.as_ref(), docker_network.as_deref(), given)? {
        given.insert("networks".into(), networks);
    }
    if ip_address.is_some() && !given.contains_key("container") {
        given.insert("container".into(), json!({ "type": "MESOS", "volumes": [] }));
    }
    if let Some(container) = given.get_mut("container").and_then(Value::as_object_mut) {
        move_port_mappings(container)?;
        let ports = ip_address.as_ref().and_then(|ip| ip.pointer("/discovery/ports"));
        discover_ports(container, ports.and_then(Value::as_array))?;
    }
    if let Some(ports) = given.shift_remove("ports")
        && !given.contains_key("portDefinitions")
    {
        let definition = |port: &Value| json!({ "port": port, "labels": {}, "protocol": "tcp" });
        let definitions = ports.as_array().into_iter().flatten().map(definition).collect();
        given.insert("portDefinitions".into(), Value::Array(definitions));
    }
    fetch_uris(given)?;
    if let Some(Value::Array(checks)) = given.get_mut("readinessChecks") {
        for check in checks.iter_mut().filter_map(Value::as_object_mut) {
            let codes = check.get("httpStatusCodesForReady").and_then(Value::as_array);
            if codes.is_none_or(Vec::is_empty) {
                check.insert("httpStatusCodesForReady".into(), json!([200]));
            }
        }
    }
    Ok(())
}

/// Fills in what depends on other fields, in a definition that `translate` went over.
pub(super) fn complete(definition: &mut Definition) {
    let networks = definition.get("networks").and_then(Value::as_array);
    if networks.is_none_or(Vec::is_empty) {
        definition.insert("networks".into(), json!([{ "mode": "host" }]));
    }
    let mode = mode(definition);
    // What was written decides, not the default that is filled in below.
    let ports_declared = declares_ports(definition);
    if mode == "host" {
        if let Some(container) = container(definition) {
            container.shift_remove("portMappings");
        }
        if !definition.contains_key("portDefinitions") {
            let port = json!([{ "port": 0, "labels": {}, "name": "default", "protocol": "tcp" }]);
            definition.insert("portDefinitions".into(), port);
        }
    } else {
        let wanted = definition
            .shift_remove("portDefinitions")
            .and_then(|ports| ports.as_array().map(Vec::len))
            .unwrap_or(0);
        if !definition.contains_key("container") {
            definition.insert("container".into(), json!({ "type": "MESOS", "volumes": [] }));
        }
        if let Some(container) = container(definition) {
            map_ports(container, wanted, mode == "container/bridge");
        }
        definition.insert("requirePorts".into(), false.into());
    }
    if ports_declared || has_mappings(definition) {
        give_checks_a_port(definition);
    }
    depend_on_volumes(definition);
}

/// The mode of the first network, which is that of all.
pub(super) fn mode(definition: &Definition) -> String {
    let mode = definition.get("networks").and_then(|networks| networks.pointer("/0/mode"));
    mode.and_then(Value::as_str).unwrap_or("host").to_owned()
}

fn container(definition: &mut Definition) -> Option<&mut Definition> {
    definition.get_mut("container").and_then(Value::as_object_mut)
}

fn declares_ports(definition: &Definition) -> bool {
    let ports = definition.get("portDefinitions").and_then(Value::as_array);
    ports.is_some_and(|ports| !ports.is_empty())
}

fn has_mappings(definition: &Definition) -> bool {
    let mappings = definition.get("container").and_then(|c| c.get("portMappings"));
    mappings.and_then(Value::as_array).is_some_and(|mappings| !mappings.is_empty())
}

/// Takes `container.docker.network`.
fn network_of_docker(given: &mut Definition) -> Option<String> {
    let docker = container(given)?.get_mut("docker")?.as_object_mut()?;
    docker.shift_remove("network")?.as_str().map(str::to_owned)
}

/// The networks of today that the old fields mean, if there are any.
fn networks(
    ip_address: Option<&Value>,
    docker: Option<&str>,
    given: &Definition,
) -> Result<Option<Value>, Refusal> {
    let canonical = given.get("networks").and_then(Value::as_array);
    if canonical.is_some_and(|networks| !networks.is_empty()) {
        return match (ip_address, docker) {
            (None, None) => Ok(None),
            _ => Err(Refusal::normalisation("cannot mix deprecated and canonical network APIs")),
        };
    }
    let name = ip_address.and_then(|ip| ip.get("networkName"));
    let labels = ip_address
        .and_then(|ip| ip.get("labels"))
        .filter(|labels| labels.as_object().is_some_and(|labels| !labels.is_empty()));
    let network = |mode: &str, name: Option<&Value>| {
        let mut network = Map::new();
        network.extend(name.map(|name| ("name".to_owned(), name.clone())));
        network.insert("mode".into(), mode.into());
        network.extend(labels.map(|labels| ("labels".to_owned(), labels.clone())));
        Ok(Some(json!([network])))
    };
    match (docker, ip_address) {
        (Some("HOST"), _) => Ok(Some(json!([{ "mode": "host" }]))),
        (Some("BRIDGE"), _) => network("container/bridge", None),
        (Some("USER"), _) => network("container", name),
        (Some(other), _) => {
            Err(Refusal::normalisation(format!("unsupported docker network type {other}")))
        }
        (None, Some(_)) if name.and_then(Value::as_str) == Some(MESOS_BRIDGE) => {
            network("container/bridge", None)
        }
        (None, Some(_)) => network("container", name),
        (None, None) => Ok(None),
    }
}

/// `container.docker.portMappings` to `container.portMappings`.
fn move_port_mappings(container: &mut Definition) -> Result<(), Refusal> {
    let filled = |value: Option<&Value>| {
        value.and_then(Value::as_array).is_some_and(|items| !items.is_empty())
    };
    let docker = container.get_mut("docker").and_then(Value::as_object_mut);
    let Some(old) = docker.and_then(|docker| docker.shift_remove("portMappings")) else {
        return Ok(());
    };
    match (filled(container.get("portMappings")), filled(Some(&old))) {
        (true, true) => {
            Err(Refusal::normalisation("cannot specify both portMappings and docker.portMappings"))
        }
        (true, false) => Ok(()),
        (false, _) => {
            container.insert("portMappings".into(), old);
            Ok(())
        }
    }
}

/// `ipAddress.discovery.ports` to `container.portMappings`.
fn discover_ports(container: &mut Definition, ports: Option<&Vec<Value>>) -> Result<(), Refusal> {
    let Some(ports) = ports.filter(|ports| !ports.is_empty()) else {
        return Ok(());
    };
    let kind = container.get("type").and_then(Value::as_str).unwrap_or("DOCKER");
    if kind != "MESOS" {
        return Err(Refusal::normalisation(format!(
            "ipAddress.discovery.ports do not apply for container type {kind}"
        )));
    }
    if container.get("portMappings").and_then(Value::as_array).is_some_and(|m| !m.is_empty()) {
        return Err(Refusal::normalisation(
            "container.portMappings and ipAddress.discovery.ports must not both be set",
        ));
    }
    let mapping = |port: &Value| {
        json!({
            "containerPort": port["number"], "labels": port["labels"], "name": port["name"],
            "protocol": port["protocol"], "servicePort": 0,
        })
    };
    container.insert("portMappings".into(), ports.iter().map(mapping).collect());
    Ok(())
}

/// `uris` to `fetch`.
fn fetch_uris(given: &mut Definition) -> Result<(), Refusal> {
    let Some(Value::Array(uris)) = given.shift_remove("uris") else {
        return Ok(());
    };
    if uris.is_empty() {
        return Ok(());
    }
    if given.get("fetch").and_then(Value::as_array).is_some_and(|fetch| !fetch.is_empty()) {
        return Err(Refusal::normalisation("cannot specify both uris and fetch fields"));
    }
    let fetch = |uri: &Value| {
        let extract = uri.as_str().is_some_and(is_archive);
        json!({ "uri": uri, "extract": extract, "executable": false, "cache": false })
    };
    given.insert("fetch".into(), uris.iter().map(fetch).collect());
    Ok(())
}

/// Whether a file is unpacked when it was named in `uris` (`state/FetchUri.scala`).
fn is_archive(uri: &str) -> bool {
    [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".tgz", ".tbz2", ".txz", ".zip"]
        .iter()
        .any(|extension| uri.ends_with(extension))
}

/// Gives a container off the host network the mappings that it needs.
fn map_ports(container: &mut Definition, wanted: usize, bridge: bool) {
    if !container.contains_key("portMappings") {
        container.insert("portMappings".into(), default_mapping());
    }
    if let Some(Value::Array(mappings)) = container.get_mut("portMappings") {
        while mappings.len() < wanted {
            mappings.push(json!({
                "containerPort": 0, "labels": {}, "protocol": "tcp", "servicePort": 0,
            }));
        }
        for mapping in mappings.iter_mut().filter_map(Value::as_object_mut).filter(|_| bridge) {
            if !mapping.contains_key("hostPort") {
                mapping.insert("hostPort".into(), 0.into());
                mapping.sort_keys();
            }
        }
    }
}

/// A check of a port that does not say which means the first.
fn give_checks_a_port(definition: &mut Definition) {
    let checks = definition.get_mut("healthChecks").and_then(Value::as_array_mut);
    for check in checks.into_iter().flatten().filter_map(Value::as_object_mut) {
        let by_port = check.get("protocol").is_none_or(|protocol| protocol != "COMMAND");
        if by_port && !check.contains_key("port") && !check.contains_key("portIndex") {
            check.insert("portIndex".into(), 0.into());
        }
    }
}

/// Apps that keep data are upgraded in place; apps with the label of a single instance stop first.
fn depend_on_volumes(definition: &mut Definition) {
    let resident = definition
        .get("container")
        .and_then(|container| container.get("volumes"))
        .and_then(Value::as_array)
        .is_some_and(|volumes| volumes.iter().any(|volume| volume.get("persistent").is_some()));
    let single = definition
        .get("labels")
        .and_then(|labels| labels.get("MARATHON_SINGLE_INSTANCE_APP"))
        .is_some_and(|label| label == "true");
    if resident && !definition.contains_key("residency") {
        let residency = json!({
            "relaunchEscalationTimeoutSeconds": 3600, "taskLostBehavior": "WAIT_FOREVER",
        });
        definition.insert("residency".into(), residency);
    }
    if !definition.contains_key("unreachableStrategy") {
        let strategy = if resident {
            json!("disabled")
        } else {
            json!({ "inactiveAfterSeconds": 0, "expungeAfterSeconds": 0 })
        };
        definition.insert("unreachableStrategy".into(), strategy);
    }
    if !definition.contains_key("upgradeStrategy") {
        let strategy = match (resident, single) {
            (true, _) => json!({ "maximumOverCapacity": 0, "minimumHealthCapacity": 0.5 }),
            (false, true) => json!({ "maximumOverCapacity": 0, "minimumHealthCapacity": 0 }),
            (false, false) => json!({ "maximumOverCapacity": 1, "minimumHealthCapacity": 1 }),
        };
        definition.insert("upgradeStrategy".into(), strategy);
    }
}
