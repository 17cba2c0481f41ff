//! Deployments: what to do to get from the apps of now to those that were asked for.

mod plan;
mod restart;
mod revert;

pub(crate) use plan::{Action, Apps, Kind, Plan, has_cycle};
pub(crate) use restart::{Situation, Strategy, launches};
pub(crate) use revert::revert;
