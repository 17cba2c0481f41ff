//! What a store remembers to save work. All of it can be made anew, so that what can't be read is
//! as good as not there.

use std::{
    fs::{self, File},
    path::PathBuf,
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use super::Store;
use crate::{Digest, Earlier, Error, Layer, Listing, Piece, Reference, Result};

impl Store {
    /// The layer that was made of what `key` stands for (see [`Tree::key`](crate::Tree::key)), if
    /// its blob is still here.
    #[must_use]
    pub fn layer(&self, key: &Digest) -> Option<Layer> {
        let layer: Layer = self.recall("layers", key)?;
        (self.size(&layer.digest) == Some(layer.size)).then_some(layer)
    }

    /// Remembers of what a layer was made.
    ///
    /// # Errors
    ///
    /// When that can't be written.
    pub fn remember(&self, key: &Digest, layer: &Layer) -> Result<()> {
        self.note("layers", key, layer)
    }

    /// The layer that an instruction made last, with its pieces: much of the next one may be the
    /// same. `instruction` stands for it, whatever it copies.
    #[must_use]
    pub fn last(&self, instruction: &Digest) -> Option<Earlier> {
        let digest: Digest = self.recall("last", instruction)?;
        let pieces: Vec<Piece> = self.recall("pieces", &digest)?;
        let pieces = pieces.into_iter().map(|piece| (piece.digest, piece)).collect();
        let file = File::open(self.path(&digest)).ok()?;
        Some(Earlier { file: Arc::new(file), pieces: Arc::new(pieces) })
    }

    /// Remembers the layer that an instruction made.
    ///
    /// # Errors
    ///
    /// When that can't be written.
    pub fn remember_last(
        &self,
        instruction: &Digest,
        layer: &Layer,
        pieces: &[Piece],
    ) -> Result<()> {
        let before: Option<Digest> = self.recall("last", instruction);
        self.note("pieces", &layer.digest, pieces)?;
        self.note("last", instruction, &layer.digest)?;
        if let Some(before) = before.filter(|before| *before != layer.digest) {
            // Nobody asks for them any more; what stays does no harm.
            let _ = fs::remove_file(self.cache("pieces", &before));
        }
        Ok(())
    }

    /// What an archive with this digest holds; a layer, or one that is unpacked into an image.
    #[must_use]
    pub fn listing(&self, archive: &Digest) -> Option<Listing> {
        self.recall("listings", archive)
    }

    /// Remembers what an archive holds.
    ///
    /// # Errors
    ///
    /// When that can't be written.
    pub fn remember_listing(&self, archive: &Digest, listing: &Listing) -> Result<()> {
        self.note("listings", archive, listing)
    }

    /// The repositories where a blob was seen, without tags.
    #[must_use]
    pub fn origins(&self, blob: &Digest) -> Vec<Reference> {
        let origins: Vec<String> = self.recall("origins", blob).unwrap_or_default();
        origins.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// Remembers that a repository has a blob.
    ///
    /// # Errors
    ///
    /// When that can't be written.
    pub fn remember_origin(&self, blob: &Digest, repository: &Reference) -> Result<()> {
        const MOST: usize = 8;
        let name = format!("{}/{}", repository.host(), repository.path());
        let mut origins: Vec<String> = self.recall("origins", blob).unwrap_or_default();
        if origins.first() == Some(&name) {
            return Ok(());
        }
        origins.retain(|origin| *origin != name);
        origins.insert(0, name);
        origins.truncate(MOST);
        self.note("origins", blob, &origins)
    }

    fn cache(&self, folder: &str, key: &Digest) -> PathBuf {
        self.root.join(folder).join(key.hex())
    }

    fn recall<T: DeserializeOwned>(&self, folder: &str, key: &Digest) -> Option<T> {
        serde_json::from_slice(&fs::read(self.cache(folder, key)).ok()?).ok()
    }

    fn note<T: Serialize + ?Sized>(&self, folder: &str, key: &Digest, value: &T) -> Result<()> {
        let path = self.cache(folder, key);
        let text = serde_json::to_vec(value)
            .map_err(|e| Error::invalid(format!("can't write `{}`: {e}", path.display())))?;
        self.write(&path, &text)
    }
}
