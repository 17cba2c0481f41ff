//! Containers of a real Docker Engine: those of stages, services, and one-off ones.

#![allow(clippy::unwrap_used)]

mod call;
mod config;
mod left;
mod run;
mod service;
mod session;
mod trouble;

#[allow(dead_code, reason = "the tests of images use the rest")]
#[path = "../images/tools.rs"]
mod tools;
