//! The container.

use super::{
    super::{
        super::super::client::marathon::ServerVersion,
        finding::{Finding, V1_5},
        known::Known,
        network::is_docker,
    },
    rules,
};

rules! { container: docker_needs_docker, mesos_has_no_docker_network, credential, pull_config, network_none, for_the_other_engine }

fn docker_needs_docker(app: &Known, found: &mut Vec<Finding>) {
    let container = app.at("container");
    if is_docker(app) == Some(true) && container.at("docker").is_absent() {
        found.push(
            Finding::new("/container", "a container of type `DOCKER` needs `docker`")
                .on_key()
                .help("`\"docker\": { \"image\": \"…\" }`, or `\"type\": \"MESOS\"`"),
        );
    }
}

fn mesos_has_no_docker_network(app: &Known, found: &mut Vec<Finding>) {
    let docker = app.at("container").at("docker");
    if is_docker(app) != Some(false) {
        return;
    }
    for (field, given, help) in [
        ("network", docker.at("network").is_there(), "its network stands in `networks`"),
        (
            "portMappings",
            docker.at("portMappings").has_items(),
            "they stand in `container.portMappings`",
        ),
        ("parameters", docker.at("parameters").has_items(), "they are options of `docker run`"),
    ] {
        if given {
            let what = format!("a container of type `MESOS` takes no `docker.{field}`");
            found
                .push(Finding::new(format!("/container/docker/{field}"), what).on_key().help(help));
        }
    }
}

fn credential(app: &Known, found: &mut Vec<Finding>) {
    if app.at("container").at("docker").at("credential").is_there() {
        found.push(
            Finding::new("/container/docker/credential", "`credential` is not taken any more")
                .on_key()
                .help("name a secret: `\"pullConfig\": { \"secret\": \"…\" }`, or give the agents a login")
                .since(ServerVersion(1, 4, 0)),
        );
    }
}

fn pull_config(app: &Known, found: &mut Vec<Finding>) {
    let config = app.at("container").at("docker").at("pullConfig");
    if is_docker(app) == Some(true) && config.is_there() {
        found.push(
            Finding::new(
                "/container/docker/pullConfig",
                "only a container of type `MESOS` takes `pullConfig`",
            )
            .on_key()
            .help("`\"type\": \"MESOS\"` runs the image too; or give the agents a login"),
        );
    } else if let Some(secret) = config.at("secret").text() {
        found.extend(super::secrets::defined(app, secret, "/container/docker/pullConfig/secret"));
    }
}

fn network_none(app: &Known, found: &mut Vec<Finding>) {
    let network = app.at("container").at("docker").at("network").text();
    if network.is_some_and(|network| network.eq_ignore_ascii_case("NONE")) {
        found.push(
            Finding::new(
                "/container/docker/network",
                "an app without a network is not taken any more",
            )
            .help("leave the network out, or name another one")
            .since(V1_5),
        );
    }
}

/// What only the other kind of container looks at.
fn for_the_other_engine(app: &Known, found: &mut Vec<Finding>) {
    let container = app.at("container");
    let (docker, pointer, there) = match is_docker(app) {
        Some(true) => (true, "/container/linuxInfo", container.at("linuxInfo").is_there()),
        Some(false) => (
            false,
            "/container/docker/privileged",
            container.at("docker").at("privileged").is_true(),
        ),
        None => return,
    };
    if there {
        let (name, kind) = if docker { ("linuxInfo", "DOCKER") } else { ("privileged", "MESOS") };
        let what = format!("`{name}` does nothing in a container of type `{kind}`");
        found.push(Finding::new(pointer, what).on_key().ignored());
    }
}
