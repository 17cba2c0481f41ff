//! App definitions against what Marathon takes: a table of fields, and rules.

mod fields;
mod finding;
mod known;
mod network;
mod problems;
mod rules;
mod shape;
mod subject;
mod text;
mod walk;

pub use finding::{AppProblem, On};
pub use known::{Fields, Kind, Known};
pub use problems::app_problems;
pub use subject::unwrapped;
