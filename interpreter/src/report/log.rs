//! The recorded output of a stage: a text, and an index that says which step wrote what.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use crate::run::{index_name, log_name};

/// The recorded output of a stage.
pub(super) struct StageLog {
    /// The text.
    pub(super) file: File,
    /// How many bytes it has.
    pub(super) length: u64,
    /// Who wrote it, in order.
    pub(super) segments: Vec<Segment>,
}

/// From a byte of the text up to the next segment: the output of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first byte.
    pub(super) start: u64,
    /// The step.
    pub(super) step: usize,
    /// It was written to the standard error output.
    pub(super) err: bool,
}

impl StageLog {
    /// Opens the log of a stage. None: nothing of it is recorded, or it can't be read.
    pub(super) fn open(folder: &Path, stage: &str) -> Option<Self> {
        let file = File::open(folder.join(log_name(stage))).ok()?;
        let length = file.metadata().ok()?.len();
        let index = fs::read_to_string(folder.join(index_name(stage))).unwrap_or_default();
        let mut segments: Vec<Segment> = index.lines().filter_map(segment).collect();
        segments.sort_by_key(|segment| segment.start);
        (length > 0).then_some(Self { file, length, segments })
    }

    /// The last lines of some steps, at most so many bytes of them.
    pub(super) fn tail(&self, steps: &BTreeSet<usize>, most: u64) -> io::Result<String> {
        let mut pieces = Vec::new();
        let mut left = most;
        let mut end = self.length;
        for segment in self.segments.iter().rev() {
            if steps.contains(&segment.step) && left > 0 {
                let start = segment.start.max(end.saturating_sub(left)).min(end);
                pieces.push(self.read(start, end)?);
                left -= end - start;
            }
            end = segment.start.min(end);
        }
        pieces.reverse();
        let text = String::from_utf8_lossy(&pieces.concat()).into_owned();
        // A line that was cut at its beginning tells nothing.
        Ok(match text.split_once('\n') {
            Some((_, rest)) if left == 0 => rest.to_owned(),
            _ => text,
        })
    }

    /// The bytes from `start` to `end`.
    pub(super) fn read(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }
}

fn segment(line: &str) -> Option<Segment> {
    let mut words = line.split(' ');
    let start = words.next()?.parse().ok()?;
    let step = words.next()?.parse().ok()?;
    Some(Segment { start, step, err: words.next()? == "err" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_tail_of_a_step_leaves_others_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.log"), "one\ntwo\nother\nthree\n").unwrap();
        fs::write(folder.path().join("a.log.steps"), "0 1 out\n8 2 out\n14 1 err\nbroken\n")
            .unwrap();
        let log = StageLog::open(folder.path(), "a").unwrap();
        assert_eq!(log.segments.len(), 3);
        let tail = |step, most| log.tail(&BTreeSet::from([step]), most).unwrap();
        assert_eq!(tail(1, 100), "one\ntwo\nthree\n");
        assert_eq!(tail(1, 12), "two\nthree\n");
        assert_eq!(tail(2, 100), "other\n");
        assert_eq!(tail(3, 100), "");
        assert!(StageLog::open(folder.path(), "b").is_none());
    }
}
