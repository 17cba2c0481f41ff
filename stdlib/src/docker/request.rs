//! What a build is asked for, whoever builds.

use std::{collections::BTreeMap, path::PathBuf};

use pipe_grammar::Code;
use pipe_oci::{Format, Reference};

use crate::core::{Arguments, Call, Failure, Secret, Value, text_of};

/// What is to be built.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// Values of `ARG`s.
    pub(super) args: BTreeMap<String, String>,
    /// What commands may read in `/run/secrets`, by name.
    pub(super) secrets: Vec<(String, Secret)>,
    /// The network of commands.
    pub(super) network: Option<String>,
    /// Labels besides those of the Dockerfile.
    pub(super) labels: BTreeMap<String, String>,
    /// Facts in the manifest; OCI's only.
    pub(super) annotations: BTreeMap<String, String>,
    /// The stage to build; the last one if none is named.
    pub(super) target: Option<String>,
    /// What it shall run on; this machine if nothing is said.
    pub(super) platforms: Vec<String>,
    /// What `FROM` and `COPY --from` find under a name.
    pub(super) contexts: BTreeMap<String, Named>,
    /// In which family of formats it is written.
    pub(super) format: Format,
    /// Ask the registry for the base even if one is here.
    pub(super) pull: bool,
    /// Make every layer anew.
    pub(super) no_cache: bool,
    /// Why the builder without a daemon was taken, when it was not by itself.
    pub(super) forced: Option<&'static str>,
}

/// What a name of `contexts` stands for, in
/// [Docker's notation](https://docs.docker.com/reference/cli/docker/buildx/build/#build-context).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A folder.
    Folder(PathBuf),
    /// `docker-image://REFERENCE`.
    Image(Reference),
    /// `oci-layout://FOLDER:TAG`, also by digest and without either.
    Layout(PathBuf, Option<String>),
}

impl Request {
    pub(super) fn of(call: &Call<'_>, arguments: &Arguments) -> Result<Self, Failure> {
        let map = |name| Ok(arguments.get::<Vec<(String, String)>>(name)?.into_iter().collect());
        let contexts: Vec<(String, String)> = arguments.get("contexts")?;
        let contexts = contexts.into_iter().map(|(name, text)| {
            let named = named(call, &text).map_err(|failure| failure.at_argument("contexts"))?;
            Ok((name, named))
        });
        let request = Self {
            args: map("args")?,
            labels: map("labels")?,
            annotations: map("annotations")?,
            secrets: secrets(arguments),
            network: arguments.get("network")?,
            target: arguments.get("target")?,
            platforms: platforms(arguments)?,
            contexts: contexts.collect::<Result<_, Failure>>()?,
            format: match arguments.get::<String>("format")?.as_str() {
                "oci" => Format::Oci,
                _ => Format::Docker,
            },
            pull: arguments.get("pull")?,
            no_cache: arguments.get("no_cache")?,
            forced: None,
        };
        if request.format == Format::Docker && !request.annotations.is_empty() {
            let message = "a manifest in Docker's format has no annotations";
            return Err(Failure::new(Code::INVALID_IMAGE, message)
                .at_argument("annotations")
                .help("add `format: \"oci\"`, which Mesos can't pull, or use `labels`"));
        }
        Ok(request)
    }
}

fn secrets(arguments: &Arguments) -> Vec<(String, Secret)> {
    let given = arguments.value("secrets").as_record().into_iter().flatten();
    let secret = |value: &Value| match value {
        Value::Secret(secret) => Some(secret.clone()),
        value => text_of(value).map(Secret::new),
    };
    given.filter_map(|(name, value)| Some((name.to_string(), secret(value)?))).collect()
}

/// `platform` and `platforms`, each once.
fn platforms(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let one: Option<String> = arguments.get("platform")?;
    let several: Vec<String> = arguments.get("platforms")?;
    let mut all = Vec::new();
    let named = one.into_iter().map(|p| ("platform", p));
    for (argument, text) in named.chain(several.into_iter().map(|p| ("platforms", p))) {
        text.parse::<pipe_oci::Platform>()
            .map_err(|e| Failure::new(Code::INVALID_IMAGE, e.to_string()).at_argument(argument))?;
        if !all.contains(&text) {
            all.push(text);
        }
    }
    Ok(all)
}

fn named(call: &Call<'_>, text: &str) -> Result<Named, Failure> {
    if let Some(reference) = text.strip_prefix("docker-image://") {
        let reference: Reference = reference
            .parse()
            .map_err(|e: pipe_oci::ReferenceError| Failure::new(Code::INVALID_IMAGE, e.message))?;
        return Ok(Named::Image(reference.or_latest()));
    }
    if let Some(rest) = text.strip_prefix("oci-layout://") {
        let end = rest.rfind('/').map_or(0, |at| at + 1);
        let at = rest[end..].find(['@', ':']).map(|at| end + at);
        let (folder, tag) = match at {
            Some(at) => (&rest[..at], Some(rest[at + 1..].to_owned())),
            None => (rest, None),
        };
        return Ok(Named::Layout(call.world.path(call.dir, folder)?, tag));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        let message = format!("`{scheme}://` is no context of a build");
        return Err(Failure::new(Code::BAD_PATH, message).help(
            "a context is a folder, `docker-image://NAME:TAG` or `oci-layout://FOLDER:TAG`",
        ));
    }
    Ok(Named::Folder(call.world.path(call.dir, text)?))
}
