//! The output: lines, indentation, and the comments between the tokens.

use std::ops::Range;

use super::{
    WIDTH,
    origin::{Comment, Origin},
    width::widths,
};
use crate::tree::ExprId;

/// Blanks per level.
const STEP: usize = 2;

/// Writes a tree.
pub(super) struct Printer<'t> {
    pub(super) origin: Origin<'t>,
    /// What each expression takes on one line; see [`widths`].
    widths: Vec<Option<usize>>,
    out: String,
    /// Levels that the line under way, or the next one, is indented.
    pub(super) indent: usize,
    /// Line ends to write before the next token; two make an empty line.
    owed: usize,
    /// The first comment that is not written yet.
    next: usize,
}

impl<'t> Printer<'t> {
    pub(super) fn new(origin: Origin<'t>) -> Self {
        let widths = widths(&origin);
        let out = String::with_capacity(origin.text.len() + origin.text.len() / 8);
        Self { origin, widths, out, indent: 0, owed: 0, next: 0 }
    }

    pub(super) fn print(mut self) -> String {
        self.file();
        self.out
    }

    // ── tokens ───────────────────────────────────────────────────────────────

    /// Writes a token, behind the line ends that are owed.
    pub(super) fn push(&mut self, token: &str) {
        if self.owed > 0 {
            if !self.out.is_empty() {
                self.out.extend(std::iter::repeat_n('\n', self.owed));
            }
            self.owed = 0;
            self.out.extend(std::iter::repeat_n(' ', self.indent * STEP));
        }
        self.out.push_str(token);
    }

    /// A blank, unless a new line is about to begin.
    pub(super) fn space(&mut self) {
        if self.owed == 0 {
            self.out.push(' ');
        }
    }

    /// The next token begins a line.
    pub(super) fn newline(&mut self) {
        self.owed = self.owed.max(1);
    }

    /// The next token stands below an empty line.
    pub(super) fn blank_line(&mut self) {
        self.owed = 2;
    }

    /// Ends the line under way without asking where the next one begins: inside of texts.
    pub(super) fn raw_line_end(&mut self) {
        // A text may hold a carriage return; in front of a line end it needs another to stay one.
        self.out.push_str(if self.out.ends_with('\r') { "\r\n" } else { "\n" });
    }

    /// The indentation of the line under way, inside of texts.
    pub(super) fn raw_indent(&mut self) {
        self.out.extend(std::iter::repeat_n(' ', self.indent * STEP));
    }

    /// Writes something one level deeper.
    pub(super) fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }

    // ── room ─────────────────────────────────────────────────────────────────

    fn column(&self) -> usize {
        if self.owed > 0 {
            return self.indent * STEP;
        }
        let line = self.out.rfind('\n').map_or(0, |n| n + 1);
        self.out[line..].chars().count()
    }

    /// Whether so many columns are left on the line under way.
    pub(super) fn fits(&self, width: usize) -> bool {
        self.column() + width <= WIDTH
    }

    /// Whether so many columns would be left on a line of its own, one level deeper.
    pub(super) fn fits_below(&self, width: usize) -> bool {
        (self.indent + 1) * STEP + width <= WIDTH
    }

    /// What an expression takes on one line; none: it can't stand on one.
    pub(super) fn width(&self, id: ExprId) -> Option<usize> {
        self.widths[id.0 as usize]
    }

    /// Writes something if it says that it may stay; else nothing.
    pub(super) fn attempt(&mut self, write: impl FnOnce(&mut Self) -> bool) -> bool {
        self.push("");
        let (length, next, indent) = (self.out.len(), self.next, self.indent);
        let stays = write(self);
        if !stays {
            self.out.truncate(length);
            (self.owed, self.next, self.indent) = (0, next, indent);
        }
        stays
    }

    /// Writes something if it stays on the line under way and fits; else nothing.
    pub(super) fn attempt_line(&mut self, write: impl FnOnce(&mut Self)) -> bool {
        self.attempt(|printer| {
            let length = printer.out.len();
            write(printer);
            printer.owed == 0 && !printer.out[length..].contains('\n') && printer.fits(0)
        })
    }

    /// Writes an expression if it may stand on the line under way and fits there.
    pub(super) fn attempt_flat(&mut self, id: ExprId, reserve: usize) -> bool {
        let fits = self.width(id).is_some_and(|width| self.fits(width + reserve));
        if fits {
            self.flat(id);
        }
        fits
    }

    /// Takes back what was written last, only to see whether it fits.
    pub(super) fn retract(&mut self, token: &str) {
        if self.out.ends_with(token) {
            self.out.truncate(self.out.len() - token.len());
        }
    }

    /// How much is written.
    pub(super) fn written(&self) -> usize {
        self.out.len()
    }

    /// What was written since `from`.
    pub(super) fn since(&self, from: usize) -> &str {
        &self.out[from..]
    }

    /// Makes an empty line of the line end at `at`.
    pub(super) fn widen(&mut self, at: usize) {
        if self.out[at..].starts_with('\n') && !self.out[at..].starts_with("\n\n") {
            self.out.insert(at, '\n');
        }
    }

    // ── comments ─────────────────────────────────────────────────────────────

    /// The next comment, if it stands before `end`.
    pub(super) fn pending(&self, end: usize) -> Option<Comment<'t>> {
        self.origin.comments.get(self.next).copied().filter(|comment| comment.start < end)
    }

    /// Writes the next comment. Nothing follows on its line.
    fn comment(&mut self, comment: Comment<'_>) {
        self.push(comment.text);
        self.next += 1;
        self.owed = 1;
    }

    /// Writes the comment that stands behind `end` on the same line, a comma between them at most.
    pub(super) fn trailing(&mut self, end: usize) {
        let Some(comment) = self.pending(usize::MAX).filter(|comment| comment.start >= end) else {
            return;
        };
        let between = &self.origin.text[end..comment.start];
        if between.chars().all(|c| matches!(c, ' ' | '\t' | ',')) {
            self.space();
            self.comment(comment);
        }
    }

    /// Begins the line of what stands at `start`, below the comments before it. Empty lines of the
    /// author are kept, one at a time, but not before the first thing of a list.
    pub(super) fn lead(&mut self, start: usize, mut first: bool) {
        while let Some(comment) = self.pending(start) {
            self.line(comment.start, first);
            self.comment(comment);
            first = false;
        }
        self.line(start, first);
    }

    /// As [`Self::lead`], without empty lines.
    pub(super) fn below(&mut self, start: usize) {
        while let Some(comment) = self.pending(start) {
            self.newline();
            self.comment(comment);
        }
        self.newline();
    }

    /// Writes the comments before the bracket that closes at `close`.
    pub(super) fn dangling(&mut self, close: usize, mut first: bool) {
        while let Some(comment) = self.pending(close) {
            self.line(comment.start, first);
            self.comment(comment);
            first = false;
        }
    }

    fn line(&mut self, at: usize, first: bool) {
        if !first && self.origin.blank_above(at) {
            self.blank_line();
        } else {
            self.newline();
        }
    }

    /// Writes the comments between two tokens that are on one line otherwise. Returns whether
    /// there were any; then a new line begins.
    pub(super) fn between(&mut self, end: usize) -> bool {
        let any = self.pending(end).is_some();
        while let Some(comment) = self.pending(end) {
            if comment.own_line {
                self.newline();
            } else {
                self.space();
            }
            self.comment(comment);
        }
        any
    }

    // ── lists ────────────────────────────────────────────────────────────────

    /// Writes the bracket at `open`, each item on a line of its own, and the bracket at `close`.
    pub(super) fn lines(
        &mut self,
        (open, close): (usize, usize),
        items: &[Range<usize>],
        comma: &str,
        mut write: impl FnMut(&mut Self, usize),
    ) {
        let text = self.origin.text;
        self.push(&text[open..=open]);
        self.trailing(open + 1);
        self.indented(|printer| {
            for (place, item) in items.iter().enumerate() {
                printer.lead(item.start, place == 0);
                write(printer, place);
                printer.push(comma);
                printer.trailing(item.end);
            }
            printer.dangling(close, items.is_empty());
        });
        self.newline();
        self.push(&text[close..=close]);
    }
}
