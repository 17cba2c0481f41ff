//! `mesos`: the commands of a stage run as a task of a Mesos cluster.

mod address;
mod condition;
mod fate;
mod fit;
mod framework;
mod life;
pub mod link;
mod sandbox;
mod scheduler;
mod session;
mod site;
mod start;
mod timing;
mod trouble;
mod waiting;
mod want;
pub mod worker;

pub use condition::Condition;
pub use fate::{Exit, Fate, exit, fate};
pub use fit::{Lack, Pool};
pub use framework::{Framework, Handle};
pub use scheduler::{Effect, End, Note, Now, Order, Place, Scheduler, Ticket};
pub use task::task_with;
pub use timing::Timing;
pub use waiting::{Waiting, cluster_lines};
pub use want::Want;

use crate::core::module;

module! {
    "Tasks of a Mesos cluster."
    mesos: task, agents;
    types: agents::TYPES
}
