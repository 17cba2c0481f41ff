//! `hash.…`: sums of files and texts.

mod sum;

use crate::core::module;

module! {
    "Sums of files and texts."
    hash: sha256, sha1, text
}
