//! `docker.…`: images are built, by an engine or without one, and pushed; containers run.

mod archive;
mod builder;
mod containers;
mod context;
mod dockerfile;
mod glob;
mod ignore;
mod image;
mod layers;
mod local;
mod request;
mod with_buildah;
mod with_engine;

use crate::core::module;

pub use containers::{Owner, sweep, watch, watched_by};
pub use dockerfile::problems as dockerfile_problems;
pub use image::problem as reference_problem;

/// The types that the functions of this module name, in the language's own syntax.
const TYPES: &[(&str, &str)] = &[("Image", image::TYPE)];

module! {
    "Images and containers."
    docker: build, config, container, copy, inspect, manifest, pull, push, run, service, tag;
    types: TYPES;
    held: &[&service::TYPE, &config::TYPE]
}
