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

#[cfg(test)]
mod tests;

use super::{finding::Finding, known::Known};

/// A rule: its name, and what looks at a definition and adds what it finds.
pub(super) type Rule = (&'static str, fn(&Known, &mut Vec<Finding>));

/// The rules of a subject, as `RULES`.
macro_rules! rules {
    ($subject:ident: $($rule:ident),*) => {
        pub(super) static RULES: &[super::Rule] =
            &[$((concat!(stringify!($subject), "::", stringify!($rule)), $rule)),*];
    };
}
use rules;

/// Every rule, subject by subject.
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
