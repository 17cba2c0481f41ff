//! Ports of the host and port mappings.

use super::{
    super::{
        super::normalise::READ_ONLY,
        finding::Finding,
        known::Known,
        network::{Mode, is_docker, mappings, mode},
    },
    rules,
};

rules! { ports: ports_differ, names_differ, ports_and_definitions, mappings_twice, mappings_on_the_host, ports_behind_a_network, required_ports }

fn ports_differ(app: &Known, found: &mut Vec<Finding>) {
    let definitions = app.at("portDefinitions").items().iter().map(|port| port.at("port").whole());
    let ports = app.at("ports").items().iter().map(Known::whole);
    once("/ports", "", ports, found);
    once("/portDefinitions", "/port", definitions, found);
}

/// A port other than 0 stands once.
fn once(
    list: &str,
    field: &str,
    ports: impl Iterator<Item = Option<i64>>,
    found: &mut Vec<Finding>,
) {
    let mut seen = Vec::new();
    for (at, port) in ports.enumerate() {
        let Some(port) = port.filter(|port| *port != 0) else { continue };
        if seen.contains(&port) {
            let what = format!("the port {port} stands twice");
            found.push(
                Finding::new(format!("{list}/{at}{field}"), what)
                    .help("0 lets Marathon choose one"),
            );
        }
        seen.push(port);
    }
}

fn names_differ(app: &Known, found: &mut Vec<Finding>) {
    let container = app.at("container");
    for (pointer, list) in [
        ("/portDefinitions", app.at("portDefinitions")),
        ("/container/portMappings", container.at("portMappings")),
        ("/container/docker/portMappings", container.at("docker").at("portMappings")),
    ] {
        let mut seen = Vec::new();
        for (at, port) in list.items().iter().enumerate() {
            let Some(name) = port.at("name").text() else { continue };
            if seen.contains(&name) {
                let what = format!("two ports are called `{name}`");
                found.push(Finding::new(format!("{pointer}/{at}/name"), what));
            }
            seen.push(name);
        }
    }
}

/// A definition that was read from a server; before 1.5 these name the same in both forms.
fn is_answer(app: &Known) -> bool {
    READ_ONLY.iter().any(|field| app.at(field).is_there())
}

fn ports_and_definitions(app: &Known, found: &mut Vec<Finding>) {
    let (Known::List(ports), Known::List(definitions)) =
        (app.at("ports"), app.at("portDefinitions"))
    else {
        return;
    };
    let numbers = |port: &Known| port.whole();
    let of_definition = |port: &Known| match port.at("port") {
        Known::Absent => Some(0),
        port => port.whole(),
    };
    let ports: Option<Vec<i64>> = ports.iter().map(numbers).collect();
    let definitions: Option<Vec<i64>> = definitions.iter().map(of_definition).collect();
    if let (Some(ports), Some(definitions)) = (ports, definitions)
        && ports != definitions
        && !is_answer(app)
    {
        found.push(
            Finding::new("/ports", "`ports` and `portDefinitions` name different ports")
                .on_key()
                .help("`ports` is the older form: leave it out"),
        );
    }
}

fn mappings_twice(app: &Known, found: &mut Vec<Finding>) {
    let container = app.at("container");
    let old = container.at("docker").at("portMappings");
    if old.has_items() && container.at("portMappings").has_items() {
        let what =
            "`container.docker.portMappings` and `container.portMappings` can't stand together";
        found.push(
            Finding::new("/container/docker/portMappings", what)
                .on_key()
                .help("`container.docker.portMappings` is the form before 1.5: keep one of them")
                .since(super::super::finding::V1_5),
        );
    }
}

fn mappings_on_the_host(app: &Known, found: &mut Vec<Finding>) {
    let (pointer, mappings) = mappings(app);
    if mode(app) != Some(Mode::Host) || !mappings.has_items() {
        return;
    }
    // Of a container of type `MESOS` another rule refuses them there.
    let new = pointer == "/container/portMappings";
    if !new && is_docker(app) != Some(true) {
        return;
    }
    let said =
        app.at("networks").has_items() || app.at("container").at("docker").at("network").is_there();
    let help = if said {
        "ports of the host stand in `portDefinitions`"
    } else if new {
        "no network means that of the host: add `\"networks\": [{ \"mode\": \"container/bridge\" }]`"
    } else {
        "no network means that of the host: add `\"network\": \"BRIDGE\"`"
    };
    let what = "`portMappings` do nothing on the host network";
    found.push(Finding::new(pointer, what).on_key().help(help).ignored());
}

fn ports_behind_a_network(app: &Known, found: &mut Vec<Finding>) {
    let Some(mode @ (Mode::Bridge | Mode::Container)) = mode(app) else { return };
    // Told by another rule, or written by a server.
    if app.at("ipAddress").is_there() || is_answer(app) {
        return;
    }
    for field in ["portDefinitions", "ports"] {
        if app.at(field).has_items() {
            let what = format!("`{field}` are ports of the host, not of {}", mode.noun());
            found.push(
                Finding::new(format!("/{field}"), what)
                    .on_key()
                    .help("its ports stand in `portMappings`")
                    .ignored(),
            );
        }
    }
}

fn required_ports(app: &Known, found: &mut Vec<Finding>) {
    let Some(mode @ (Mode::Bridge | Mode::Container)) = mode(app) else { return };
    if app.at("requirePorts").is_true() && !is_answer(app) {
        let what = format!("`requirePorts` does nothing on {}", mode.noun());
        found.push(
            Finding::new("/requirePorts", what)
                .on_key()
                .help("a fixed port of the host is a `hostPort` of its mapping")
                .ignored(),
        );
    }
}
