//! Mesos as a scheduler meets it: the v1 API over JSON, 1.5 to 1.11 and its forks, with masters
//! that come and go.
//!
//! Sources: `include/mesos/v1/{mesos,scheduler/scheduler}.proto` of apache/mesos, and recordings of
//! a real master and agent, which are right where documents say something else.

mod call;
mod cluster;
mod connect;
mod error;
mod event;
mod offer;
mod recordio;
mod resource;
mod sandbox;
mod status;
mod stream;
mod task;

pub use call::{
    Accept, Acknowledge, Call, Capability, Decline, Filters, FrameworkInfo, Kill, Label, Labels,
    Launch, Operation, Reconcile, Roles, Subscribe, TaskOfAgent,
};
pub use cluster::{Agent, Cluster, Framework, Resources};
pub use connect::{Client, Pace};
pub use error::{Error, Kind};
pub use event::Event;
pub use offer::{Address, Attribute, AttributeValue, Domain, Id, Offer, Unavailability, Url};
pub use recordio::{Decoder, Malformed};
pub use resource::{Amount, Resource, Scalar};
pub use sandbox::{Page, Sandbox};
pub use status::{Limitation, State, Status};
pub use stream::Subscription;
pub use task::{
    CommandInfo, ContainerInfo, DockerInfo, DockerNetwork, Image, ImageName, KillPolicy, MesosInfo,
    NetworkInfo, Parameter, TaskInfo, TimeSpan, Uri,
};

pub(crate) use error::lower;
