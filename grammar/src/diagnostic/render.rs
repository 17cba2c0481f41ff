//! A diagnostic as miette sees it: the only bridge between our messages and its drawings.

use std::fmt;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::{Diagnostic, Label, Severity};
use crate::{
    source::{Source, Sources},
    span::Span,
};

/// A diagnostic together with the texts that its spans point into.
pub struct Rendered<'a> {
    diagnostic: &'a Diagnostic,
    text: Option<Text>,
    related: Vec<Rendered<'a>>,
    help: Option<String>,
    span: Option<Span>,
}

impl<'a> Rendered<'a> {
    /// Puts a diagnostic beside its texts.
    #[must_use]
    pub fn new(diagnostic: &'a Diagnostic, sources: &Sources) -> Self {
        let span = diagnostic.span();
        let text = span.map(|span| {
            let source = sources.get(span.source);
            Text::around(source, span, &diagnostic.labels)
        });
        let related = diagnostic.related.iter().map(|d| Self::new(d, sources)).collect();
        let help = (!diagnostic.help.is_empty()).then(|| diagnostic.help.join("\n"));
        Self { diagnostic, text, related, help, span }
    }
}

impl fmt::Debug for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.diagnostic, f)
    }
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Rendered<'_> {}

impl miette::Diagnostic for Rendered<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let note = self.diagnostic.severity == Severity::Note;
        (!note).then(|| Box::new(self.diagnostic.code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (text, first) = (self.text.as_ref()?, self.span?);
        let labels = self.diagnostic.labels.iter().enumerate();
        Some(Box::new(labels.filter(|(_, label)| text.holds(label.span)).map(
            move |(number, label)| {
                let shown = (!label.text.is_empty()).then(|| label.text.clone());
                let span = text.visible(label.span);
                if number == 0 || label.span == first {
                    LabeledSpan::new_primary_with_span(shown, span)
                } else {
                    LabeledSpan::new_with_span(shown, span)
                }
            },
        )))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        let all = self.related.iter().map(|r| r as &dyn miette::Diagnostic);
        (!self.related.is_empty()).then(|| Box::new(all) as Box<dyn Iterator<Item = _>>)
    }
}

/// Longer lines are not drawn whole.
const LONGEST_LINE: usize = 1000;
/// What is drawn of them before and behind the beginning of a label.
const AROUND: (usize, usize) = (60, 140);

/// The part of a named text that a message is about. Its columns count characters (miette's own
/// count bytes).
struct Text {
    name: String,
    /// Its lines, or a stretch of one.
    text: String,
    /// Where it begins in the whole text, in bytes.
    start: usize,
    /// Its first line, from 0, and how many characters of that are left out.
    line: usize,
    column: usize,
}

impl Text {
    /// The lines of the labels, and one more on either side.
    fn around(source: &Source, primary: Span, labels: &[Label]) -> Self {
        let spans = labels.iter().map(|label| label.span);
        let first = spans.clone().map(|span| span.start).min().unwrap_or(primary.start);
        let last = spans.map(|span| span.end).max().unwrap_or(primary.end);
        let (from, _) = source.position(first);
        let (to, _) = source.position(last.max(first));
        let lines = from.saturating_sub(1).max(1)..to + 2;
        let longest = lines.clone().map(|number| source.line(number).len()).max();
        let (line, start, end) = if longest.is_some_and(|length| length > LONGEST_LINE) {
            let (number, _) = source.position(primary.start);
            let text = source.line(number);
            let begin = source.line_start(number);
            let at = (primary.start as usize).saturating_sub(begin).min(text.len());
            let start = floor(text, at.saturating_sub(AROUND.0));
            (number, begin + start, begin + floor(text, (at + AROUND.1).min(text.len())))
        } else {
            (lines.start, source.line_start(lines.start), source.line_start(lines.end))
        };
        Self {
            name: source.name.clone(),
            text: printable(source.text.get(start..end).unwrap_or_default()),
            start,
            line: line - 1,
            column: source.position(u32::try_from(start).unwrap_or(u32::MAX)).1 - 1,
        }
    }

    /// Whether a place is in the part.
    fn holds(&self, span: Span) -> bool {
        (self.start..=self.start + self.text.len()).contains(&(span.start as usize))
    }

    /// miette draws nothing for a label behind the last byte, and runs a label over a line end
    /// into the next line: keep it on the characters of its first line, and visible.
    fn visible(&self, span: Span) -> SourceSpan {
        let end_of_text = self.text.trim_end_matches(['\n', '\r']).len();
        let floor = |at: usize| floor(&self.text, at.min(self.text.len()));
        let mut start = floor((span.start as usize).saturating_sub(self.start));
        if start >= end_of_text && end_of_text > 0 {
            start = floor(end_of_text - 1);
        }
        let mut end = floor((span.end as usize).saturating_sub(self.start));
        if let Some(stop) = self.text[start..].find('\n') {
            end = end.min(start + stop);
        }
        if end <= start {
            end = self.text[start..]
                .chars()
                .next()
                .filter(|c| *c != '\n')
                .map_or(start, |c| start + c.len_utf8());
        }
        (start, end - start).into()
    }
}

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.as_str().read_span(span, before, after)?;
        let line_start = self.text[..read.span().offset()].rfind('\n').map_or(0, |at| at + 1);
        let column = self.text[line_start..read.span().offset()].chars().count();
        let cut = if line_start == 0 { self.column } else { 0 };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            read.data(),
            *read.span(),
            self.line + read.line(),
            cut + column,
            read.line_count(),
        )))
    }
}

/// The last place up to `at` where a character begins.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The text with every control character that a terminal would obey replaced by one of the same
/// length, so that spans stay right.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | '\r' => c,
            c if c.is_ascii_control() => '?',
            // Direction marks turn the shown line round; same length in UTF-8.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            // C1 controls have two bytes, as has `¿`.
            '\u{80}'..='\u{9f}' => '¿',
            c => c,
        })
        .collect()
}
