//! The Docker Engine as a client meets it, versions 20.10 and later.

mod build;
mod container;
mod error;
mod exec;
mod inspect;
mod network;
mod pull;
mod push;
mod refusal;

pub use build::{Build, Line};
pub use container::{Health, Labelled, Mount, NewContainer, Seen, Source};
pub use exec::{Attached, Chunks, Input, NewExec};
pub use inspect::Inspected;
pub use pull::{Manner, NotPulled, Pulling};
pub use refusal::Refusal;

use std::{path::Path, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker};
use pipe_grammar::Code;

use crate::core::{Connections, Failure, World};
use error::why;

/// Where the Docker Engine listens unless somebody says otherwise.
const SOCKET: &str = "unix:///var/run/docker.sock";

/// A socket that takes longer to answer a ping is as good as none.
const PATIENCE: Duration = Duration::from_secs(10);

/// For small questions, in seconds.
const ANSWER: u64 = 60;

/// Builds and pushes answer only after they have read what they are given, however long that takes;
/// they end with the call that waits for them.
const UNBOUNDED: Duration = Duration::from_secs(7 * 24 * 3600);

/// A Docker Engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    docker: Docker,
    /// `unix:///var/run/docker.sock`.
    pub address: String,
    /// `20.10.24`.
    pub version: String,
}

/// Where no engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoEngine {
    /// The address that was tried.
    pub address: String,
    /// Whether a `connect` or `DOCKER_HOST` names it, rather than the default.
    pub is_chosen: bool,
    /// Why nothing answers, in words.
    pub why: String,
}

impl Engine {
    /// The engine that a `connect docker(engine: …)` names, else `DOCKER_HOST`, else the one behind
    /// the default socket; none: nothing answers there.
    ///
    /// # Errors
    ///
    /// When the address is one that can't be used.
    pub async fn connect(
        world: &World,
        connections: &Connections,
    ) -> Result<Option<Self>, Failure> {
        Ok(Self::reach(world, connections).await?.ok())
    }

    /// The same, with the reason why nothing answers.
    ///
    /// # Errors
    ///
    /// When the address is one that can't be used.
    pub async fn reach(
        world: &World,
        connections: &Connections,
    ) -> Result<Result<Self, NoEngine>, Failure> {
        let variable = world.variable("DOCKER_HOST").filter(|host| !host.is_empty());
        let chosen = connections.engine.as_deref().or(variable);
        let address = chosen.unwrap_or(SOCKET).to_owned();
        let none = |why: String| {
            Ok(Err(NoEngine { address: address.clone(), is_chosen: chosen.is_some(), why }))
        };
        let docker = match open(&address, world)? {
            Ok(docker) => docker,
            Err(error) => return none(why(&error)),
        };
        // Also settles which version of the API is spoken.
        let asked = async {
            let docker = docker.negotiate_version().await?;
            let version = docker.version().await?;
            Ok::<_, bollard::errors::Error>((docker, version))
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok((docker, version))) => {
                // Distributions add their own marks: `20.10.24+dfsg1`.
                let version = version.version.unwrap_or_default();
                let version = version.split(['+', '~']).next().unwrap_or_default().to_owned();
                Ok(Ok(Self { docker, address, version }))
            }
            Ok(Err(error)) => none(why(&error)),
            Err(_) => none("it does not answer".to_owned()),
        }
    }
}

/// A client for an address; nothing is sent yet.
fn open(address: &str, world: &World) -> Result<Result<Docker, bollard::errors::Error>, Failure> {
    // Somebody else may have installed one already, then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    Ok(match scheme {
        Some("unix") => Docker::connect_with_unix(address, ANSWER, API_DEFAULT_VERSION),
        Some("tcp" | "http" | "https") => {
            let verify = world.variable("DOCKER_TLS_VERIFY").is_some_and(|v| !v.is_empty());
            if verify || scheme == Some("https") {
                let folder = world.variable("DOCKER_CERT_PATH").map(Path::new);
                let folder =
                    folder.map(Path::to_owned).or_else(|| Some(world.home()?.join(".docker")));
                let folder = folder.unwrap_or_default();
                Docker::connect_with_ssl(
                    address,
                    &folder.join("key.pem"),
                    &folder.join("cert.pem"),
                    &folder.join("ca.pem"),
                    ANSWER,
                    API_DEFAULT_VERSION,
                )
            } else {
                Docker::connect_with_http(address, ANSWER, API_DEFAULT_VERSION)
            }
        }
        Some("ssh") => {
            let message =
                format!("`{address}` can't be reached: `pipe` speaks no SSH to an engine");
            return Err(Failure::new(Code::NO_ENGINE, message).help(
                "forward its socket, `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST`, \
                 and set `DOCKER_HOST=unix:///tmp/docker.sock`",
            ));
        }
        _ => {
            let message = format!("`{address}` is no address of a Docker Engine");
            return Err(Failure::new(Code::NO_ENGINE, message)
                .help("it is `unix:///var/run/docker.sock` or `tcp://HOST:2376`"));
        }
    })
}

impl NoEngine {
    /// As a failure, where an engine is needed.
    pub fn failure(&self) -> Failure {
        let message = format!("no Docker Engine answers at `{}`: {}", self.address, self.why);
        let failure = Failure::infrastructure(Code::NO_ENGINE, message);
        if self.why.contains("permission") {
            failure.help("add the user to the group `docker`, or run `pipe` as root")
        } else if self.is_chosen {
            failure.help("is it running, and is the address right?")
        } else {
            failure.help("start one, or set `DOCKER_HOST` to one that runs elsewhere")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn world(host: &str) -> World {
        let environment = [("DOCKER_HOST".to_owned(), host.to_owned())].into();
        World::new("/".into(), "/".into(), environment)
    }

    #[tokio::test]
    async fn a_missing_engine_is_none_with_a_reason() {
        let world = world("unix:///nonexistent/docker.sock");
        let none = Engine::reach(&world, &Connections::default()).await.unwrap().unwrap_err();
        assert!(none.is_chosen);
        assert_eq!(
            none.failure().message,
            "no Docker Engine answers at `unix:///nonexistent/docker.sock`: there is no such socket"
        );
        assert!(Engine::connect(&world, &Connections::default()).await.unwrap().is_none());
        // What the Pipelinefile says goes first.
        let connections =
            Connections { engine: Some("tcp://127.0.0.1:1".into()), ..Connections::default() };
        let none = Engine::reach(&world, &connections).await.unwrap().unwrap_err();
        assert_eq!(
            (none.address.as_str(), none.why.as_str()),
            ("tcp://127.0.0.1:1", "connection refused")
        );
    }

    #[tokio::test]
    async fn an_unusable_address_is_an_error() {
        for (address, message) in [
            ("ssh://host", "`ssh://host` can't be reached: `pipe` speaks no SSH to an engine"),
            ("docker", "`docker` is no address of a Docker Engine"),
        ] {
            let failure =
                Engine::reach(&world(address), &Connections::default()).await.unwrap_err();
            assert_eq!(failure.message, message);
        }
    }
}
