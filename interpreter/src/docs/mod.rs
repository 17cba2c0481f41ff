//! The reference of everything that a Pipelinefile can call, made from the declarations.

mod markdown;
mod page;
mod signature;
mod terminal;
mod values;
pub(crate) mod wrap;

pub use markdown::markdown;
pub use page::{Page, find};
pub use terminal::show;
