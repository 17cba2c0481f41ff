//! Dockerfiles as texts: what is wrong in them, and what their words mean.

mod place;
mod problems;
mod words;

pub(super) use place::{keyword, name, offset};
pub use problems::problems;
pub(super) use words::{Scope, fields, joined, pairs};
