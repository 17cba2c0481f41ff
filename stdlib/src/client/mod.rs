//! The servers that built-ins talk to. Clients know no built-in and no Pipelinefile.

mod base64;
pub mod engine;
pub mod marathon;
pub mod registry;
mod transport;
