//! Values, types and the world outside; the built-ins of a Pipelinefile, one file each.
//!
//! The library owns values and types, the evaluator is its customer: no built-in ever calls back
//! into the interpreter, because control flow is grammar, not functions.

pub mod client;
pub mod connect;
pub mod core;
pub mod docker;
mod env;
mod git;
mod library;
mod log;
pub mod marathon;

pub use library::{Library, library};

/// The modules, in the order of the documentation.
const MODULES: &[&core::Module] = &[&git::MODULE, &docker::MODULE, &marathon::MODULE];

/// Functions and values without a module.
const ALONE: &[&core::Builtin] = &[&env::BUILTIN, &log::BUILTIN];
