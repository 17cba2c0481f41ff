//! The stages of a file and what each waits for, as a drawing.

mod dot;
mod layout;
mod mermaid;
mod model;
mod svg;

pub use dot::dot;
pub use mermaid::mermaid;
pub use model::{Edge, Graph, Node};
pub use svg::svg;
