//! A stage on an image.

use std::collections::BTreeMap;

use pipe_oci::{Descriptor, Digest, Format, Layer, Listing, Tree, decompressed, media_type};

use super::{
    plan::{Image, Stage},
    stage::{Job, State, Stop, archive},
};
use crate::core::Failure;

impl<'a, 't> State<'a, 't> {
    /// A stage that begins with an image.
    pub(super) fn on(job: &'a Job<'a, 't>, stage: &Stage<'_>, image: &Image) -> Result<Self, Stop> {
        let internal = || Stop::Failed(Failure::internal("an image was not fetched"));
        let fetched = job.images.get(image).ok_or_else(internal)?;
        let store = job.store;
        let manifest = store.manifest(&fetched.manifest.digest)?;
        let mut state = Self::new(job, stage, Tree::default());
        state.config = store.config(&manifest)?;
        for layer in &manifest.layers {
            job.gate.check().map_err(|_| Stop::Failed(Failure::cancelled()))?;
            if fetched.listings {
                let listing = match store.listing(&layer.digest) {
                    Some(listing) => listing,
                    None => Listing::read(job.gate.pass(store.blob(&layer.digest)?))?.0,
                };
                listing.apply(&mut state.tree, &archive(store, &layer.digest))?;
            }
            state.layers.push(state.taken_over(layer)?);
        }
        // They say what the base ran on; the image is another one.
        for field in ["container", "container_config", "docker_version", "id", "parent"] {
            state.config.other.shift_remove(field);
        }
        Ok(state)
    }

    /// A layer of the base as the image has it: in its format.
    fn taken_over(&self, layer: &Descriptor) -> Result<Descriptor, Stop> {
        let kind = match (self.format(), layer.media_type.as_str()) {
            (_, media_type::DOCKER_FOREIGN_LAYER) => return Ok(layer.clone()),
            (format, kind) if kind.ends_with("gzip") => format.layer(),
            (Format::Oci, media_type::OCI_LAYER_ZSTD) => media_type::OCI_LAYER_ZSTD,
            (Format::Oci, _) => media_type::OCI_LAYER_TAR,
            // Docker's format knows gzip alone.
            (Format::Docker, _) => return self.in_gzip(layer),
        };
        let annotations = BTreeMap::new();
        Ok(Descriptor { media_type: kind.to_owned(), annotations, ..layer.clone() })
    }

    fn in_gzip(&self, layer: &Descriptor) -> Result<Descriptor, Stop> {
        let (store, gate) = (self.job.store, self.job.gate);
        let key = Digest::of(format!("gzip {}", layer.digest).as_bytes());
        let made = match store.layer(&key) {
            Some(made) => made,
            None => {
                let blob = decompressed(gate.pass(store.blob(&layer.digest)?))?;
                let (made, out) = Layer::compress(blob, gate.pass(store.create()?))?;
                store.keep(out.into_inner(), &made.digest)?;
                store.remember(&key, &made)?;
                if let Some(listing) = store.listing(&layer.digest) {
                    store.remember_listing(&made.digest, &listing)?;
                }
                made
            }
        };
        Ok(Descriptor::new(self.format().layer(), made.size, made.digest))
    }
}
