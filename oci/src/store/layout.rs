//! Images out of folders with
//! [OCI's layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md).

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use super::Store;
use crate::{AnyManifest, Descriptor, Digest, Error, Index, Platform, Result};

/// Under this key an index holds the tag of a manifest.
const NAME: &str = "org.opencontainers.image.ref.name";

impl Store {
    /// Takes an image over from a folder with OCI's layout: the one under `name`, a tag or a digest,
    /// else the only one; of several platforms the given one. Answers its manifest.
    ///
    /// # Errors
    ///
    /// When the folder is none, has no such image, or is damaged; when the store can't be written.
    pub fn import(
        &self,
        folder: &Path,
        name: Option<&str>,
        platform: &Platform,
    ) -> Result<Descriptor> {
        let layout = Layout { folder };
        let shown = folder.display();
        let index: Index = serde_json::from_slice(&layout.read("index.json")?).map_err(|_| {
            Error::invalid(format!("`{shown}` has no valid `index.json` of OCI's layout"))
        })?;
        let mut manifest =
            pick(&index, name).map_err(|why| Error::invalid(format!("`{shown}` {why}")))?;
        // An index may hold further ones.
        for _ in 0..8 {
            let bytes = layout.blob(&manifest.digest)?;
            let image = match AnyManifest::parse(&bytes, Some(&manifest.media_type))? {
                AnyManifest::Image(image) => image,
                AnyManifest::Index(index) => {
                    let chosen = index.select(platform).or(match &index.manifests[..] {
                        [only] if only.platform.is_none() => Some(only),
                        _ => None,
                    });
                    manifest = chosen.cloned().ok_or_else(|| {
                        Error::invalid(format!(
                            "the image in `{shown}` is not made for `{platform}`"
                        ))
                    })?;
                    continue;
                }
            };
            for blob in image.blobs().filter(|blob| blob.urls.is_empty()) {
                if self.size(&blob.digest) == Some(blob.size) {
                    continue;
                }
                if self.put(layout.open(&blob.digest)?)? != (blob.digest, blob.size) {
                    return Err(Error::invalid(format!("`{shown}` is damaged: {}", blob.digest)));
                }
            }
            return self.put_manifest(&bytes, &manifest.media_type);
        }
        Err(Error::invalid(format!("`{shown}` holds an index in an index in an index")))
    }
}

fn pick(index: &Index, name: Option<&str>) -> std::result::Result<Descriptor, String> {
    let tags = || index.manifests.iter().filter_map(|m| m.annotations.get(NAME));
    match (name, &index.manifests[..]) {
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("holds no image".to_owned()),
        (None, _) => {
            let tags: Vec<String> = tags().map(|tag| format!("`{tag}`")).collect();
            Err(format!("holds several images, name one: {}", tags.join(", ")))
        }
        (Some(name), all) => {
            let is_named = |m: &&Descriptor| {
                m.annotations.get(NAME).is_some_and(|tag| tag == name)
                    || m.digest.to_string() == name
            };
            all.iter().find(is_named).cloned().ok_or_else(|| {
                let tags: Vec<String> = tags().map(|tag| format!("`{tag}`")).collect();
                match tags.is_empty() {
                    true => format!("holds no image `{name}`"),
                    false => format!("holds no image `{name}`, but {}", tags.join(", ")),
                }
            })
        }
    }
}

struct Layout<'a> {
    folder: &'a Path,
}

impl Layout<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|e| Error::at("read", &path, &e))
    }

    fn open(&self, digest: &Digest) -> Result<File> {
        let path = self.folder.join("blobs/sha256").join(digest.hex());
        File::open(&path).map_err(|e| Error::at("read", &path, &e))
    }

    /// A manifest, its digest checked.
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        const MOST: u64 = 16 << 20;
        let mut bytes = Vec::new();
        let failed = |e: std::io::Error| Error::at("read", self.folder, &e);
        self.open(digest)?.take(MOST).read_to_end(&mut bytes).map_err(failed)?;
        if Digest::of(&bytes) != *digest {
            let folder = self.folder.display();
            return Err(Error::invalid(format!("`{folder}` is damaged: {digest}")));
        }
        Ok(bytes)
    }
}
