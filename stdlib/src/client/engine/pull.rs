//! Pulling by the engine, and what an image says of the containers that are made of it.

use bollard::{errors::Error, models::ImageConfig, query_parameters::CreateImageOptionsBuilder};
use futures_util::StreamExt;
use pipe_grammar::Code;
use pipe_oci::Reference;

use super::{Engine, UNBOUNDED, build::login, error::why};
use crate::{
    client::registry::{Credentials, Source},
    core::{Failure, FailureKind},
};

/// What an image says of its containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// `sha256:…`, the digest of its configuration.
    pub id: String,
    /// `linux/amd64`, without a variant.
    pub platform: String,
    /// The TCP ports that it exposes, in their order.
    pub ports: Vec<u16>,
    /// Whether it has a health check.
    pub is_checked: bool,
}

/// How far a pull is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulling {
    /// Layers that are here.
    pub done: usize,
    /// Layers that it has, as far as is known.
    pub layers: usize,
}

/// Why an image was not pulled.
#[derive(Clone, Debug)]
pub struct NotPulled {
    /// Whether the registry answered, and has no such image for whoever asks.
    pub is_missing: bool,
    /// The same in words.
    pub failure: Failure,
}

impl Engine {
    /// What an image says of its containers; none: the engine has no such image.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn manner(&self, image: &str) -> Result<Option<Manner>, Failure> {
        let found = match self.docker.inspect_image(image).await {
            Ok(found) => found,
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => return Err(self.broken(&error)),
        };
        let config = found.config.unwrap_or_default();
        let (os, machine) = (found.os.unwrap_or_default(), found.architecture.unwrap_or_default());
        Ok(Some(Manner {
            id: found.id.unwrap_or_default(),
            platform: format!("{os}/{machine}"),
            ports: ports(&config),
            is_checked: is_checked(&config),
        }))
    }

    /// Pulls an image. The pull ends when the future is dropped.
    ///
    /// # Errors
    ///
    /// When the engine does not answer; the inner one when there is nothing to pull.
    pub async fn pull(
        &self,
        image: &Reference,
        platform: Option<&str>,
        credentials: &Credentials,
        mut said: impl FnMut(Pulling),
    ) -> Result<Result<(), NotPulled>, Failure> {
        let name = image.familiar();
        let mut options = CreateImageOptionsBuilder::new().from_image(&name);
        if let Some(platform) = platform {
            options = options.platform(platform);
        }
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        let login = login(image.host(), credentials);
        let mut answers = docker.create_image(Some(options.build()), None, login);
        let mut layers = Vec::<(String, bool)>::new();
        while let Some(answer) = answers.next().await {
            let info = match answer {
                Ok(info) => info,
                Err(error) => {
                    return self.not_pulled(image, platform, credentials, &error).map(Err);
                }
            };
            let (Some(id), Some(status)) = (info.id, info.status) else { continue };
            let is_done = matches!(status.as_str(), "Pull complete" | "Already exists");
            match layers.iter_mut().find(|(layer, _)| *layer == id) {
                Some((_, done)) => *done |= is_done,
                None if is_done || status == "Pulling fs layer" => layers.push((id, is_done)),
                None => continue,
            }
            let done = layers.iter().filter(|(_, done)| *done).count();
            said(Pulling { done, layers: layers.len() });
        }
        Ok(Ok(()))
    }

    fn not_pulled(
        &self,
        image: &Reference,
        platform: Option<&str>,
        credentials: &Credentials,
        error: &Error,
    ) -> Result<NotPulled, Failure> {
        let text = match error {
            Error::DockerStreamError { .. } | Error::DockerResponseServerError { .. } => why(error),
            _ => return Err(self.broken(error)),
        };
        let (host, name) = (image.host(), image.familiar());
        let lower = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let line = format!("connect docker(\"{host}\", username: \"…\", password: …)");
        let refused = |message: String| Failure::new(Code::REGISTRY_REFUSED, message);
        let mut is_missing = false;
        let failure = if has(&["toomanyrequests", "rate limit"]) {
            let message = format!("`{host}` lets nobody pull any more for the moment");
            refused(message)
                .kind(FailureKind::Infrastructure)
                .help(format!("log in, which raises the limit: {line}, or pull from a mirror"))
        } else if has(&["no matching manifest", "does not match the specified platform"]) {
            let wanted = platform.unwrap_or("this machine");
            Failure::new(Code::INVALID_IMAGE, format!("there is no `{name}` for {wanted}"))
        } else if has(&["incorrect username or password", "unauthorized: authentication failed"]) {
            let failure = refused(match credentials.username() {
                Some(user) => format!("`{host}` refused the login of `{user}`"),
                None => format!("`{host}` refused the login"),
            });
            match credentials.source() {
                Some(Source::DockerConfig(_)) => {
                    failure.help(format!("log in again with `docker login {host}`, or: {line}"))
                }
                _ => failure.help(format!("check `connect docker(\"{host}\", …)`")),
            }
        } else if has(&["manifest unknown", "not found", "does not exist", "name unknown"])
            && !has(&["no such host", "lookup "])
        {
            is_missing = true;
            let failure = refused(format!("there is no image `{name}`"));
            match credentials.username() {
                Some(user) => failure
                    .help(format!("neither the Docker Engine nor `{host}`, asked by `{user}`, has it")),
                None => failure.help(format!(
                    "neither the Docker Engine nor `{host}` has it; for a private one log in: {line}"
                )),
            }
        } else if has(&["unauthorized", "denied", "no basic auth", "authentication required"]) {
            is_missing = true;
            let path = image.path();
            match credentials.username() {
                Some(user) => refused(format!("`{host}` does not let `{user}` pull `{path}`")),
                None => refused(format!("`{host}` wants a login to pull `{path}`")).help(line),
            }
        } else if has(&["http response to https client", "x509", "certificate"]) {
            let message = format!("the Docker Engine does not trust the registry `{host}`");
            Failure::new(Code::UNREACHABLE_SERVER, message).help(format!(
                "name it under `insecure-registries` in the engine's `daemon.json`, or put its \
                 certificate into `/etc/docker/certs.d/{host}`"
            ))
        } else if has(&[
            "connection refused",
            "no such host",
            "timeout",
            "i/o",
            "eof",
            "no route",
            "lookup ",
        ]) {
            let message = format!("the Docker Engine can't reach the registry `{host}`");
            Failure::infrastructure(Code::UNREACHABLE_SERVER, message).help(
                "the engine goes there itself: its network and its proxy count, not those of `pipe`",
            )
        } else if has(&["no space left"]) {
            let message = format!("the disk of the Docker Engine is full: `{name}` does not fit");
            Failure::infrastructure(Code::NO_ENGINE, message)
                .help("make room: `docker system df` shows what takes it, `docker image prune` frees some")
        } else {
            Failure::infrastructure(
                Code::UNREACHABLE_SERVER,
                format!("`{name}` could not be pulled"),
            )
        };
        let failure = failure.evidence("what the Docker Engine says", vec![text]);
        Ok(NotPulled { is_missing, failure })
    }
}

/// `80/tcp` is one, `53/udp` none.
fn ports(config: &ImageConfig) -> Vec<u16> {
    let exposed = config.exposed_ports.iter().flatten();
    let mut ports: Vec<u16> =
        exposed.filter_map(|port| port.strip_suffix("/tcp").unwrap_or(port).parse().ok()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// `HEALTHCHECK NONE` is none.
fn is_checked(config: &ImageConfig) -> bool {
    let test = config.healthcheck.as_ref().and_then(|check| check.test.as_ref());
    test.and_then(|test| test.first()).is_some_and(|kind| kind != "NONE")
}

#[cfg(test)]
mod tests {
    use bollard::models::HealthConfig;

    use super::*;

    #[test]
    fn an_image_says_its_ports_and_its_check() {
        let exposed = ["8080/tcp", "53/udp", "80/tcp", "443"].map(str::to_owned);
        let check = |test: &[&str]| HealthConfig {
            test: Some(test.iter().map(|word| (*word).to_owned()).collect()),
            ..HealthConfig::default()
        };
        let config = ImageConfig {
            exposed_ports: Some(exposed.to_vec()),
            healthcheck: Some(check(&["CMD-SHELL", "true"])),
            ..ImageConfig::default()
        };
        assert_eq!(ports(&config), [80, 443, 8080]);
        assert!(is_checked(&config));
        let none = ImageConfig { healthcheck: Some(check(&["NONE"])), ..ImageConfig::default() };
        assert!(!is_checked(&none));
        assert!(!is_checked(&ImageConfig::default()));
    }
}
