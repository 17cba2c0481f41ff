//! `marathon`: an app definition becomes running, healthy tasks, or everything is as it was.

mod changes;
mod definition;
mod evidence;
mod explain;
mod follow;
mod normalise;
mod plan;
mod pointer;
mod progress;
mod site;
mod timing;
mod trouble;
mod verdict;
mod watch;
mod way_back;

pub use deploy::deploy_with;
pub use pointer::{locate, locate_key};
pub use timing::Timing;

use crate::core::module;

/// The types that the functions of this module name, in the language's own syntax.
const TYPES: &[(&str, &str)] = &[
    (
        "Deployment",
        "{ app: string, version: string, previous: string?, changed: bool, tasks: list<Task> }",
    ),
    ("Task", "{ id: string, host: string, ports: list<int> }"),
];

module! {
    "Deployments to Marathon."
    marathon: deploy;
    types: TYPES
}
