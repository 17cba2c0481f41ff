//! The link between `pipe` and the worker in a task.
//!
//! `pipe` serves, the worker calls: agents reach more than is reached from outside. The address
//! that stands in the task can be read by everybody who sees the task. It gives the program, which
//! is no secret, and once a key; whatever else is asked for needs the key. Values, secrets and
//! standard input travel only by it.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /TOKEN/pipe` | the program |
//! | `POST /TOKEN/hello` | once: the key |
//! | `GET /TOKEN/workspace` | the workspace as a tar |
//! | `GET /TOKEN/next?after=N` | the next order, or 204 after a while |
//! | `GET /TOKEN/stdin?order=N` | what a command reads |
//! | `POST /TOKEN/output?order=N&part=M` | |
//! | `POST /TOKEN/files?order=N` | |
//! | `POST /TOKEN/done?order=N` | |

mod depot;
mod desk;
mod frame;
mod message;
mod pieces;
mod tar;
mod token;

pub use depot::Depot;
pub use desk::{Desk, Report};
pub use frame::{Frames, Line};
pub use message::{Done, Hello, Order, Run, Task, Welcome};
pub(crate) use pieces::{inwards, outwards};
pub(crate) use tar::{pack, pack_some, unpack};
pub use token::token;
