//! Pushing by the engine.

use bollard::{errors::Error, query_parameters::PushImageOptionsBuilder};
use futures_util::StreamExt;
use pipe_grammar::Code;
use pipe_oci::Reference;

use super::{Engine, UNBOUNDED, build::login, error::why};
use crate::{
    client::registry::{Credentials, Source},
    core::{Failure, FailureKind},
};

impl Engine {
    /// Pushes an image under one of its names. The engine does not tell the digest: the registry
    /// does. The push ends when the future is dropped.
    ///
    /// # Errors
    ///
    /// When the registry refuses or does not answer the engine, or the engine does not answer.
    pub async fn push(
        &self,
        reference: &Reference,
        credentials: &Credentials,
        mut said: impl FnMut(String),
    ) -> Result<(), Failure> {
        let options =
            PushImageOptionsBuilder::new().tag(reference.tag().unwrap_or("latest")).build();
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        let login = login(reference.host(), credentials);
        let mut answers = docker.push_image(&reference.repository(), Some(options), login);
        let mut last = String::new();
        while let Some(answer) = answers.next().await {
            let info = answer.map_err(|e| self.refused(reference, credentials, &e))?;
            let is_bar = info.progress_detail.is_some_and(|p| p.current.is_some());
            if let Some(status) = info.status.filter(|status| !is_bar && *status != last) {
                said(status.clone());
                last = status;
            }
        }
        Ok(())
    }

    fn refused(&self, reference: &Reference, credentials: &Credentials, error: &Error) -> Failure {
        let Error::DockerStreamError { .. } = error else {
            return match error {
                Error::DockerResponseServerError { status_code: 404, .. } => {
                    let message =
                        format!("the Docker Engine has no image `{}`", reference.familiar());
                    Failure::new(Code::PUSH_FAILED, message)
                }
                _ => self.broken(error),
            };
        };
        let (text, host) = (why(error), reference.host());
        let lower = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let line = format!("connect docker(\"{host}\", username: \"…\", password: …)");
        let evidence = vec![text.clone()];
        let failure = if has(&[
            "unauthorized",
            "no basic auth",
            "denied",
            "authentication required",
        ]) {
            let failure = |message: String| Failure::new(Code::REGISTRY_REFUSED, message);
            match (credentials.username(), credentials.source()) {
                (Some(user), source) => {
                    let failure = failure(format!("`{host}` refused the push by `{user}`"));
                    match source {
                        Some(Source::DockerConfig(_)) => failure
                            .help(format!("log in again with `docker login {host}`, or: {line}")),
                        _ => failure.help(format!(
                            "check the name and the password in `connect docker(\"{host}\", …)`, \
                             and the rights of `{user}`"
                        )),
                    }
                }
                (None, _) => {
                    let path = reference.path();
                    failure(format!("`{host}` wants a login to push to `{path}`")).help(line)
                }
            }
        } else if has(&["connection refused", "no such host", "timeout", "i/o", "eof", "no route"])
        {
            Failure::infrastructure(
                Code::UNREACHABLE_SERVER,
                format!("the Docker Engine can't reach the registry `{host}`"),
            )
            .help("the engine goes there itself: its network and its proxy count, not those of `pipe`")
        } else if has(&["http response to https client", "x509", "certificate"]) {
            Failure::new(
                Code::PUSH_FAILED,
                format!("the Docker Engine does not trust the registry `{host}`"),
            )
            .help(format!("name it under `insecure-registries` in the engine's `daemon.json`, or put its certificate into `/etc/docker/certs.d/{host}`"))
        } else if has(&["too large", "413"]) {
            Failure::new(Code::REGISTRY_REFUSED, format!("a layer of the image is too big for `{host}`"))
                .help("raise the limit of the registry or of the proxy before it, or make the layer smaller")
        } else {
            let failure = Failure::new(
                Code::PUSH_FAILED,
                format!("`{}` could not be pushed", reference.familiar()),
            );
            let is_server =
                has(&["500 ", "502 ", "503 ", "504 ", "server error", "toomanyrequests"]);
            if is_server { failure.kind(FailureKind::Infrastructure) } else { failure }
        };
        failure.evidence("what the Docker Engine says", evidence)
    }
}
