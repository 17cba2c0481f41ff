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

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
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
    /// Buffers to be used again: fresh memory costs more than compression of it.
    spare: Vec<Vec<u8>>,
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
            spare: Vec::new(),
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
        let out = self.spare.pop().unwrap_or_default();
        let (reply, done) = mpsc::sync_channel(1);
        self.workers.give(Job { bytes, out, earlier: self.earlier.clone(), reply })?;
        self.waiting.push_back(done);
        Ok(())
    }

    /// Writes the oldest piece.
    fn take(&mut self) -> io::Result<()> {
        let Some(done) = self.waiting.pop_front() else { return Ok(()) };
        let lost = |_| io::Error::other("a thread that compresses ended early");
        let Done { digest, packed, spent } = done.recv().map_err(lost)?;
        let packed = packed?;
        self.out.write_all(&packed)?;
        // Compressed it is at most a few bytes longer than a piece.
        let length = u32::try_from(packed.len()).unwrap_or(u32::MAX);
        self.written.push(Piece { digest, offset: self.offset, length, sum: sum(&packed) });
        self.offset += packed.len() as u64;
        for mut buffer in [packed, spent] {
            buffer.clear();
            self.spare.push(buffer);
        }
        Ok(())
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.capacity() == 0 {
            self.buffer = self.spare.pop().unwrap_or_default();
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
    /// An empty one, for what comes out.
    out: Vec<u8>,
    earlier: Option<Earlier>,
    reply: mpsc::SyncSender<Done>,
}

struct Done {
    digest: Digest,
    packed: io::Result<Vec<u8>>,
    /// What was packed, to be used again.
    spent: Vec<u8>,
}

impl Job {
    fn run(self, packer: &mut Packer) {
        let Self { bytes, mut out, earlier, reply } = self;
        let digest = Digest::of(&bytes);
        let is_known = earlier.as_ref().is_some_and(|earlier| earlier.take(&digest, &mut out));
        let packed = if is_known { Ok(()) } else { packer.member(&bytes, &mut out) };
        // Nobody waits for it when the writer was dropped.
        let _ = reply.send(Done { digest, packed: packed.map(|()| out), spent: bytes });
    }
}

impl Earlier {
    /// Puts out the compressed bytes of a piece, if they are there and whole.
    fn take(&self, digest: &Digest, out: &mut Vec<u8>) -> bool {
        let Some(piece) = self.pieces.get(digest) else { return false };
        out.resize(piece.length as usize, 0);
        let is_read = self.file.read_exact_at(out, piece.offset).is_ok();
        let is_whole = is_read && sum(out) == piece.sum;
        if !is_whole {
            out.clear();
        }
        is_whole
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Makes gzip members, one after the other in the same memory.
struct Packer {
    deflate: Compress,
    /// The fastest one, for samples.
    quick: Compress,
    sample: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    fn new() -> Self {
        Self {
            deflate: Compress::new(Compression::new(LEVEL), false),
            quick: Compress::new(Compression::fast(), false),
            sample: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Puts out a piece as a gzip member.
    fn member(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        // Deflate, no flags, no time, nothing special, no system: RFC 1952, section 2.3.
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        if self.pays(bytes)? {
            deflate(&mut self.deflate, bytes, out)?;
        } else {
            store(bytes, out);
        }
        out.extend_from_slice(&sum(bytes).to_le_bytes());
        let size = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&size.to_le_bytes());
        Ok(())
    }

    /// Whether compression makes bytes smaller, tried at some of them: pictures and archives only
    /// cost time.
    fn pays(&mut self, bytes: &[u8]) -> io::Result<bool> {
        const SAMPLE: usize = 8 << 10;
        if bytes.len() < 8 * SAMPLE {
            return Ok(true);
        }
        self.sample.clear();
        self.packed.clear();
        for part in bytes.chunks(bytes.len() / 4).take(4) {
            self.sample.extend_from_slice(&part[..SAMPLE.min(part.len())]);
        }
        deflate(&mut self.quick, &self.sample, &mut self.packed)?;
        Ok(self.packed.len() < self.sample.len() / 50 * 49)
    }
}

fn deflate(with: &mut Compress, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    with.reset();
    loop {
        out.reserve(32 << 10);
        let rest = bytes.get(usize::try_from(with.total_in()).unwrap_or(usize::MAX)..);
        let rest = rest.unwrap_or_default();
        match with.compress_vec(rest, out, FlushCompress::Finish)? {
            Status::StreamEnd => return Ok(()),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// The bytes as they are: RFC 1951, section 3.2.4.
fn store(bytes: &[u8], out: &mut Vec<u8>) {
    let mut left = bytes.len();
    for part in bytes.chunks(0xffff) {
        left -= part.len();
        // A chunk has no more.
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        out.push(u8::from(left == 0));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(part);
    }
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
            job.run(&mut Packer::new());
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
                        let mut packer = Packer::new();
                        while let Some(job) = next(&receiver) {
                            job.run(&mut packer);
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
        assert!(earlier.take(&pieces[1].digest, &mut Vec::new()));
        assert!(!earlier.take(&pieces[2].digest, &mut Vec::new()));
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
