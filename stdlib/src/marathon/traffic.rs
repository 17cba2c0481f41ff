//! Which app gets traffic: the labels by which marathon-lb is told.
//!
//! What it makes of them (`get_apps` in `marathon_lb.py`, and `zdd.py`):
//! - An app is served when one of its `HAPROXY_GROUP` is the load balancer's.
//! - Two apps of one `HAPROXY_DEPLOYMENT_GROUP` are one service. As many tasks of the older get no
//!   new connection as the newer has healthy ones. They are put together before `HAPROXY_GROUP` is
//!   looked at, so an app without traffic must not have either.
//! - The older is the one whose `HAPROXY_DEPLOYMENT_STARTED_AT` is. It is compared with a time that
//!   has no zone: one with a zone would end the load balancer's work for all apps.
//! - `HAPROXY_{n}_PORT` is where it listens, whatever the service port; service ports must differ
//!   from app to app.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use pipe_grammar::Code;
use serde_json::Value as Json;

use super::definition::Definition;
use crate::core::Failure;

/// What all of its labels begin with.
const PREFIX: &str = "HAPROXY_";
const GROUP: &str = "HAPROXY_GROUP";
const DEPLOYMENT_GROUP: &str = "HAPROXY_DEPLOYMENT_GROUP";
const STARTED_AT: &str = "HAPROXY_DEPLOYMENT_STARTED_AT";
const ALT_PORT: &str = "HAPROXY_DEPLOYMENT_ALT_PORT";

/// Where the service ports stand, in the forms of all generations; the first that is there counts.
const PORTS: [(&str, &str); 4] = [
    ("/container/docker/portMappings", "servicePort"),
    ("/container/portMappings", "servicePort"),
    ("/portDefinitions", "port"),
    ("/ports", ""),
];

/// A label.
fn label<'a>(app: &'a Json, name: &str) -> Option<&'a str> {
    app["labels"][name].as_str().filter(|text| !text.is_empty())
}

/// Whether a load balancer is told to serve the app.
pub(super) fn has_traffic(app: &Json) -> bool {
    let mut names = app["labels"].as_object().into_iter().flatten().map(|(name, _)| name);
    names.any(|name| {
        name.starts_with(PREFIX) && name.ends_with("_GROUP") && name != DEPLOYMENT_GROUP
    })
}

/// The deployment group, without a slash before it.
pub(super) fn group(app: &Json) -> Option<&str> {
    label(app, DEPLOYMENT_GROUP).map(|group| group.trim_start_matches('/'))
}

/// Since when it has traffic; empty where nobody says so. In the order of time.
pub(super) fn started(app: &Json) -> &str {
    label(app, STARTED_AT).unwrap_or_default()
}

/// The labels without those of the load balancer.
pub(super) fn other_labels(app: &Json) -> Json {
    let labels = app["labels"].as_object().into_iter().flatten();
    labels
        .filter(|(name, _)| !name.starts_with(PREFIX))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The service ports, 0 for one that Marathon chooses.
pub(super) fn service_ports(app: &Json) -> Vec<u64> {
    let Some((list, field)) = ports(app) else { return Vec::new() };
    let items = app.pointer(list).and_then(Json::as_array).into_iter().flatten();
    let port = |item: &Json| if field.is_empty() { item.as_u64() } else { item[field].as_u64() };
    items.map(|item| port(item).unwrap_or(0)).collect()
}

fn ports(app: &Json) -> Option<(&'static str, &'static str)> {
    let there =
        |list: &str| app.pointer(list).and_then(Json::as_array).is_some_and(|l| !l.is_empty());
    PORTS.into_iter().find(|(list, _)| there(list))
}

fn set_service_ports(app: &mut Json, new: &[u64]) {
    let Some((list, field)) = ports(app) else { return };
    let items = app.pointer_mut(list).and_then(Json::as_array_mut);
    for (item, port) in items.into_iter().flatten().zip(new) {
        if field.is_empty() {
            *item = Json::from(*port);
        } else {
            item[field] = Json::from(*port);
        }
    }
}

/// Whether the load balancer can be told of a second app with this definition; else why not.
///
/// # Errors
///
/// A label or a port is missing.
pub(super) fn check(definition: &Definition) -> Result<String, Failure> {
    let (app, id) = (&definition.json, &definition.id);
    let missing =
        |what: String| Failure::new(Code::INVALID_APP, what).at(definition.spot("/labels"));
    if !has_traffic(app) {
        return Err(missing(format!(
            "`{id}` has no label `{GROUP}`, so no load balancer knows it"
        ))
        .help(format!("marathon-lb serves the apps of its group: `\"{GROUP}\": \"external\"`")));
    }
    let Some(group) = group(app) else {
        return Err(no_group(definition, "has"));
    };
    let listens = label(app, "HAPROXY_0_PORT").is_some() || label(app, "HAPROXY_0_VHOST").is_some();
    if !listens && service_ports(app).first().is_none_or(|port| *port == 0) {
        let spot = definition.spot(ports(app).map_or("", |(list, _)| list));
        return Err(Failure::new(
            Code::INVALID_APP,
            format!("`{id}` has no service port of its own, so a second version would get another"),
        )
        .at(spot)
        .help("give its first port a `servicePort`, or the label `HAPROXY_0_PORT`"));
    }
    Ok(group.to_owned())
}

/// The label that makes two apps one service is missing; the app `has` or `runs without` it.
pub(super) fn no_group(definition: &Definition, has: &str) -> Failure {
    let id = &definition.id;
    let name = id.trim_start_matches('/').replace('/', "-");
    let what = match has {
        "has" => format!("`{id}` has no label `{DEPLOYMENT_GROUP}`"),
        has => format!("`{id}` {has} the label `{DEPLOYMENT_GROUP}` of its definition"),
    };
    let failure = Failure::new(Code::INVALID_APP, what)
        .at(definition.spot("/labels"))
        .label("by this label the load balancer takes two apps for one service");
    match has {
        "has" => {
            failure.help(format!("write `\"{DEPLOYMENT_GROUP}\": \"{name}\"` into its labels"))
        }
        _ => failure.help("deploy this definition once: `marathon.deploy(…)`"),
    }
}

/// A definition for an app beside another one, with service ports of its own.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    definition: Definition,
    /// The ports that the load balancer listens at, by index; 0: none that is known.
    listens: Vec<u64>,
    /// The id of the definition as it was written.
    of: String,
}

impl Beside {
    /// An app `id` with the definition of another one. `taken`: service ports that others have.
    pub(super) fn new(definition: &Definition, id: &str, taken: &[u64]) -> Self {
        let listens = service_ports(&definition.json);
        let mut other = definition.clone();
        other.id = id.to_owned();
        other.json["id"] = Json::from(id);
        let alternative = label(&other.json, ALT_PORT).and_then(|port| port.parse().ok());
        let free = |port: &u64| !taken.contains(port);
        let own: Vec<u64> = listens
            .iter()
            .enumerate()
            .map(|(n, port)| {
                let other = alternative.filter(|port| n == 0 && free(port));
                Some(*port).filter(free).or(other).unwrap_or(0)
            })
            .collect();
        set_service_ports(&mut other.json, &own);
        Self { definition: other, listens, of: definition.id.clone() }
    }

    /// As it is before it gets traffic.
    pub(super) fn without_traffic(&self) -> Definition {
        let mut quiet = self.definition.clone();
        quiet.json["labels"] = other_labels(&quiet.json);
        quiet
    }

    /// As it is when it gets the traffic of `old`, from `now` on.
    pub(super) fn with_traffic(
        &self,
        old: Option<&Json>,
        colour: Option<&str>,
        now: Timestamp,
    ) -> Definition {
        let mut served = self.definition.clone();
        let instances = served.json["instances"].as_u64().unwrap_or(1);
        let own = &served.json;
        let ports: Vec<(String, Json)> = self
            .listens
            .iter()
            .enumerate()
            .map(|(n, port)| (format!("HAPROXY_{n}_PORT"), port))
            .filter(|(name, port)| **port != 0 && label(own, name).is_none())
            .map(|(name, port)| (name, Json::from(port.to_string())))
            .collect();
        let labels = &mut served.json["labels"];
        for (name, value) in ports {
            labels[name] = value;
        }
        labels["HAPROXY_APP_ID"] = Json::from(self.of.clone());
        labels[STARTED_AT] = Json::from(later_than(old.map_or("", started), now));
        // Older load balancers drain none of the old tasks before the new ones are so many.
        labels["HAPROXY_DEPLOYMENT_TARGET_INSTANCES"] = Json::from(instances.to_string());
        if let Some(colour) = colour {
            labels["HAPROXY_DEPLOYMENT_COLOUR"] = Json::from(colour);
        }
        served
    }
}

/// Now, or a second after `old`: `zdd.py` writes the time of its own zone, which may be ahead.
fn later_than(old: &str, now: Timestamp) -> String {
    let now = now.to_zoned(TimeZone::UTC).datetime();
    let after = old
        .parse::<DateTime>()
        .ok()
        .and_then(|old| old.checked_add(jiff::SignedDuration::from_secs(1)).ok());
    after.map_or(now, |after| after.max(now)).strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests;
