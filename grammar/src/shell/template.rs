//! A command as it is written, seen as one run of bytes.

/// A piece of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// Text for the shell, as it is.
    Text(&'a str),
    /// A value, by its number. Numbers index the kinds given to [`scan`](super::scan) and the
    /// counts given to [`lower`](super::lower); one number may stand in several places.
    Hole(usize),
}

/// A place in a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Index of the part.
    pub part: usize,
    /// Bytes from the beginning of that part's text; for a hole 0 (in front of it) or 1 (behind).
    pub offset: usize,
}

/// What a hole is in [`Template::bytes`]: no UTF-8 text holds this byte.
pub(super) const HOLE: u8 = 0xff;

/// The parts as one text, in which every hole is the one byte [`HOLE`]. So looking ahead never
/// takes the texts on both sides of a hole for one.
pub(super) struct Template {
    bytes: Vec<u8>,
    /// Where each part begins.
    starts: Vec<usize>,
    /// The holes in order: place in `bytes`, index of the part, number.
    holes: Vec<(usize, usize, usize)>,
}

impl Template {
    pub(super) fn new(parts: &[Part<'_>]) -> Self {
        let mut template = Self { bytes: Vec::new(), starts: Vec::new(), holes: Vec::new() };
        for (index, part) in parts.iter().enumerate() {
            let start = template.bytes.len();
            template.starts.push(start);
            match part {
                Part::Text(text) => template.bytes.extend_from_slice(text.as_bytes()),
                Part::Hole(number) => {
                    template.holes.push((start, index, *number));
                    template.bytes.push(HOLE);
                }
            }
        }
        template
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The byte at `at`, none at the end.
    pub(super) fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// `at`, moved over any line continuations (a backslash and a line end), which the shell
    /// drops before it looks at anything.
    pub(super) fn joined(&self, mut at: usize) -> usize {
        while self.at(at) == Some(b'\\') && self.at(at + 1) == Some(b'\n') {
            at += 2;
        }
        at
    }

    /// Where the next `byte` stands from `at` on, or the end.
    pub(super) fn find(&self, byte: u8, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        rest.iter().position(|b| *b == byte).map_or(self.len(), |found| at + found)
    }

    /// Part and number of the hole at `at`.
    pub(super) fn hole(&self, at: usize) -> Option<(usize, usize)> {
        let found = self.holes.binary_search_by_key(&at, |hole| hole.0).ok()?;
        self.holes.get(found).map(|&(_, part, number)| (part, number))
    }

    /// Whether a hole stands at `at` or behind.
    pub(super) fn hole_from(&self, at: usize) -> bool {
        self.holes.last().is_some_and(|hole| hole.0 >= at)
    }

    /// The place of the character at `at` among the parts.
    pub(super) fn place(&self, mut at: usize) -> Place {
        while at > 0 && self.at(at).is_some_and(is_inside_character) {
            at -= 1;
        }
        let part = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        Place { part, offset: at - self.starts.get(part).copied().unwrap_or(at) }
    }

    /// The place of the end of a stretch whose last byte is `end - 1`: it stays in that byte's
    /// part, so that a stretch never ends in a part it does not touch.
    pub(super) fn place_behind(&self, mut end: usize) -> Place {
        while self.at(end).is_some_and(is_inside_character) {
            end += 1;
        }
        match end.checked_sub(1) {
            Some(last) => {
                let place = self.place(last);
                let start = self.starts.get(place.part).copied().unwrap_or(last);
                Place { offset: end - start, ..place }
            }
            None => self.place(0),
        }
    }
}

/// A byte of UTF-8 that is not the first of its character.
fn is_inside_character(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_parts() {
        let parts =
            [Part::Text("ab"), Part::Hole(7), Part::Text(""), Part::Hole(3), Part::Text("c")];
        let template = Template::new(&parts);
        assert_eq!(template.bytes(), b"ab\xff\xffc");
        assert_eq!(template.hole(2), Some((1, 7)));
        assert_eq!(template.hole(3), Some((3, 3)));
        assert_eq!(template.hole(4), None);
        assert_eq!(template.place(1), Place { part: 0, offset: 1 });
        assert_eq!(template.place(2), Place { part: 1, offset: 0 });
        assert_eq!(template.place(3), Place { part: 3, offset: 0 });
        assert_eq!(template.place(4), Place { part: 4, offset: 0 });
        assert_eq!(template.place_behind(2), Place { part: 0, offset: 2 });
        assert_eq!(template.place_behind(3), Place { part: 1, offset: 1 });
        assert_eq!(template.place_behind(0), Place { part: 0, offset: 0 });
        assert!(template.hole_from(3));
        assert!(!template.hole_from(4));
    }
}
