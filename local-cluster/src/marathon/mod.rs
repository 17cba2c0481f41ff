//! The Marathon half: definitions, deployments, the engine that carries them out, and the HTTP API.

pub(crate) mod api;
pub(crate) mod app;
mod deployment;
pub(crate) mod engine;
mod error;
