//! A Marathon and an image registry on this machine, so that a whole pipeline runs without a
//! cluster.
//!
//! [`start`] starts a process that answers on two ports of 127.0.0.1: the one speaks
//! [Marathon's HTTP API](https://mesosphere.github.io/marathon/docs/rest-api.html) as version 1.8
//! did, the other that of an [image registry](https://github.com/opencontainers/distribution-spec).
//! Apps become real processes: a `cmd` runs in the shell, an image that was pushed to the registry
//! runs in a root, and where it asks for bridge networking in a network, of its own, as root or as
//! an ordinary user, without a container engine.
//!
//! What it is not: there is one agent, this machine; images come from its own registry only;
//! resources are counted at most, never enforced; there are no groups, pods, secrets or
//! authentication. Who may talk to it are the user that it runs as, and root.
//!
//! Tasks do not outlive the cluster's process: when it ends, they are ended, and when it is killed,
//! they notice and end within seconds. Apps do: the next start brings them back.

mod agent;
mod cluster;
mod error;
mod files;
mod guard;
mod log;
mod marathon;
mod random;
mod registry;
mod task;
mod time;

pub use cluster::{
    App, Capacity, Running, Settings, Task, apps, default_folder, serve, start, status, stop,
    task_folders,
};
pub use error::Error;
pub use task::task_main;
