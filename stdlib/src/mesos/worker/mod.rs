//! The worker: `pipe` itself inside a task. It asks for orders, runs them, and sends back what they
//! give. Without contact it ends by itself, with everything that it has started.

mod contact;
mod spool;
mod will;
mod work;

use will::Will;
pub(crate) use will::{exit_name, output_name};
pub use work::{Hands, work};
