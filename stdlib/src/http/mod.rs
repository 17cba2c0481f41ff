//! `http.…`: any server that speaks HTTP.

mod call;

use crate::core::module;

/// The types that the functions of this module give.
const TYPES: &[(&str, &str)] =
    &[("Response", "{ status: int, headers: map<string>, body: string }")];

module! {
    "Any server that speaks HTTP. What fails for a reason that may pass is sent again."
    http: get, post, put, patch, delete, download, wait;
    types: TYPES
}
