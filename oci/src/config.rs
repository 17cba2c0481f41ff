//! The configuration of an image: what runs in it, and which layers it has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, Error, Platform, Result};

/// The configuration of an image, as [OCI](https://github.com/opencontainers/image-spec/blob/main/config.md)
/// and Docker write it. Fields that are not known here are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// `amd64`, `arm64`, in Go's names.
    #[serde(default)]
    pub architecture: String,
    /// How to run it.
    #[serde(default, deserialize_with = "or_null")]
    pub config: ContainerConfig,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// One item for each instruction.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_null")]
    pub history: Vec<History>,
    /// `linux`.
    #[serde(default)]
    pub os: String,
    /// The layers.
    #[serde(default, deserialize_with = "or_null")]
    pub rootfs: RootFs,
    /// `v7` of `linux/arm/v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a container of an image runs. The names are Docker's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// `user`, `user:group`, by name or number; empty: root.
    #[serde(default)]
    pub user: String,
    /// `8080/tcp`.
    #[serde(default, skip_serializing_if = "none_or_empty", deserialize_with = "or_null")]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// `NAME=value`.
    #[serde(default, deserialize_with = "or_null")]
    pub env: Vec<String>,
    /// The program with its first arguments.
    #[serde(default)]
    pub entrypoint: Option<Vec<String>>,
    /// The arguments, or without an entrypoint program and arguments.
    #[serde(default)]
    pub cmd: Option<Vec<String>>,
    /// How Docker asks whether it is healthy. OCI has no such field; Docker reads it there too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Folders that are kept apart from the container.
    #[serde(default, skip_serializing_if = "none_or_empty", deserialize_with = "or_null")]
    pub volumes: BTreeMap<String, Empty>,
    /// The folder that it runs in; empty: `/`.
    #[serde(default)]
    pub working_dir: String,
    /// Facts for people and tools.
    #[serde(default, skip_serializing_if = "none_or_empty", deserialize_with = "or_null")]
    pub labels: BTreeMap<String, String>,
    /// What asks it to end; without it SIGTERM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// What interprets commands in the shell form; without it `/bin/sh -c`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    /// Instructions for images that are built on this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_null")]
    pub on_build: Vec<String>,
    /// All other fields.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// `{}`: sets are written as maps of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// How Docker asks whether a container is healthy. Times are nanoseconds, 0: the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", "…"]`.
    #[serde(default, deserialize_with = "or_null")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interval: u64,
    /// What one may take.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timeout: u64,
    /// At the start, when failed checks do not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start_period: u64,
    /// Failures in a row until it counts as unhealthy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u64,
}

/// What an instruction did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What builders remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether it made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// The layers of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digests of the layers' tar archives before compression, lowest first.
    #[serde(default, deserialize_with = "or_null")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".into(), diff_ids: Vec::new() }
    }
}

impl ImageConfig {
    /// An image without layers for a platform.
    #[must_use]
    pub fn scratch(platform: &Platform) -> Self {
        Self {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone(),
            ..Self::default()
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// When the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map_err(|e| Error::invalid(format!("the image's configuration can't be read: {e}")))
    }

    /// Its bytes; the same for the same content.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes(self)
    }

    /// What it runs on.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl ContainerConfig {
    /// The value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find_map(|v| v.strip_prefix(name)?.strip_prefix('='))
    }

    /// Sets an environment variable, at its place when there is one of that name.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        let text = format!("{name}={value}");
        let same = |v: &&mut String| v.strip_prefix(name).is_some_and(|v| v.starts_with('='));
        match self.env.iter_mut().find(same) {
            Some(variable) => *variable = text,
            None => self.env.push(text),
        }
    }
}

/// The JSON text of a value whose maps have texts as keys: that can't fail.
pub(crate) fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn none_or_empty<V>(map: &BTreeMap<String, V>) -> bool {
    map.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Docker writes `null` for an empty list or map.
pub(crate) fn or_null<'de, T, D>(deserializer: D) -> std::result::Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What the Docker Engine 20.10 writes for a small image, shortened.
    const ENGINES: &str = r#"{"architecture":"amd64","config":{"Hostname":"","User":"1000",
        "ExposedPorts":{"8080/tcp":{}},"Env":["PATH=/bin"],"Cmd":["/server"],"Volumes":null,
        "WorkingDir":"/srv","Entrypoint":null,"OnBuild":null,"Labels":{"a":"b"}},
        "container":"d0","created":"2024-01-01T00:00:00Z","docker_version":"20.10.24",
        "history":[{"created":"2024-01-01T00:00:00Z","created_by":"COPY a b"}],"os":"linux",
        "rootfs":{"type":"layers","diff_ids":["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]}}"#;

    #[test]
    fn an_engines_configuration_is_read_and_unknown_fields_stay() {
        let config = ImageConfig::parse(ENGINES.as_bytes()).unwrap();
        assert_eq!(config.config.cmd.as_deref(), Some(&["/server".to_owned()][..]));
        assert_eq!(config.config.entrypoint, None);
        assert!(config.config.volumes.is_empty());
        assert!(config.config.exposed_ports.contains_key("8080/tcp"));
        assert_eq!(config.platform().to_string(), "linux/amd64");
        let again: Value = serde_json::from_slice(&config.to_bytes()).unwrap();
        assert_eq!(again["docker_version"], "20.10.24");
        assert_eq!(again["config"]["Hostname"], "");
        assert_eq!(ImageConfig::parse(&config.to_bytes()).unwrap(), config);
    }

    #[test]
    fn what_is_empty_may_be_null() {
        // As BuildKit writes an image without layers.
        let text = r#"{"config":{"Env":null,"Cmd":null},"history":null,"rootfs":{"type":"layers","diff_ids":null}}"#;
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert!(config.rootfs.diff_ids.is_empty() && config.history.is_empty());
        assert_eq!(
            ImageConfig::parse(br#"{"config":null,"rootfs":null}"#).unwrap().rootfs.kind,
            "layers"
        );
    }

    #[test]
    fn a_variable_is_set_at_its_place() {
        let mut config = ContainerConfig::default();
        config.set_variable("PATH", "/bin");
        config.set_variable("A", "1");
        config.set_variable("PATH", "/usr/bin");
        assert_eq!(config.env, ["PATH=/usr/bin", "A=1"]);
        assert_eq!(config.variable("A"), Some("1"));
        assert_eq!(config.variable("PAT"), None);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        assert!(ImageConfig::parse(b"[]").unwrap_err().to_string().contains("can't be read"));
    }
}
