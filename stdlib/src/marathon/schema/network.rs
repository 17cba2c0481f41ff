//! The network of an app and its ports, whichever form they are written in
//! (`api/v2/AppNormalization.scala`, `NetworkNormalization.scala`).

use super::known::{Kind, Known};

/// What network an app has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Host,
    Bridge,
    Container,
}

impl Mode {
    /// As a message calls it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Host => "the host network",
            Self::Bridge => "a bridge network",
            Self::Container => "a container network",
        }
    }

    /// Of an entry of `networks`.
    pub(super) fn of(network: &Known) -> Option<Self> {
        let mode = network.at("mode");
        if mode.is_absent() {
            return Some(Self::Container);
        }
        [("host", Self::Host), ("container/bridge", Self::Bridge), ("container", Self::Container)]
            .into_iter()
            .find(|(name, _)| mode.text().is_some_and(|mode| mode.eq_ignore_ascii_case(name)))
            .map(|(_, mode)| mode)
    }
}

/// The network of an app, if it is known.
pub(super) fn mode(app: &Known) -> Option<Mode> {
    let networks = app.at("networks");
    if let Some(first) = networks.items().first() {
        return Mode::of(first);
    }
    if !networks.lacks_items() {
        return None;
    }
    let (old, address) = (app.at("container").at("docker").at("network"), app.at("ipAddress"));
    if let Some(name) = old.text() {
        return [("HOST", Mode::Host), ("BRIDGE", Mode::Bridge), ("USER", Mode::Container)]
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, mode)| mode);
    }
    if !old.is_absent() {
        return None;
    }
    match address {
        Known::Absent => Some(Mode::Host),
        Known::Object(_) if address.at("networkName").text() == Some("mesos-bridge") => {
            Some(Mode::Bridge)
        }
        Known::Object(_) => Some(Mode::Container),
        _ => None,
    }
}

/// Whether the container is one of Docker's; if that is known.
pub(super) fn is_docker(app: &Known) -> Option<bool> {
    let container = app.at("container");
    match (container, container.at("type")) {
        (Known::Absent, _) => Some(false),
        (_, Known::Text(kind)) => Some(kind.eq_ignore_ascii_case("DOCKER")),
        (Known::Object(_), Known::Absent) => Some(true),
        _ => None,
    }
}

/// The list of port mappings that counts, and its pointer.
pub(super) fn mappings(app: &Known) -> (&'static str, &Known) {
    let container = app.at("container");
    let (new, old) = (container.at("portMappings"), container.at("docker").at("portMappings"));
    if new.lacks_items() && !old.is_absent() {
        ("/container/docker/portMappings", old)
    } else {
        ("/container/portMappings", new)
    }
}

/// The names of the ports of an app, in order; nothing if that is not known.
pub(super) fn ports(app: &Known) -> Option<Vec<Option<&str>>> {
    if mode(app)? == Mode::Host {
        let (old, new) = (app.at("ports"), app.at("portDefinitions"));
        return match (new, old) {
            (Known::Absent, Known::Absent) => Some(vec![Some("default")]),
            (Known::Absent, Known::List(ports)) => Some(vec![None; ports.len()]),
            (Known::List(_), _) => names(new),
            _ => None,
        };
    }
    let (container, discovered) = (app.at("container"), app.at("ipAddress").at("discovery"));
    if container.is_absent() && app.at("ipAddress").is_absent() {
        return Some(Vec::new());
    }
    let (_, mappings) = mappings(app);
    let mut ports = match mappings {
        Known::Absent => match discovered.at("ports") {
            Known::Absent => vec![Some("default")],
            found => names(found)?,
        },
        found => names(found)?,
    };
    // Ports of the host that have no mapping get an empty one.
    let more = match (app.at("portDefinitions"), app.at("ports")) {
        (Known::Absent, Known::Absent) => 0,
        (Known::List(ports), _) | (Known::Absent, Known::List(ports)) => ports.len(),
        _ => return None,
    };
    if more > ports.len() {
        ports.resize(more, None);
    }
    Some(ports)
}

fn names(list: &Known) -> Option<Vec<Option<&str>>> {
    let Known::List(items) = list else { return None };
    items
        .iter()
        .map(|item| match item.at("name") {
            Known::Absent => Some(None),
            Known::Text(name) => Some(Some(name.as_str())),
            // A name that is known later.
            Known::Open(Kind::Text | Kind::Anything) => None,
            _ => Some(None),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn mode_of(app: &Json) -> Option<Mode> {
        mode(&Known::from(app))
    }

    #[test]
    fn the_network_is_known_in_either_form() {
        let docker = |network: &str| json!({ "container": { "docker": { "network": network } } });
        assert_eq!(mode_of(&json!({})), Some(Mode::Host));
        assert_eq!(mode_of(&docker("HOST")), Some(Mode::Host));
        assert_eq!(mode_of(&docker("bridge")), Some(Mode::Bridge));
        assert_eq!(mode_of(&docker("USER")), Some(Mode::Container));
        assert_eq!(mode_of(&docker("NONE")), None);
        assert_eq!(mode_of(&json!({ "ipAddress": {} })), Some(Mode::Container));
        assert_eq!(mode_of(&json!({ "networks": [{}] })), Some(Mode::Container));
        assert_eq!(mode_of(&json!({ "networks": [{ "mode": "host" }] })), Some(Mode::Host));
        assert_eq!(
            mode_of(&json!({ "networks": [{ "mode": "container/bridge" }] })),
            Some(Mode::Bridge)
        );
        assert_eq!(mode(&Known::Open(Kind::Object)), None);
    }

    #[test]
    fn the_ports_are_counted_as_marathon_does() {
        let count = |app: Json| ports(&Known::from(&app)).map(|ports| ports.len());
        assert_eq!(count(json!({})), Some(1));
        assert_eq!(count(json!({ "ports": [] })), Some(0));
        assert_eq!(count(json!({ "ports": [0, 0] })), Some(2));
        assert_eq!(count(json!({ "portDefinitions": [{}, {}, {}] })), Some(3));
        let bridge = |mappings: Json| json!({ "container": { "docker": { "network": "BRIDGE", "portMappings": mappings } } });
        assert_eq!(count(bridge(json!(null))), Some(1));
        assert_eq!(count(bridge(json!([]))), Some(0));
        assert_eq!(count(bridge(json!([{}, {}]))), Some(2));
        let mut more = bridge(json!([{}]));
        more["ports"] = json!([0, 0, 0]);
        assert_eq!(count(more), Some(3));
        assert_eq!(count(json!({ "networks": [{}] })), Some(0));
        assert_eq!(count(json!({ "networks": [{}], "container": { "type": "MESOS" } })), Some(1));
    }
}
