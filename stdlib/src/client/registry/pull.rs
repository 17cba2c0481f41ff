//! Pulling an image into a store.

use futures_util::{StreamExt, TryStreamExt, stream};
use pipe_grammar::Code;
use pipe_oci::{AnyManifest, Descriptor, Platform, Reference, Store};

use super::{Fetched, Registry, download::broken_store};
use crate::core::Failure;

/// As many blobs travel side by side as Docker fetches.
const AT_ONCE: usize = 3;

impl Registry {
    /// Pulls an image; of an index the one for `platform`. Answers the manifest; the image gets no
    /// name in the store.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, has no such image, or refuses.
    pub async fn pull(
        &self,
        store: &Store,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Descriptor, Failure> {
        let found = self.fetch_image(store, reference, platform).await?;
        let manifest = match store.any_manifest(&found.digest).map_err(|e| broken_store(&e))? {
            AnyManifest::Image(_) => found,
            AnyManifest::Index(index) => {
                index.select(platform).cloned().ok_or_else(|| not_made(reference, platform))?
            }
        };
        let image = store.manifest(&manifest.digest).map_err(|e| broken_store(&e))?;
        self.pull_blobs(store, reference, &image.layers).await?;
        Ok(manifest)
    }

    /// Fetches what describes an image: what stands under the reference, of an index the manifest
    /// for `platform`, and the configuration. Layers stay where they are; the store remembers that
    /// the repository has them. Answers what stands under the reference.
    ///
    /// # Errors
    ///
    /// As [`Registry::pull`].
    pub async fn fetch_image(
        &self,
        store: &Store,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Descriptor, Failure> {
        let fetched = self.manifest(reference).await?.ok_or_else(|| self.missing(reference))?;
        let keep = |fetched: &Fetched| {
            let kept = store.put_manifest(&fetched.bytes, &fetched.media_type);
            kept.map_err(|e| broken_store(&e))
        };
        let image = match self.parse(reference, &fetched)? {
            AnyManifest::Image(image) => image,
            AnyManifest::Index(index) => {
                let chosen = index.select(platform).ok_or_else(|| not_made(reference, platform))?;
                let reference = reference.at(chosen.digest);
                let fetched =
                    self.manifest(&reference).await?.ok_or_else(|| self.missing(&reference))?;
                let AnyManifest::Image(image) = self.parse(&reference, &fetched)? else {
                    return Err(self.damaged(&reference, "it is an index inside an index"));
                };
                keep(&fetched)?;
                image
            }
        };
        self.pull_blob(reference.path(), store, &image.config).await?;
        for layer in &image.layers {
            store.remember_origin(&layer.digest, reference).map_err(|e| broken_store(&e))?;
        }
        keep(&fetched)
    }

    /// Fetches blobs of a repository, side by side.
    ///
    /// # Errors
    ///
    /// As [`Registry::pull`].
    pub async fn pull_blobs(
        &self,
        store: &Store,
        repository: &Reference,
        blobs: &[Descriptor],
    ) -> Result<(), Failure> {
        let mut jobs = Vec::new();
        for (number, blob) in blobs.iter().enumerate() {
            // The same layer twice is one blob.
            if !blobs[..number].contains(blob) {
                jobs.push(self.pull_blob(repository.path(), store, blob));
            }
        }
        stream::iter(jobs).buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    /// What kind of manifest was fetched.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(&self, reference: &Reference, fetched: &Fetched) -> Result<AnyManifest, Failure> {
        AnyManifest::parse(&fetched.bytes, Some(&fetched.media_type))
            .map_err(|e| self.damaged(reference, &e.to_string()))
    }

    /// There is no such image.
    pub fn missing(&self, reference: &Reference) -> Failure {
        let message = format!("`{}` has no image `{}`", self.host, reference.familiar());
        Failure::new(Code::INVALID_IMAGE, message)
            .help("check its name and tag; a private one is shown only after a login")
    }
}

fn not_made(reference: &Reference, platform: &Platform) -> Failure {
    let message = format!("`{}` is not made for `{platform}`", reference.familiar());
    Failure::new(Code::INVALID_IMAGE, message)
}
