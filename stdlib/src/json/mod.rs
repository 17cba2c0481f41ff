//! `json.…`: JSON texts and files.

use crate::core::module;

module! {
    "JSON texts and files."
    json: parse, read, format
}
