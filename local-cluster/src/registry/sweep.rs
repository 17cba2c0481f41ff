//! Removing what no image needs any more.

use std::{collections::BTreeSet, fs, path::Path};

use pipe_oci::{AnyManifest, Digest};

use super::{
    Store,
    store::{MANIFESTS, names},
};

impl Store {
    /// Removes the blobs that no manifest names, and what uploads left behind. Only while nobody
    /// else uses the store.
    pub(crate) fn sweep(&self) {
        let _ = crate::files::remove_tree(&self.blobs.root().join("new"));
        let _ = fs::create_dir_all(self.blobs.root().join("new"));
        let mut needed = BTreeSet::new();
        for digest in self.all_manifests() {
            needed.insert(digest);
            let Ok(bytes) = self.read(&digest) else { continue };
            match parts(&bytes) {
                Some(parts) => needed.extend(parts),
                // What can't be understood might name anything.
                None => return,
            }
        }
        let blobs = self.blobs.root().join("blobs/sha256");
        for hex in names(&blobs) {
            let digest: Option<Digest> = format!("sha256:{hex}").parse().ok();
            if digest.is_none_or(|digest| !needed.contains(&digest)) {
                let _ = fs::remove_file(blobs.join(hex));
            }
        }
    }

    /// The manifests of all repositories.
    pub(crate) fn all_manifests(&self) -> BTreeSet<Digest> {
        let of = |name: String| names(&self.folder(&name, MANIFESTS));
        let digest = |hex: String| format!("sha256:{hex}").parse().ok();
        self.all_repositories().into_iter().flat_map(of).filter_map(digest).collect()
    }

    /// Whether a manifest of any repository names a blob.
    pub(super) fn is_needed(&self, blob: &Digest) -> bool {
        let mut manifests = self.all_manifests().into_iter();
        manifests.any(|manifest| {
            let bytes = self.read(&manifest).ok();
            manifest == *blob
                || bytes.and_then(|bytes| parts(&bytes)).is_none_or(|parts| parts.contains(blob))
        })
    }
}

/// The digests that a manifest names.
fn parts(manifest: &[u8]) -> Option<Vec<Digest>> {
    Some(match AnyManifest::parse(manifest, None).ok()? {
        AnyManifest::Image(image) => image.blobs().map(|blob| blob.digest).collect(),
        AnyManifest::Index(index) => index.manifests.iter().map(|m| m.digest).collect(),
    })
}

/// Removes the unpacked roots of images that are in no repository any more.
pub(crate) fn sweep_images(store: &Store, images: &Path) {
    let known = store.all_manifests();
    for hex in names(images) {
        let digest: Option<Digest> = format!("sha256:{hex}").parse().ok();
        if digest.is_none_or(|digest| !known.contains(&digest)) {
            let _ = crate::files::remove_tree(&images.join(hex));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pipe_oci::{Descriptor, Format, Manifest};

    use super::*;

    #[test]
    fn what_an_image_needs_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (config, size) = store.blobs.put(&b"{}"[..]).unwrap();
        let (loose, _) = store.blobs.put(&b"loose"[..]).unwrap();
        let config = Descriptor::new(Format::Oci.config(), size, config);
        let manifest = Manifest::new(Format::Oci, config.clone(), Vec::new());
        let kind = Format::Oci.manifest();
        let digest = store.keep_manifest("a", None, kind, &manifest.to_bytes()).unwrap();
        assert!(store.is_needed(&config.digest) && !store.is_needed(&loose));
        store.sweep();
        let kept = |digest| store.blobs.size(&digest).is_some();
        assert!(kept(digest) && kept(config.digest) && !kept(loose));
        store.remove_manifest("a", &digest).unwrap();
        store.sweep();
        assert!(!kept(digest) && !kept(config.digest));
    }
}
