//! `file.…`: files of the workspace.

use crate::core::module;

module! {
    "Files of the workspace."
    file: read, exists, size, write, append, copy, remove
}
