//! The local cluster as its users meet it: a process that is started, asked by HTTP and stopped.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod balancer;
mod container;
mod deploy;
mod events;
mod failure;
mod files;
mod harness;
mod image;
mod life;
mod registry;
mod rolling;
