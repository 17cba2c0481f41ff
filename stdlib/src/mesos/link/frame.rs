//! Lines of output as bytes, whatever they hold: a byte that says of which stream the line is and
//! whether it ends there, the length in four bytes, the line.

use crate::core::Stream;

/// A piece of output: a line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which stream.
    pub stream: Stream,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the line ends there.
    pub complete: bool,
}

const STDERR: u8 = 1;
const OPEN: u8 = 2;
const HEAD: usize = 5;
/// No line is sent in longer pieces.
const LONGEST: usize = 64 << 20;

/// Lines behind each other.
#[derive(Debug, Default)]
pub struct Frames(Vec<u8>);

impl Frames {
    /// Adds a line.
    pub fn push(&mut self, stream: Stream, bytes: &[u8], complete: bool) {
        let kind = if stream == Stream::Stderr { STDERR } else { 0 };
        self.0.push(kind | if complete { 0 } else { OPEN });
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// How many bytes they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Takes whole lines from the front of `bytes`; returns how many bytes that were. Nothing when
    /// they are no frames.
    pub fn read(bytes: &[u8], mut take: impl FnMut(Line)) -> Option<usize> {
        let mut at = 0;
        while let Some(head) = bytes.get(at..at + HEAD) {
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
            if head[0] > (STDERR | OPEN) || length > LONGEST {
                return None;
            }
            let Some(line) = bytes.get(at + HEAD..at + HEAD + length) else { break };
            let stream = if head[0] & STDERR == 0 { Stream::Stdout } else { Stream::Stderr };
            take(Line { stream, bytes: line.to_vec(), complete: head[0] & OPEN == 0 });
            at += HEAD + length;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lines_come_back_as_they_were() {
        let lines = [
            Line { stream: Stream::Stdout, bytes: b"a\0\xff".to_vec(), complete: true },
            Line { stream: Stream::Stderr, bytes: Vec::new(), complete: true },
            Line { stream: Stream::Stdout, bytes: b"no end".to_vec(), complete: false },
        ];
        let mut frames = Frames::default();
        for line in &lines {
            frames.push(line.stream, &line.bytes, line.complete);
        }
        let bytes = frames.into_bytes();
        let mut found = Vec::new();
        assert_eq!(Frames::read(&bytes, |line| found.push(line)), Some(bytes.len()));
        assert_eq!(found, lines);
        // What is cut off stays for the next time.
        let mut found = 0;
        assert_eq!(Frames::read(&bytes[..bytes.len() - 1], |_| found += 1), Some(13));
        assert_eq!(found, 2);
        assert_eq!(Frames::read(b"<html>", |_| {}), None);
    }
}
