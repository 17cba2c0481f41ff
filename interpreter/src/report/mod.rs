//! What people see, made of events.

pub mod draw;
mod json;
mod plain;

pub use json::JsonLines;
pub use plain::Plain;
