//! Containers: made, started, looked at, removed
//! ([Engine API](https://docs.docker.com/reference/api/engine/), `/containers`).

use std::{collections::HashMap, path::PathBuf};

use bollard::{
    errors::Error,
    models::{
        ContainerCreateBody, ContainerInspectResponse, EndpointSettings, HealthConfig,
        HealthStatusEnum, HostConfig, HostConfigLogConfig, Mount as EngineMount, MountTmpfsOptions,
        MountType, NetworkingConfig, PortBinding,
    },
    query_parameters::{
        CreateContainerOptionsBuilder, KillContainerOptions, ListContainersOptionsBuilder,
        RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
        WaitContainerOptions,
    },
};
use futures_util::StreamExt;

use super::{Engine, Refusal, UNBOUNDED};
use crate::core::Failure;

/// A container that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// What it is called.
    pub name: String,
    /// Of which image, by name or id.
    pub image: String,
    /// `linux/arm64`; none: what the image says.
    pub platform: Option<String>,
    /// Instead of the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Instead of the image's command.
    pub command: Option<Vec<String>>,
    /// `NAME=value`; whoever may ask the engine can read it.
    pub environment: Vec<String>,
    /// A name, or `UID:GID`; none: what the image says.
    pub user: Option<String>,
    /// The folder it starts in; none: what the image says.
    pub dir: Option<String>,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// The network that it is in: a name, `host` or `none`.
    pub network: String,
    /// Further names that the network knows it by.
    pub aliases: Vec<String>,
    /// TCP ports of it that are reachable at this address of the engine's machine.
    pub published: Option<(&'static str, Vec<u16>)>,
    /// All rights on the engine's machine.
    pub privileged: bool,
    /// Processors at most.
    pub cpus: Option<f64>,
    /// Bytes of memory at most, swapped ones too.
    pub memory: Option<u64>,
    /// A process of the engine's reaps what loses its parent.
    pub init: bool,
    /// Its standard input stays open until whoever is attached goes away.
    pub stdin: bool,
    /// It is removed when it ends.
    pub auto_remove: bool,
    /// The health check of its image is left out.
    pub unchecked: bool,
}

/// What is mounted into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What.
    pub source: Source,
    /// Where, absolute.
    pub target: String,
    /// Only for reading.
    pub read_only: bool,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file or folder of the engine's machine, which must be there.
    Path(PathBuf),
    /// A volume by its name; it is made when there is none, and stays.
    Volume(String),
    /// A volume that goes with the container.
    Nameless,
    /// Memory, writable for everybody.
    Memory,
}

/// What an engine knows of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether its main process runs.
    pub is_running: bool,
    /// How it ended.
    pub status: i64,
    /// Whether it was ended because its memory was used up.
    pub out_of_memory: bool,
    /// What the health check of its image says; none: it has none.
    pub health: Option<Health>,
    /// What the last check wrote.
    pub health_said: String,
    /// The port of the engine's machine by the container's TCP port.
    pub ports: Vec<(u16, u16)>,
}

/// What a health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing yet.
    Starting,
    /// All well.
    Healthy,
    /// It failed more often than it may.
    Unhealthy,
}

/// An object of an engine with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

impl Engine {
    /// Makes a container, without starting it; answers its id.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn create(&self, new: &NewContainer) -> Result<Result<String, Refusal>, Failure> {
        let mut options = CreateContainerOptionsBuilder::new().name(&new.name);
        if let Some(platform) = &new.platform {
            options = options.platform(platform);
        }
        let made = self.docker.create_container(Some(options.build()), body(new)).await;
        self.answer(made.map(|made| made.id))
    }

    /// Starts a container.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn start(&self, id: &str) -> Result<Result<(), Refusal>, Failure> {
        // An engine may take long to make a network, or to unpack an image.
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        self.answer(docker.start_container(id, None::<StartContainerOptions>).await)
    }

    /// What has become of a container; none: there is no such one.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn look(&self, id: &str) -> Result<Option<Seen>, Failure> {
        let found = self.answer(self.docker.inspect_container(id, None).await)?;
        match found {
            Ok(found) => Ok(Some(seen(&found))),
            Err(refusal) if refusal.status == 404 => Ok(None),
            Err(refusal) => Err(self.failed_inside(&refusal.text)),
        }
    }

    /// Waits until a container does not run.
    ///
    /// # Errors
    ///
    /// When the engine does not answer any more.
    pub async fn wait(&self, id: &str) -> Result<(), Failure> {
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        let mut answers = std::pin::pin!(docker.wait_container(id, None::<WaitContainerOptions>));
        match answers.next().await {
            None | Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(Error::DockerResponseServerError { status_code: 404, .. })) => Ok(()),
            Some(Err(error)) => Err(self.broken(&error)),
        }
    }

    /// Asks a container to end, and ends it after so many seconds.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn stop(&self, id: &str, seconds: i32) -> Result<(), Failure> {
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        self.gone(docker.stop_container(id, Some(options)).await)
    }

    /// Ends a container at once.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn kill(&self, id: &str) -> Result<(), Failure> {
        self.gone(self.docker.kill_container(id, None::<KillContainerOptions>).await)
    }

    /// Ends and removes a container with its nameless volumes. Nothing happens when it is gone.
    ///
    /// # Errors
    ///
    /// When the engine does not answer, or can't remove it.
    pub async fn remove(&self, id: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        for _ in 0..200 {
            let removed = self.docker.remove_container(id, Some(options.clone())).await;
            match self.answer(removed)? {
                Ok(()) => return Ok(()),
                Err(refusal) if refusal.status == 404 => return Ok(()),
                // It is being removed already: because it ended, or by somebody else.
                Err(refusal) if refusal.status == 409 => {}
                Err(refusal) => return Err(self.failed_inside(&refusal.text)),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Err(self.failed_inside(&format!("the container {id} can't be removed")))
    }

    /// The containers with a label, running or not; `label` is `name` or `name=value`.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn containers(&self, label: &str) -> Result<Vec<Labelled>, Failure> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let found = self.docker.list_containers(Some(options)).await;
        let found = found.map_err(|error| self.broken(&error))?;
        let all = found.into_iter().map(|found| {
            let name = found.names.and_then(|names| names.into_iter().next()).unwrap_or_default();
            Labelled {
                id: found.id.unwrap_or_default(),
                name: name.trim_start_matches('/').to_owned(),
                labels: found.labels.unwrap_or_default(),
            }
        });
        Ok(all.collect())
    }

    /// Of what was to be ended, nothing is left: also when it was not there.
    fn gone(&self, answer: Result<(), Error>) -> Result<(), Failure> {
        match self.answer(answer)? {
            Ok(()) => Ok(()),
            // 304: stopped already; 404: no such container; 409: not running.
            Err(refusal) if matches!(refusal.status, 304 | 404 | 409) => Ok(()),
            Err(refusal) => Err(self.failed_inside(&refusal.text)),
        }
    }
}

fn body(new: &NewContainer) -> ContainerCreateBody {
    let endpoint =
        EndpointSettings { aliases: Some(new.aliases.clone()), ..EndpointSettings::default() };
    let (exposed, bindings) = match &new.published {
        None => (None, None),
        Some((address, ports)) => {
            let names = ports.iter().map(|port| format!("{port}/tcp"));
            let binding = PortBinding {
                host_ip: Some((*address).to_owned()),
                host_port: Some(String::new()),
            };
            let bindings = names.clone().map(|name| (name, Some(vec![binding.clone()])));
            (Some(names.collect()), Some(bindings.collect()))
        }
    };
    let memory = new.memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "a number of processors is small")]
    let cpus = new.cpus.map(|cpus| (cpus * 1e9).round() as i64);
    let host = HostConfig {
        mounts: Some(new.mounts.iter().map(mount).collect()),
        network_mode: Some(new.network.clone()),
        port_bindings: bindings,
        privileged: Some(new.privileged),
        nano_cpus: cpus,
        memory,
        memory_swap: memory,
        init: Some(new.init),
        auto_remove: Some(new.auto_remove),
        // Whoever has made it reads what it writes, as it comes.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        ..HostConfig::default()
    };
    let endpoints = HashMap::from([(new.network.clone(), endpoint)]);
    ContainerCreateBody {
        image: Some(new.image.clone()),
        entrypoint: new.entrypoint.clone(),
        cmd: new.command.clone(),
        env: Some(new.environment.clone()),
        user: new.user.clone(),
        working_dir: new.dir.clone(),
        labels: Some(new.labels.iter().cloned().collect()),
        exposed_ports: exposed,
        healthcheck: new.unchecked.then(|| HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        }),
        open_stdin: Some(new.stdin),
        stdin_once: Some(new.stdin),
        attach_stdin: Some(new.stdin),
        host_config: Some(host),
        networking_config: (!new.aliases.is_empty())
            .then_some(NetworkingConfig { endpoints_config: Some(endpoints) }),
        ..ContainerCreateBody::default()
    }
}

fn mount(mount: &Mount) -> EngineMount {
    let (typ, source) = match &mount.source {
        Source::Path(path) => (MountType::BIND, Some(path.display().to_string())),
        Source::Volume(name) => (MountType::VOLUME, Some(name.clone())),
        Source::Nameless => (MountType::VOLUME, None),
        Source::Memory => (MountType::TMPFS, None),
    };
    let writable = MountTmpfsOptions { mode: Some(0o1777), ..MountTmpfsOptions::default() };
    EngineMount {
        typ: Some(typ),
        source,
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        tmpfs_options: (mount.source == Source::Memory).then_some(writable),
        ..EngineMount::default()
    }
}

fn seen(found: &ContainerInspectResponse) -> Seen {
    let state = found.state.clone().unwrap_or_default();
    let health = state.health.unwrap_or_default();
    let last = health.log.and_then(|log| log.into_iter().next_back());
    let health_said = last.and_then(|last| last.output).unwrap_or_default().trim().to_owned();
    let ports = found.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
    let mut ports: Vec<(u16, u16)> = ports
        .into_iter()
        .flatten()
        .filter_map(|(name, bindings)| {
            let inside = name.strip_suffix("/tcp")?.parse().ok()?;
            let outside = bindings.as_ref()?.first()?.host_port.as_ref()?.parse().ok()?;
            Some((inside, outside))
        })
        .collect();
    ports.sort_unstable();
    Seen {
        is_running: state.running.unwrap_or_default(),
        status: state.exit_code.unwrap_or_default(),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        health_said,
        health: match health.status {
            Some(HealthStatusEnum::STARTING) => Some(Health::Starting),
            Some(HealthStatusEnum::HEALTHY) => Some(Health::Healthy),
            Some(HealthStatusEnum::UNHEALTHY) => Some(Health::Unhealthy),
            _ => None,
        },
        ports,
    }
}
