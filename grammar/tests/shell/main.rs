//! The quoting machine against its table and against real shells.
#![allow(clippy::unwrap_used, clippy::print_stderr, unreachable_pub)]

mod compare;
mod constructs;
mod differential;
mod exact;
mod guards;
mod limits;
mod programs;
mod shells;
mod syntax;
mod table;
mod template;
mod values;
