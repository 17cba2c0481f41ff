//! `marathon`: an app definition becomes running, healthy tasks, or everything is as it was.

mod advice;
mod balancer;
mod beside;
mod changes;
mod conclusion;
mod definition;
mod evidence;
mod explain;
mod follow;
mod green;
mod lock;
mod normalise;
mod pair;
mod plan;
mod pointer;
mod preflight;
mod progress;
mod record;
mod schema;
mod send;
mod site;
mod text;
mod timing;
mod traffic;
mod trouble;
mod verdict;
mod watch;
mod way_back;
mod withdraw;
mod yaml;

pub use advice::is_mutable;
pub use app_id::problem as app_id_problem;
pub use blue_green::blue_green_with;
pub use canary::canary_with;
pub use definition::as_json;
pub use deploy::deploy_with;
pub use destroy::destroy_with;
pub use diff::diff_with;
pub use pointer::step as pointer_step;
pub use restart::restart_with;
pub use rollback::rollback_with;
pub use scale::scale_with;
pub use schema::{AppProblem, Fields as KnownFields, Kind, Known, On, app_problems, unwrapped};
pub use status::status_with;
pub use text::{place, read_definition};
pub use timing::Timing;

use crate::core::module;

module! {
    "Deployments to Marathon."
    marathon: deploy, diff, status, scale, restart, rollback, destroy, blue_green, canary, app_id;
    types: record::TYPES;
    held: &[&blue_green::TYPE, &canary::TYPE]
}
