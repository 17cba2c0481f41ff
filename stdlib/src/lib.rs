//! Values, types and the world outside; the built-ins of a Pipelinefile, one file each.
//!
//! The library owns values and types, the evaluator is its customer: no built-in ever calls back
//! into the interpreter, because control flow is grammar, not functions.

pub mod client;
pub mod core;
