//! Logs as a page holds them: in chunks of whole lines, each compressed alone, so that the browser
//! unpacks only what is looked at.

use std::{io::Write as _, path::Path, thread};

use flate2::{Compression, write::GzEncoder};
use pipe_stdlib::client::base64;

use crate::report::{
    log::{Segment, StageLog},
    trail::Trail,
};

/// A page holds at most so much of all logs, counted before compression. Of longer ones the middle is
/// left out.
const MOST: u64 = 64 << 20;
/// A chunk has about so many bytes, up to the end of a line.
const CHUNK: usize = 256 << 10;
/// With more changes between steps and streams than this, streams are no longer told apart.
const MOST_RUNS: usize = 100_000;

/// The log of a stage.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// In order.
    pub(super) chunks: Vec<Chunk>,
    /// Who wrote which lines, in order.
    pub(super) runs: Vec<Run>,
    /// How many lines the file has.
    pub(super) lines: usize,
    /// What is left out.
    pub(super) cut: Option<Cut>,
}

/// Lines that follow each other.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The number of the first, from 0.
    pub(super) first: usize,
    /// How many.
    pub(super) lines: usize,
    /// The text: gzip in Base64.
    pub(super) text: String,
}

/// From a line on, a step wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The line, from 0.
    pub(super) line: usize,
    /// The step.
    pub(super) step: usize,
    /// To the standard error output.
    pub(super) err: bool,
}

/// Lines that are left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The first, from 0.
    pub(super) first: usize,
    /// How many.
    pub(super) lines: usize,
    /// How many bytes they have.
    pub(super) bytes: u64,
}

/// The logs of the stages, in the order of the trail. What can't be read is left out: the records of
/// a run may be cleared away at any time.
pub(super) fn of(trail: &Trail, folder: &Path) -> Vec<Option<Log>> {
    let open: Vec<_> =
        trail.stages.iter().map(|stage| StageLog::open(folder, &stage.name)).collect();
    let lengths: Vec<u64> =
        open.iter().map(|log| log.as_ref().map_or(0, |log| log.length)).collect();
    let most = share(&lengths, MOST);
    open.into_iter().map(|log| one(&log?, most).ok()).collect()
}

/// How much of each may be kept so that all together are not more than `most`: short ones leave
/// their share to longer ones.
fn share(lengths: &[u64], most: u64) -> u64 {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let mut left = most;
    for (number, length) in sorted.iter().enumerate() {
        let each = left / (sorted.len() - number) as u64;
        if *length > each {
            return each;
        }
        left -= length;
    }
    most
}

fn one(log: &StageLog, most: u64) -> std::io::Result<Log> {
    let whole = log.length <= most;
    let mut head = log.read(0, if whole { log.length } else { most / 2 })?;
    let (mut tail, mut middle) = (Vec::new(), Middle::default());
    if !whole {
        tail = log.read(log.length - most / 2, log.length)?;
        // Only whole lines are shown.
        let kept = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        head.truncate(kept);
        let skipped = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |at| at + 1);
        tail.drain(..skipped);
        middle.start = kept as u64;
        middle.end = log.length - tail.len() as u64;
    }
    let mut count = Count { log, head: &head, tail: &tail, middle, runs: Vec::new(), line: 0 };
    count.run()?;
    let (runs, cut, lines) = (count.runs, count.middle.cut(), count.line);
    let behind = cut.as_ref().map_or(0, |cut| cut.first + cut.lines);
    let mut pieces = cut_up(&head, 0);
    let first = pieces.last().map_or(0, |(first, lines, _)| first + lines);
    pieces.extend(cut_up(&tail, behind.max(first)));
    Ok(Log { chunks: compress(&pieces), runs: fewer(runs), lines, cut })
}

/// What is left out of a log, in bytes; its lines are counted on the way.
#[derive(Default)]
struct Middle {
    start: u64,
    end: u64,
    first: usize,
    lines: usize,
}

impl Middle {
    fn cut(&self) -> Option<Cut> {
        let bytes = self.end - self.start;
        (bytes > 0).then_some(Cut { first: self.first, lines: self.lines, bytes })
    }
}

/// Counts the lines, and finds the line at which each segment begins.
struct Count<'a> {
    log: &'a StageLog,
    head: &'a [u8],
    tail: &'a [u8],
    middle: Middle,
    runs: Vec<Run>,
    line: usize,
}

impl Count<'_> {
    fn run(&mut self) -> std::io::Result<()> {
        let mut segments = self.log.segments.iter().peekable();
        let mut waiting: Option<Segment> = None;
        let mut at = 0;
        let tail_start = self.log.length - self.tail.len() as u64;
        for part in 0..3 {
            let (start, end) = match part {
                0 => (0, self.head.len() as u64),
                1 => (self.middle.start, self.middle.end),
                _ => (tail_start, self.log.length),
            };
            if part == 1 {
                self.middle.first = self.line;
            }
            let mut from = start;
            while from < end {
                let mut to = (from + (1 << 20)).min(end);
                if let Some(next) = segments.peek() {
                    if next.start <= from {
                        waiting = Some(**next);
                        segments.next();
                        continue;
                    }
                    to = to.min(next.start);
                }
                let block;
                let bytes = match part {
                    0 => slice(self.head, start, from, to),
                    1 => {
                        block = self.log.read(from, to)?;
                        &block
                    }
                    _ => slice(self.tail, start, from, to),
                };
                // A line belongs to whom its beginning belongs.
                if let Some(segment) = waiting.take() {
                    let line = self.line + usize::from(at != 0 && !ends_line(at));
                    self.runs.push(Run { line, step: segment.step, err: segment.err });
                }
                self.line += bytes.iter().filter(|byte| **byte == b'\n').count();
                at = bytes.last().copied().unwrap_or(at);
                from = to;
            }
            if part == 1 {
                self.middle.lines = self.line - self.middle.first;
            }
        }
        self.line += usize::from(at != 0 && !ends_line(at));
        Ok(())
    }
}

fn ends_line(byte: u8) -> bool {
    byte == b'\n'
}

fn slice(bytes: &[u8], start: u64, from: u64, to: u64) -> &[u8] {
    let place = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX).min(bytes.len());
    &bytes[place(from)..place(to)]
}

/// Runs of the same step and stream are one; too many are told apart by step only.
fn fewer(mut runs: Vec<Run>) -> Vec<Run> {
    // Of several at one line the first began it, unless it wrote nothing to its end.
    runs.dedup_by(|later, earlier| (later.step, later.err) == (earlier.step, earlier.err));
    if runs.len() > MOST_RUNS {
        runs.dedup_by_key(|run| run.step);
    }
    runs
}

/// Pieces of whole lines: the number of the first line, how many, the text.
fn cut_up(mut bytes: &[u8], mut first: usize) -> Vec<(usize, usize, &[u8])> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let least = CHUNK.min(bytes.len());
        let end = bytes[least..].iter().position(|byte| *byte == b'\n');
        let end =
            if least == bytes.len() { least } else { end.map_or(bytes.len(), |at| least + at + 1) };
        let (piece, rest) = bytes.split_at(end);
        let open = usize::from(!piece.ends_with(b"\n"));
        let lines = piece.iter().filter(|byte| **byte == b'\n').count() + open;
        pieces.push((first, lines, piece));
        first += lines;
        bytes = rest;
    }
    pieces
}

/// Compresses pieces, on all processors.
fn compress(pieces: &[(usize, usize, &[u8])]) -> Vec<Chunk> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let each = pieces.len().div_ceil(threads).max(1);
    let packed = |part: &[(usize, usize, &[u8])]| -> Vec<Chunk> {
        part.iter()
            .map(|(first, lines, bytes)| Chunk { first: *first, lines: *lines, text: pack(bytes) })
            .collect()
    };
    thread::scope(|scope| {
        let parts: Vec<_> =
            pieces.chunks(each).map(|part| scope.spawn(move || packed(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

fn pack(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing into memory does not fail.
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    base64::encode(&packed.unwrap_or_default())
}

/// A number of bytes as people say it.
pub(super) fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let mut number = bytes as f64;
    for unit in ["B", "kB", "MB"] {
        if number < 1000.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{number:.1} {unit}") };
        }
        number /= 1000.0;
    }
    format!("{number:.1} GB")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, io::Read as _};

    use super::*;

    fn log(text: &[u8], index: &str, most: u64) -> Log {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.log"), text).unwrap();
        fs::write(folder.path().join("a.log.steps"), index).unwrap();
        one(&StageLog::open(folder.path(), "a").unwrap(), most).unwrap()
    }

    fn unpacked(chunk: &Chunk) -> Vec<u8> {
        let mut bytes = Vec::new();
        let packed = base64::decode(&chunk.text).unwrap();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn lines_belong_to_whoever_began_them() {
        let log =
            log(b"a\nb\nhalf other\nc\nopen", "0 1 out\n2 2 err\n8 1 out\n15 2 out\n", 1 << 20);
        let runs: Vec<_> = log.runs.iter().map(|run| (run.line, run.step, run.err)).collect();
        assert_eq!(runs, [(0, 1, false), (1, 2, true), (3, 1, false), (3, 2, false)]);
        assert_eq!((log.lines, log.chunks.len(), log.chunks[0].lines), (5, 1, 5));
        assert_eq!(log.cut, None);
    }

    #[test]
    fn chunks_hold_the_whole_text() {
        let text: Vec<u8> = (0..100_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let log = log(&text, "0 1 out\n", 1 << 30);
        assert!(log.chunks.len() > 3);
        let all: Vec<u8> = log.chunks.iter().flat_map(unpacked).collect();
        assert_eq!(all, text);
        assert_eq!(log.chunks.iter().map(|chunk| chunk.lines).sum::<usize>(), 100_000);
        let last = log.chunks.last().unwrap();
        assert_eq!(last.first + last.lines, 100_000);
    }

    #[test]
    fn of_a_long_one_the_middle_is_left_out() {
        let text: Vec<u8> = (0..1000).flat_map(|n| format!("line {n:03}\n").into_bytes()).collect();
        let log = log(&text, "0 1 out\n4500 2 out\n8991 3 out\n", 95);
        assert_eq!(log.cut, Some(Cut { first: 5, lines: 990, bytes: 9 * 990 }));
        assert_eq!(unpacked(&log.chunks[0]), text[..45]);
        assert_eq!(unpacked(&log.chunks[1]), text[9000 - 45..]);
        assert_eq!((log.chunks[1].first, log.lines), (995, 1000));
        let runs: Vec<_> = log.runs.iter().map(|run| (run.line, run.step)).collect();
        assert_eq!(runs, [(0, 1), (500, 2), (999, 3)]);
    }

    #[test]
    fn short_logs_leave_their_share_to_long_ones() {
        assert_eq!(share(&[10, 20, 30], 100), 100);
        assert_eq!(share(&[10, 20, 1000], 100), 70);
        assert_eq!(share(&[10, 1000, 1000], 100), 45);
        assert_eq!(share(&[], 100), 100);
    }
}
