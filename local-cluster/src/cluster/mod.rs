//! The cluster's process: running it, starting it, finding it, ending it.

mod http;
mod list;
mod lock;
mod ports;
mod running;
mod serve;
mod settings;
mod start;
mod stop;

pub use list::{App, Task, apps, task_folders};
pub use running::{Running, status};
pub use serve::serve;
pub use settings::{Capacity, Settings, default_folder};
pub use start::start;
pub use stop::stop;
