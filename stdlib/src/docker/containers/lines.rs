//! Chunks of output become lines.

use crate::core::Stream;

/// A line longer than this is passed on in pieces.
const LONGEST: usize = 1 << 20;

/// What has come of a line of each stream that has not ended yet.
#[derive(Debug, Default)]
pub(in crate::docker) struct Lines {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Lines {
    /// Takes a chunk, and passes on each line without its end, and whether it ends there.
    pub(in crate::docker) fn add(
        &mut self,
        stream: Stream,
        chunk: &[u8],
        mut output: impl FnMut(Stream, &[u8], bool),
    ) {
        let pending = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let mut rest = chunk;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            if pending.is_empty() {
                output(stream, &rest[..end], true);
            } else {
                pending.extend_from_slice(&rest[..end]);
                output(stream, pending, true);
                pending.clear();
            }
            rest = &rest[end + 1..];
        }
        pending.extend_from_slice(rest);
        if pending.len() >= LONGEST {
            output(stream, pending, false);
            pending.clear();
        }
    }

    /// Passes on what never got an end.
    pub(in crate::docker) fn end(&mut self, mut output: impl FnMut(Stream, &[u8], bool)) {
        for (stream, pending) in
            [(Stream::Stdout, &mut self.stdout), (Stream::Stderr, &mut self.stderr)]
        {
            if !pending.is_empty() {
                output(stream, pending, true);
                pending.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_whatever_the_chunks() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        let mut take = |stream, line: &[u8], whole| {
            found.push((stream, String::from_utf8_lossy(line).into_owned(), whole));
        };
        lines.add(Stream::Stdout, b"a\nb", &mut take);
        lines.add(Stream::Stderr, b"x\n\n", &mut take);
        lines.add(Stream::Stdout, b"c\nd", &mut take);
        lines.end(&mut take);
        let line = |stream, text: &str| (stream, text.to_owned(), true);
        use Stream::{Stderr, Stdout};
        assert_eq!(
            found,
            [
                line(Stdout, "a"),
                line(Stderr, "x"),
                line(Stderr, ""),
                line(Stdout, "bc"),
                line(Stdout, "d"),
            ]
        );
    }

    #[test]
    fn a_line_without_an_end_does_not_stay_in_memory() {
        let mut lines = Lines::default();
        let mut pieces = Vec::new();
        for _ in 0..40 {
            lines.add(Stream::Stdout, &[b'x'; 64 * 1024], |_, line, whole| {
                pieces.push((line.len(), whole));
            });
        }
        lines.end(|_, line, whole| pieces.push((line.len(), whole)));
        assert_eq!(pieces, [(LONGEST, false), (LONGEST, false), (1 << 19, true)]);
    }
}
