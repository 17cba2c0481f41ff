//! Building by the engine's own builder.

use std::{collections::HashMap, io};

use bollard::{
    Docker,
    auth::DockerCredentials,
    body_try_stream,
    errors::Error,
    models::BuildInfo,
    query_parameters::{BuildImageOptionsBuilder, TagImageOptionsBuilder},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use pipe_grammar::Code;
use pipe_oci::Reference;

use super::{Engine, UNBOUNDED, error::why};
use crate::{client::registry::Credentials, core::Failure};

/// What is to be built.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The Dockerfile's path in the context.
    pub dockerfile: String,
    /// The name of the image; further ones are given afterwards.
    pub tag: Option<String>,
    /// Values of `ARG`s.
    pub args: Vec<(String, String)>,
    /// Labels besides those of the Dockerfile.
    pub labels: Vec<(String, String)>,
    /// The stage to build.
    pub target: Option<String>,
    /// `linux/arm64`.
    pub platform: Option<String>,
    /// The network of commands.
    pub network: Option<String>,
    /// Fetch newer base images.
    pub pull: bool,
    /// Use no layer of an earlier build.
    pub no_cache: bool,
    /// How to log in to the registries of base images, by host.
    pub credentials: Vec<(String, Credentials)>,
}

/// What the engine says while it builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Output of the builder or of a command.
    Output(String),
    /// `Step 2/7 : COPY a b`: the number of the instruction, from 1.
    Step(usize, String),
}

impl Engine {
    /// Builds an image out of a tar archive and answers its id. The build ends when the future is
    /// dropped.
    ///
    /// # Errors
    ///
    /// Code `dockerfile` with the engine's words when the Dockerfile can't be read, `build-failed`
    /// when an instruction fails, an infrastructure failure when the engine does.
    pub async fn build(
        &self,
        build: &Build,
        context: impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static,
        mut said: impl FnMut(Line),
    ) -> Result<String, Failure> {
        let map = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<HashMap<_, _>>();
        let mut options = BuildImageOptionsBuilder::new()
            .dockerfile(&build.dockerfile)
            .buildargs(&map(&build.args))
            .labels(&map(&build.labels))
            .nocache(build.no_cache)
            .rm(true)
            // Without it the container of a failed `RUN` stays.
            .forcerm(true);
        if let Some(tag) = &build.tag {
            options = options.t(tag);
        }
        if let Some(target) = &build.target {
            options = options.target(target);
        }
        if let Some(platform) = &build.platform {
            options = options.platform(platform);
        }
        if let Some(network) = &build.network {
            options = options.networkmode(network);
        }
        if build.pull {
            options = options.pull("1");
        }
        let credentials = build.credentials.iter().filter_map(|(host, credentials)| {
            let key = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
            Some((key.to_owned(), login(host, credentials)?))
        });
        let docker: Docker = self.docker.clone().with_timeout(UNBOUNDED);
        let mut answers = docker.build_image(
            options.build(),
            Some(credentials.collect()),
            Some(body_try_stream(context)),
        );
        let (mut id, mut pending) = (None, String::new());
        while let Some(answer) = answers.next().await {
            let info = answer.map_err(|error| self.failed(&error))?;
            lines(&info, &mut pending, &mut said);
            id = info.aux.and_then(|aux| aux.id).or(id);
        }
        if !pending.is_empty() {
            said(line(&pending));
        }
        id.ok_or_else(|| {
            let message =
                format!("the Docker Engine at `{}` ended the build without an image", self.address);
            Failure::infrastructure(Code::NO_ENGINE, message)
        })
    }

    /// Gives an image a further name.
    ///
    /// # Errors
    ///
    /// When the engine does not answer or has no such image.
    pub async fn tag(&self, image: &str, reference: &Reference) -> Result<(), Failure> {
        let options = TagImageOptionsBuilder::new()
            .repo(&reference.repository())
            .tag(reference.tag().unwrap_or("latest"))
            .build();
        self.docker.tag_image(image, Some(options)).await.map_err(|error| self.broken(&error))
    }

    fn failed(&self, error: &Error) -> Failure {
        match error {
            Error::DockerStreamError { .. } => Failure::new(Code::BUILD_FAILED, why(error)),
            Error::DockerResponseServerError { status_code: 400..500, .. } => {
                Failure::new(Code::DOCKERFILE, why(error))
            }
            // Old engines answer 500 to a Dockerfile that they can't read.
            Error::DockerResponseServerError { message, .. } if message.contains("ockerfile") => {
                Failure::new(Code::DOCKERFILE, why(error))
            }
            _ => self.broken(error),
        }
    }
}

/// A login as the engine passes it on; none when nobody logs in.
pub(super) fn login(host: &str, credentials: &Credentials) -> Option<DockerCredentials> {
    let serveraddress = Some(match host {
        "docker.io" => "https://index.docker.io/v1/".to_owned(),
        host => host.to_owned(),
    });
    match credentials {
        Credentials::Anonymous => None,
        Credentials::Password { username, password, .. } => Some(DockerCredentials {
            username: Some(username.clone()),
            password: Some(password.reveal().to_owned()),
            serveraddress,
            ..DockerCredentials::default()
        }),
        Credentials::Token { token, .. } => Some(DockerCredentials {
            identitytoken: Some(token.reveal().to_owned()),
            serveraddress,
            ..DockerCredentials::default()
        }),
    }
}

/// Whole lines out of what arrives in pieces.
fn lines(info: &BuildInfo, pending: &mut String, said: &mut impl FnMut(Line)) {
    if let Some(stream) = &info.stream {
        // The classic builder colours what a command writes to its standard error.
        let plain = stream.strip_prefix("\u{1b}[91m").and_then(|s| s.strip_suffix("\u{1b}[0m"));
        pending.push_str(plain.unwrap_or(stream));
        while let Some(end) = pending.find('\n') {
            let rest = pending.split_off(end + 1);
            // A progress bar overwrites its line; its last state counts.
            let whole = pending.trim_end_matches(['\n', '\r']);
            let shown = whole.rsplit('\r').next().unwrap_or_default();
            if !shown.trim().is_empty() {
                said(line(shown));
            }
            *pending = rest;
        }
        // A line without an end must not grow for ever.
        if pending.len() > 1 << 20 {
            said(line(&std::mem::take(pending)));
        }
    }
    // The pull of a base image: each layer's states, without the bars between them.
    if let Some(status) = &info.status
        && info.progress_detail.as_ref().is_none_or(|p| p.current.is_none() && p.total.is_none())
    {
        said(Line::Output(match &info.id {
            Some(id) => format!("{id}: {status}"),
            None => status.clone(),
        }));
    }
}

fn line(text: &str) -> Line {
    let step = || {
        let (numbers, instruction) = text.strip_prefix("Step ")?.split_once(" : ")?;
        let number = numbers.split('/').next()?.parse().ok()?;
        Some(Line::Step(number, instruction.trim().to_owned()))
    };
    step().unwrap_or_else(|| Line::Output(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Vec<Line> {
        let (mut found, mut pending) = (Vec::new(), String::new());
        for piece in pieces {
            let info = BuildInfo { stream: Some((*piece).to_owned()), ..BuildInfo::default() };
            lines(&info, &mut pending, &mut |line| found.push(line));
        }
        found
    }

    #[test]
    fn pieces_become_lines_and_steps() {
        let output = |text: &str| Line::Output(text.to_owned());
        assert_eq!(
            all(&["Step 2/3 : COPY a", " b\n", "\n", " ---> 1234\nx", "y\n", "10%\r100%\r\n"]),
            [Line::Step(2, "COPY a b".into()), output(" ---> 1234"), output("xy"), output("100%")]
        );
        assert_eq!(all(&["Step by step\n"]), [output("Step by step")]);
        assert_eq!(all(&["\u{1b}[91mred\n\u{1b}[0m", "x\n"]), [output("red"), output("x")]);
    }
}
