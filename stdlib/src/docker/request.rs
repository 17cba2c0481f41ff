//! What a build is asked for, whoever builds.

use std::collections::BTreeMap;

use crate::core::{Arguments, Failure};

/// What is to be built.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// Values of `ARG`s.
    pub(super) args: BTreeMap<String, String>,
    /// Labels besides those of the Dockerfile.
    pub(super) labels: BTreeMap<String, String>,
    /// The stage to build; the last one if none is named.
    pub(super) target: Option<String>,
    /// What it shall run on; this machine if nothing is said.
    pub(super) platform: Option<String>,
    /// Ask the registry for the base even if one is here.
    pub(super) pull: bool,
    /// Make every layer anew.
    pub(super) no_cache: bool,
    /// Why the builder without a daemon was taken, when it was not by itself.
    pub(super) forced: Option<&'static str>,
}

impl Request {
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let map = |name| Ok(arguments.get::<Vec<(String, String)>>(name)?.into_iter().collect());
        Ok(Self {
            args: map("args")?,
            labels: map("labels")?,
            target: arguments.get("target")?,
            platform: arguments.get("platform")?,
            pull: arguments.get("pull")?,
            no_cache: arguments.get("no_cache")?,
            forced: None,
        })
    }
}
