//! The worker: `pipe` itself inside a task. It asks for orders, runs them, and sends back what they
//! give. Without contact it ends by itself, with everything that it has started.

mod contact;
mod spool;
mod will;
mod work;

pub(crate) use will::{Will, output_name, exit_name};
pub use work::{Hands, work};
