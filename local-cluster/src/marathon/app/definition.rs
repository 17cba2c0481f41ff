//! An app: what was asked for, in the form of today, and what the cluster reads out of it.

use std::{collections::BTreeMap, ops::Deref, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AppId, normalise, schema, validate};
use crate::{
    marathon::error::{Details, Refusal},
    time::Timestamp,
};

/// An app with its version.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct App {
    /// When this version was made.
    pub(crate) version: Timestamp,
    /// When what it consists of changed.
    pub(crate) version_info: VersionInfo,
    definition: Map<String, Value>,
    view: View,
}

/// The two ways in which an app changes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    /// The number of instances.
    pub(crate) last_scaling_at: Timestamp,
    /// Anything else: tasks of an earlier version are out of date.
    pub(crate) last_config_change_at: Timestamp,
}

/// An app in the file of the cluster's state.
#[derive(Deserialize, Serialize)]
struct Stored {
    version: Timestamp,
    version_info: VersionInfo,
    definition: Map<String, Value>,
}

/// The fields that the cluster acts on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    pub(crate) id: AppId,
    pub(crate) instances: usize,
    pub(crate) cmd: Option<String>,
    pub(crate) args: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Value>,
    pub(crate) user: Option<String>,
    pub(crate) cpus: f64,
    pub(crate) mem: f64,
    pub(crate) disk: f64,
    pub(crate) gpus: u32,
    pub(crate) container: Option<Container>,
    #[serde(default)]
    networks: Vec<Network>,
    #[serde(default)]
    pub(crate) port_definitions: Vec<PortDefinition>,
    pub(crate) require_ports: bool,
    #[serde(default)]
    pub(crate) health_checks: Vec<HealthCheck>,
    #[serde(default)]
    pub(crate) readiness_checks: Vec<ReadinessCheck>,
    #[serde(default)]
    pub(crate) dependencies: Vec<AppId>,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) constraints: Vec<Vec<String>>,
    pub(crate) accepted_resource_roles: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) fetch: Vec<Fetch>,
    pub(crate) residency: Option<Value>,
    pub(crate) backoff_seconds: f64,
    pub(crate) backoff_factor: f64,
    pub(crate) max_launch_delay_seconds: f64,
    pub(crate) task_kill_grace_period_seconds: Option<u64>,
    pub(crate) kill_selection: String,
    pub(crate) upgrade_strategy: UpgradeStrategy,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    pub(crate) docker: Option<Docker>,
    #[serde(default)]
    pub(crate) volumes: Vec<Volume>,
    #[serde(default)]
    pub(crate) port_mappings: Vec<PortMapping>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Docker {
    pub(crate) image: String,
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Parameter {
    pub(crate) key: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    pub(crate) container_path: String,
    pub(crate) host_path: Option<String>,
    #[serde(default)]
    pub(crate) mode: String,
    pub(crate) persistent: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PortMapping {
    pub(crate) container_port: u16,
    pub(crate) host_port: Option<u16>,
    pub(crate) service_port: u16,
    pub(crate) protocol: String,
    pub(crate) name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PortDefinition {
    pub(crate) port: u16,
    pub(crate) name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Network {
    mode: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Fetch {
    pub(crate) uri: String,
    pub(crate) extract: bool,
    pub(crate) executable: bool,
    #[serde(rename = "destPath")]
    pub(crate) dest_path: Option<String>,
}

/// Whether the task does what it is for.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthCheck {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Command>,
    pub(crate) grace_period_seconds: u64,
    pub(crate) interval_seconds: u64,
    pub(crate) max_consecutive_failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port_index: Option<usize>,
    pub(crate) protocol: String,
    pub(crate) ip_protocol: String,
    pub(crate) timeout_seconds: u64,
    pub(crate) delay_seconds: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub(crate) struct Command {
    pub(crate) value: String,
}

/// Whether the task is ready for its first request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReadinessCheck {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) port_name: String,
    pub(crate) interval_seconds: u64,
    pub(crate) timeout_seconds: u64,
    pub(crate) http_status_codes_for_ready: Vec<u16>,
    pub(crate) preserve_last_response: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpgradeStrategy {
    pub(crate) maximum_over_capacity: f64,
    pub(crate) minimum_health_capacity: f64,
}

impl HealthCheck {
    /// Whether the Mesos executor runs it, and not Marathon.
    pub(crate) fn is_mesos(&self) -> bool {
        self.command.is_some() || self.protocol == "COMMAND" || self.protocol.starts_with("MESOS_")
    }
}

impl Deref for App {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl App {
    /// The app that a client describes whole: missing fields take their defaults.
    pub(crate) fn whole(given: &Map<String, Value>, id: Option<&AppId>) -> Result<Self, Refusal> {
        let given = read(given)?;
        Self::finish(given, id)
    }

    /// The app that a client changes: each given field replaces the whole field of that name.
    pub(crate) fn changed(&self, given: &Map<String, Value>) -> Result<Self, Refusal> {
        let given = read(given)?;
        let mut definition = self.definition.clone();
        // Ports belong to a kind of network: they do not follow the app to another.
        let new_mode = given.contains_key("networks").then(|| normalise::mode(&given));
        if new_mode.is_some_and(|mode| mode != normalise::mode(&definition)) {
            definition.shift_remove("portDefinitions");
            definition.shift_remove("requirePorts");
        }
        definition.extend(given);
        let mut app = Self::finish(definition, Some(&self.id))?;
        (app.version, app.version_info) = (self.version, self.version_info);
        Ok(app)
    }

    /// The app with another number of instances.
    pub(crate) fn scaled(&self, instances: usize) -> Self {
        let mut app = self.clone();
        app.definition.insert("instances".into(), instances.into());
        app.view.instances = instances;
        app
    }

    fn finish(mut definition: Map<String, Value>, id: Option<&AppId>) -> Result<Self, Refusal> {
        if let Some(id) = id {
            definition.insert("id".into(), id.as_str().into());
        }
        let Some(own) = definition.get("id").and_then(Value::as_str) else {
            let missing = vec![crate::marathon::error::Detail::new("/id", "error.path.missing")];
            return Err(Refusal::wrong_types(&missing));
        };
        let base = AppId::absolute(own);
        let absolute = base.as_str().to_owned();
        definition.insert("id".into(), absolute.into());
        if let Some(Value::Array(dependencies)) = definition.get_mut("dependencies") {
            for dependency in dependencies {
                let text = dependency.as_str().unwrap_or_default();
                *dependency = AppId::resolve(text, &base.parent()).as_str().into();
            }
        }
        normalise::complete(&mut definition);
        schema::fill(&mut definition);
        let broken = validate::canonical(&definition);
        if !broken.is_empty() {
            return Err(Refusal::not_valid(&broken));
        }
        let stored = Stored {
            version: Timestamp::default(),
            version_info: VersionInfo::default(),
            definition,
        };
        Self::try_from(stored).map_err(|error| Refusal::normalisation(error.to_string()))
    }

    /// The definition alone.
    #[cfg(test)]
    pub(crate) fn definition(&self) -> &Map<String, Value> {
        &self.definition
    }

    /// The definition with its version.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut json = self.definition.clone();
        json.insert("version".into(), self.version.to_string().into());
        json.insert(
            "versionInfo".into(),
            serde_json::to_value(self.version_info).unwrap_or_default(),
        );
        json
    }

    /// Whether tasks of `self` are out of date for `other`: everything but the number of
    /// instances counts (`state/AppDefinition.scala`, `isUpgrade`).
    pub(crate) fn differs(&self, other: &Self) -> bool {
        const UNORDERED: [&str; 4] =
            ["constraints", "healthChecks", "dependencies", "acceptedResourceRoles"];
        const IGNORED: [&str; 2] = ["instances", "executorResources"];
        let names = self.definition.keys().chain(other.definition.keys());
        names.filter(|name| !IGNORED.contains(&name.as_str())).any(|name| {
            match (self.definition.get(name), other.definition.get(name)) {
                (Some(Value::Array(a)), Some(Value::Array(b)))
                    if UNORDERED.contains(&name.as_str()) =>
                {
                    a.len() != b.len() || a.iter().any(|item| !b.contains(item))
                }
                (a, b) => a != b,
            }
        })
    }

    /// Whether it has its own network, with ports mapped from the host.
    pub(crate) fn is_bridged(&self) -> bool {
        self.networks.first().is_some_and(|network| network.mode != "host")
    }

    /// The service port of each of its ports.
    pub(crate) fn service_ports(&self) -> Vec<u16> {
        if self.is_bridged() {
            self.mappings().iter().map(|mapping| mapping.service_port).collect()
        } else {
            self.port_definitions.iter().map(|definition| definition.port).collect()
        }
    }

    /// Gives its ports service ports.
    pub(crate) fn set_service_ports(&mut self, ports: &[u16]) {
        let (path, name) =
            if self.is_bridged() { ("/portMappings", "servicePort") } else { ("", "port") };
        let holder = if self.is_bridged() { "container" } else { "portDefinitions" };
        let list = self.definition.get_mut(holder).and_then(|value| value.pointer_mut(path));
        let list = list.and_then(Value::as_array_mut);
        for (item, port) in list.into_iter().flatten().zip(ports) {
            item[name] = (*port).into();
        }
        if let Some(container) =
            self.view.container.as_mut().filter(|c| !c.port_mappings.is_empty())
        {
            for (mapping, port) in container.port_mappings.iter_mut().zip(ports) {
                mapping.service_port = *port;
            }
        } else {
            for (definition, port) in self.view.port_definitions.iter_mut().zip(ports) {
                definition.port = *port;
            }
        }
    }

    /// The mapped ports of an app off the host network.
    pub(crate) fn mappings(&self) -> &[PortMapping] {
        self.container.as_ref().map_or(&[], |container| container.port_mappings.as_slice())
    }

    /// The image that it runs in.
    pub(crate) fn image(&self) -> Option<&str> {
        Some(self.container.as_ref()?.docker.as_ref()?.image.as_str())
    }

    /// Whether its tasks keep data.
    pub(crate) fn is_resident(&self) -> bool {
        self.residency.is_some()
    }

    /// From TERM to KILL, in seconds of definitions; Mesos's default is 3.
    pub(crate) fn kill_grace(&self) -> u64 {
        self.task_kill_grace_period_seconds.unwrap_or(3)
    }
}

/// Reads, checks and translates the fields that a client wrote.
fn read(given: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut wrong = Details::new();
    let mut read = schema::read(given, &mut wrong);
    if !wrong.is_empty() {
        return Err(Refusal::wrong_types(&wrong));
    }
    let broken = validate::old_forms(&read);
    if !broken.is_empty() {
        return Err(Refusal::not_valid(&broken));
    }
    normalise::translate(&mut read)?;
    Ok(read)
}

impl TryFrom<Stored> for App {
    type Error = serde_json::Error;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let view = serde_json::from_value(Value::Object(stored.definition.clone()))?;
        let Stored { version, version_info, definition } = stored;
        Ok(Self { version, version_info, definition, view })
    }
}

impl From<App> for Stored {
    fn from(app: App) -> Self {
        let App { version, version_info, definition, .. } = app;
        Self { version, version_info, definition }
    }
}

/// A number of seconds of a definition.
pub(crate) fn seconds(number: f64, second: Duration) -> Duration {
    second.mul_f64(number.clamp(0.0, 1e9))
}
