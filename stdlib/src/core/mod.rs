//! What every built-in stands on: values, failures, the world outside, and the declaration itself.
//!
//! Nothing here knows any built-in.

mod arguments;
mod builtin;
mod call;
mod connection;
mod failure;
mod report;
mod secret;
mod value;
mod world;

pub use arguments::{Arguments, FromValue};
pub use builtin::{Builtin, Implementation, Kind, Module};
pub use call::{Call, Outcome, Running};
pub use connection::{Connections, DockerConnection, LocalCluster, MarathonConnection};
pub use failure::{Failure, FailureKind, Problem, Spot};
pub use report::{Intent, Report, Stream};
pub use secret::Secret;
pub use value::{Record, Str, Value};
pub use world::World;

pub(crate) use builtin::{builtin, module};
