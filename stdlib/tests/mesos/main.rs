//! Tasks of a Mesos cluster, against recordings of a real master and a cluster that fails as told.

// What is measured is printed.
#![allow(clippy::print_stdout)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod call;
// The tests of the whole binary use it, too.
#[allow(dead_code, unreachable_pub)]
mod cluster;
mod faults;
mod replay;
mod size;
mod worker;
