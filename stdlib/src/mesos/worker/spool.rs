//! Output that waits to be sent: in memory, and on disk when it is more than that.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{core::Stream, mesos::link::Frames};

/// So much waits in memory.
const IN_MEMORY: usize = 8 << 20;
/// So much is sent at once, unless one line is longer.
const AT_ONCE: usize = 4 << 20;

/// Output that waits to be sent, in its order.
pub(super) struct Spool {
    /// Where the disk is.
    folder: PathBuf,
    memory: Frames,
    /// What came behind; while there is some, nothing more goes to memory.
    disk: Option<Disk>,
    /// Bytes that could be kept nowhere.
    pub(super) lost: u64,
}

struct Disk {
    /// Without a name: it goes when the worker does.
    file: File,
    read: u64,
    written: u64,
}

impl Spool {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), memory: Frames::default(), disk: None, lost: 0 }
    }

    /// Adds a line.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8], complete: bool) {
        if self.disk.is_none() && self.memory.len() < IN_MEMORY {
            self.memory.push(stream, bytes, complete);
            return;
        }
        let mut frame = Frames::default();
        frame.push(stream, bytes, complete);
        if self.append(&frame.into_bytes()).is_err() {
            self.lost += bytes.len() as u64;
        }
    }

    fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        let disk = match &mut self.disk {
            Some(disk) => disk,
            None => {
                let file = tempfile::tempfile_in(&self.folder)?;
                self.disk.insert(Disk { file, read: 0, written: 0 })
            }
        };
        disk.file.seek(SeekFrom::Start(disk.written))?;
        disk.file.write_all(frame)?;
        disk.written += frame.len() as u64;
        Ok(())
    }

    /// Takes whole lines from its front; none when it is empty.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if !self.memory.is_empty() {
            return std::mem::take(&mut self.memory).into_bytes();
        }
        let Some(disk) = &mut self.disk else { return Vec::new() };
        match disk.take() {
            Ok(bytes) if !bytes.is_empty() => bytes,
            Ok(_) => {
                self.disk = None;
                Vec::new()
            }
            Err(_) => {
                self.lost += disk.written - disk.read;
                self.disk = None;
                Vec::new()
            }
        }
    }
}

impl Disk {
    fn take(&mut self) -> io::Result<Vec<u8>> {
        let left = self.written - self.read;
        let mut most = AT_ONCE as u64;
        loop {
            let count = left.min(most);
            let mut bytes = vec![0; usize::try_from(count).unwrap_or(0)];
            self.file.seek(SeekFrom::Start(self.read))?;
            self.file.read_exact(&mut bytes)?;
            let whole = Frames::read(&bytes, |_| {}).ok_or(io::ErrorKind::InvalidData)?;
            if whole > 0 || count == left {
                bytes.truncate(whole);
                self.read += whole as u64;
                return Ok(bytes);
            }
            // A line longer than that.
            most *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_more_than_memory_goes_to_disk_and_keeps_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        let line = vec![b'x'; 1 << 20];
        let mut wanted = Vec::new();
        let mut found = Vec::new();
        let read = |spool: &mut Spool, found: &mut Vec<u8>| {
            let bytes = spool.take();
            Frames::read(&bytes, |line| found.push(line.bytes[0])).unwrap();
            !bytes.is_empty()
        };
        for number in 0..40_u8 {
            let mut line = line.clone();
            line[0] = number;
            spool.push(Stream::Stdout, &line, true);
            wanted.push(number);
            if number == 20 {
                // Some is sent between; the rest is still on disk.
                read(&mut spool, &mut found);
                read(&mut spool, &mut found);
            }
        }
        while read(&mut spool, &mut found) {}
        assert_eq!((found, spool.lost), (wanted, 0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        // Memory is used again.
        spool.push(Stream::Stderr, b"later", true);
        assert!(spool.disk.is_none());
    }

    #[test]
    fn a_line_longer_than_a_piece_is_sent_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        for _ in 0..3 {
            spool.push(Stream::Stdout, &vec![b'y'; AT_ONCE * 2], true);
        }
        let mut count = 0;
        loop {
            let bytes = spool.take();
            if bytes.is_empty() {
                break;
            }
            Frames::read(&bytes, |line| count += usize::from(line.bytes.len() == AT_ONCE * 2));
        }
        assert_eq!((count, spool.lost), (3, 0));
    }

    #[test]
    fn what_can_be_kept_nowhere_is_counted() {
        let mut spool = Spool::new(Path::new("/nonexistent"));
        spool.push(Stream::Stdout, &vec![b'z'; IN_MEMORY], true);
        spool.push(Stream::Stdout, b"12345", true);
        assert_eq!(spool.lost, 5);
    }
}
