//! A folder of blobs and of names for images.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::{
    AnyManifest, Descriptor, Digest, Error, Hashing, ImageConfig, Layer, Manifest, Reference,
    Result, unpack::Unpacker,
};

/// Blobs by digest, images by name, and which layers were made of what.
///
/// ```text
/// blobs/sha256/HEX        contents, manifests and configurations too
/// images/HOST/PATH:TAG    what a name means: a descriptor in JSON
/// layers/HEX              a layer by the key of what it was made of
/// new/                    what is being written
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
        for folder in ["blobs/sha256", "images", "layers", "new"] {
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
                Ok(file) => return Ok(Upload { file, path, kept: false }),
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
        let manifest: Descriptor = serde_json::from_slice(&text)
            .map_err(|_| Error::invalid(format!("`{}` is damaged", path.display())))?;
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

    /// The manifest of an image that is kept here.
    ///
    /// # Errors
    ///
    /// When it is not here, damaged, or an index of several images.
    pub fn manifest(&self, digest: &Digest) -> Result<Manifest> {
        match AnyManifest::parse(&self.read(digest)?, None)? {
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

    /// The layer that was made of what `key` stands for, if its blob is still here.
    #[must_use]
    pub fn layer(&self, key: &Digest) -> Option<Layer> {
        let text = fs::read(self.root.join("layers").join(key.hex())).ok()?;
        let layer: Layer = serde_json::from_slice(&text).ok()?;
        (self.size(&layer.digest) == Some(layer.size)).then_some(layer)
    }

    /// Remembers of what a layer was made.
    ///
    /// # Errors
    ///
    /// When that can't be written.
    pub fn remember(&self, key: &Digest, layer: &Layer) -> Result<()> {
        let path = self.root.join("layers").join(key.hex());
        self.write(&path, &serde_json::to_vec(layer).unwrap_or_default())
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

/// A blob that is being written. Dropped without [`Store::keep`], it is removed.
#[derive(Debug)]
pub struct Upload {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Upload {
    fn rename(mut self, to: &Path) -> Result<()> {
        let failed = |e: &io::Error| Error::at("write", to, e);
        self.file.sync_data().map_err(|e| failed(&e))?;
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        fs::rename(&self.path, to).map_err(|e| failed(&e))?;
        self.kept = true;
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to tell when even this fails.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Format, media_type};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("images")).unwrap();
        (folder, store)
    }

    #[test]
    fn blobs_are_kept_by_digest() {
        let (_folder, store) = store();
        let (digest, size) = store.put(&b"abc"[..]).unwrap();
        assert_eq!((digest, size), (Digest::of(b"abc"), 3));
        assert_eq!(store.read(&digest).unwrap(), b"abc");
        assert_eq!(store.put(&b"abc"[..]).unwrap(), (digest, 3));
        drop(store.create().unwrap());
        assert_eq!(fs::read_dir(store.root().join("new")).unwrap().count(), 0);
        let missing = store.read(&Digest::of(b"x")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        fs::write(store.path(&digest), "abd").unwrap();
        assert!(store.read(&digest).unwrap_err().to_string().ends_with("is damaged"));
    }

    #[test]
    fn what_a_killed_process_left_is_removed_after_a_day() {
        let (_folder, store) = store();
        let (old, young) = (store.root().join("new/1-0"), store.root().join("new/1-1"));
        fs::write(&young, "half").unwrap();
        let day = SystemTime::now() - ABANDONED - Duration::from_secs(1);
        File::create(&old).unwrap().set_modified(day).unwrap();
        Store::open(store.root()).unwrap();
        assert!(!old.exists() && young.exists());
    }

    #[test]
    fn names_lead_to_manifests() {
        let (_folder, store) = store();
        let config = Descriptor::new(media_type::DOCKER_CONFIG, 2, Digest::of(b"{}"));
        let manifest = Manifest::new(Format::Docker, config, Vec::new());
        let one = store.put_manifest(&manifest.to_bytes(), media_type::DOCKER_MANIFEST).unwrap();
        let name = |text: &str| text.parse::<Reference>().unwrap();
        for text in ["demo", "127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b/c:1", "demo:2"] {
            store.name(&name(text), &one).unwrap();
        }
        assert_eq!(store.find(&name("demo:latest")).unwrap().unwrap().manifest, one);
        assert_eq!(store.find(&name("demo:3")).unwrap(), None);
        assert_eq!(store.find(&name("127.0.0.1:5000/a:1")).unwrap(), None);
        let by_digest = store.find(&name("demo").at(one.digest)).unwrap().unwrap();
        assert_eq!(by_digest.manifest, one);
        let names: Vec<String> =
            store.names().unwrap().iter().map(|n| n.reference.familiar()).collect();
        assert_eq!(
            names,
            ["127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b/c:1", "demo:2", "demo:latest"]
        );
        assert_eq!(store.manifest(&one.digest).unwrap(), manifest);
        store.forget(&name("demo")).unwrap();
        store.forget(&name("demo")).unwrap();
        assert_eq!(store.find(&name("demo")).unwrap(), None);
    }

    #[test]
    fn a_remembered_layer_lasts_as_long_as_its_blob() {
        let (_folder, store) = store();
        let (digest, size) = store.put(&b"layer"[..]).unwrap();
        let (key, layer) = (Digest::of(b"key"), Layer { diff_id: digest, digest, size });
        assert_eq!(store.layer(&key), None);
        store.remember(&key, &layer).unwrap();
        assert_eq!(store.layer(&key), Some(layer));
        fs::remove_file(store.path(&digest)).unwrap();
        assert_eq!(store.layer(&key), None);
    }

    #[test]
    fn many_writers_of_one_name_leave_a_whole_one() {
        let (_folder, store) = store();
        let name: Reference = "demo:1".parse().unwrap();
        std::thread::scope(|scope| {
            for number in 0..8_u64 {
                let (store, name) = (&store, &name);
                scope.spawn(move || {
                    for _ in 0..20 {
                        let (digest, size) = store.put(&number.to_le_bytes()[..]).unwrap();
                        store.name(name, &Descriptor::new("x", size, digest)).unwrap();
                        assert!(store.find(name).unwrap().is_some());
                    }
                });
            }
        });
        assert_eq!(store.names().unwrap().len(), 1);
    }
}
