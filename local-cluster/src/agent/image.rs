//! Images of the own registry, unpacked once for all tasks that run in them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use pipe_oci::{AnyManifest, Digest, ImageConfig, Manifest, Platform, Unpacker};

use super::Agent;
use crate::{files, registry::Store};

/// An image that tasks can run in.
#[derive(Debug)]
pub(super) struct Image {
    /// Its unpacked root.
    pub(super) root: PathBuf,
    /// How it is run.
    pub(super) config: ImageConfig,
}

/// One lock for each image that is being unpacked or was.
#[derive(Default)]
pub(super) struct Unpacked(Mutex<BTreeMap<Digest, Arc<Mutex<()>>>>);

impl Agent {
    /// Looks an image up in the own registry and unpacks it, where that is not done yet. The
    /// error is what Docker would say.
    pub(super) fn pull(&self, reference: &str) -> Result<Image, String> {
        let own = format!("{}/", self.0.registry);
        let Some(name) = reference.strip_prefix(&own) else {
            return Err(format!(
                "Error response from daemon: pull access denied for {reference}, repository does not exist: the local cluster runs images of its own registry only, {own}NAME:TAG"
            ));
        };
        let unknown = || {
            format!(
                "Error response from daemon: manifest for {reference} not found: manifest unknown: manifest unknown"
            )
        };
        let (repository, target) = split(name);
        let store = &self.0.store;
        let digest = store.resolve(repository, target).ok_or_else(unknown)?;
        let (digest, manifest) = image_for_host(store, repository, digest, reference)?;
        let config = store.read(&manifest.config.digest).map_err(|error| error.to_string())?;
        let config = ImageConfig::parse(&config).map_err(|error| error.to_string())?;
        let root = self.unpacked(digest, &manifest)?;
        Ok(Image { root, config })
    }

    fn unpacked(&self, digest: Digest, manifest: &Manifest) -> Result<PathBuf, String> {
        let lock = {
            let mut locks = self.0.images.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(digest).or_default())
        };
        let _unpacking = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.0.folder.join("images").join(digest.hex());
        let root = folder.join("rootfs");
        if root.is_dir() {
            return Ok(root);
        }
        let new = folder.join("new");
        files::remove_tree(&new).map_err(|error| pipe_oci::plain(&error))?;
        files::make_folder(&folder).map_err(|error| pipe_oci::plain(&error))?;
        unpack(&self.0.store, manifest, &new)?;
        std::fs::rename(&new, &root).map_err(|error| pipe_oci::plain(&error))?;
        Ok(root)
    }
}

fn unpack(store: &Store, manifest: &Manifest, root: &Path) -> Result<(), String> {
    let mut unpacker = Unpacker::new(root).map_err(|error| error.to_string())?;
    for layer in &manifest.layers {
        let blob = store.open_blob(&layer.digest).map_err(|error| error.to_string())?;
        unpacker.layer(blob).map_err(|error| error.to_string())?;
    }
    unpacker.finish().map_err(|error| error.to_string())
}

/// `name:tag`, `name@digest`, `name:tag@digest`, `name`.
fn split(name: &str) -> (&str, &str) {
    if let Some((name, digest)) = name.split_once('@') {
        let path = name.rsplit_once('/').map_or(0, |(head, _)| head.len());
        let end = name[path..].rfind(':').map_or(name.len(), |colon| path + colon);
        return (&name[..end], digest);
    }
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, "latest"),
    }
}

/// The image for this machine under a manifest or a list of them.
fn image_for_host(
    store: &Store,
    repository: &str,
    digest: Digest,
    reference: &str,
) -> Result<(Digest, Manifest), String> {
    let read = |digest: Digest| {
        let (kind, bytes) = store
            .manifest(repository, digest)
            .ok_or_else(|| format!("manifest for {reference} not found: manifest unknown"))?;
        AnyManifest::parse(&bytes, Some(&kind)).map_err(|error| error.to_string())
    };
    match read(digest)? {
        AnyManifest::Image(manifest) => Ok((digest, manifest)),
        AnyManifest::Index(index) => {
            let platform = Platform::host();
            let digest = index.select(&platform).map(|found| found.digest).ok_or_else(|| {
                format!("no matching manifest for {platform} in the manifest list entries")
            })?;
            match read(digest)? {
                AnyManifest::Image(manifest) => Ok((digest, manifest)),
                AnyManifest::Index(_) => Err(format!("{reference} is a list of lists")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split() {
        let digest = "sha256:ab";
        assert_eq!(split("a/b:1"), ("a/b", "1"));
        assert_eq!(split("a/b"), ("a/b", "latest"));
        assert_eq!(split("h:5000/b"), ("h:5000/b", "latest"));
        assert_eq!(split("h:5000/b:1"), ("h:5000/b", "1"));
        assert_eq!(split("a/b@sha256:ab"), ("a/b", digest));
        assert_eq!(split("h:5000/b@sha256:ab"), ("h:5000/b", digest));
        assert_eq!(split("h:5000/b:1@sha256:ab"), ("h:5000/b", digest));
    }
}
