//! `mesos`: the commands of a stage run as a task of a Mesos cluster.

mod condition;
mod fate;
mod fit;
pub mod link;
mod scheduler;
mod timing;
mod waiting;
mod want;
pub mod worker;

pub use condition::Condition;
pub use fate::{Exit, Fate, exit, fate};
pub use fit::{Lack, Pool};
pub use scheduler::{Effect, End, Note, Now, Order, Place, Scheduler, Ticket};
pub use timing::Timing;
pub use waiting::{Waiting, cluster_lines};
pub use want::Want;
