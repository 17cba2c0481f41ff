//! Pushing an image out of a store.

use futures_util::{StreamExt, future::BoxFuture, stream};
use pipe_oci::{AnyManifest, Descriptor, Digest, Reference, Store};

use super::{Registry, blob::broken_store, request::Errand};
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
    /// Layers that the registry had.
    pub there: usize,
}

impl Registry {
    /// Pushes an image: its blobs, unless the registry has them, then its manifest under the tag.
    /// `said` is called with a line for each layer.
    ///
    /// # Errors
    ///
    /// When the registry does not answer or refuses, or the store lacks a part.
    pub async fn push(
        &self,
        store: &Store,
        manifest: &Descriptor,
        reference: &Reference,
        said: &(dyn Fn(String) + Sync),
    ) -> Result<Pushed, Failure> {
        let errand = Errand::push(reference.path());
        let bytes = store.read(&manifest.digest).map_err(|e| broken_store(&e))?;
        let image = store.manifest(&manifest.digest).map_err(|e| broken_store(&e))?;
        let config = image.config.digest;
        let mut seen = Vec::new();
        let mut blobs: Vec<BoxFuture<'_, Result<Option<bool>, Failure>>> = Vec::new();
        for blob in image.blobs() {
            // The same layer twice is one blob; one with addresses of its own stays there.
            if seen.contains(&blob.digest) || !blob.urls.is_empty() {
                continue;
            }
            seen.push(blob.digest);
            let said = (blob.digest != config).then_some(said);
            blobs.push(Box::pin(self.pass(errand, store, blob.clone(), said)));
        }
        let mut passing = stream::iter(blobs).buffer_unordered(AT_ONCE);
        let (mut sent, mut there) = (0, 0);
        while let Some(was_sent) = passing.next().await {
            match was_sent? {
                Some(true) => sent += 1,
                Some(false) => there += 1,
                None => {}
            }
        }
        drop(passing);
        let kind = AnyManifest::Image(image).media_type().to_owned();
        let digest = self.put_manifest(reference, &kind, &bytes).await?;
        Ok(Pushed { digest, sent, there })
    }

    /// Sends a blob unless the registry has it. Answers for a layer, which is one that something is
    /// `said` about, whether it was sent.
    async fn pass(
        &self,
        errand: Errand<'_>,
        store: &Store,
        blob: Descriptor,
        said: Option<&(dyn Fn(String) + Sync)>,
    ) -> Result<Option<bool>, Failure> {
        let is_there = self.has_blob(errand, &blob).await?;
        if !is_there {
            self.push_blob(errand, store, &blob).await?;
        }
        let Some(said) = said else { return Ok(None) };
        let digest = blob.digest.short();
        said(if is_there {
            format!("{digest} is there already")
        } else {
            format!("{digest} pushed, {}", size(blob.size))
        });
        Ok(Some(!is_there))
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
