//! `marathon`: an app definition becomes running, healthy tasks, or everything is as it was.

mod advice;
mod changes;
mod conclusion;
mod definition;
mod evidence;
mod explain;
mod fields;
mod follow;
mod lock;
mod normalise;
mod plan;
mod pointer;
mod progress;
mod record;
mod schema;
mod send;
mod site;
mod timing;
mod trouble;
mod verdict;
mod watch;
mod way_back;

pub use app_id::problem as app_id_problem;
pub use deploy::deploy_with;
pub use destroy::destroy_with;
pub use diff::diff_with;
pub use fields::{UnknownField, unknown_fields};
pub use pointer::{locate, locate_key};
pub use restart::restart_with;
pub use rollback::rollback_with;
pub use schema::{AppProblem, Fields as KnownFields, Kind, Known, On, app_problems};
pub use scale::scale_with;
pub use status::status_with;
pub use timing::Timing;

use crate::core::module;

module! {
    "Deployments to Marathon."
    marathon: deploy, diff, status, scale, restart, rollback, destroy, app_id;
    types: record::TYPES
}
