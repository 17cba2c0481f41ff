//! Pushing an image: out of a store, or from one registry to another.

use std::sync::Arc;

use futures_util::{StreamExt, future::BoxFuture, stream};
use pipe_grammar::Code;
use pipe_oci::{AnyManifest, Descriptor, Digest, Manifest, Platform, Reference, Store};

use super::{
    Fetched, Registry,
    download::broken_store,
    request::Errand,
    upload::{Passed, Source},
};
use crate::core::Failure;

/// As many blobs travel side by side as Docker sends.
const AT_ONCE: usize = 5;

/// What a push did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The digest under which the registry has the image.
    pub digest: Digest,
    /// Layers that were sent.
    pub sent: usize,
    /// Layers that the registry had, in this repository or in another one.
    pub there: usize,
}

/// Where a push tells of each layer.
type Said<'a> = &'a (dyn Fn(String) + Sync);

impl Registry {
    /// Pushes an image, or the images of an index: their blobs, unless the registry has them, then
    /// the manifest under the tag. `said` is called with a line for each layer.
    ///
    /// A blob that another repository of the registry has is taken over from there. One that is not
    /// in the store, a layer of a base image, comes from where the store has seen it: `registries`
    /// are those, by host.
    ///
    /// # Errors
    ///
    /// When the registry does not answer or refuses, or the store lacks a part.
    pub async fn push(
        &self,
        store: &Store,
        registries: &[Arc<Registry>],
        manifest: &Descriptor,
        reference: &Reference,
        said: Said<'_>,
    ) -> Result<Pushed, Failure> {
        let failed = |e| broken_store(&e);
        let fetched = |digest: &Digest, kind: &str| {
            let (bytes, media_type) = (store.read(digest).map_err(failed)?, kind.to_owned());
            Ok(Fetched { bytes, media_type, digest: *digest })
        };
        let job = Job { to: self, reference, said, supply: Supply::Store(store, registries) };
        match store.any_manifest(&manifest.digest).map_err(failed)? {
            AnyManifest::Image(image) => {
                let bytes = fetched(&manifest.digest, &manifest.media_type)?;
                job.image(&image, &bytes, reference).await
            }
            AnyManifest::Index(index) => {
                let mut images = Vec::new();
                for item in &index.manifests {
                    let image = store.manifest(&item.digest).map_err(failed)?;
                    images.push((image, fetched(&item.digest, &item.media_type)?));
                }
                job.index(images, &fetched(&manifest.digest, &manifest.media_type)?).await
            }
        }
    }

    /// Copies an image from another repository, here or in another registry; of an index all
    /// images, or those for `platforms`. Layers pass through this machine in pieces, unless the
    /// registry can take them over by itself.
    ///
    /// # Errors
    ///
    /// When one of the registries does not answer or refuses, or there is no such image.
    pub async fn copy(
        &self,
        from: &Arc<Registry>,
        image: &Reference,
        platforms: &[Platform],
        reference: &Reference,
        said: Said<'_>,
    ) -> Result<Pushed, Failure> {
        let job = Job { to: self, reference, said, supply: Supply::Registry(from, image) };
        let fetched = from.manifest(image).await?.ok_or_else(|| from.missing(image))?;
        let index = match from.parse(image, &fetched)? {
            AnyManifest::Image(manifest) => {
                return job.image(&manifest, &fetched, reference).await;
            }
            AnyManifest::Index(index) => index,
        };
        let mut wanted = Vec::new();
        for platform in platforms {
            wanted.push(index.select(platform).cloned().ok_or_else(|| {
                let message = format!("`{}` is not made for `{platform}`", image.familiar());
                Failure::new(Code::INVALID_IMAGE, message)
            })?);
        }
        if wanted.is_empty() {
            wanted.clone_from(&index.manifests);
        }
        let mut images = Vec::new();
        for item in &wanted {
            let image = image.at(item.digest);
            let fetched = from.manifest(&image).await?.ok_or_else(|| from.missing(&image))?;
            let AnyManifest::Image(manifest) = from.parse(&image, &fetched)? else {
                return Err(from.damaged(&image, "it is an index inside an index"));
            };
            images.push((manifest, fetched));
        }
        match &images[..] {
            [(manifest, fetched)] if !platforms.is_empty() => {
                job.image(manifest, fetched, reference).await
            }
            _ if wanted == index.manifests => job.index(images, &fetched).await,
            _ => {
                let kept = pipe_oci::Index { manifests: wanted, ..index };
                let bytes = kept.to_bytes();
                let digest = Digest::of(&bytes);
                job.index(images, &Fetched { bytes, digest, ..fetched }).await
            }
        }
    }
}

/// Where blobs come from.
enum Supply<'a> {
    Store(&'a Store, &'a [Arc<Registry>]),
    Registry(&'a Arc<Registry>, &'a Reference),
}

struct Job<'a> {
    to: &'a Registry,
    reference: &'a Reference,
    said: Said<'a>,
    supply: Supply<'a>,
}

impl Job<'_> {
    /// The images of an index, then the index.
    async fn index(
        &self,
        images: Vec<(Manifest, Fetched)>,
        index: &Fetched,
    ) -> Result<Pushed, Failure> {
        let (mut sent, mut there) = (0, 0);
        for (image, fetched) in &images {
            let pushed = self.image(image, fetched, &self.reference.at(fetched.digest)).await?;
            sent += pushed.sent;
            there += pushed.there;
        }
        let digest = self.to.put_manifest(self.reference, &index.media_type, &index.bytes).await?;
        Ok(Pushed { digest, sent, there })
    }

    /// The blobs of an image, side by side, then its manifest.
    async fn image(
        &self,
        image: &Manifest,
        fetched: &Fetched,
        reference: &Reference,
    ) -> Result<Pushed, Failure> {
        let mut seen = Vec::new();
        let mut blobs: Vec<BoxFuture<'_, Result<Option<Passed>, Failure>>> = Vec::new();
        for blob in image.blobs() {
            // The same layer twice is one blob; one with addresses of its own stays there.
            if seen.contains(&blob.digest) || !blob.urls.is_empty() {
                continue;
            }
            seen.push(blob.digest);
            let is_layer = blob.digest != image.config.digest;
            blobs.push(Box::pin(async move {
                let passed = self.blob(blob).await?;
                if is_layer {
                    self.tell(blob, passed);
                }
                Ok(is_layer.then_some(passed))
            }));
        }
        let mut passing = stream::iter(blobs).buffer_unordered(AT_ONCE);
        let (mut sent, mut there) = (0, 0);
        while let Some(passed) = passing.next().await {
            match passed? {
                Some(Passed::Sent) => sent += 1,
                Some(Passed::There | Passed::Mounted) => there += 1,
                None => {}
            }
        }
        drop(passing);
        let digest = self.to.put_manifest(reference, &fetched.media_type, &fetched.bytes).await?;
        Ok(Pushed { digest, sent, there })
    }

    fn tell(&self, blob: &Descriptor, passed: Passed) {
        let digest = blob.digest.short();
        (self.said)(match passed {
            Passed::There => format!("{digest} is there already"),
            Passed::Mounted => format!("{digest} is in another repository of the registry"),
            Passed::Sent => format!("{digest} pushed, {}", size(blob.size)),
        });
    }

    /// Brings a blob into the registry by the shortest way.
    async fn blob(&self, blob: &Descriptor) -> Result<Passed, Failure> {
        let (to, path) = (self.to, self.reference.path());
        let errand = Errand::push(path);
        let passed = if to.has_blob(errand, blob).await? {
            Passed::There
        } else if self.is_mounted(blob).await {
            Passed::Mounted
        } else {
            self.send(errand, blob).await?;
            Passed::Sent
        };
        if let Supply::Store(store, _) = self.supply {
            // It only saves work.
            let _ = store.remember_origin(&blob.digest, self.reference);
        }
        Ok(passed)
    }

    async fn is_mounted(&self, blob: &Descriptor) -> bool {
        let origins = match self.supply {
            Supply::Store(store, _) => store.origins(&blob.digest),
            Supply::Registry(_, image) => vec![image.clone()],
        };
        let others = origins.iter().filter(|origin| {
            origin.host() == self.to.host && origin.path() != self.reference.path()
        });
        // Each costs a request; the latest one nearly always has it.
        for origin in others.take(2) {
            if self.to.mount(self.reference.path(), blob, origin.path()).await {
                return true;
            }
        }
        false
    }

    async fn send(&self, errand: Errand<'_>, blob: &Descriptor) -> Result<(), Failure> {
        match self.supply {
            Supply::Registry(from, image) => {
                self.to.push_blob(errand, &Source::Registry(from, image.path()), blob).await
            }
            Supply::Store(store, registries) => {
                if store.size(&blob.digest) != Some(blob.size) {
                    for origin in store.origins(&blob.digest) {
                        let from = registries.iter().find(|from| from.host == origin.host());
                        if let Some(from) = from {
                            let source = Source::Registry(from, origin.path());
                            return self.to.push_blob(errand, &source, blob).await;
                        }
                    }
                }
                self.to.push_blob(errand, &Source::Store(store), blob).await
            }
        }
    }
}

/// A number of bytes for people, in SI units as registries show them.
#[must_use]
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
    let number = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number / 1e6),
        _ => format!("{:.1} GB", number / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_500), "1.5 kB");
        assert_eq!(size(123_456_789), "123.5 MB");
        assert_eq!(size(2_000_000_000), "2.0 GB");
    }
}
