//! The rules of Marathon, one a function: what is refused although each field alone is fine, and
//! what does nothing.
//!
//! Sources: `api/v2/validation/{App,Network,Scheduling,Secret,Artifact}Validation.scala`,
//! `state/AppDefinition.scala`, `api/v2/AppNormalization.scala` and the RAML conversions of 1.10,
//! `state/{AppDefinition,Container,Volume}.scala` and `api/v2/json/Formats.scala` of 1.4 and 1.1.

mod command;
mod constraints;
mod container;
mod fetch;
mod health;
mod id;
mod labels;
mod networks;
mod ports;
mod readiness;
mod resources;
mod secrets;
mod strategy;
mod volumes;

use super::{finding::Finding, known::Known};

/// A rule: looks at a definition and adds what it finds.
pub(super) type Rule = fn(&Known, &mut Vec<Finding>);

/// Every rule, in the order of their subjects.
pub(super) static RULES: &[&[Rule]] = &[
    id::RULES,
    command::RULES,
    container::RULES,
    networks::RULES,
    ports::RULES,
    health::RULES,
    readiness::RULES,
    constraints::RULES,
    volumes::RULES,
    secrets::RULES,
    resources::RULES,
    strategy::RULES,
    fetch::RULES,
    labels::RULES,
];
