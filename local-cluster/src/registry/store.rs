//! The folder of the registry.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pipe_oci::Digest;

use super::name::{is_repository, is_tag};
use crate::{error::Error, files};

/// Blobs by digest, and what repositories call them.
///
/// ```text
/// blobs/sha256/HEX                 contents, manifests and configurations too
/// repositories/NAME/_tags/TAG      the digest of a manifest
/// repositories/NAME/_manifests/HEX the media type of a manifest
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) blobs: pipe_oci::Store,
    pub(super) repositories: PathBuf,
}

const TAGS: &str = "_tags";
pub(super) const MANIFESTS: &str = "_manifests";

impl Store {
    /// Opens the store in a folder; makes it when there is none.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let repositories = folder.join("repositories");
        files::make_folder(&repositories)
            .map_err(|error| Error::at("make", &repositories, &error))?;
        let blobs = pipe_oci::Store::open(folder).map_err(|error| Error::new(error.to_string()))?;
        Ok(Self { blobs, repositories })
    }

    /// The manifest that a tag or digest means in a repository.
    pub(crate) fn resolve(&self, repository: &str, target: &str) -> Option<Digest> {
        if !is_repository(repository) {
            return None;
        }
        let digest: Digest = match target.parse() {
            Ok(digest) => digest,
            Err(_) if is_tag(target) => {
                fs::read_to_string(self.folder(repository, TAGS).join(target)).ok()?.parse().ok()?
            }
            Err(_) => return None,
        };
        self.folder(repository, MANIFESTS).join(digest.hex()).is_file().then_some(digest)
    }

    /// The media type and the bytes of a manifest of a repository.
    pub(crate) fn manifest(&self, repository: &str, digest: Digest) -> Option<(String, Vec<u8>)> {
        let kind =
            fs::read_to_string(self.folder(repository, MANIFESTS).join(digest.hex())).ok()?;
        Some((kind, self.blobs.read(&digest).ok()?))
    }

    /// A small blob.
    pub(crate) fn read(&self, digest: &Digest) -> pipe_oci::Result<Vec<u8>> {
        self.blobs.read(digest)
    }

    /// A blob, to read.
    pub(crate) fn open_blob(&self, digest: &Digest) -> pipe_oci::Result<fs::File> {
        self.blobs.blob(digest)
    }

    /// Keeps a manifest in a repository, under a tag or by its digest alone.
    pub(super) fn keep_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        kind: &str,
        bytes: &[u8],
    ) -> io::Result<Digest> {
        let (digest, _) = self.blobs.put(bytes)?;
        self.write(&self.folder(repository, MANIFESTS), &digest.hex(), kind)?;
        if let Some(tag) = tag {
            self.write(&self.folder(repository, TAGS), tag, &digest.to_string())?;
        }
        Ok(digest)
    }

    fn write(&self, folder: &Path, name: &str, text: &str) -> io::Result<()> {
        files::make_folder(folder)?;
        files::write(&folder.join(name), text.as_bytes())
    }

    /// Takes a tag away; whether there was one.
    pub(super) fn remove_tag(&self, repository: &str, tag: &str) -> io::Result<bool> {
        removed(fs::remove_file(self.folder(repository, TAGS).join(tag)))
    }

    /// Takes a manifest and its tags out of a repository; whether it was there.
    pub(super) fn remove_manifest(&self, repository: &str, digest: &Digest) -> io::Result<bool> {
        for tag in self.tags(repository) {
            if self.resolve(repository, &tag) == Some(*digest) {
                self.remove_tag(repository, &tag)?;
            }
        }
        removed(fs::remove_file(self.folder(repository, MANIFESTS).join(digest.hex())))
    }

    /// Whether a repository is there.
    pub(super) fn knows(&self, repository: &str) -> bool {
        self.folder(repository, MANIFESTS).is_dir()
    }

    /// The tags of a repository, in order.
    pub(super) fn tags(&self, repository: &str) -> Vec<String> {
        names(&self.folder(repository, TAGS)).into_iter().filter(|name| is_tag(name)).collect()
    }

    /// All repositories, in order.
    pub(super) fn all_repositories(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = vec![String::new()];
        while let Some(name) = left.pop() {
            for part in names(&self.repositories.join(&name)) {
                if part == MANIFESTS {
                    found.push(name.clone());
                } else if !part.starts_with('_') {
                    left.push(if name.is_empty() { part } else { format!("{name}/{part}") });
                }
            }
        }
        found.sort();
        found
    }

    pub(super) fn folder(&self, repository: &str, kind: &str) -> PathBuf {
        self.repositories.join(repository).join(kind)
    }
}

/// The names in a folder, in order; none where there is no folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn removed(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn repositories_keep_what_they_are_given() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let one = store.keep_manifest("a/b", Some("1"), "kind", b"{}").unwrap();
        let two = store.keep_manifest("a", None, "kind", b"{ }").unwrap();
        assert_eq!(store.all_repositories(), ["a", "a/b"]);
        assert_eq!(store.resolve("a/b", "1"), Some(one));
        assert_eq!(store.resolve("a/b", &one.to_string()), Some(one));
        assert_eq!(store.resolve("a/b", &two.to_string()), None, "another repository's");
        assert_eq!(store.resolve("../a/b", "1"), None);
        assert_eq!(store.resolve("a/b", "../_tags/1"), None);
        assert_eq!(store.manifest("a/b", one).unwrap(), ("kind".to_owned(), b"{}".to_vec()));
        assert!(store.remove_manifest("a/b", &one).unwrap());
        assert!(!store.remove_manifest("a/b", &one).unwrap());
        assert_eq!(store.tags("a/b"), Vec::<String>::new());
        assert_eq!(store.resolve("a/b", "1"), None);
    }
}
