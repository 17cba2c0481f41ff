//! The digests of a folder's files, so that files that have not changed need not be read again.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::Store;
use crate::{Content, Digest, Hashing, Result, Stamp};

/// A file that changed a moment ago may change again without another time: file systems count in
/// steps of up to two seconds.
const YOUNG: Duration = Duration::from_secs(2);

/// Digests of files by path and stamp, as far as they are known.
#[derive(Debug)]
pub struct Digests {
    path: PathBuf,
    before: BTreeMap<Key, Digest>,
    /// Those that were asked for.
    now: BTreeMap<Key, Digest>,
    begun: SystemTime,
}

/// The first half of a digest over path and stamp: enough that no two are the same, and half of
/// the memory.
type Key = [u8; 16];

/// The bytes of one item in the file.
const ITEM: usize = 48;

impl Digests {
    /// Those of a folder, as an earlier process left them.
    #[must_use]
    pub fn open(store: &Store, folder: &Path) -> Self {
        let name = Digest::of(folder.as_os_str().as_bytes());
        let path = store.root().join("files").join(name.hex());
        let bytes = fs::read(&path).unwrap_or_default();
        let items = bytes.chunks_exact(ITEM).filter_map(|item| {
            let (key, digest) = item.split_at(16);
            Some((key.try_into().ok()?, Digest::from_bytes(digest.try_into().ok()?)))
        });
        Self { path, before: items.collect(), now: BTreeMap::new(), begun: SystemTime::now() }
    }

    /// The digest of a content; `read` computes it where it is not known.
    ///
    /// # Errors
    ///
    /// What `read` answers.
    pub fn of(
        &mut self,
        content: &Content,
        read: impl FnOnce(&Content) -> Result<Digest>,
    ) -> Result<Digest> {
        let Content::Disk { path, stamp } = content else { return read(content) };
        let key = key(path, stamp);
        if let Some(digest) = self.now.get(&key).or_else(|| self.before.get(&key)).copied() {
            self.now.insert(key, digest);
            return Ok(digest);
        }
        let digest = read(content)?;
        if self.is_settled(stamp) {
            self.now.insert(key, digest);
        }
        Ok(digest)
    }

    fn is_settled(&self, stamp: &Stamp) -> bool {
        let now = self.begun.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let age = i128::try_from(now.as_nanos()).unwrap_or(0) - stamp.changed;
        age > i128::try_from(YOUNG.as_nanos()).unwrap_or(0)
    }

    /// Keeps what was asked for, for the next process.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn save(self, store: &Store) -> Result<()> {
        if self.now == self.before {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.now.len() * ITEM);
        for (key, digest) in &self.now {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(digest.as_bytes());
        }
        store.write(&self.path, &bytes)
    }
}

fn key(path: &Path, stamp: &Stamp) -> Key {
    let mut hash = Hashing::new(std::io::sink());
    // Numbers of a fixed length before the path: no two sequences look alike. Nothing fails.
    let _ = hash.write_all(&stamp.size.to_le_bytes());
    let _ = hash.write_all(&stamp.inode.to_le_bytes());
    let _ = hash.write_all(&stamp.changed.to_le_bytes());
    let _ = hash.write_all(path.as_os_str().as_bytes());
    let digest = hash.finish().0;
    let mut key = Key::default();
    key.copy_from_slice(&digest.as_bytes()[..16]);
    key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Error;

    #[test]
    fn only_what_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "1").unwrap();
        let content = || Content::disk(path.as_path().into(), &fs::metadata(&path).unwrap());
        let refused = |_: &Content| Err(Error::invalid("read"));
        let digests = |now: SystemTime| {
            let mut digests = Digests::open(&store, folder.path());
            digests.begun = now;
            digests
        };

        // Just written, it is not trusted.
        let mut young = digests(SystemTime::now());
        let digest = young.of(&content(), Content::digest).unwrap();
        assert_eq!(digest, Digest::of(b"1"));
        young.save(&store).unwrap();
        let later = SystemTime::now() + Duration::from_secs(5);
        let mut old = digests(later);
        assert!(old.of(&content(), refused).is_err());
        old.of(&content(), Content::digest).unwrap();
        old.save(&store).unwrap();

        let mut known = digests(later);
        assert_eq!(known.of(&content(), refused).unwrap(), digest);
        known.save(&store).unwrap();
        fs::write(&path, "2").unwrap();
        let mut changed = digests(later);
        assert!(changed.of(&content(), refused).is_err());
        // What is not asked for is forgotten.
        changed.save(&store).unwrap();
        assert_eq!(digests(later).before.len(), 0);
    }
}
