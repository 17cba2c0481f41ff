//! The images that a Dockerfile builds on, or copies from.

use std::{collections::BTreeMap, fmt};

use pipe_grammar::Code;
use pipe_oci::{Descriptor, Digest, Listing, Manifest, Platform, Reference, Store};

use super::{
    broken,
    flags::is_name,
    needs::Needed,
    onbuild,
    plan::{Image, Place, Plan},
    wrong::Wrong,
};
use crate::{
    client::registry::Registry,
    core::{Call, Failure},
    docker::request::Request,
};

/// An image of which everything is here that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) manifest: Descriptor,
    /// Whether it is known what its layers hold.
    pub(super) listings: bool,
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Place::Registry(reference) => f.write_str(&reference.familiar()),
            Place::Layout(folder, tag) => {
                write!(f, "oci-layout://{}", folder.display())?;
                tag.iter().try_for_each(|tag| write!(f, ":{tag}"))
            }
        }
    }
}

/// Fetches what a plan needs of images, and refuses triggers that this builder can't carry out.
pub(super) async fn fetch(
    call: &Call<'_>,
    store: &Store,
    plan: &Plan<'_>,
    request: &Request,
    blame: impl Fn(Failure, std::ops::Range<usize>) -> Failure,
) -> Result<(BTreeMap<Image, Fetched>, Vec<Wrong>), Failure> {
    let (mut found, mut beyond) = (BTreeMap::new(), Vec::new());
    for needed in plan.images() {
        let of = Fetching { call, store, needed: &needed, pull: request.pull };
        let fetched = of.run().await.map_err(|failure| blame(failure, needed.place.clone()));
        let (fetched, triggers) = fetched?;
        let is_base = |number: &&usize| {
            let stage = &plan.stages[**number];
            stage.from == super::plan::Origin::Image(needed.image.clone())
        };
        if plan.needed.iter().any(|number| is_base(&number)) {
            beyond.extend(onbuild::beyond(&triggers, &needed.place));
        }
        found.insert(needed.image, fetched);
    }
    Ok((found, beyond))
}

struct Fetching<'a> {
    call: &'a Call<'a>,
    store: &'a Store,
    needed: &'a Needed,
    pull: bool,
}

impl Fetching<'_> {
    /// The image, and its triggers.
    async fn run(&self) -> Result<(Fetched, Vec<String>), Failure> {
        let platform: Platform = self
            .needed
            .image
            .platform
            .parse()
            .map_err(|e: pipe_oci::Error| Failure::new(Code::INVALID_IMAGE, e.to_string()))?;
        let (manifest, registry) = match &self.needed.image.source {
            Place::Layout(folder, tag) => {
                (self.import(folder, tag.as_deref(), &platform).await?, None)
            }
            Place::Registry(reference) => self.find(reference, &platform).await?,
        };
        let image = self.store.manifest(&manifest.digest).map_err(|e| broken(&e))?;
        let config = self.store.config(&image).map_err(|e| broken(&e))?;
        let triggers = config.config.on_build.clone();
        let listings = self.needed.listings || triggers.iter().any(|t| onbuild::writes(t));
        let is_gzip = |layer: &Descriptor| layer.media_type.ends_with("gzip");
        let makes_folders =
            self.needed.folders || triggers.iter().any(|t| onbuild::makes_folders(t));
        let contents = self.needed.contents
            || triggers.iter().any(|t| t.contains("--chown"))
            || makes_folders && is_name(&config.config.user);
        let missing: Vec<Descriptor> = image
            .layers
            .iter()
            .filter(|layer| {
                let wanted = contents
                    || !is_gzip(layer)
                    || listings && self.store.listing(&layer.digest).is_none();
                wanted && self.store.size(&layer.digest) != Some(layer.size)
            })
            .cloned()
            .collect();
        if !missing.is_empty() {
            self.pull(registry, &missing).await?;
        }
        if listings {
            self.list(&image).await?;
        }
        Ok((Fetched { manifest, listings }, triggers))
    }

    /// The manifest and configuration of an image in a registry. They are fetched when they are not
    /// here, are made for another platform, or `pull` asks for it.
    async fn find(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<(Descriptor, Option<(Registry, Reference)>), Failure> {
        let (call, store) = (self.call, self.store);
        if !self.pull
            && let Some(there) = local(store, reference, platform)
        {
            return Ok((there, None));
        }
        // The local cluster's registry may have it; otherwise it comes from where it is at home.
        if let Some(cluster) = &call.connections.local
            && let Ok(here) = cluster.image(&reference.to_string()).parse::<Reference>()
        {
            if !self.pull
                && let Some(there) = local(store, &here, platform)
            {
                return Ok((there, None));
            }
            let registry = self.connect(&here).await?;
            if call.unless_cancelled(registry.head(&here)).await??.is_some() {
                return self.fetched(registry, here, platform).await;
            }
        }
        let registry = self.connect(reference).await?;
        self.fetched(registry, reference.clone(), platform).await
    }

    async fn connect(&self, reference: &Reference) -> Result<Registry, Failure> {
        let call = self.call;
        let registry = Registry::connect(reference.host(), call.world, call.connections);
        call.unless_cancelled(registry).await?
    }

    async fn fetched(
        &self,
        registry: Registry,
        reference: Reference,
        platform: &Platform,
    ) -> Result<(Descriptor, Option<(Registry, Reference)>), Failure> {
        let (call, store) = (self.call, self.store);
        call.report.say(&format!("fetching {} for {platform}", reference.familiar()));
        let fetched = registry.fetch_image(store, &reference, platform);
        let manifest = call.unless_cancelled(fetched).await??;
        if reference.digest().is_none() {
            store.name(&reference, &manifest).map_err(|e| broken(&e))?;
        }
        match local(store, &reference.at(manifest.digest), platform) {
            Some(manifest) => Ok((manifest, Some((registry, reference)))),
            None => {
                let message = format!("`{}` is not made for `{platform}`", reference.familiar());
                Err(Failure::new(Code::INVALID_IMAGE, message))
            }
        }
    }

    /// Fetches layers, from where the image came just now, or from where they were seen.
    async fn pull(
        &self,
        registry: Option<(Registry, Reference)>,
        layers: &[Descriptor],
    ) -> Result<(), Failure> {
        let (registry, reference) = match registry {
            Some(known) => known,
            None => {
                let origins = layers.iter().flat_map(|layer| self.store.origins(&layer.digest));
                let reference = origins.into_iter().next().ok_or_else(|| {
                    let message = format!("`{}` is not whole on this machine", self.needed.image);
                    Failure::new(Code::INVALID_IMAGE, message)
                        .help("add `pull: true`, which fetches it anew")
                })?;
                (self.connect(&reference).await?, reference)
            }
        };
        let call = self.call;
        let size = layers.iter().map(|layer| layer.size).sum();
        let size = crate::client::registry::size(size);
        let count = pipe_grammar::diagnostic::count("layer", layers.len());
        call.report.say(&format!("  pulling {count}, {size}"));
        let pulled = registry.pull_blobs(self.store, &reference, layers);
        call.unless_cancelled(pulled).await?
    }

    /// Looks into the layers that nobody has looked into.
    async fn list(&self, image: &Manifest) -> Result<(), Failure> {
        let unknown: Vec<Digest> = image.layers.iter().map(|layer| layer.digest).collect();
        let store = self.store.clone();
        self.call
            .blocking(move |stop| {
                for layer in unknown {
                    if store.listing(&layer).is_some() {
                        continue;
                    }
                    let gate = super::gate::Gate::new(stop.clone());
                    let blob = store.blob(&layer).map_err(|e| broken(&e))?;
                    let (listing, _) = Listing::read(gate.pass(blob)).map_err(|e| broken(&e))?;
                    store.remember_listing(&layer, &listing).map_err(|e| broken(&e))?;
                }
                Ok(())
            })
            .await
    }

    async fn import(
        &self,
        folder: &std::path::Path,
        tag: Option<&str>,
        platform: &Platform,
    ) -> Result<Descriptor, Failure> {
        let (store, folder, platform) = (self.store.clone(), folder.to_owned(), platform.clone());
        let tag = tag.map(str::to_owned);
        self.call
            .blocking(move |_| {
                store
                    .import(&folder, tag.as_deref(), &platform)
                    .map_err(|e| Failure::new(Code::INVALID_IMAGE, e.to_string()))
            })
            .await
    }
}

/// What the store has under a name for this platform; of its layers some may be elsewhere.
fn local(store: &Store, reference: &Reference, platform: &Platform) -> Option<Descriptor> {
    let named = store.find(reference).ok()??;
    let manifest = match store.any_manifest(&named.manifest.digest).ok()? {
        pipe_oci::AnyManifest::Image(_) => named.manifest,
        pipe_oci::AnyManifest::Index(index) => index.select(platform)?.clone(),
    };
    let image = store.manifest(&manifest.digest).ok()?;
    let config = store.config(&image).ok()?;
    let is_reachable = |layer: &Descriptor| {
        store.size(&layer.digest) == Some(layer.size) || !store.origins(&layer.digest).is_empty()
    };
    (image.layers.iter().all(is_reachable) && config.platform().satisfies(platform))
        .then_some(manifest)
}
