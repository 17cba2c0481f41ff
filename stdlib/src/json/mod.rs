//! `json.…`: JSON texts and files.

use crate::core::module;

module! {
    "JSON texts, files and values."
    json: parse, read, format, merge
}
