//! What people see, made of events.

pub mod draw;
pub mod history;
mod json;
mod plain;

pub use json::JsonLines;
pub use plain::Plain;
