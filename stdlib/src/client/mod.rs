//! The servers that built-ins talk to. Clients know no built-in and no Pipelinefile.

mod base64;
pub mod engine;
pub(crate) mod http;
pub mod marathon;
pub mod mesos;
pub mod registry;
mod transport;
