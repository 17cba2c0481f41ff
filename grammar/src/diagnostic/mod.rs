//! What is wrong in a file, where, and what to do about it.

mod codes;
mod english;
mod render;
mod suggest;

pub use codes::{CODES, Code};
pub use english::{article, count, list_and, list_or, ticked};
pub use render::Rendered;
pub use suggest::{did_you_mean, similar};

use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// No mistake of its own: says where another one comes from.
    Note,
    /// Worth a look; the file can run.
    Warning,
    /// The file can't run.
    Error,
}

/// A text at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to know about that place; may be empty.
    pub text: String,
}

/// One thing that is wrong.
///
/// Made by a small named function beside the check that finds it. The first label is the place
/// that the message is about; further labels of the same file show the other party; other files
/// come as [`related`](Diagnostic::related).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// The stable name of this kind of mistake.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One line, in the words of the person who wrote the file, without a full stop.
    pub message: String,
    /// Places; the first is the primary one.
    pub labels: Vec<Label>,
    /// What to do next, a line each.
    pub help: Vec<String>,
    /// The same mistake seen in other files.
    pub related: Vec<Diagnostic>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, Some(span), message.into())
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, Some(span), message.into())
    }

    /// A place that another message, to which this is [related](Diagnostic::related), comes from.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, Some(span), message.into())
    }

    /// An error that has no place in any file.
    pub fn placeless(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, None, message.into())
    }

    fn new(code: Code, severity: Severity, span: Option<Span>, message: String) -> Self {
        let labels = span.map(|span| Label { span, text: String::new() }).into_iter().collect();
        Self { code, severity, message, labels, help: Vec::new(), related: Vec::new() }
    }

    /// Says something at the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Shows the other party: as a label in the same file, as a related message in another.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        if self.span().is_none_or(|own| own.source == span.source) {
            self.labels.push(Label { span, text: text.into() });
            return self;
        }
        let other = Self::note(self.code, span, text);
        self.related(other)
    }

    /// Adds a line of help: the next action, ready to paste.
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Adds a line of help if there is one.
    pub fn help_if(mut self, line: Option<impl Into<String>>) -> Self {
        self.help.extend(line.map(Into::into));
        self
    }

    /// Adds what the same mistake looks like in another file.
    pub fn related(mut self, other: Diagnostic) -> Self {
        self.related.push(other);
        self
    }

    /// Puts each place through a change, those of related messages too.
    pub fn place_by(&mut self, change: &impl Fn(Span) -> Span) {
        self.labels.iter_mut().for_each(|label| label.span = change(label.span));
        self.related.iter_mut().for_each(|other| other.place_by(change));
    }

    /// The primary place.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}
