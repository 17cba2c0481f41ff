//! The cluster's process: running it, starting it, finding it, ending it.

mod folder;
mod http;
mod list;
mod lock;
mod ports;
mod running;
mod serve;
mod start;
mod stop;

pub use list::{task_folders, tasks};
pub use running::status;
pub use serve::serve;
pub use start::start;
pub use stop::stop;
