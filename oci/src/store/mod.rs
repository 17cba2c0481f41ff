//! A folder of blobs and of names for images.

mod cache;
mod digests;
mod layout;
mod upload;

pub use digests::Digests;
pub use upload::Upload;

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::{
    AnyManifest, Descriptor, Digest, Error, Hashing, ImageConfig, Manifest, Reference, Result,
    unpack::Unpacker,
};

/// Blobs by digest, images by name, and which layers were made of what.
///
/// ```text
/// blobs/sha256/HEX        contents, manifests and configurations too
/// images/HOST/PATH:TAG    what a name means: a descriptor in JSON
/// new/                    what is being written
///
/// What can be made anew:
/// layers/HEX              a layer by the key of what it was made of
/// last/HEX                the layer that an instruction made last
/// pieces/HEX              the pieces of a layer
/// listings/HEX            what a layer or another archive holds
/// origins/HEX             the repositories that have a blob
/// files/HEX               the digests of the files in a folder
/// ```
///
/// Everything is written beside its place and renamed to it, so any number of processes may use
/// the same folder at the same time.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Nobody writes at a blob for so long without a byte passing.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// An image with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name, always with a tag.
    pub reference: Reference,
    /// Its manifest.
    pub manifest: Descriptor,
    /// When it got the name.
    pub since: SystemTime,
}

impl Store {
    /// Opens a store; makes the folder when there is none.
    ///
    /// # Errors
    ///
    /// When the folder can't be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        for folder in ["blobs/sha256", "images", "new"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).map_err(|e| Error::at("make", &folder, &e))?;
        }
        let store = Self { root };
        store.sweep();
        Ok(store)
    }

    /// Removes what processes left in `new` that were killed. What can't be removed stays.
    fn sweep(&self) {
        let Ok(items) = fs::read_dir(self.root.join("new")) else { return };
        for item in items.flatten() {
            let modified = item.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| modified.elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(item.path());
            }
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a blob, whether it is there or not.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// The size of a blob in bytes, if it is there.
    #[must_use]
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|metadata| metadata.len())
    }

    /// Opens a blob.
    ///
    /// # Errors
    ///
    /// When it is not there (`NotFound`) or can't be read.
    pub fn blob(&self, digest: &Digest) -> Result<File> {
        let path = self.path(digest);
        File::open(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::io(format_args!("blob `{digest}`"), &e),
            _ => Error::at("read", &path, &e),
        })
    }

    /// A small blob as a whole, its digest checked.
    ///
    /// # Errors
    ///
    /// When it is not there, has more than 16 MiB, or is damaged.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        const MOST: u64 = 16 << 20;
        let mut bytes = Vec::new();
        let failed = |e: io::Error| Error::at("read", &self.path(digest), &e);
        self.blob(digest)?.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MOST {
            return Err(Error::invalid(format!("blob `{digest}` has more than 16 MiB")));
        }
        if Digest::of(&bytes) != *digest {
            return Err(Error::invalid(format!("blob `{digest}` is damaged")));
        }
        Ok(bytes)
    }

    /// Begins a new blob.
    ///
    /// # Errors
    ///
    /// When its file can't be made.
    pub fn create(&self) -> Result<Upload> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = self.root.join("new").join(format!("{}-{count}", process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok(Upload::new(file, path)),
                // Left over by a process that had our number before.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::at("make", &path, &e)),
            }
        }
    }

    /// Makes what was written a blob. The caller has computed its digest while it wrote
    /// ([`Hashing`]).
    ///
    /// # Errors
    ///
    /// When it can't be written to the disk.
    pub fn keep(&self, upload: Upload, digest: &Digest) -> Result<()> {
        upload.rename(&self.path(digest))
    }

    /// Copies all that a reader gives into a blob.
    ///
    /// # Errors
    ///
    /// When it can't be read or written.
    pub fn put(&self, mut content: impl Read) -> Result<(Digest, u64)> {
        let mut writer = Hashing::new(self.create()?);
        io::copy(&mut content, &mut writer).map_err(|e| Error::io("can't write a blob", &e))?;
        let (digest, size, upload) = writer.finish();
        self.keep(upload, &digest)?;
        Ok((digest, size))
    }

    /// What a name means here; a name without a tag has `latest`. A digest is looked up among the
    /// blobs.
    ///
    /// # Errors
    ///
    /// When the store can't be read. No such image: nothing.
    pub fn find(&self, reference: &Reference) -> Result<Option<Named>> {
        if let Some(digest) = reference.digest() {
            if self.size(&digest).is_none() {
                return Ok(None);
            }
            let bytes = self.read(&digest)?;
            let kind = AnyManifest::parse(&bytes, None)?.media_type().to_owned();
            let manifest = Descriptor::new(kind, bytes.len() as u64, digest);
            return Ok(Some(Named {
                reference: reference.clone(),
                manifest,
                since: SystemTime::UNIX_EPOCH,
            }));
        }
        let reference = reference.clone().or_latest();
        let path = self.name_path(&reference);
        let failed = |e: &io::Error| Error::at("read", &path, e);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e)
                if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(e) => return Err(failed(&e)),
        };
        // Left half-written by a power cut.
        let Ok(manifest) = serde_json::from_slice(&text) else { return Ok(None) };
        let since = fs::metadata(&path).and_then(|m| m.modified()).map_err(|e| failed(&e))?;
        Ok(Some(Named { reference, manifest, since }))
    }

    /// Gives an image a name, with its tag or `latest`; an older meaning of the name goes.
    ///
    /// # Errors
    ///
    /// When the name has a digest, or can't be written.
    pub fn name(&self, reference: &Reference, manifest: &Descriptor) -> Result<()> {
        if reference.digest().is_some() {
            return Err(Error::invalid(format!("`{reference}` is a digest, no name")));
        }
        let path = self.name_path(&reference.clone().or_latest());
        self.write(&path, &serde_json::to_vec(manifest).unwrap_or_default())
    }

    /// Takes a name away; its blobs stay.
    ///
    /// # Errors
    ///
    /// When the file can't be removed. No such name is fine.
    pub fn forget(&self, reference: &Reference) -> Result<()> {
        let path = self.name_path(&reference.clone().or_latest());
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", &path, &e)),
            _ => Ok(()),
        }
    }

    /// All names, sorted.
    ///
    /// # Errors
    ///
    /// When the store can't be read.
    pub fn names(&self) -> Result<Vec<Named>> {
        let mut found = Vec::new();
        let root = self.root.join("images");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let failed = |e: io::Error| Error::at("read", &folder, &e);
            for item in fs::read_dir(&folder).map_err(failed)? {
                let path = item.map_err(failed)?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(&root).ok().and_then(Path::to_str)
                    && let Ok(reference) = name.parse::<Reference>()
                {
                    found.extend(self.find(&reference)?);
                }
            }
        }
        found.sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(found)
    }

    /// A manifest or index that is kept here.
    ///
    /// # Errors
    ///
    /// When it is not here, or damaged.
    pub fn any_manifest(&self, digest: &Digest) -> Result<AnyManifest> {
        AnyManifest::parse(&self.read(digest)?, None)
    }

    /// The manifest of an image that is kept here.
    ///
    /// # Errors
    ///
    /// When it is not here, damaged, or an index of several images.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest> {
        match self.any_manifest(digest)? {
            AnyManifest::Image(manifest) => Ok(manifest),
            AnyManifest::Index(_) => {
                Err(Error::invalid(format!("`{digest}` is an index of several images")))
            }
        }
    }

    /// The configuration of an image that is kept here.
    ///
    /// # Errors
    ///
    /// When it is not here or damaged.
    pub fn config(&self, manifest: &Manifest) -> Result<ImageConfig> {
        ImageConfig::parse(&self.read(&manifest.config.digest)?)
    }

    /// Keeps a manifest and answers its descriptor.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn put_manifest(&self, bytes: &[u8], media_type: &str) -> Result<Descriptor> {
        let (digest, size) = self.put(bytes)?;
        Ok(Descriptor::new(media_type, size, digest))
    }

    /// Unpacks an image into an empty folder, each layer's digest checked.
    ///
    /// # Errors
    ///
    /// When a blob is not here or damaged, or the folder can't be written.
    pub fn unpack(&self, manifest: &Manifest, into: &Path) -> Result<()> {
        let config = self.config(manifest)?;
        let mut unpacker = Unpacker::new(into)?;
        for (number, layer) in manifest.layers.iter().enumerate() {
            let diff_id = unpacker.layer(self.blob(&layer.digest)?)?;
            if config.rootfs.diff_ids.get(number) != Some(&diff_id) {
                return Err(Error::invalid(format!(
                    "layer `{}` is not the one that the image's configuration names",
                    layer.digest
                )));
            }
        }
        unpacker.finish()
    }

    fn name_path(&self, reference: &Reference) -> PathBuf {
        self.root.join("images").join(reference.to_string())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut upload = self.create()?;
        upload.write_all(bytes).map_err(|e| Error::at("write", path, &e))?;
        upload.rename(path)
    }
}

#[cfg(test)]
mod tests;
