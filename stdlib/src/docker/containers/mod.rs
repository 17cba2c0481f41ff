//! What everything that starts containers shares: names and labels, the image, the network of a
//! stage, and that nothing is left.

mod environment;
mod guard;
mod image;
mod lines;
mod log;
mod names;
mod place;
mod ready;
mod refused;
mod session;
mod sweep;
mod user;
mod volumes;
mod watchdog;

pub(super) use environment::{environment, secrets};
pub(super) use guard::Guard;
pub(super) use image::{get as image, progress};
pub(super) use lines::Lines;
pub(super) use log::Log;
pub(super) use names::plain;
pub(super) use place::{Place, Started};
pub(super) use ready::{Check, Probe};
pub(super) use refused::{missing_program, no_program};
pub(super) use session::{ContainerSession, Made};
pub(super) use user::user;
pub(super) use volumes::{HOME, home, volumes, workspace};

pub use sweep::{Owner, sweep};
pub use watchdog::{watch, watched_by};
