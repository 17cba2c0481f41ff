//! A task as it is launched.
//!
//! Source: `include/mesos/v1/mesos.proto`, `TaskInfo`.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Id, Labels, Resource};

/// A task as it is launched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskInfo {
    /// For people.
    pub name: String,
    /// Never used before.
    pub task_id: Id,
    /// The agent of the offer.
    pub agent_id: Id,
    /// Pieces of the offer.
    pub resources: Vec<Resource>,
    /// What runs.
    pub command: CommandInfo,
    /// In what it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerInfo>,
    /// How it is ended.
    pub kill_policy: KillPolicy,
    /// After that the executor ends it by itself, whoever is still there (Mesos 1.6 and later).
    pub max_completion_time: TimeSpan,
    /// For people and tools.
    pub labels: Labels,
}

/// A time, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan(pub Duration);

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            nanoseconds: i64,
        }
        let nanoseconds = i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX);
        Wire { nanoseconds }.serialize(serializer)
    }
}

/// How a task is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KillPolicy {
    /// Between TERM and KILL.
    pub grace_period: TimeSpan,
}

/// What runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommandInfo {
    /// Files that the agent fetches first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<Uri>,
    /// Whether `value` goes to `/bin/sh -c`.
    pub shell: bool,
    /// The script, or the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The arguments; of a program, its own name first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// As which user of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A file that the agent fetches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uri {
    /// From where. It can be read by everybody who sees the task.
    pub value: String,
    /// Whether it is a program.
    pub executable: bool,
    /// Whether an archive is unpacked, by the ending of its name.
    pub extract: bool,
    /// How it is called in the folder of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_file: Option<String>,
}

/// In what a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContainerInfo {
    /// Mesos's own containers.
    Mesos {
        /// The image; without it, the agent's own file system.
        #[serde(skip_serializing_if = "Option::is_none")]
        mesos: Option<MesosInfo>,
        /// The networks; without them the agent's own.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        network_infos: Vec<NetworkInfo>,
    },
    /// The Docker Engine of the agent.
    Docker {
        /// What goes to `docker run`.
        docker: DockerInfo,
        /// The networks, for `USER`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        network_infos: Vec<NetworkInfo>,
    },
}

/// An image for Mesos's own containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MesosInfo {
    /// The image.
    pub image: Image,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Image {
    /// In a Docker registry.
    Docker {
        /// Which.
        docker: ImageName,
        /// Whether one that the agent has under this name will do.
        cached: bool,
    },
}

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageName {
    /// `rust:1.95`.
    pub name: String,
}

/// A network by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkInfo {
    /// The name.
    pub name: String,
}

/// What goes to `docker run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DockerInfo {
    /// The image.
    pub image: String,
    /// How it is connected.
    pub network: DockerNetwork,
    /// With all rights.
    pub privileged: bool,
    /// Pulled also when the agent has one of this name.
    pub force_pull_image: bool,
    /// Further options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

/// How a Docker container is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DockerNetwork {
    /// As the agent itself.
    Host,
    /// By Docker's bridge.
    Bridge,
    /// Not at all.
    None,
    /// By a network with a name.
    User,
}

/// A long option of `docker run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Without its dashes.
    pub key: String,
    /// Its value.
    pub value: String,
}
