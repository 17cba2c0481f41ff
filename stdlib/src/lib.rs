//! Values, types and the world outside; the built-ins of a Pipelinefile, one file each.
//!
//! The library owns values and types, the evaluator is its customer: no built-in ever calls back
//! into the interpreter, because control flow is grammar, not functions.

mod archive;
mod artifact;
mod ci;
pub mod client;
pub mod connect;
pub mod core;
pub mod docker;
mod env;
mod file;
pub mod git;
mod glob;
mod hash;
mod http;
mod json;
mod junit;
mod library;
mod log;
pub mod marathon;
pub mod mesos;
mod notify;
mod path;
mod semver;
mod sh;
#[cfg(test)]
mod testing;
mod text;
mod time;
mod yaml;

pub use library::{Library, library};

/// The modules, in the order of the documentation.
const MODULES: &[&core::Module] = &[
    &docker::MODULE,
    &marathon::MODULE,
    &mesos::MODULE,
    &git::MODULE,
    &ci::MODULE,
    &file::MODULE,
    &path::MODULE,
    &hash::MODULE,
    &json::MODULE,
    &yaml::MODULE,
    &text::MODULE,
    &semver::MODULE,
    &time::MODULE,
    &archive::MODULE,
    &artifact::MODULE,
    &http::MODULE,
    &notify::MODULE,
];

/// Functions and values without a module.
const ALONE: &[&core::Builtin] =
    &[&env::BUILTIN, &glob::BUILTIN, &junit::BUILTIN, &log::BUILTIN, &sh::BUILTIN];
