//! Dockerfiles as texts: what is wrong in them, and what their words mean.

mod place;
mod problems;
mod text;
mod words;

pub(super) use place::{keyword, name, offset};
pub use problems::problems;
pub(super) use text::{here_name, raw_text, text};
pub(super) use words::{Scope, fields, joined, pairs};
