//! What people see, made of events.

pub mod draw;
