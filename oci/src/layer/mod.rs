//! Layers: what an instruction adds to a file system, as a tar archive in gzip.

mod tree;
mod writer;

pub use tree::{Content, Entry, Node, Tree};
pub use writer::{Attributes, Layer, LayerWriter};
