//! Pulling an image into a store.

use futures_util::{StreamExt, TryStreamExt, stream};
use pipe_grammar::Code;
use pipe_oci::{AnyManifest, Descriptor, Platform, Reference, Store};

use super::{Fetched, Registry, blob::broken_store, request::Errand};
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
        let fetched = self.manifest(reference).await?.ok_or_else(|| self.missing(reference))?;
        let (fetched, image) = match self.parse(reference, &fetched)? {
            AnyManifest::Image(image) => (fetched, image),
            AnyManifest::Index(index) => {
                let chosen = index.select(platform).ok_or_else(|| {
                    let name = reference.familiar();
                    Failure::new(
                        Code::INVALID_IMAGE,
                        format!("`{name}` is not made for `{platform}`"),
                    )
                })?;
                let reference = reference.at(chosen.digest);
                let fetched =
                    self.manifest(&reference).await?.ok_or_else(|| self.missing(&reference))?;
                let AnyManifest::Image(image) = self.parse(&reference, &fetched)? else {
                    return Err(self.damaged(&reference, "it is an index inside an index"));
                };
                (fetched, image)
            }
        };
        let errand = Errand::pull(reference.path());
        let mut jobs = Vec::new();
        for blob in image.blobs() {
            jobs.push(self.pull_blob(errand, store, blob));
        }
        stream::iter(jobs).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        store.put_manifest(&fetched.bytes, &fetched.media_type).map_err(|e| broken_store(&e))
    }

    fn parse(&self, reference: &Reference, fetched: &Fetched) -> Result<AnyManifest, Failure> {
        AnyManifest::parse(&fetched.bytes, Some(&fetched.media_type))
            .map_err(|e| self.damaged(reference, &e.to_string()))
    }

    fn missing(&self, reference: &Reference) -> Failure {
        let message = format!("`{}` has no image `{}`", self.host, reference.familiar());
        Failure::new(Code::INVALID_IMAGE, message)
            .help("check its name and tag; a private one is shown only after a login")
    }
}
