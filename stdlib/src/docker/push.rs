//! `docker.push`.

use std::{collections::BTreeSet, sync::Arc, time::SystemTime};

use pipe_grammar::Code;
use pipe_oci::{AnyManifest, Descriptor, Digest, Named, Reference, Store};

use super::{
    image::{Image, beside, named},
    local, with_buildah,
};
use crate::{
    client::{
        buildah::Buildah,
        engine::{Engine, Inspected},
        registry::{self, Registry},
    },
    core::{Arguments, Call, Failure, Intent, Outcome, builtin},
};

builtin! {
    step docker.push, push;
    "
    # Pushes an image that was built here to the registry that its name says.
    #
    # What the registry has already is not sent again. The answer names the image by its digest,
    # which never changes its meaning: give that to a deployment.
    (
      # The image, by its name.
      image: string,
      # Further names to push it under: `:1.2` for another tag in the same repository.
      also: texts = [],
    ) -> Image
    "
    examples: [
        r#"docker.push("ssk2/demo:1")"#,
        r#"docker.push("registry.example.com/demo:1", also: ["registry.example.com/demo:latest"])"#,
    ]
}

async fn push(call: Call<'_>, arguments: Arguments) -> Outcome {
    let image = named(&call, "image", &arguments.get::<String>("image")?)?;
    let also: Vec<String> = arguments.get("also")?;
    let also = also.iter().map(|text| beside(&call, "also", &image, text));
    let also = also.collect::<Result<Vec<_>, _>>()?;
    push_all(&call, &image, &also).await
}

/// Pushes an image under its name and further ones.
pub(super) async fn push_all(call: &Call<'_>, image: &Reference, also: &[Reference]) -> Outcome {
    let place = find(call, image).await?;
    let first = if image.digest().is_some() { None } else { Some(image) };
    let mut tags: Vec<Reference> = Vec::new();
    for tag in first.into_iter().chain(also) {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    let mut digest = None;
    for tag in &tags {
        let registry = Registry::connect(tag.host(), call.world, call.connections);
        let registry = call.unless_cancelled(registry).await??;
        let pushed = match &place {
            Place::Engine(engine, found) => by_engine(call, &registry, engine, found, image, tag).await?,
            Place::Buildah(buildah, id) => by_buildah(call, &registry, buildah, id, tag).await?,
            Place::Store(store, manifest) => from_store(call, &registry, store, manifest, tag).await?,
        };
        digest.get_or_insert(pushed);
    }
    let id = place.id();
    Ok(Image { tags, digest, id }.value())
}

/// Where an image is.
pub(super) enum Place {
    /// In the Docker Engine.
    Engine(Engine, Inspected),
    /// Buildah has it, with this id.
    Buildah(Buildah, String),
    /// In the store of this machine.
    Store(Store, Descriptor),
}

impl Place {
    /// The image's id, which is the digest of its configuration.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Engine(_, found) => Some(found.id.clone()),
            Self::Buildah(_, id) => Some(id.clone()),
            Self::Store(store, manifest) => {
                store.manifest(&manifest.digest).ok().map(|m| m.config.digest.to_string())
            }
        }
    }
}

/// Finds an image in the store of this machine and in the engine. Where both have it, the one that
/// gave it the name last.
pub(super) async fn find(call: &Call<'_>, image: &Reference) -> Result<Place, Failure> {
    let name = image.familiar();
    let store = local::store(call.world)?;
    let here = store.find(image).map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))?;
    let engine = call.unless_cancelled(Engine::reach(call.world, call.connections)).await??;
    let there = match &engine {
        Ok(engine) => call.unless_cancelled(engine.inspect(&name)).await??,
        Err(_) => None,
    };
    match (here, engine, there) {
        (Some(Named { since, .. }), Ok(engine), Some(found)) if is_newer(&found, since) => {
            Ok(in_engine(call, engine, found))
        }
        (Some(named), ..) => {
            call.report.say(&format!("{name} is in the image store of this machine"));
            Ok(Place::Store(store, named.manifest))
        }
        (None, Ok(engine), Some(found)) => Ok(in_engine(call, engine, found)),
        (None, engine, _) => {
            if let Some(buildah) = Buildah::find(call.world)
                && let Some(id) = call.unless_cancelled(buildah.image(image)).await??
            {
                call.report.say(&format!("buildah has {name}"));
                return Ok(Place::Buildah(buildah, id));
            }
            let message = format!("there is no image `{name}` on this machine");
            let failure = Failure::new(Code::PUSH_FAILED, message).at_argument("image");
            let failure = failure.help(format!("build it first: `docker.build(\".\", tag: \"{name}\")`"));
            Err(match engine {
                Err(none) if none.is_chosen => failure
                    .help(format!("no Docker Engine answers at `{}`: {}", none.address, none.why)),
                _ => failure,
            })
        }
    }
}

fn is_newer(found: &Inspected, since: SystemTime) -> bool {
    let since = jiff::Timestamp::try_from(since).unwrap_or_default();
    found.tagged.is_some_and(|tagged| tagged > since)
}

fn in_engine(call: &Call<'_>, engine: Engine, found: Inspected) -> Place {
    call.report.say(&format!("the image is in the Docker Engine at {}", engine.address));
    Place::Engine(engine, found)
}

/// Says that nothing is to do, and answers the digest.
fn unchanged(call: &Call<'_>, tag: &Reference, digest: Digest) -> Digest {
    call.report.say(&format!("{} is there already ({})", tag.familiar(), digest.short()));
    digest
}

async fn from_store(
    call: &Call<'_>,
    registry: &Registry,
    store: &Store,
    manifest: &Descriptor,
    tag: &Reference,
) -> Result<Digest, Failure> {
    let there = call.unless_cancelled(registry.head_to_push(tag)).await??;
    if there.is_some_and(|there| there.digest == manifest.digest) {
        return Ok(unchanged(call, tag, manifest.digest));
    }
    call.report.intend(Intent::Push { reference: tag.familiar() })?;
    let said = |line: String| call.report.say(&format!("  layer {line}"));
    let bases = bases(call, store, manifest).await?;
    let pushed = registry.push(store, &bases, manifest, tag, &said);
    let pushed = call.unless_cancelled(pushed).await??;
    let layers = |count: usize| pipe_grammar::diagnostic::count("layer", count);
    call.report.say(&format!(
        "pushed {} ({}): {} sent, {} there already",
        tag.familiar(),
        pushed.digest.short(),
        layers(pushed.sent),
        pushed.there
    ));
    Ok(pushed.digest)
}

async fn by_buildah(
    call: &Call<'_>,
    registry: &Registry,
    buildah: &Buildah,
    id: &str,
    tag: &Reference,
) -> Result<Digest, Failure> {
    call.report.intend(Intent::Push { reference: tag.familiar() })?;
    let digest = with_buildah::push(call, buildah, id, registry, tag).await?;
    let there = call.unless_cancelled(registry.head_to_push(tag)).await??;
    if there.is_none_or(|there| there.digest != digest) {
        return Err(other(tag));
    }
    call.report.say(&format!("pushed {} ({})", tag.familiar(), digest.short()));
    Ok(digest)
}

/// Somebody else pushed at the same time.
fn other(tag: &Reference) -> Failure {
    let tag = tag.familiar();
    let message = format!("the registry has another image under `{tag}` after the push");
    Failure::infrastructure(Code::PUSH_FAILED, message)
        .help("somebody else may push the same tag at the same time; run it again")
}

/// The registries that have layers which are not here.
async fn bases(
    call: &Call<'_>,
    store: &Store,
    manifest: &Descriptor,
) -> Result<Vec<Arc<Registry>>, Failure> {
    let failed = |e: pipe_oci::Error| Failure::new(Code::BAD_FILE, e.to_string());
    let manifests = match store.any_manifest(&manifest.digest).map_err(failed)? {
        AnyManifest::Image(image) => vec![image],
        AnyManifest::Index(index) => {
            let images = index.manifests.iter().map(|image| store.manifest(&image.digest));
            images.collect::<Result<_, _>>().map_err(failed)?
        }
    };
    let layers = manifests.iter().flat_map(|image| &image.layers);
    let missing = layers.filter(|layer| {
        layer.urls.is_empty() && store.size(&layer.digest) != Some(layer.size)
    });
    let origins: Vec<Reference> = missing.flat_map(|l| store.origins(&l.digest)).collect();
    let hosts: BTreeSet<&str> = origins.iter().map(Reference::host).collect();
    let mut found = Vec::new();
    for host in hosts {
        let registry = Registry::connect(host, call.world, call.connections);
        found.push(Arc::new(call.unless_cancelled(registry).await??));
    }
    Ok(found)
}

async fn by_engine(
    call: &Call<'_>,
    registry: &Registry,
    engine: &Engine,
    found: &Inspected,
    image: &Reference,
    tag: &Reference,
) -> Result<Digest, Failure> {
    let there = call.unless_cancelled(registry.head_to_push(tag)).await??;
    if let Some(there) = there
        && found.digests_in(tag).any(|digest| digest == there.digest)
    {
        return Ok(unchanged(call, tag, there.digest));
    }
    call.report.intend(Intent::Push { reference: tag.familiar() })?;
    if tag != image {
        call.unless_cancelled(engine.tag(&found.id, tag)).await??;
    }
    let credentials = registry::credentials(tag.host(), call.world, call.connections);
    let credentials = call.unless_cancelled(credentials).await??;
    let said = |line: String| call.report.say(&format!("  {line}"));
    call.unless_cancelled(engine.push(tag, &credentials, said)).await??;

    // The engine does not tell under which digest; the registry does, and the engine keeps it.
    let there = call.unless_cancelled(registry.head_to_push(tag)).await??;
    let known = call.unless_cancelled(engine.inspect(&found.id)).await??;
    let digest = there.map(|there| there.digest).filter(|digest| {
        known.as_ref().is_some_and(|known| known.digests_in(tag).any(|known| known == *digest))
    });
    let digest = digest.ok_or_else(|| other(tag))?;
    call.report.say(&format!("pushed {} ({})", tag.familiar(), digest.short()));
    Ok(digest)
}
