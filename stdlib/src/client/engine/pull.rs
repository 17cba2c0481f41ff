//! Pulling by the engine.

use bollard::{errors::Error, query_parameters::CreateImageOptionsBuilder};
use futures_util::StreamExt;
use pipe_grammar::Code;
use pipe_oci::Reference;

use super::{Engine, UNBOUNDED, build::login, error::why};
use crate::{client::registry::Credentials, core::Failure};

impl Engine {
    /// Pulls an image. The pull ends when the future is dropped.
    ///
    /// # Errors
    ///
    /// When the registry has no such image, refuses or does not answer the engine, or the engine
    /// does not answer.
    pub async fn pull(
        &self,
        reference: &Reference,
        platform: Option<&str>,
        credentials: &Credentials,
        mut said: impl FnMut(String),
    ) -> Result<(), Failure> {
        let name = match reference.digest() {
            Some(digest) => format!("{}@{digest}", reference.repository()),
            None => format!("{}:{}", reference.repository(), reference.tag().unwrap_or("latest")),
        };
        let mut options = CreateImageOptionsBuilder::new().from_image(&name);
        if let Some(platform) = platform {
            options = options.platform(platform);
        }
        let docker = self.docker.clone().with_timeout(UNBOUNDED);
        let login = login(reference.host(), credentials);
        let mut answers = docker.create_image(Some(options.build()), None, login);
        let mut last = String::new();
        while let Some(answer) = answers.next().await {
            let info = answer.map_err(|e| self.not_pulled(reference, &e))?;
            let is_bar = info.progress_detail.is_some_and(|p| p.current.is_some());
            if let Some(status) = info.status.filter(|status| !is_bar && *status != last) {
                said(status.clone());
                last = status;
            }
        }
        Ok(())
    }

    fn not_pulled(&self, reference: &Reference, error: &Error) -> Failure {
        let (host, name) = (reference.host(), reference.familiar());
        let text = why(error);
        let lower = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let failure = if has(&["manifest unknown", "not found", "does not exist"]) {
            Failure::new(Code::INVALID_IMAGE, format!("`{host}` has no image `{name}`"))
                .help("check its name and tag; a private one is shown only after a login")
        } else if has(&["unauthorized", "denied", "no basic auth", "authentication required"]) {
            Failure::new(
                Code::REGISTRY_REFUSED,
                format!("`{host}` does not let `{name}` be pulled"),
            )
            .help(format!("connect docker(\"{host}\", username: \"…\", password: …)"))
        } else if has(&["no matching manifest"]) {
            let message = format!("`{name}` is not made for this platform");
            Failure::new(Code::INVALID_IMAGE, message)
        } else if matches!(
            error,
            Error::DockerStreamError { .. } | Error::DockerResponseServerError { .. }
        ) {
            let message = format!("the Docker Engine could not pull `{name}`");
            Failure::infrastructure(Code::UNREACHABLE_SERVER, message)
                .help("the engine goes to the registry itself: its network and its proxy count")
        } else {
            return self.broken(error);
        };
        failure.evidence("what the Docker Engine says", vec![text])
    }
}
