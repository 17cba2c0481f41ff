//! Networks, in the form of 1.5 and in the older one.

use super::{
    super::{
        finding::{Finding, V1_5},
        known::Known,
        network::{Mode, is_docker, mode},
    },
    rules,
};

rules! { networks: old_and_new, names_of_networks, networks_differ, networks_go_together, one_container_network_for_docker, address_without_ports, discovery, named_by_mappings }

fn networks(app: &Known) -> impl Iterator<Item = (String, &Known)> {
    let items = app.at("networks").items().iter().enumerate();
    items.map(|(at, network)| (format!("/networks/{at}"), network))
}

fn old_and_new(app: &Known, found: &mut Vec<Finding>) {
    if !app.at("networks").has_items() {
        return;
    }
    let docker = app.at("container").at("docker").at("network");
    for (there, pointer, name) in [
        (docker.is_there(), "/container/docker/network", "container.docker.network"),
        (app.at("ipAddress").is_there(), "/ipAddress", "ipAddress"),
    ] {
        if there {
            let what = format!("`{name}` and `networks` can't stand together");
            found.push(
                Finding::new(pointer, what)
                    .on_key()
                    .help(format!("`{name}` is the form before 1.5: keep one of them"))
                    .since(V1_5),
            );
        }
    }
}

fn names_of_networks(app: &Known, found: &mut Vec<Finding>) {
    for (pointer, network) in networks(app) {
        let Some(mode @ (Mode::Host | Mode::Bridge)) = Mode::of(network) else { continue };
        let named = network.at("name").text().is_some_and(|name| !name.is_empty());
        if named {
            let what = format!("{} has no name", mode.noun());
            found.push(
                Finding::new(format!("{pointer}/name"), what)
                    .on_key()
                    .help("leave it out; only networks of mode `container` are named"),
            );
        }
        if mode == Mode::Host && network.at("labels").fields().next().is_some() {
            found.push(
                Finding::new(format!("{pointer}/labels"), "the host network has no labels")
                    .on_key()
                    .help("labels of the app stand in `labels`"),
            );
        }
    }
}

fn networks_differ(app: &Known, found: &mut Vec<Finding>) {
    let mut seen: Vec<Option<&str>> = Vec::new();
    for (pointer, network) in networks(app) {
        if Mode::of(network) != Some(Mode::Container) {
            continue;
        }
        let name = match network.at("name") {
            Known::Absent => None,
            Known::Text(name) => Some(name.as_str()),
            _ => continue,
        };
        if seen.contains(&name) {
            let what = match name {
                Some(name) => format!("the network `{name}` stands twice"),
                None => "two networks have no name".to_owned(),
            };
            found.push(Finding::new(pointer, what).on_key().help("an app joins a network once"));
        }
        seen.push(name);
    }
}

fn networks_go_together(app: &Known, found: &mut Vec<Finding>) {
    let modes: Option<Vec<Mode>> = networks(app).map(|(_, network)| Mode::of(network)).collect();
    let Some([first, rest @ ..]) = modes.as_deref() else { return };
    let apart = |mode: &Mode| *mode != Mode::Container || *first != Mode::Container;
    if let Some(at) = rest.iter().position(apart) {
        let other = rest[at];
        let what = if other == *first {
            format!("an app has {} once", first.noun())
        } else {
            format!("an app can't have {} and {}", first.noun(), other.noun())
        };
        found.push(
            Finding::new(format!("/networks/{}", at + 1), what)
                .on_key()
                .help("one host network, one bridge network, or any number of container networks"),
        );
    }
}

fn one_container_network_for_docker(app: &Known, found: &mut Vec<Finding>) {
    let of_containers = |network: &Known| Mode::of(network) == Some(Mode::Container);
    let mut others = networks(app).filter(|(_, network)| of_containers(network)).skip(1);
    if is_docker(app) == Some(true)
        && let Some((pointer, _)) = others.next()
    {
        found.push(
            Finding::new(pointer, "a container of type `DOCKER` joins one container network")
                .on_key()
                .help("`\"type\": \"MESOS\"` joins several"),
        );
    }
}

fn address_without_ports(app: &Known, found: &mut Vec<Finding>) {
    if !app.at("ipAddress").is_there() {
        return;
    }
    for field in ["ports", "portDefinitions"] {
        if app.at(field).has_items() {
            let what = format!("an app with `ipAddress` has no `{field}`");
            found.push(
                Finding::new(format!("/{field}"), what)
                    .on_key()
                    .help("it has an address of its own, where every port is its own; write `[]`"),
            );
        }
    }
}

fn discovery(app: &Known, found: &mut Vec<Finding>) {
    const POINTER: &str = "/ipAddress/discovery";
    let (container, discovery) = (app.at("container"), app.at("ipAddress").at("discovery"));
    if !discovery.is_there() {
        return;
    }
    if is_docker(app) == Some(true) {
        let finding =
            Finding::new(POINTER, "a container of type `DOCKER` takes no `ipAddress.discovery`")
                .on_key()
                .help("its ports stand in `portMappings`");
        let on_host =
            mode(app) == Some(Mode::Host) || container.at("docker").at("network").is_absent();
        found.push(if on_host { finding.since(V1_5) } else { finding });
    } else if discovery.at("ports").has_items() && container.at("portMappings").has_items() {
        let what = "`ipAddress.discovery.ports` and `container.portMappings` can't stand together";
        found.push(Finding::new(POINTER, what).on_key().help("keep the mappings"));
    }
}

fn named_by_mappings(app: &Known, found: &mut Vec<Finding>) {
    let of_containers: Vec<&Known> = networks(app)
        .map(|(_, network)| network)
        .filter(|network| Mode::of(network) == Some(Mode::Container))
        .collect();
    let all: Option<Vec<&str>> =
        of_containers.iter().map(|network| network.at("name").text()).collect();
    let mappings = app.at("container").at("portMappings").items().iter().enumerate();
    for (at, mapping) in mappings {
        let (pointer, names) =
            (format!("/container/portMappings/{at}"), mapping.at("networkNames"));
        for (number, name) in names.items().iter().enumerate() {
            if let (Some(name), Some(all)) = (name.text(), &all)
                && mode(app).is_some()
                && !all.contains(&name)
            {
                let what = format!("the app has no network `{name}`");
                let near = pipe_grammar::diagnostic::did_you_mean(name, all.iter().copied());
                found.push(
                    Finding::new(format!("{pointer}/networkNames/{number}"), what)
                        .help("the networks of an app stand in `networks`")
                        .help_if(near),
                );
            }
        }
        let one = matches!(names, Known::List(names) if names.len() == 1)
            || !(names.is_absent() || names.has_items());
        if of_containers.len() > 1 && mapping.at("hostPort").is_there() && !one {
            found.push(
                Finding::new(
                    pointer,
                    "a mapping with a `hostPort` has to say for which network it is",
                )
                .on_key()
                .help("name one: `\"networkNames\": [\"…\"]`"),
            );
        }
    }
}
