//! A build by buildah.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use pipe_grammar::Code;
use pipe_oci::{Digest, Format, Reference};
use serde_json::{Map, json};
use tempfile::TempDir;

use super::{
    context::Context,
    dockerfile::{keyword, offset, text},
    request::{Named, Request},
    with_engine::hosts,
};
use crate::{
    client::{
        base64,
        buildah::Buildah,
        registry::{self, Credentials, Registry, is_loopback},
    },
    core::{Call, Failure, Spot},
};

/// What buildah is given besides its arguments: credentials, and which registries have no TLS. It is
/// removed with its folder.
struct Private {
    folder: TempDir,
}

impl Private {
    async fn of(call: &Call<'_>, hosts: &BTreeSet<String>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::internal)?;
        let private = Self { folder };
        let (mut auths, mut registries) = (Map::new(), String::new());
        for host in hosts {
            let found = registry::credentials(host, call.world, call.connections);
            let key = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
            match call.unless_cancelled(found).await?? {
                Credentials::Anonymous => {}
                Credentials::Password { username, password, .. } => {
                    let auth =
                        base64::encode(format!("{username}:{}", password.reveal()).as_bytes());
                    auths.insert(key.to_owned(), json!({ "auth": auth }));
                }
                Credentials::Token { token, .. } => {
                    auths.insert(key.to_owned(), json!({ "identitytoken": token.reveal() }));
                }
            }
            let insecure = call.connections.registry(host).is_some_and(|c| c.insecure);
            if insecure || is_loopback(host) {
                registries += &format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n");
            }
        }
        private.write("auth.json", &json!({ "auths": auths }).to_string())?;
        let registries = format!("unqualified-search-registries = [\"docker.io\"]\n{registries}");
        private.write("registries.conf", &registries)?;
        Ok(private)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        fs::File::create(self.path(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Failure::internal)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Buildah with the registries of the user's own configuration, unless one of those that are
    /// used now has no TLS.
    fn given(&self, call: &Call<'_>, buildah: &Buildah) -> Buildah {
        let own = [
            call.world.variable("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from),
            call.world.home().map(|home| home.join(".config/containers/registries.conf")),
            Some("/etc/containers/registries.conf".into()),
        ];
        let has_own = own.iter().flatten().any(|path| path.is_file());
        let text = fs::read_to_string(self.path("registries.conf")).unwrap_or_default();
        if has_own && !text.contains("insecure") {
            return buildah.clone();
        }
        buildah.clone().with("CONTAINERS_REGISTRIES_CONF", &self.path("registries.conf"))
    }
}

/// Builds an image, gives it its names, and answers its id.
pub(super) async fn build(
    call: &Call<'_>,
    buildah: &Buildah,
    context: &Context,
    request: &Request,
    tags: &[Reference],
) -> Result<String, Failure> {
    let private = Private::of(call, &hosts(&context.text)).await?;
    // What `pipe` writes beside a Pipelinefile is no part of an image.
    private.write("ignore", &format!("{}\n.pipe\n**/.pipe\n", context.rules))?;
    let mut arguments = arguments(&private, context, request, tags);
    for (number, (name, secret)) in request.secrets.iter().enumerate() {
        let file = format!("secret{number}");
        private.write(&file, secret.reveal())?;
        let secret = format!("id={name},src={}", private.shown(&file));
        arguments.splice(1..1, ["--secret".to_owned(), secret]);
    }
    let mut step = String::new();
    let ended = private.given(call, buildah);
    let ended = ended.run(&arguments, |stream, line| match line.split_once("STEP ") {
        Some((before, rest)) if before.is_empty() || before.starts_with('[') => {
            let (numbers, text) = rest.split_once(": ").unwrap_or(("", rest));
            text.clone_into(&mut step);
            call.report.say(&format!("{before}{numbers} {text}"));
        }
        _ => call.report.output(stream, line),
    });
    let ended = call.unless_cancelled(ended).await??;
    if ended.status != Some(0) {
        let whole = ended.last.join(" ");
        let mut failure = buildah.failed("build", ended);
        if let Some(status) = status(&whole) {
            failure.message = format!("a command of the Dockerfile ended with status {status}");
        }
        return Err(match place(context, &step) {
            Some(bytes) => failure.at(Spot::File { path: context.dockerfile.clone(), bytes }),
            None => failure,
        });
    }
    let id = fs::read_to_string(private.path("id")).map_err(Failure::internal)?;
    Ok(id.trim().to_owned())
}

fn arguments(
    private: &Private,
    context: &Context,
    request: &Request,
    tags: &[Reference],
) -> Vec<String> {
    let shown = |path: &Path| path.display().to_string();
    let format = if request.format == Format::Oci { "oci" } else { "docker" };
    let mut all: Vec<String> = ["build", "--layers", "--format", format].map(str::to_owned).into();
    let mut add = |name: &str, value: String| all.extend([name.to_owned(), value]);
    add("--iidfile", private.shown("id"));
    add("--authfile", private.shown("auth.json"));
    add("--ignorefile", private.shown("ignore"));
    add("--file", shown(&context.dockerfile));
    for tag in tags {
        add("--tag", tag.to_string());
    }
    for (name, value) in &request.args {
        add("--build-arg", format!("{name}={value}"));
    }
    for (name, value) in &request.labels {
        add("--label", format!("{name}={value}"));
    }
    for (name, value) in &request.annotations {
        add("--annotation", format!("{name}={value}"));
    }
    for (name, named) in &request.contexts {
        add(
            "--build-context",
            match named {
                Named::Folder(path) => format!("{name}={}", shown(path)),
                Named::Image(image) => format!("{name}=docker-image://{image}"),
                Named::Layout(path, tag) => {
                    let tag = tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
                    format!("{name}=oci-layout://{}{tag}", shown(path))
                }
            },
        );
    }
    request.network.iter().for_each(|network| add("--network", network.clone()));
    request.target.iter().for_each(|target| add("--target", target.clone()));
    request.platforms.iter().for_each(|platform| add("--platform", platform.clone()));
    all.push(if request.pull { "--pull-always" } else { "--pull" }.to_owned());
    if request.no_cache {
        all.push("--no-cache".to_owned());
    }
    all.push(shown(&context.root));
    all
}

/// What of a request buildah can't do: the argument, and why.
pub(super) fn beyond(request: &Request) -> Option<(&'static str, &'static str)> {
    let is_layout = |named: &Named| matches!(named, Named::Layout(..));
    if request.platforms.len() > 1 {
        Some(("platforms", "buildah builds for one platform at a time"))
    } else if request.contexts.values().any(is_layout) {
        Some(("contexts", "buildah knows no `oci-layout://`"))
    } else {
        None
    }
}

/// Pushes an image and answers its digest as buildah tells it.
pub(super) async fn push(
    call: &Call<'_>,
    buildah: &Buildah,
    id: &str,
    registry: &Registry,
    tag: &Reference,
) -> Result<Digest, Failure> {
    let private = Private::of(call, &BTreeSet::from([registry.host().to_owned()])).await?;
    let arguments = [
        "push".to_owned(),
        "--authfile".to_owned(),
        private.shown("auth.json"),
        "--digestfile".to_owned(),
        private.shown("digest"),
        id.to_owned(),
        format!("docker://{tag}"),
    ];
    let given = private.given(call, buildah);
    let ended = given.run(&arguments, |stream, line| call.report.output(stream, line));
    let ended = call.unless_cancelled(ended).await??;
    if ended.status != Some(0) {
        let message = format!("`{}` could not be pushed by buildah", tag.familiar());
        let failure = buildah.failed("push", ended);
        return Err(Failure { code: Code::PUSH_FAILED, message, ..failure });
    }
    let digest = fs::read_to_string(private.path("digest")).map_err(Failure::internal)?;
    digest.trim().parse().map_err(Failure::internal)
}

/// `exit status 7`, at the end of its output.
fn status(output: &str) -> Option<u32> {
    let (_, rest) = output.rsplit_once("exit status ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// The first word of the instruction that reads like this.
fn place(context: &Context, step: &str) -> Option<std::ops::Range<usize>> {
    let dockerfile = parse_dockerfile::parse(&context.text).ok()?;
    let escape = dockerfile.parser_directives.escape.as_ref().map_or('\\', |e| e.value.value);
    let plain = step.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = dockerfile
        .instructions
        .iter()
        .map(keyword)
        .find(|place| text(&context.text, place.start, escape) == plain)?;
    let offset = offset(&context.text);
    Some(place.start + offset..place.end + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_are_understood() {
        let said = "Error: building at STEP \"RUN exit 7\": exit status 7";
        assert_eq!(status(said), Some(7));
        assert_eq!(status("Error: no such image"), None);
    }
}
