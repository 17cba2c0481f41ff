//! What end-to-end tests stand on: the binary, a place of its own for each test, redaction.
//!
//! The tests see only the binary and HTTP, never the insides of a crate.

mod binary;
mod case;
mod http;
mod place;
mod redact;
mod tools;

pub use binary::{Answer, Pipe, Running};
pub use case::Case;
pub use http::get;
pub use place::Place;
pub use redact::redact;
pub use tools::{have, left_out};
