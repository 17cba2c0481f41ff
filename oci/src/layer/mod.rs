//! Layers: what an instruction adds to a file system, as a tar archive in gzip.

mod content;
mod entry;
mod gzip;
mod listing;
mod spool;
mod tree;
mod writer;

pub use content::{Content, Packed, Stamp};
pub use entry::{Attributes, Entry, Node, Special, Xattrs};
pub use gzip::{Earlier, Piece};
pub use listing::{Listing, new_inode};
pub use spool::Spool;
pub use tree::{Tree, resolve};
pub use writer::{Layer, LayerWriter};

#[cfg(test)]
mod tests;
