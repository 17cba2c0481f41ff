//! Images as bytes: references, digests, manifests, configurations, layers, and the folder that
//! keeps them.
//!
//! Nothing here knows the network or the language of a Pipelinefile. Formats follow the [OCI image
//! specification](https://github.com/opencontainers/image-spec/blob/main/spec.md) and Docker's
//! [image manifest version 2, schema 2](https://distribution.github.io/distribution/spec/manifest-v2-2/).

mod config;
mod decompress;
mod digest;
mod error;
mod format;
mod layer;
mod manifest;
pub mod media_type;
mod platform;
mod reference;
mod store;
mod unpack;

pub use config::{ContainerConfig, Empty, Healthcheck, History, ImageConfig, RootFs};
pub use decompress::{Compression, decompressed};
pub use digest::{Digest, Hashing};
pub use error::{Error, Result, plain};
pub use format::Format;
pub use layer::{
    Attributes, Content, Earlier, Entry, Layer, LayerWriter, Listing, Node, Packed, Piece, Special,
    Spool, Stamp, Tree, Xattrs, new_inode, resolve,
};
pub use manifest::{AnyManifest, Descriptor, Index, Manifest};
pub use platform::Platform;
pub use reference::{Reference, ReferenceError};
pub use store::{Digests, Named, Store, Upload};
pub use unpack::{Unpacker, unpack};
