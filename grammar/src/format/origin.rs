//! What the author wrote: the text under the tree, its comments, and where its lines were broken.

use std::ops::Range;

use crate::{
    parser::comments,
    span::Span,
    tree::{Expr, ExprId, File},
};

/// A comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'t> {
    /// Its `#`.
    pub(super) start: usize,
    /// First byte behind its last character.
    pub(super) end: usize,
    /// From its `#` on, without blanks at the end.
    pub(super) text: &'t str,
    /// Whether nothing stands before it on its line.
    pub(super) own_line: bool,
}

/// The text that a tree was made from.
pub(super) struct Origin<'t> {
    pub(super) text: &'t str,
    pub(super) file: &'t File,
    pub(super) comments: Vec<Comment<'t>>,
}

impl<'t> Origin<'t> {
    pub(super) fn new(text: &'t str, file: &'t File) -> Self {
        let comments = comments(text)
            .into_iter()
            .map(|range| {
                let line = text[..range.start].rfind('\n').map_or(0, |n| n + 1);
                let before = text[line..range.start].trim_start_matches('\u{feff}');
                let own_line = before.trim().is_empty();
                Comment { start: range.start, end: range.end, text: &text[range], own_line }
            })
            .collect();
        Self { text, file, comments }
    }

    pub(super) fn expr(&self, id: ExprId) -> &'t Expr {
        self.file.expr(id)
    }

    /// The bytes of an expression.
    pub(super) fn range(&self, id: ExprId) -> Range<usize> {
        self.expr(id).span.range()
    }

    pub(super) fn slice(&self, span: Span) -> &'t str {
        &self.text[span.range()]
    }

    pub(super) fn has_comment(&self, range: Range<usize>) -> bool {
        let first = self.comments.partition_point(|comment| comment.start < range.start);
        self.comments.get(first).is_some_and(|comment| comment.start < range.end)
    }

    /// Whether a stretch goes over several lines.
    pub(super) fn is_broken(&self, range: Range<usize>) -> bool {
        self.text[range].contains('\n')
    }

    /// Whether the line ends behind the bracket at `open`: its items were meant to be a list.
    pub(super) fn ends_line(&self, open: usize) -> bool {
        let behind = self.text[open + 1..].trim_start_matches([' ', '\t']);
        behind.starts_with(['\n', '\r', '#'])
    }

    /// Whether an empty line stands above the line that `at` begins.
    pub(super) fn blank_above(&self, at: usize) -> bool {
        let before = &self.text[..at];
        let code = before.trim_end_matches([' ', '\t', '\r', '\n']).trim_end_matches('\u{feff}');
        before[code.len()..].bytes().filter(|byte| *byte == b'\n').count() > 1
    }

    /// The first token at or behind `at`, comments and blanks skipped.
    pub(super) fn token_at(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at += self.text[at..].find('\n').unwrap_or(self.text.len() - at);
        }
    }
}
