//! A Marathon and an image registry on this machine, so that a whole pipeline runs without a
//! cluster.
//!
//! [`start`] makes a process of its own that outlives its caller, [`status`] finds it again,
//! [`stop`] ends it. It listens at 127.0.0.1 only, to its own user and root. Its Marathon speaks
//! [the HTTP API](https://mesosphere.github.io/marathon/api-console/index.html), version 2, of
//! Marathon 1.8; its registry speaks [the OCI distribution
//! API](https://github.com/opencontainers/distribution-spec/blob/main/spec.md). Apps with a `cmd`
//! run in the machine's own root, apps with an image of the own registry in a copy of that; both
//! without a container engine, as root or as an ordinary user, apart from others as far as the
//! kernel allows: with namespaces of their own where it does.
//!
//! Apps with the label `HAPROXY_GROUP` answer at their service ports too, as behind
//! [marathon-lb](https://github.com/mesosphere/marathon-lb), whose statistics stand beside
//! Marathon's API.
//!
//! **Tasks end with the cluster's process**, also when that is killed: they notice, and end within
//! seconds. Apps, their versions and the registry's images are kept in the folder: with the next
//! start the apps come back.
//!
//! What is not as in a real cluster:
//!
//! - There is one agent, `127.0.0.1`; processors and memory are not limited.
//! - A task with a bridge network reaches itself and is reached at its host ports, but reaches
//!   nothing outside.
//! - The load balancer passes connections on: it knows no names of hosts, no paths and no
//!   certificates.
//! - HTTPS health checks ask only whether the port is open.
//! - Docker parameters, external volumes, secrets, pods and groups are not there, nor do container
//!   networks have addresses.

#[cfg(target_os = "linux")]
mod agent;
#[cfg(target_os = "linux")]
mod balancer;
#[cfg(target_os = "linux")]
mod cluster;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod error;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod log;
#[cfg(target_os = "linux")]
mod marathon;
#[cfg(target_os = "linux")]
mod random;
#[cfg(target_os = "linux")]
mod registry;
mod settings;
#[cfg(target_os = "linux")]
mod task;
#[cfg(target_os = "linux")]
mod time;
mod view;

#[cfg(target_os = "linux")]
pub use cluster::{serve, start, status, stop, task_folders, tasks};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{serve, start, status, stop, task_folders, task_main, tasks};
pub use error::Error;
pub use settings::{Capacity, Settings, default_folder};
#[cfg(target_os = "linux")]
pub use task::task_main;
pub use view::{AppOverview, Running, TaskOverview};
