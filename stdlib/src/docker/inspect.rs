//! `docker.inspect`.

use std::collections::BTreeMap;

use pipe_grammar::Code;
use pipe_oci::{AnyManifest, ImageConfig, Manifest, Platform, Reference};

use super::{
    image::{named, sought},
    push::{Place, find},
};
use crate::{
    client::registry::Registry,
    core::{Arguments, Call, Failure, Outcome, Value, builtin},
};

builtin! {
    step docker.inspect, inspect;
    "
    # Tells what a registry has under a name; nothing is pulled.
    #
    # It fails when there is no such image.
    (
      # The image, by its name, with a tag or a digest.
      image: string,
      # Asks this machine instead: its Docker Engine and its image store.
      local: bool = false,
    ) -> { reference: string, repository: string, digest: string, platforms: list<string>, labels: map<string>, size: size }
    "
    examples: [
        r#"docker.inspect("ssk2/demo:1")"#,
        r#"docker.inspect("ssk2/demo:1", local: true)"#,
    ]
}

/// What is answered.
struct Seen {
    image: Reference,
    digest: String,
    platforms: Vec<String>,
    labels: BTreeMap<String, String>,
    size: u64,
}

impl Seen {
    fn value(self) -> Value {
        let reference = match self.digest.parse() {
            Ok(digest) => self.image.at(digest).familiar(),
            Err(_) => self.image.familiar(),
        };
        let labels = self.labels.into_iter().map(|(name, text)| (name, Value::from(text)));
        Value::record([
            ("reference", Value::from(reference)),
            ("repository", Value::from(self.image.repository())),
            ("digest", Value::from(self.digest)),
            ("platforms", Value::strings(self.platforms)),
            ("labels", Value::record(labels)),
            ("size", Value::Size(self.size)),
        ])
    }

    fn of(image: Reference, digest: String, manifest: &Manifest, config: ImageConfig) -> Self {
        let size = manifest.blobs().map(|blob| blob.size).sum();
        let platforms = vec![config.platform().to_string()];
        Self { image, digest, platforms, labels: config.config.labels, size }
    }
}

async fn inspect(call: Call<'_>, arguments: Arguments) -> Outcome {
    let text: String = arguments.get("image")?;
    if arguments.get("local")? {
        let image = named(&call, "image", &text)?;
        return Ok(here(&call, image).await?.value());
    }
    let (registry, image) = sought(&call, "image", &text).await?;
    let seen = call.unless_cancelled(there(&registry, image)).await?;
    seen.map(Seen::value)
}

async fn there(registry: &Registry, image: Reference) -> Result<Seen, Failure> {
    let missing = || registry.missing(&image).at_argument("image");
    let fetched = registry.manifest(&image).await?.ok_or_else(missing)?;
    let digest = fetched.digest.to_string();
    let index = match registry.parse(&image, &fetched)? {
        AnyManifest::Image(manifest) => {
            let config = registry.config(&image, &manifest).await?;
            return Ok(Seen::of(image, digest, &manifest, config));
        }
        AnyManifest::Index(index) => index,
    };
    let platforms = index.manifests.iter().filter_map(|m| m.platform.as_ref());
    let platforms: Vec<String> = platforms.map(ToString::to_string).collect();
    let chosen = index.select(&Platform::host()).or(index.manifests.first());
    let chosen = chosen.ok_or_else(|| registry.missing(&image))?;
    let part = image.at(chosen.digest);
    let fetched = registry.manifest(&part).await?.ok_or_else(|| registry.missing(&part))?;
    let AnyManifest::Image(manifest) = registry.parse(&part, &fetched)? else {
        return Err(registry.missing(&part));
    };
    let config = registry.config(&part, &manifest).await?;
    Ok(Seen { platforms, ..Seen::of(image, digest, &manifest, config) })
}

async fn here(call: &Call<'_>, image: Reference) -> Result<Seen, Failure> {
    match find(call, &image).await? {
        Place::Engine(_, found) => {
            let digest = found.digests_in(&image).next();
            Ok(Seen {
                digest: digest.map_or_else(|| found.id.clone(), |digest| digest.to_string()),
                platforms: vec![found.platform],
                labels: found.labels,
                size: found.size,
                image,
            })
        }
        Place::Buildah(..) => {
            let message = format!("only buildah has `{}`, which is not asked", image.familiar());
            Err(Failure::new(Code::INVALID_IMAGE, message)
                .at_argument("image")
                .help("push it, then leave out `local: true`"))
        }
        Place::Store(store, descriptor) => {
            let failed = |e: pipe_oci::Error| Failure::new(Code::BAD_FILE, e.to_string());
            let index = match store.any_manifest(&descriptor.digest).map_err(failed)? {
                AnyManifest::Image(manifest) => {
                    let config = store.config(&manifest).map_err(failed)?;
                    let digest = descriptor.digest.to_string();
                    return Ok(Seen::of(image, digest, &manifest, config));
                }
                AnyManifest::Index(index) => index,
            };
            let platforms = index.manifests.iter().filter_map(|m| m.platform.as_ref());
            let platforms = platforms.map(ToString::to_string).collect();
            let digest = descriptor.digest.to_string();
            let seen = Seen { image, digest, platforms, labels: BTreeMap::new(), size: 0 };
            let chosen = index.select(&Platform::host()).or(index.manifests.first());
            let Some(chosen) = chosen else { return Ok(seen) };
            // A base image that was only looked at is not whole.
            let Ok(manifest) = store.manifest(&chosen.digest) else { return Ok(seen) };
            let config = store.config(&manifest).map_err(failed)?;
            let size = manifest.blobs().map(|blob| blob.size).sum();
            Ok(Seen { labels: config.config.labels, size, ..seen })
        }
    }
}
