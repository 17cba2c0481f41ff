//! `semver.…`: versions by Semantic Versioning 2.0.0.

mod version;

use crate::core::module;

module! {
    "Versions by Semantic Versioning 2.0.0."
    semver: bump, release, major, minor, compare, latest
}
