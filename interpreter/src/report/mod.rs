//! What people see, made of events.

pub mod draw;
pub mod history;
pub mod html;
mod json;
pub mod junit;
mod log;
mod plain;
pub mod traces;
pub mod trail;

pub use json::JsonLines;
pub use plain::Plain;
