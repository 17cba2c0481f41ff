//! Image registries as a client meets them: the
//! [OCI distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md)
//! with Docker's [token authentication](https://distribution.github.io/distribution/spec/auth/token/).

mod auth;
mod challenge;
mod credentials;
mod download;
mod glance;
mod manifest;
mod pull;
mod push;
mod refusal;
mod request;
mod transport;
mod upload;

pub use credentials::{Credentials, Source, find as credentials};
pub use glance::glance;
pub use manifest::Fetched;
pub use push::{Pushed, size};
pub(crate) use request::why;
pub(crate) use transport::is_loopback;

use std::{collections::BTreeMap, sync::Mutex};

use crate::core::{Connections, Failure, World};
use challenge::Challenge;
use transport::Transport;

/// One registry, by its host, with the credentials for it.
pub struct Registry {
    /// The host as references write it: `docker.io`, `127.0.0.1:5000`.
    host: String,
    /// `https://registry-1.docker.io`, without a slash at its end.
    base: String,
    transport: Transport,
    challenge: Challenge,
    credentials: Credentials,
    /// Bearer tokens by scope.
    tokens: Mutex<BTreeMap<String, String>>,
    pace: Pace,
}

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For an answer to a small request.
    pub answer: std::time::Duration,
    /// Without a byte of a blob passing, either way.
    pub stall: std::time::Duration,
    /// The pause before the second try; each next one is twice as long.
    pub pause: std::time::Duration,
    /// Tries in all.
    pub tries: u32,
}

impl Default for Pace {
    fn default() -> Self {
        let seconds = std::time::Duration::from_secs;
        Self {
            answer: seconds(60),
            stall: seconds(60),
            pause: std::time::Duration::from_millis(500),
            tries: 5,
        }
    }
}

impl Registry {
    /// Asks a registry whether it is there and how it wants to be asked.
    ///
    /// # Errors
    ///
    /// An infrastructure failure when it does not answer, or does not answer as a registry.
    pub async fn connect(
        host: &str,
        world: &World,
        connections: &Connections,
    ) -> Result<Self, Failure> {
        let credentials = credentials::find(host, world, connections).await?;
        let authorities = transport::authorities(host, world)?;
        Self::reach(host, credentials, connections, authorities, Pace::default()).await
    }

    /// The same with given credentials and patience.
    ///
    /// # Errors
    ///
    /// As [`Registry::connect`].
    pub async fn with(
        host: &str,
        credentials: Credentials,
        connections: &Connections,
        pace: Pace,
    ) -> Result<Self, Failure> {
        Self::reach(host, credentials, connections, Vec::new(), pace).await
    }

    async fn reach(
        host: &str,
        credentials: Credentials,
        connections: &Connections,
        authorities: Vec<reqwest::Certificate>,
        pace: Pace,
    ) -> Result<Self, Failure> {
        let insecure = connections.registry(host).is_some_and(|c| c.insecure);
        let (base, transport, challenge) =
            transport::reach(host, insecure, authorities, pace).await?;
        let tokens = Mutex::default();
        let host = host.to_owned();
        Ok(Self { host, base, transport, challenge, credentials, tokens, pace })
    }

    /// Its host, as references write it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who logs in; none: nobody.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.credentials.username()
    }
}
