//! Compresses an archive in pieces that do not depend on each other: by several threads at once,
//! and with pieces taken over from an earlier layer as they are.
//!
//! Each piece is a gzip member of its own; a file of several members is a gzip file
//! ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952), section 2.2).

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, Write},
    num::NonZero,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use flate2::{Compression, Crc, GzBuilder};
use serde::{Deserialize, Serialize};

use super::Layer;
use crate::{Digest, Hashing};

/// No piece holds more bytes of the archive. Bounds the memory too: a handful of them is on its way
/// at any time.
pub(super) const PIECE: usize = 512 << 10;

/// A piece with fewer bytes does not end early: each costs a header, and what it can't repeat.
const SMALLEST: usize = 64 << 10;

/// Of zlib's levels the one from which more time gains little: 4 % more bytes than by level 6, in
/// half the time.
const LEVEL: u32 = 3;

/// More threads than this have nothing to do: reading and hashing is one thread's work.
const MOST_THREADS: usize = 6;

/// A piece of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The digest of its part of the archive.
    pub digest: Digest,
    /// Where it begins in the compressed layer.
    pub offset: u64,
    /// Its length there, in bytes.
    pub length: u32,
    /// The CRC-32 of its compressed bytes.
    pub sum: u32,
}

/// An earlier layer, whose pieces are taken over where they are the same.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// The compressed layer.
    pub file: Arc<File>,
    /// Its pieces by their digests.
    pub pieces: Arc<BTreeMap<Digest, Piece>>,
}

/// A writer of an archive whose compressed pieces go to `W`.
pub(super) struct Gzip<W: Write> {
    out: Hashing<W>,
    /// Of the archive before compression.
    archive: Hashing<io::Sink>,
    /// The piece that is being filled.
    buffer: Vec<u8>,
    workers: Workers,
    earlier: Option<Earlier>,
    /// What the workers are at, in order.
    waiting: VecDeque<mpsc::Receiver<Done>>,
    written: Vec<Piece>,
    offset: u64,
}

impl<W: Write> Gzip<W> {
    pub(super) fn new(out: W, earlier: Option<Earlier>) -> Self {
        Self {
            out: Hashing::new(out),
            archive: Hashing::new(io::sink()),
            buffer: Vec::new(),
            workers: Workers::default(),
            earlier,
            waiting: VecDeque::new(),
            written: Vec::new(),
            offset: 0,
        }
    }

    /// Ends a piece, unless it is a small one.
    pub(super) fn cut(&mut self) -> io::Result<()> {
        if self.buffer.len() < SMALLEST { Ok(()) } else { self.send() }
    }

    pub(super) fn finish(mut self) -> io::Result<(Layer, Vec<Piece>, W)> {
        // Also an empty archive is a gzip file.
        if !self.buffer.is_empty() || self.written.is_empty() && self.waiting.is_empty() {
            self.send()?;
        }
        while !self.waiting.is_empty() {
            self.take()?;
        }
        let (digest, size, mut out) = self.out.finish();
        out.flush()?;
        let layer = Layer { diff_id: self.archive.finish().0, digest, size };
        Ok((layer, self.written, out))
    }

    fn send(&mut self) -> io::Result<()> {
        if self.waiting.len() > self.workers.most() {
            self.take()?;
        }
        let bytes = std::mem::take(&mut self.buffer);
        let (reply, done) = mpsc::sync_channel(1);
        self.workers.give(Job { bytes, earlier: self.earlier.clone(), reply })?;
        self.waiting.push_back(done);
        Ok(())
    }

    /// Writes the oldest piece.
    fn take(&mut self) -> io::Result<()> {
        let Some(done) = self.waiting.pop_front() else { return Ok(()) };
        let lost = |_| io::Error::other("a thread that compresses ended early");
        let Done { digest, packed } = done.recv().map_err(lost)?;
        let packed = packed?;
        self.out.write_all(&packed)?;
        // Compressed it is at most a few bytes longer than a piece.
        let length = u32::try_from(packed.len()).unwrap_or(u32::MAX);
        self.written.push(Piece { digest, offset: self.offset, length, sum: sum(&packed) });
        self.offset += packed.len() as u64;
        Ok(())
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(PIECE);
        }
        let part = &bytes[..bytes.len().min(PIECE - self.buffer.len())];
        self.archive.write_all(part)?;
        self.buffer.extend_from_slice(part);
        if self.buffer.len() == PIECE {
            self.send()?;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Job {
    bytes: Vec<u8>,
    earlier: Option<Earlier>,
    reply: mpsc::SyncSender<Done>,
}

struct Done {
    digest: Digest,
    packed: io::Result<Vec<u8>>,
}

impl Job {
    fn run(self) {
        let digest = Digest::of(&self.bytes);
        let known = self.earlier.as_ref().and_then(|earlier| earlier.take(&digest));
        let packed = known.map_or_else(|| member(&self.bytes), Ok);
        // Nobody waits for it when the writer was dropped.
        let _ = self.reply.send(Done { digest, packed });
    }
}

impl Earlier {
    /// The compressed bytes of a piece, if they are there and whole.
    fn take(&self, digest: &Digest) -> Option<Vec<u8>> {
        let piece = self.pieces.get(digest)?;
        let mut bytes = vec![0; piece.length as usize];
        self.file.read_exact_at(&mut bytes, piece.offset).ok()?;
        (sum(&bytes) == piece.sum).then_some(bytes)
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A piece as a gzip member.
fn member(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = if pays(bytes)? { Compression::new(LEVEL) } else { Compression::none() };
    gzip(bytes, level)
}

fn gzip(bytes: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::with_capacity(bytes.len() / 2), level);
    writer.write_all(bytes)?;
    writer.finish()
}

/// Whether compression makes bytes smaller, tried at some of them: pictures and archives only cost
/// time.
fn pays(bytes: &[u8]) -> io::Result<bool> {
    const SAMPLE: usize = 8 << 10;
    if bytes.len() < 8 * SAMPLE {
        return Ok(true);
    }
    let mut sample = Vec::with_capacity(4 * SAMPLE);
    for part in bytes.chunks(bytes.len() / 4).take(4) {
        sample.extend_from_slice(&part[..SAMPLE.min(part.len())]);
    }
    Ok(gzip(&sample, Compression::fast())?.len() < sample.len() / 50 * 49)
}

/// The threads that compress; there are none until a second piece needs one.
#[derive(Default)]
struct Workers {
    jobs: Option<mpsc::Sender<Job>>,
    first: bool,
}

impl Workers {
    /// As many pieces may be on their way.
    fn most(&self) -> usize {
        threads() + 2
    }

    fn give(&mut self, job: Job) -> io::Result<()> {
        if !std::mem::replace(&mut self.first, true) {
            // Most layers are a single piece.
            job.run();
            return Ok(());
        }
        let gone = |_| io::Error::other("no thread compresses");
        match &self.jobs {
            Some(jobs) => jobs.send(job).map_err(gone),
            None => {
                let (sender, receiver) = mpsc::channel::<Job>();
                let receiver = Arc::new(Mutex::new(receiver));
                for _ in 0..threads() {
                    let receiver = receiver.clone();
                    // Ends when the sender is dropped.
                    thread::Builder::new().name("gzip".into()).spawn(move || {
                        while let Some(job) = next(&receiver) {
                            job.run();
                        }
                    })?;
                }
                sender.send(job).map_err(gone)?;
                self.jobs = Some(sender);
                Ok(())
            }
        }
    }
}

fn next(jobs: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    jobs.lock().ok()?.recv().ok()
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use super::*;

    fn noise(size: usize, mut state: u64) -> Vec<u8> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..size).map(|_| next()).collect()
    }

    fn text(size: usize) -> Vec<u8> {
        b"all work and no play ".iter().copied().cycle().take(size).collect()
    }

    fn packed(parts: &[&[u8]], earlier: Option<Earlier>) -> (Layer, Vec<Piece>, Vec<u8>) {
        let mut gzip = Gzip::new(Vec::new(), earlier);
        for part in parts {
            gzip.write_all(part).unwrap();
            gzip.cut().unwrap();
        }
        gzip.finish().unwrap()
    }

    #[test]
    fn pieces_together_are_one_gzip_file() {
        let (noise, text) = (noise(2 << 20, 1), text(3 << 20));
        let whole = [&text[..], &noise, b"end"].concat();
        let (layer, pieces, bytes) = packed(&[&text, &noise, b"end"], None);
        let mut read = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut read).unwrap();
        assert!(read == whole);
        assert_eq!((layer.diff_id, layer.digest), (Digest::of(&whole), Digest::of(&bytes)));
        assert_eq!(layer.size, bytes.len() as u64);
        assert_eq!(pieces.iter().map(|p| u64::from(p.length)).sum::<u64>(), layer.size);
        assert!(pieces.len() > 9);
        // What can't be made smaller is hardly made longer.
        assert!(bytes.len() < noise.len() + 100_000, "{}", bytes.len());
        let (layer, _, bytes) = packed(&[], None);
        assert_eq!(layer.diff_id, Digest::of(b""));
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut read).unwrap();
    }

    #[test]
    fn an_earlier_layer_gives_its_pieces_and_changes_nothing() {
        let parts: Vec<Vec<u8>> = (1..9).map(|seed| noise(100 << 10, seed)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let (_, pieces, bytes) = packed(&parts, None);
        let mut file = tempfile::tempfile().unwrap();
        // A damaged piece is seen and made anew.
        let mut damaged = bytes.clone();
        let at = usize::try_from(pieces[2].offset).unwrap() + 50;
        damaged[at] ^= 1;
        file.write_all(&damaged).unwrap();
        let by_digest = pieces.iter().map(|piece| (piece.digest, *piece)).collect();
        let earlier = Earlier { file: Arc::new(file), pieces: Arc::new(by_digest) };
        assert!(earlier.take(&pieces[1].digest).is_some());
        assert!(earlier.take(&pieces[2].digest).is_none());
        assert!(packed(&parts, Some(earlier.clone())).2 == bytes);

        let mut changed = parts.clone();
        changed[4] = b"changed";
        let (new, _, from_earlier) = packed(&changed, Some(earlier.clone()));
        let (plain, after, without) = packed(&changed, None);
        assert!(from_earlier == without && new == plain);
        let known = after.iter().filter(|piece| earlier.pieces.contains_key(&piece.digest));
        assert!(known.count() >= after.len() - 2);
    }
}
