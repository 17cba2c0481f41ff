//! `ci.…`: what the CI server says of the build that this run belongs to, in words that fit any.

mod jenkins;

use crate::core::module;

/// The types that the facts of this module name.
const TYPES: &[(&str, &str)] = &[(
    "Change",
    "{ id: string, title: string, author: string, source: string, target: string, url: string, \
     fork: bool }",
)];

module! {
    "The CI server that started the run."
    ci: name, url, number, trigger, change;
    types: TYPES
}
