//! Where blobs and repositories are kept.
//!
//! ```text
//! blobs/HEX                            contents by their SHA-256, manifests too
//! uploads/UUID                         what is being sent
//! repositories/NAME/_blobs/HEX         that a repository has a blob
//! repositories/NAME/_manifests/HEX     that it has a manifest: its media type
//! repositories/NAME/_tags/TAG          the digest that a tag means
//! ```
//!
//! No component of a name begins with an underscore.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pipe_oci::Digest;

use super::name::{is_name, is_tag};
use crate::files;

/// The store of the registry.
#[derive(Clone)]
pub(crate) struct Store(Arc<PathBuf>);

impl Store {
    /// Opens the store in a folder; what was being sent when a cluster ended is gone.
    pub(crate) fn open_in(folder: &Path) -> io::Result<Self> {
        files::remove_tree(&folder.join("uploads"))?;
        for name in ["blobs", "uploads", "repositories"] {
            files::make_folder(&folder.join(name))?;
        }
        Ok(Self(Arc::new(folder.to_owned())))
    }

    /// The file of a blob.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.0.join("blobs").join(digest.hex())
    }

    /// The file of an upload. An id that is none has no file.
    pub(super) fn upload(&self, id: &str) -> PathBuf {
        let own = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        self.0.join("uploads").join(if own { id } else { "none" })
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.0.join("repositories").join(name)
    }

    fn marker(&self, name: &str, kind: &str, digest: &Digest) -> PathBuf {
        self.repository(name).join(kind).join(digest.hex())
    }

    /// Opens a blob.
    pub(crate) fn open(&self, digest: &Digest) -> io::Result<File> {
        File::open(self.blob(digest))
    }

    /// A small blob as a whole.
    pub(crate) fn read(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        fs::read(self.blob(digest))
    }

    /// Whether a repository has a blob.
    pub(super) fn has_blob(&self, name: &str, digest: &Digest) -> bool {
        self.marker(name, "_blobs", digest).exists() && self.blob(digest).exists()
    }

    /// Gives a repository a blob that is there.
    pub(super) fn link_blob(&self, name: &str, digest: &Digest) -> io::Result<()> {
        write(&self.marker(name, "_blobs", digest), b"")
    }

    /// Takes a blob from a repository; whether it had it.
    pub(super) fn unlink_blob(&self, name: &str, digest: &Digest) -> bool {
        fs::remove_file(self.marker(name, "_blobs", digest)).is_ok()
    }

    /// The digest that a tag or a digest of a repository means, if it has that manifest.
    pub(crate) fn resolve(&self, name: &str, reference: &str) -> Option<Digest> {
        if !is_name(name) {
            return None;
        }
        let digest = match reference.parse() {
            Ok(digest) => digest,
            Err(_) if is_tag(reference) => {
                let file = self.repository(name).join("_tags").join(reference);
                fs::read_to_string(file).ok()?.parse().ok()?
            }
            Err(_) => return None,
        };
        self.marker(name, "_manifests", &digest).exists().then_some(digest)
    }

    /// The media type and the bytes of a manifest of a repository.
    pub(crate) fn manifest(&self, name: &str, digest: Digest) -> Option<(String, Vec<u8>)> {
        let kind = fs::read_to_string(self.marker(name, "_manifests", &digest)).ok()?;
        Some((kind, self.read(&digest).ok()?))
    }

    /// Keeps a manifest, with a tag or without.
    pub(super) fn keep_manifest(
        &self,
        name: &str,
        kind: &str,
        bytes: &[u8],
        tag: Option<&str>,
    ) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.blob(&digest).exists() {
            files::write(&self.blob(&digest), bytes)?;
        }
        write(&self.marker(name, "_manifests", &digest), kind.as_bytes())?;
        if let Some(tag) = tag {
            write(&self.repository(name).join("_tags").join(tag), digest.to_string().as_bytes())?;
        }
        Ok(digest)
    }

    /// Removes a tag, or a manifest with all its tags; whether it was there.
    pub(super) fn remove_manifest(&self, name: &str, reference: &str) -> bool {
        let Ok(digest) = reference.parse::<Digest>() else {
            return is_tag(reference)
                && fs::remove_file(self.repository(name).join("_tags").join(reference)).is_ok();
        };
        for tag in self.tags(name).unwrap_or_default() {
            if self.resolve(name, &tag) == Some(digest) {
                let _ = fs::remove_file(self.repository(name).join("_tags").join(tag));
            }
        }
        fs::remove_file(self.marker(name, "_manifests", &digest)).is_ok()
    }

    /// The tags of a repository, sorted; nothing when there is no such repository.
    pub(super) fn tags(&self, name: &str) -> Option<Vec<String>> {
        let folder = self.repository(name);
        if !folder.join("_manifests").is_dir() {
            return None;
        }
        let mut tags: Vec<String> = fs::read_dir(folder.join("_tags"))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|tag| is_tag(tag) && !tag.ends_with(".new"))
            .collect();
        tags.sort();
        Some(tags)
    }

    /// The names of all repositories that hold a manifest, sorted.
    pub(super) fn repositories(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = vec![String::new()];
        while let Some(name) = left.pop() {
            let folder = self.repository(&name);
            if folder.join("_manifests").is_dir() {
                found.push(name.clone());
            }
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(part) = entry.file_name().into_string() else { continue };
                if !part.starts_with('_') {
                    left.push(if name.is_empty() { part } else { format!("{name}/{part}") });
                }
            }
        }
        found.sort();
        found
    }
}

/// Writes a file and makes its folder.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        files::make_folder(folder)?;
    }
    files::write(file, bytes)
}
