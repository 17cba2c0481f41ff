//! `docker.build`.

use pipe_grammar::Code;
use pipe_oci::Reference;

use super::{
    builder::{self, Builder},
    context::Context,
    image::{Image, tag},
    layers, local, push,
    request::Request,
    with_buildah, with_engine,
};
use crate::core::{Arguments, Call, Failure, Intent, Outcome, builtin};

builtin! {
    step docker.build, build;
    "
    # Builds an image from a folder with a Dockerfile.
    #
    # It is built with the Docker Engine where one answers, else without a daemon: by `pipe` itself
    # where the Dockerfile has no `RUN`, else by buildah where that is installed.
    (
      # The folder whose files the Dockerfile may copy.
      context: path,
      # The Dockerfile; without it `Dockerfile` in the context.
      dockerfile: path?,
      # The image's name and tag.
      tag: string?,
      # Further names.
      tags: list<string> = [],
      # Values for the Dockerfile's `ARG`s. They can be read in the image: never a secret.
      args: map<string> = {},
      # Secrets that a command may read, by their names: `RUN --mount=type=secret,id=NAME` finds
      # one in `/run/secrets/NAME`. Nothing of them stays in the image. Needs buildah.
      secrets: environment = {},
      # The stage to build; without it the last one.
      target: string?,
      # What the image shall run on, such as `linux/arm64`; without it this machine.
      platform: string?,
      # Several of them: the image is made for each, all under one name.
      platforms: list<string> = [],
      # Further places that `FROM` and `COPY --from` find by name: a folder,
      # `docker-image://NAME:TAG` or `oci-layout://FOLDER:TAG`.
      contexts: map<string> = {},
      # Labels besides the Dockerfile's own.
      labels: map<string> = {},
      # Facts in the manifest, which only the format `oci` can hold.
      annotations: map<string> = {},
      # How it is written: as Docker does, which everything can pull (the Mesos containerizer
      # nothing else), or as OCI does.
      format: (\"docker\" | \"oci\") = \"docker\",
      # Asks the registry for a newer base image.
      pull: bool = false,
      # Builds everything anew.
      no_cache: bool = false,
      # The network of commands: `none`, `host`; without it what the builder has.
      network: string?,
      # Pushes the image under all its names; needs a name.
      push: bool = false,
      # Who builds: the Docker Engine, buildah, or `pipe` itself without a daemon.
      builder: (\"engine\" | \"buildah\" | \"layers\")?,
    ) -> Image
    "
    examples: [
        r#"docker.build(".", tag: "ssk2/demo:1")"#,
        r#"docker.build("services/api", dockerfile: "services/api/Dockerfile.release", tag: "ssk2/api:1", tags: ["ssk2/api:latest"], args: { VERSION: "1" }, target: "release", labels: { "org.opencontainers.image.revision": git.commit }, builder: "layers", push: true)"#,
    ]
}

async fn build(call: Call<'_>, arguments: Arguments) -> Outcome {
    let tags = tags(&call, &arguments)?;
    let push: bool = arguments.get("push")?;
    if push && tags.is_empty() {
        return Err(Failure::new(Code::MISSING_ARGUMENT, "`push: true` needs a name to push to")
            .at_argument("push")
            .help("add `tag: \"…\"`"));
    }
    let request = Request::of(&call, &arguments)?;
    let context = context(&call, &arguments)?;
    let choice: Option<String> = arguments.get("builder")?;
    let builder = builder::choose(&call, choice.as_deref(), &context, &request).await?;
    for tag in &tags {
        call.report.intend(Intent::Image { reference: tag.familiar() })?;
    }
    let id = match builder {
        Builder::Engine(engine) => {
            with_engine::build(&call, &engine, context, request, &tags).await?
        }
        Builder::Buildah(buildah) => {
            let id = with_buildah::build(&call, &buildah, &context, &request, &tags).await?;
            // Of an image with the same name the later one counts.
            let store = local::store(call.world)?;
            for tag in &tags {
                store.forget(tag).map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))?;
            }
            id
        }
        Builder::Layers(forced) => {
            let request = Request { forced, ..request };
            let store = local::store(call.world)?;
            let built = layers::build(&call, &store, context, request, &tags).await?;
            built.id.to_string()
        }
    };
    let name = tags.first().map(Reference::familiar).unwrap_or_default();
    call.report.say(format!("built {name} ({})", short(&id)).trim_start());
    match tags.split_first() {
        Some((first, further)) if push => push::push_all(&call, first, further).await,
        _ => Ok(Image { tags, digest: None, id: Some(id) }.value()),
    }
}

/// The folder and the Dockerfile that the call names.
fn context(call: &Call<'_>, arguments: &Arguments) -> Result<Context, Failure> {
    let path = |name| {
        let written: Option<String> = arguments.get(name)?;
        let path = written.map(|text| call.world.path(call.dir, &text)).transpose();
        path.map_err(|failure| failure.at_argument(name))
    };
    let root = path("context")?.unwrap_or_else(|| call.dir.to_owned());
    Context::open(call.world, root, path("dockerfile")?)
}

/// The image's names, `tag` first, each once.
fn tags(call: &Call<'_>, arguments: &Arguments) -> Result<Vec<Reference>, Failure> {
    let first: Option<String> = arguments.get("tag")?;
    let further: Vec<String> = arguments.get("tags")?;
    let first = first.into_iter().map(|text| ("tag", text));
    let mut tags = Vec::new();
    for (argument, text) in first.chain(further.into_iter().map(|text| ("tags", text))) {
        let tag = tag(call, argument, &text)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// `sha256:` and 12 digits.
fn short(id: &str) -> &str {
    id.get(..19).unwrap_or(id)
}
