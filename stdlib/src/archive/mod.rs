//! `archive.…`: archives are made and unpacked.

mod format;
mod place;
mod stop;
mod tar;
mod zip;

use crate::core::module;

module! {
    "Archives: `.tar`, `.tar.gz`, `.tar.zst` and `.zip`."
    archive: create, extract
}
