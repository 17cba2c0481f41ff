//! Contents out of archives.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use tar::Archive;

use super::{Content, Node, Packed, Tree};
use crate::{
    Error, Hashing, Result,
    decompress::{damaged, decompressed},
};

/// The files of a tree that lie in archives, unpacked into one file. An archive is read once, from
/// its beginning to the last file that is wanted.
#[derive(Debug, Default)]
pub struct Spool {
    file: Option<File>,
    /// Where a file begins, by its archive and number.
    places: BTreeMap<(Arc<Path>, u32), u64>,
}

impl Spool {
    /// Unpacks what a tree needs into a new file, which `create` gives when there is something.
    ///
    /// # Errors
    ///
    /// When an archive can't be read or is not what it was, or the file can't be written.
    pub fn of(tree: &Tree, create: impl FnOnce() -> Result<File>) -> Result<Self> {
        let files = tree.iter().filter_map(|(_, entry)| match &entry.node {
            Node::File { content: Content::Packed(packed), .. } => Some(packed),
            _ => None,
        });
        Self::of_files(files, create)
    }

    /// The same for single files.
    ///
    /// # Errors
    ///
    /// As [`Spool::of`].
    pub fn of_files<'a>(
        files: impl Iterator<Item = &'a Arc<Packed>>,
        create: impl FnOnce() -> Result<File>,
    ) -> Result<Self> {
        let mut wanted: BTreeMap<&Arc<Path>, BTreeMap<u32, &Packed>> = BTreeMap::new();
        for packed in files {
            wanted.entry(&packed.archive).or_default().insert(packed.number, packed);
        }
        let mut spool = Self::default();
        if wanted.is_empty() {
            return Ok(spool);
        }
        let (mut file, mut end) = (io::BufWriter::with_capacity(256 << 10, create()?), 0);
        for (path, numbers) in wanted {
            spool.unpack(path, numbers, &mut file, &mut end)?;
        }
        let failed = |e: io::Error| Error::io("can't write the files of an archive", &e);
        spool.file = Some(file.into_inner().map_err(|e| failed(e.into_error()))?);
        Ok(spool)
    }

    fn unpack(
        &mut self,
        path: &Arc<Path>,
        mut numbers: BTreeMap<u32, &Packed>,
        file: &mut impl Write,
        end: &mut u64,
    ) -> Result<()> {
        let archive = File::open(path).map_err(|e| Error::at("read", path, &e))?;
        let mut archive = Archive::new(decompressed(archive)?);
        for (number, entry) in archive.entries().map_err(|e| damaged(&e))?.enumerate() {
            let mut entry = entry.map_err(|e| damaged(&e))?;
            let Some(packed) = u32::try_from(number).ok().and_then(|n| numbers.remove(&n)) else {
                continue;
            };
            let mut hashing = Hashing::new(&mut *file);
            io::copy(&mut entry, &mut hashing)
                .map_err(|e| Error::io("can't write the files of an archive", &e))?;
            let (digest, size, _) = hashing.finish();
            if (digest, size) != (packed.digest, packed.size) {
                break;
            }
            self.places.insert((path.clone(), packed.number), *end);
            *end += size;
            if numbers.is_empty() {
                return Ok(());
            }
        }
        Err(Error::invalid(format!("`{}` changed while the image was built", path.display())))
    }

    /// Opens a content, wherever it is.
    ///
    /// # Errors
    ///
    /// When it can't be read, or was not unpacked.
    pub fn open<'a>(&'a self, content: &'a Content) -> Result<Box<dyn Read + Send + 'a>> {
        let Content::Packed(packed) = content else { return content.open() };
        let place = self.places.get(&(packed.archive.clone(), packed.number));
        match (&self.file, place) {
            (Some(file), Some(offset)) => {
                Ok(Box::new(Part { file, offset: *offset, left: packed.size }))
            }
            _ => content.open(),
        }
    }
}

/// A part of a file.
struct Part<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..most], self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
