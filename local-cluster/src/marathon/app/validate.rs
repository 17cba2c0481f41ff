//! The rules that a definition keeps, in Marathon's words (`api/v2/validation/AppValidation.scala`,
//! `NetworkValidation.scala`, `SchedulingValidation.scala`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{id, normalise};
use crate::marathon::error::{Detail, Details};

type Definition = Map<String, Value>;

/// Collects the rules that are broken.
struct Rules(Details);

impl Rules {
    fn must(&mut self, kept: bool, path: impl Into<String>, words: &str) {
        if !kept {
            self.0.push(Detail::new(path, words));
        }
    }
}

fn list<'a>(value: Option<&'a Value>, pointer: &str) -> &'a [Value] {
    let list = value.and_then(|value| value.pointer(pointer)).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn items<'a>(definition: &'a Definition, name: &str) -> &'a [Value] {
    list(definition.get(name), "")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether no value stands there twice.
fn unique<T: Ord>(values: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    values.into_iter().all(|value| seen.insert(value))
}

fn numbers<'a>(values: &'a [Value], name: &'a str) -> impl Iterator<Item = u64> + 'a {
    values.iter().filter_map(move |value| value.get(name)?.as_u64()).filter(|number| *number != 0)
}

fn names(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| value.get("name")?.as_str())
}

/// The rules about fields of the old forms, before they are translated.
pub(super) fn old_forms(given: &Definition) -> Details {
    let mut rules = Rules(Details::new());
    let container = given.get("container");
    let docker = container.and_then(|container| container.get("docker"));
    let kind = container.map_or("", |container| text(container, "type"));
    let networks = !items(given, "networks").is_empty();
    let docker_network = docker.is_some_and(|docker| docker.get("network").is_some());
    let address = given.get("ipAddress");
    if let Some(docker) = docker {
        rules.must(
            docker.get("credential").is_none(),
            "/container/docker/credential",
            "must be empty",
        );
        if kind == "MESOS" {
            rules.must(!docker_network, "/container/docker/network", "must be empty");
            let empty = list(Some(docker), "/parameters").is_empty();
            rules.must(empty, "/container/docker/parameters", "must be empty");
            let empty = list(Some(docker), "/portMappings").is_empty();
            rules.must(empty, "/container/docker/portMappings", "must be empty");
        }
        rules.must(
            unique(names(list(Some(docker), "/portMappings"))),
            "/container/docker/portMappings",
            "Port names must be unique.",
        );
    }
    rules.must(
        kind != "DOCKER" || address.is_none_or(|address| address.get("discovery").is_none()),
        "/ipAddress",
        "ipAddress/discovery is not allowed for Docker containers",
    );
    let uris = !items(given, "uris").is_empty();
    rules.must(
        !uris || items(given, "fetch").is_empty(),
        "/uris",
        "may not be set in conjunction with fetch",
    );
    rules.must(
        !(docker_network && networks),
        "/",
        "must not specify both container.docker.network and networks",
    );
    rules.must(
        !(address.is_some() && networks),
        "/",
        "must not specify both networks and ipAddress",
    );
    let ports: Vec<u64> = items(given, "ports").iter().filter_map(Value::as_u64).collect();
    rules.must(unique(ports.iter().filter(|port| **port != 0)), "/", "ports must be unique");
    let definitions = given.get("portDefinitions").and_then(Value::as_array);
    let has_ports = !ports.is_empty() || definitions.is_some_and(|list| !list.is_empty());
    rules.must(address.is_none() || !has_ports, "/", "cannot specify both an IP address and port");
    let same = definitions.is_none_or(|definitions| {
        definitions.iter().map(|port| port["port"].as_u64()).eq(ports.iter().copied().map(Some))
    });
    rules.must(
        !given.contains_key("ports") || same,
        "/",
        "cannot specify both ports and port definitions",
    );
    rules.0
}

/// The rules about a whole definition in the form of today.
pub(super) fn canonical(app: &Definition) -> Details {
    let mut rules = Rules(Details::new());
    let own = app.get("id").and_then(Value::as_str).unwrap_or_default();
    rules.must(id::is_well_formed(own), "/id", id::NOT_WELL_FORMED);
    rules.must(!id::is_reserved(own), "/id", id::RESERVED);
    rules.must(!own.trim_matches('/').is_empty(), "/", "must not be root");
    let command = app.get("cmd").and_then(Value::as_str);
    rules.must(
        command.is_none_or(|cmd| cmd.chars().count() > 1),
        "/",
        "must not be an empty string",
    );
    what_runs(app, &mut rules);
    networks(app, &mut rules);
    ports(app, &mut rules);
    container(app, &mut rules);
    health_checks(app, &mut rules);
    readiness_checks(app, &mut rules);
    for (index, constraint) in items(app, "constraints").iter().enumerate() {
        if let Err(words) = constraint_rule(constraint) {
            rules.must(false, format!("/constraints({index})"), words);
        }
    }
    if let Some(roles) = app.get("acceptedResourceRoles").and_then(Value::as_array) {
        rules.must(!roles.is_empty(), "/acceptedResourceRoles", "must not be empty");
    }
    let mut single = app.get("labels").into_iter();
    if single.any(|labels| text(labels, "MARATHON_SINGLE_INSTANCE_APP") == "true") {
        let instances = app.get("instances").and_then(Value::as_u64);
        let words = "Single instance app may only have one instance";
        rules.must(instances.is_none_or(|instances| instances <= 1), "/", words);
        for name in ["minimumHealthCapacity", "maximumOverCapacity"] {
            let share = app.get("upgradeStrategy").and_then(|s| s[name].as_f64());
            let path = format!("/upgradeStrategy/{name}");
            rules.must(share.is_none_or(|share| share == 0.0), path, "must be equal to 0.0");
        }
    }
    if app.contains_key("residency") {
        let disabled = app.get("unreachableStrategy").is_none_or(|s| s == "disabled");
        rules.must(disabled, "/", "unreachableStrategy must be disabled for resident tasks");
    }
    rules.0
}

fn what_runs(app: &Definition, rules: &mut Rules) {
    let cmd = app.contains_key("cmd");
    let args = !items(app, "args").is_empty();
    let container = app.get("container").is_some_and(|container| {
        container.get("docker").is_some() || text(container, "type") == "MESOS"
    });
    rules.must(
        (cmd ^ args) || (!(cmd && args) && container),
        "/",
        "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    );
    let gpus = app.get("gpus").and_then(Value::as_u64).unwrap_or(0) > 0;
    let docker = app.get("container").is_some_and(|container| text(container, "type") == "DOCKER");
    rules.must(!(gpus && docker), "/", "GPU resources only work with the Mesos containerizer");
}

fn networks(app: &Definition, rules: &mut Rules) {
    let networks = items(app, "networks");
    let of =
        |mode: &'static str| networks.iter().filter(move |network| text(network, "mode") == mode);
    let named = |network: &&Value| !text(network, "name").is_empty();
    let labelled = |network: &&Value| {
        network.get("labels").and_then(Value::as_object).is_some_and(|labels| !labels.is_empty())
    };
    let path = "/networks";
    rules.must(
        !of("host").any(|n| named(&n) || labelled(&n)),
        path,
        "Host networks may not have names or labels",
    );
    rules.must(
        !of("container/bridge").any(|n| named(&n)),
        path,
        "Bridge networks may not have names",
    );
    let unnamed = of("container").filter(|n| !named(n)).count();
    rules.must(unnamed < 2 && unique(names(networks)), path, "Duplicate networks are not allowed");
    let counts = (of("host").count(), of("container/bridge").count(), of("container").count());
    rules.must(
        matches!(counts, (0 | 1, 0, 0) | (0, 1, 0) | (0, 0, 1..)),
        path,
        "May specify a single host network, single bridge network, or else 1-to-n container networks",
    );
    rules.must(
        unnamed == 0,
        path,
        "Network name must be specified when container network is selected.",
    );
    let docker = app.get("container").is_some_and(|container| text(container, "type") == "DOCKER");
    rules.must(
        !docker || counts.2 <= 1,
        "/",
        "may only specify a single container network when using the Docker container engine",
    );
}

fn ports(app: &Definition, rules: &mut Rules) {
    let definitions = items(app, "portDefinitions");
    let path = "/portDefinitions";
    rules.must(unique(names(definitions)), path, "Port names must be unique.");
    rules.must(unique(numbers(definitions, "port")), path, "Ports must be unique.");
    let mappings = list(app.get("container"), "/portMappings");
    rules.must(unique(names(mappings)), "/container/portMappings", "Port names must be unique.");
    let host = normalise::mode(app) == "host";
    let words = "portMappings are not allowed with host-networking";
    rules.must(!host || mappings.is_empty(), "/", words);
    let words = "portDefinitions are only allowed with host-networking";
    rules.must(host || definitions.is_empty(), "/", words);
    let several =
        items(app, "networks").iter().filter(|n| text(n, "mode") == "container").count() > 1;
    for (index, mapping) in mappings.iter().enumerate() {
        let one = list(Some(mapping), "/networkNames").len() == 1;
        rules.must(
            !several || mapping.get("hostPort").is_none() || one,
            format!("/container/portMappings({index})"),
            "networkNames must be a single item list when hostPort is specified and more than 1 container network is defined",
        );
        let known: Vec<&str> = names(items(app, "networks")).collect();
        for (position, name) in list(Some(mapping), "/networkNames").iter().enumerate() {
            rules.must(
                name.as_str().is_some_and(|name| known.contains(&name)),
                format!("/container/portMappings({index})/networkNames({position})"),
                &format!("is not one of ({})", known.join(",")),
            );
        }
    }
}

fn container(app: &Definition, rules: &mut Rules) {
    let Some(container) = app.get("container") else {
        return;
    };
    let docker = container.get("docker");
    let engine = text(container, "type");
    rules.must(engine == "MESOS" || docker.is_some(), "/container/docker", "not defined");
    if let Some(docker) = docker {
        rules.must(
            !text(docker, "image").is_empty(),
            "/container/docker/image",
            "must not be empty",
        );
        rules.must(
            engine == "MESOS" || docker.get("pullConfig").is_none(),
            "/container/docker/pullConfig",
            "pullConfig is not supported with Docker containerizer",
        );
    }
    for (index, volume) in list(Some(container), "/volumes").iter().enumerate() {
        if volume.get("persistent").is_none() {
            continue;
        }
        let inside = text(volume, "containerPath");
        rules.must(
            !inside.contains('/'),
            format!("/container/volumes({index})/containerPath"),
            "value must not contain \"/\"",
        );
    }
}

fn health_checks(app: &Definition, rules: &mut Rules) {
    let checks = items(app, "healthChecks");
    let mappings = list(app.get("container"), "/portMappings");
    let ports = if mappings.is_empty() { items(app, "portDefinitions") } else { mappings };
    let of_mesos = |check: &Value| {
        let protocol = text(check, "protocol");
        protocol.starts_with("MESOS_") || protocol == "COMMAND" || check.get("command").is_some()
    };
    for (index, check) in checks.iter().enumerate().filter(|(_, check)| !of_mesos(check)) {
        let port = check.get("portIndex").and_then(Value::as_u64);
        let addresses = match port {
            Some(port) => port < ports.len() as u64,
            None => check.get("port").is_some() || ports.len() == 1,
        };
        rules.must(
            addresses,
            format!("/healthChecks({index})"),
            "Health check port indices must address an element of the ports array or container port mappings.",
        );
    }
    let several = checks.iter().filter(|check| of_mesos(check) && check.get("command").is_none());
    rules.must(
        several.count() <= 1,
        "/",
        "AppDefinition can contain at most one Mesos health check",
    );
}

fn readiness_checks(app: &Definition, rules: &mut Rules) {
    let checks = items(app, "readinessChecks");
    rules.must(checks.len() <= 1, "/readinessChecks", "size must be less than or equal to 1");
    let mappings = app.get("container").and_then(|c| c.get("portMappings"));
    let ports = mappings.map_or_else(|| items(app, "portDefinitions"), |m| list(Some(m), ""));
    for (index, check) in checks.iter().enumerate() {
        let name = text(check, "portName");
        rules.must(
            names(ports).any(|known| known == name),
            format!("/readinessChecks({index})/portName"),
            &format!("No port definition reference for portName {name}"),
        );
        let [interval, timeout] =
            ["intervalSeconds", "timeoutSeconds"].map(|name| check[name].as_u64().unwrap_or(0));
        rules.must(
            timeout < interval,
            format!("/readinessChecks({index})/timeoutSeconds"),
            &format!("got {timeout}, expected less than {interval}"),
        );
    }
}

/// Whether `[field, OPERATOR, value?]` is one.
fn constraint_rule(constraint: &Value) -> Result<(), &'static str> {
    let parts: Vec<&str> = list(Some(constraint), "").iter().filter_map(Value::as_str).collect();
    let (field, operator, value) = match parts[..] {
        [field, operator] => (field, operator, None),
        [field, operator, value] => (field, operator, Some(value)),
        _ => return Err("Each constraint must have either 2 or 3 fields"),
    };
    if field.is_empty() {
        return Err("illegal constraint specification");
    }
    let number = |value: &str| value.parse::<i32>().is_ok();
    match operator.to_ascii_uppercase().as_str() {
        "UNIQUE" if value.is_some() => Err("UNIQUE does not accept a value"),
        "GROUP_BY" if !value.is_none_or(number) => {
            Err("GROUP BY must define an integer value or else no value at all")
        }
        "MAX_PER" if !value.is_some_and(number) => Err("MAX_PER requires an integer value"),
        "LIKE" | "UNLIKE" if value.is_none() => {
            Err("LIKE and UNLIKE require a non-empty, regular expression value")
        }
        "UNIQUE" | "CLUSTER" | "GROUP_BY" | "MAX_PER" | "LIKE" | "UNLIKE" | "IS" => Ok(()),
        _ => Err(
            "operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS",
        ),
    }
}
