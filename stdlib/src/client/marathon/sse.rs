//! Decoder of `text/event-stream`, the framing of `/v2/events`.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.
//! Marathon sends `event:` and one `data:` line, ended by CRLF, and a bare CRLF as a heartbeat.

/// One event: its type and its data, lines joined by LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What stands behind `event:`; `message` without it.
    pub event: String,
    /// What stands behind `data:`.
    pub data: String,
}

/// Turns bytes into events, however they were cut on the way.
#[derive(Debug)]
pub struct Decoder {
    line: Vec<u8>,
    event: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// A CR was the last byte: a LF right behind it belongs to the same line end.
    after_cr: bool,
    at_start: bool,
    /// This line is longer than the limit.
    long_line: bool,
    /// So is something of this event: it is dropped as a whole.
    oversized: bool,
    limit: usize,
}

impl Default for Decoder {
    /// With room for 64 MiB: before 1.8 a plan may carry the whole root group twice.
    fn default() -> Self {
        Self::with_limit(64 << 20)
    }
}

impl Decoder {
    /// A decoder that drops events of more than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            event: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
            long_line: false,
            oversized: false,
            limit,
        }
    }

    /// Takes the next bytes; returns the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.keep(rest);
                break;
            };
            self.keep(&rest[..end]);
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            frames.extend(self.end_line());
        }
        frames
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + bytes.len() > self.limit {
            self.long_line = true;
            self.line = Vec::new();
        }
        if !self.long_line {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) -> Option<Frame> {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.at_start) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(.."\u{feff}".len());
        }
        if std::mem::take(&mut self.long_line) {
            self.oversized = true;
            return None;
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (&line[..], &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.event = value.to_vec(),
            b"data" if self.data.len() + value.len() > self.limit => self.oversized = true,
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Frame> {
        let event = std::mem::take(&mut self.event);
        let data = std::mem::take(&mut self.data);
        let complete = std::mem::take(&mut self.has_data);
        let oversized = std::mem::take(&mut self.oversized);
        (complete && !oversized).then(|| Frame {
            event: if event.is_empty() { "message".to_owned() } else { lossy(event) },
            data: lossy(data),
        })
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The constructed streams; where they come from says `tests/data/marathon/README.md`.
    const STREAMS: &[(&str, &[u8], usize)] = &[
        ("rolling-ok", include_bytes!("../../../tests/data/marathon/sse/rolling-ok.txt"), 20),
        ("new-app", include_bytes!("../../../tests/data/marathon/sse/new-app.txt"), 8),
        (
            "finished-before-response",
            include_bytes!("../../../tests/data/marathon/sse/finished-before-response.txt"),
            3,
        ),
        (
            "image-pull-loop-then-rollback",
            include_bytes!("../../../tests/data/marathon/sse/image-pull-loop-then-rollback.txt"),
            12,
        ),
        (
            "unhealthy-kill-loop",
            include_bytes!("../../../tests/data/marathon/sse/unhealthy-kill-loop.txt"),
            12,
        ),
        ("forced-over", include_bytes!("../../../tests/data/marathon/sse/forced-over.txt"), 3),
        ("old-1.1-plan", include_bytes!("../../../tests/data/marathon/sse/old-1.1-plan.txt"), 4),
        ("hostile", include_bytes!("../../../tests/data/marathon/sse/hostile.txt"), 4),
    ];

    fn decode(chunks: &[&[u8]]) -> Vec<Frame> {
        let mut decoder = Decoder::default();
        chunks.iter().flat_map(|chunk| decoder.push(chunk)).collect()
    }

    #[test]
    fn a_stream_cut_at_any_byte_gives_the_same_events() {
        for (name, bytes, count) in STREAMS {
            let whole = decode(&[bytes]);
            assert_eq!(whole.len(), *count, "{name}");
            for cut in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(cut);
                assert_eq!(decode(&[head, tail]), whole, "{name} cut at {cut}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decode(&single), whole, "{name} byte by byte");
        }
    }

    #[test]
    fn lines_may_end_with_lf_cr_or_crlf() {
        let whole =
            decode(&[b"event: a\ndata: 1\n\nevent: b\rdata: 2\r\revent: c\r\ndata: 3\r\n\r\n"]);
        let seen: Vec<(&str, &str)> =
            whole.iter().map(|f| (f.event.as_str(), f.data.as_str())).collect();
        assert_eq!(seen, [("a", "1"), ("b", "2"), ("c", "3")]);
    }

    #[test]
    fn several_data_lines_are_one_text_and_comments_are_none() {
        let frames =
            decode(&[b"\xef\xbb\xbf: hello\ndata: a\ndata:b\ndata\nid: 7\nretry: 1\n\n\n\n"]);
        assert_eq!(frames, [Frame { event: "message".into(), data: "a\nb\n".into() }]);
    }

    #[test]
    fn an_event_beyond_the_limit_is_dropped_and_the_next_one_is_not() {
        let mut decoder = Decoder::with_limit(10);
        assert_eq!(decoder.push(b"event: x\ndata: 01234567890123\n"), []);
        assert_eq!(decoder.push(b"\n"), []);
        assert_eq!(decoder.push(b"data: 1\n\n").len(), 1);
        // Many short lines are no way round it.
        assert_eq!(decoder.push(b"data: 123\ndata: 456\ndata: 78\ndata: 9\ndata: 0\n\n"), []);
        assert_eq!(decoder.push(b"data: 2\n\n")[0].data, "2");
    }
}
