//! `hash.…`: sums of files.

mod sum;

use crate::core::module;

module! {
    "Sums of files."
    hash: sha256, sha1
}
