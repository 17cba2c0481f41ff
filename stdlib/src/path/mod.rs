//! `path.…`: parts of paths. Nothing here looks at the disk.

use crate::core::module;

module! {
    "Parts of paths."
    path: name, stem, extension, parent, join
}
