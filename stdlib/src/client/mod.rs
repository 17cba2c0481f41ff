//! The servers that built-ins talk to. Clients know no built-in and no Pipelinefile.

pub mod base64;
pub mod buildah;
pub mod engine;
pub(crate) mod http;
pub mod marathon;
pub mod mesos;
pub mod registry;
pub mod transport;
