//! Texts over several lines: their margin follows the layout, their value stays.

use std::ops::Range;

use super::layout::Printer;
use crate::tree::{ExprId, Piece};

impl Printer<'_> {
    /// Writes `"""`, each line of the value one level deeper than the line under way, and `"""`
    /// below them. What stood on the lines of the marks gets lines of its own: that changes no
    /// value, because the line ends next to the marks do not count.
    pub(super) fn block(&mut self, range: Range<usize>, pieces: &[Piece]) {
        let text = self.origin.text;
        if !self.origin.is_broken(range.clone()) {
            return self.push(&text[range]);
        }
        self.push("\"\"\"");
        self.raw_line_end();
        self.indented(|printer| {
            let mut line_start = true;
            for piece in pieces {
                let (Piece::Text(_, span) | Piece::Hole(_, span)) = piece;
                let written = printer.origin.slice(*span);
                let ends_line = matches!(piece, Piece::Text(..)) && written.ends_with('\n');
                let content = match piece {
                    Piece::Text(..) => without_line_end(written),
                    Piece::Hole(..) => written,
                };
                if line_start && !content.is_empty() {
                    printer.raw_indent();
                }
                line_start = ends_line;
                match piece {
                    Piece::Hole(value, _) if content.contains('\n') => {
                        printer.hole(span.range(), *value);
                    }
                    _ => printer.push(content),
                }
                if ends_line {
                    printer.raw_line_end();
                }
            }
            printer.raw_line_end();
            printer.raw_indent();
            printer.push("\"\"\"");
        });
    }

    /// A hole that goes over several lines.
    fn hole(&mut self, range: Range<usize>, value: ExprId) {
        let inner = self.origin.range(value);
        let (open, close) = (range.start + 2, range.end - 1);
        self.push("#{");
        if self.origin.has_comment(open..inner.start) || self.origin.has_comment(inner.end..close) {
            self.trailing(open);
            self.indented(|printer| {
                printer.below(inner.start);
                printer.expr(value, 0);
                printer.trailing(inner.end);
                printer.dangling(close, false);
            });
            self.newline();
        } else {
            self.expr(value, 1);
        }
        self.push("}");
    }
}

fn without_line_end(line: &str) -> &str {
    line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line)
}
