//! Texts, their names, and lines and columns in them.

use crate::span::{SourceId, Span};

/// A text with a name.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name people know it by: a path relative to the folder they stand in.
    pub name: String,
    /// The whole text, as read.
    pub text: String,
    /// Where each line starts.
    lines: Vec<u32>,
}

impl Source {
    /// A text called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let lines = std::iter::once(0)
            .chain(starts.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)))
            .collect();
        Self { name: name.into(), text, lines }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    #[must_use]
    pub fn position(&self, byte: u32) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= byte) - 1;
        let start = self.lines[line] as usize;
        let end = (byte as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(end - start, |t| t.chars().count());
        (line + 1, column + 1)
    }

    /// The line that holds a byte, without its line end; lines count from 1.
    #[must_use]
    pub fn line(&self, number: usize) -> &str {
        let Some(start) = number.checked_sub(1).and_then(|n| self.lines.get(n)) else { return "" };
        let end = self.lines.get(number).map_or(self.text.len(), |end| *end as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// Where a line begins, in bytes; lines count from 1. Behind the last line: where the text ends.
    #[must_use]
    pub fn line_start(&self, number: usize) -> usize {
        let start = number.checked_sub(1).and_then(|n| self.lines.get(n));
        start.map_or(self.text.len(), |start| *start as usize)
    }

    /// How many lines there are.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }
}

/// All the texts of one run of `pipe`, by number.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
}

impl Sources {
    /// Takes a text in and gives it a number.
    pub fn add(&mut self, source: Source) -> SourceId {
        self.texts.push(source);
        SourceId(u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX))
    }

    /// The text with this number. Numbers come from [`Sources::add`] of the same collection.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.texts[id.0 as usize]
    }

    /// The text under a span.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source).text.get(span.range()).unwrap_or("")
    }

    /// The number of the text with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SourceId> {
        let at = self.texts.iter().position(|s| s.name == name)?;
        u32::try_from(at).ok().map(SourceId)
    }

    /// `name:line:column` of the beginning of a span.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        let source = self.get(span.source);
        let (line, column) = source.position(span.start);
        format!("{}:{line}:{column}", source.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("x", "aé\nb\n");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(3), (1, 3));
        assert_eq!(source.position(4), (2, 1));
        assert_eq!(source.position(6), (3, 1));
        assert_eq!(source.line(1), "aé");
        assert_eq!(source.line(2), "b");
        assert_eq!(source.line(9), "");
    }
}
