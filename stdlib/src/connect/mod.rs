//! `connect docker(…)`, `connect marathon(…)`, `connect mesos(…)`: where built-ins go and as whom.

mod docker;
mod marathon;
mod mesos;

pub(crate) use mesos::{split_address, wrong_role};

use std::sync::OnceLock;

use crate::core::{Arguments, Connections, Failure, Signature};

/// One kind of connection.
pub struct Connector {
    /// `docker`, `marathon`, `mesos`.
    pub name: &'static str,
    /// As of a built-in.
    pub declaration: &'static str,
    /// A line that a person would write.
    pub example: &'static str,
    /// Whether `as NAME` makes further ones; else they are told apart by their first argument.
    pub takes_alias: bool,
    /// Adds the connection to those there are.
    pub add: fn(&mut Connections, Option<&str>, &Arguments) -> Result<(), Failure>,
    signature: OnceLock<Signature>,
}

/// All kinds.
pub static CONNECTORS: [&Connector; 3] =
    [&docker::CONNECTOR, &marathon::CONNECTOR, &mesos::CONNECTOR];

/// The kind with this name.
#[must_use]
pub fn connector(name: &str) -> Option<&'static Connector> {
    CONNECTORS.iter().find(|c| c.name == name).copied()
}

impl Connector {
    /// What its declaration says.
    ///
    /// # Panics
    ///
    /// When it can't be read: a test reads it.
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| {
            Signature::read(self.declaration, &|_, _| None)
                .unwrap_or_else(|why| panic!("the declaration of `connect {}`: {why}", self.name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_can_be_read() {
        for connector in CONNECTORS {
            assert!(connector.signature().parameters.is_some(), "{}", connector.name);
        }
    }
}
