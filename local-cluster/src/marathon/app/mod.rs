//! Definitions of apps: their names, their fields, their rules.

mod definition;
mod id;
mod normalise;
mod schema;
mod service_ports;
mod shape;
#[cfg(test)]
mod tests;
mod validate;

pub(crate) use definition::{
    App, HealthCheck, PortMapping, ReadinessCheck, VersionInfo, Volume, seconds,
};
pub(crate) use id::AppId;
pub(crate) use service_ports::assign_service_ports;
