//! A diagnostic as miette sees it: the only bridge between our messages and its drawings.

use std::fmt;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::{Diagnostic, Severity};
use crate::{source::Sources, span::Span};

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
            Text { name: source.name.clone(), text: printable(&source.text) }
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
        Some(Box::new(self.diagnostic.labels.iter().enumerate().map(move |(number, label)| {
            let shown = (!label.text.is_empty()).then(|| label.text.clone());
            let span = text.visible(label.span);
            if number == 0 || label.span == first {
                LabeledSpan::new_primary_with_span(shown, span)
            } else {
                LabeledSpan::new_with_span(shown, span)
            }
        })))
    }

    fn related<'b>(&'b self) -> Option<Box<dyn Iterator<Item = &'b dyn miette::Diagnostic> + 'b>> {
        let all = self.related.iter().map(|r| r as &dyn miette::Diagnostic);
        (!self.related.is_empty()).then(|| Box::new(all) as Box<dyn Iterator<Item = _>>)
    }
}

/// A named text that counts columns in characters (miette's own counts bytes).
struct Text {
    name: String,
    text: String,
}

impl Text {
    /// miette draws nothing for a label behind the last byte, and runs a label over a line end
    /// into the next line: keep it on the characters of its first line, and visible.
    fn visible(&self, span: Span) -> SourceSpan {
        let end_of_text = self.text.trim_end_matches(['\n', '\r']).len();
        let floor = |mut at: usize| {
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let mut start = floor((span.start as usize).min(self.text.len()));
        if start >= end_of_text && end_of_text > 0 {
            start = floor(end_of_text - 1);
        }
        let mut end = floor((span.end as usize).min(self.text.len()));
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
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            read.data(),
            *read.span(),
            read.line(),
            column,
            read.line_count(),
        )))
    }
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
