//! Decoder of RecordIO, the framing of event streams: the length of a record in decimal digits, a
//! line feed, and so many bytes.
//!
//! Source: <https://mesos.apache.org/documentation/latest/recordio/>. The borders of HTTP chunks
//! have nothing to do with those of records.

/// A stream that is no RecordIO, or a record beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Turns bytes into records, however they were cut on the way.
#[derive(Debug)]
pub struct Decoder {
    pending: Vec<u8>,
    /// How long the record is whose bytes are pending.
    length: Option<usize>,
    limit: usize,
}

/// The length of a `u64` in digits, and some room for blanks.
const LONGEST_LENGTH: usize = 40;

impl Default for Decoder {
    /// With room for 64 MiB: offers of thousands of agents come in one record.
    fn default() -> Self {
        Self::with_limit(64 << 20)
    }
}

impl Decoder {
    /// A decoder that takes records of at most `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { pending: Vec::new(), length: None, limit }
    }

    /// Takes the next bytes; hands each record that they complete to `record`.
    ///
    /// # Errors
    ///
    /// When this is no RecordIO. The rest of the stream is worth nothing then.
    pub fn push(&mut self, bytes: &[u8], mut record: impl FnMut(&[u8])) -> Result<(), Malformed> {
        let mut rest = bytes;
        loop {
            match self.length {
                None => {
                    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                        self.pending.extend_from_slice(rest);
                        let hopeless = self.pending.len() > LONGEST_LENGTH
                            || !self.pending.iter().all(|b| b.is_ascii_digit() || *b == b' ');
                        return if hopeless { Err(Malformed) } else { Ok(()) };
                    };
                    self.pending.extend_from_slice(&rest[..end]);
                    rest = &rest[end + 1..];
                    let length = read_length(&self.pending).ok_or(Malformed)?;
                    if length > self.limit {
                        return Err(Malformed);
                    }
                    self.pending.clear();
                    // An empty record says nothing.
                    self.length = (length > 0).then_some(length);
                }
                Some(length) => {
                    let missing = length - self.pending.len();
                    if rest.len() < missing {
                        self.pending.extend_from_slice(rest);
                        return Ok(());
                    }
                    if self.pending.is_empty() {
                        record(&rest[..missing]);
                    } else {
                        self.pending.extend_from_slice(&rest[..missing]);
                        record(&self.pending);
                        self.pending.clear();
                    }
                    rest = &rest[missing..];
                    self.length = None;
                }
            }
        }
    }
}

/// At most twenty digits, blanks around them.
fn read_length(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?.trim();
    let digits = !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[&[u8]]) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut decoder = Decoder::default();
        let mut records = Vec::new();
        for chunk in chunks {
            decoder.push(chunk, |record| records.push(record.to_vec()))?;
        }
        Ok(records)
    }

    #[test]
    fn records_are_cut_by_their_length() {
        let whole = decode(&[b"5\nhello0\n 3 \n{\n}2\n\xc3\xa4"]).unwrap();
        assert_eq!(whole, [&b"hello"[..], b"{\n}", "ä".as_bytes()]);
        assert_eq!(decode(&[b"5\nhel"]).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn what_is_no_recordio_is_told_at_once() {
        for bad in
            ["Master has not finished recovery", "-1\n", "\n", "1 2\nab", "<html>", "0x2\nab"]
        {
            assert_eq!(decode(&[bad.as_bytes()]), Err(Malformed), "{bad}");
        }
        assert_eq!(decode(&[b"99999999999999999999999\n"]), Err(Malformed));
        assert_eq!(decode(&[b"67108865\n"]), Err(Malformed));
        assert_eq!(decode(&[&b" ".repeat(50)]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_records(
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let stream: Vec<u8> = records
                .iter()
                .flat_map(|record| [format!("{}\n", record.len()).into_bytes(), record.clone()].concat())
                .collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            places.sort_unstable();
            let mut chunks = Vec::new();
            let mut start = 0;
            for place in places {
                chunks.push(&stream[start..place]);
                start = place;
            }
            chunks.push(&stream[start..]);
            prop_assert_eq!(decode(&chunks).unwrap(), records);
        }
    }
}
