//! Commands: the shell's text, byte for byte, and the holes in it.

use pest::iterators::Pair;

use super::{Lower, Rule, inner};
use crate::{
    span::Span,
    tree::{Command, CommandPart, ExprId, ExprKind},
};

/// What breaks the shell's text into parts.
enum Special<'p> {
    Hole(Pair<'p, Rule>),
    /// `\#{`
    LiteralHole,
    /// `\` and a CRLF
    Continuation,
}

impl Lower<'_, '_> {
    /// `$ docker build .`
    pub(super) fn command(&mut self, pair: Pair<'_, Rule>) -> Option<Command> {
        let whole = self.pair_span_whole(&pair);
        let text = &self.text[whole.range()][1..];
        let start = whole.start as usize + 1 + (text.len() - text.trim_start().len());
        let end = whole.start as usize + 1 + text.trim_end().len();
        self.shell_text(pair, start, end.max(start))
    }

    /// `$(git describe)`
    pub(super) fn capture(&mut self, pair: Pair<'_, Rule>) -> Option<ExprId> {
        let whole = self.pair_span(&pair);
        let command = self.shell_text(pair, whole.start as usize + 2, whole.end as usize - 1)?;
        let holes: Vec<ExprId> = command.holes().collect();
        Some(self.push(ExprKind::Capture(command), whole, &holes))
    }

    fn shell_text(&mut self, pair: Pair<'_, Rule>, start: usize, end: usize) -> Option<Command> {
        let mut specials = Vec::new();
        collect(pair, &mut specials);
        let mut parts = Vec::new();
        let mut at = start;
        for (range, special) in specials {
            let range = self.base + range.start..self.base + range.end;
            self.push_text(&mut parts, at, range.start);
            let span = self.span(range.start, range.end);
            parts.push(match special {
                Special::Hole(pair) => CommandPart::Hole(self.hole(pair)?, span),
                Special::LiteralHole => CommandPart::Text("#{".into(), span),
                Special::Continuation => CommandPart::Text("\\\n".into(), span),
            });
            at = range.end;
        }
        self.push_text(&mut parts, at, end);
        Some(Command { parts: parts.into(), span: self.span(start, end) })
    }

    fn push_text(&mut self, parts: &mut Vec<CommandPart>, start: usize, end: usize) {
        if start < end {
            let span = self.span(start, end);
            parts.push(CommandPart::Text(self.text_of(span), span));
        }
    }
}

/// Finds holes and escapes in the order of the text.
fn collect<'p>(pair: Pair<'p, Rule>, found: &mut Vec<(std::ops::Range<usize>, Special<'p>)>) {
    let range = pair.as_span().start()..pair.as_span().end();
    match pair.as_rule() {
        Rule::interpolation => found.push((range, Special::Hole(pair))),
        Rule::shell_escape | Rule::shell_escape_single => match pair.as_str() {
            "\\#{" => found.push((range, Special::LiteralHole)),
            "\\\r\n" => found.push((range, Special::Continuation)),
            _ => {}
        },
        _ => inner(pair).for_each(|inner| collect(inner, found)),
    }
}

impl Command {
    /// The expressions in its holes.
    pub fn holes(&self) -> impl Iterator<Item = ExprId> + '_ {
        self.parts.iter().filter_map(|part| match part {
            CommandPart::Hole(id, _) => Some(*id),
            CommandPart::Text(..) => None,
        })
    }

    /// The place of the `n`th hole, with its marks.
    #[must_use]
    pub fn hole_span(&self, n: usize) -> Option<Span> {
        let mut holes = self.parts.iter().filter_map(|part| match part {
            CommandPart::Hole(_, span) => Some(*span),
            CommandPart::Text(..) => None,
        });
        holes.nth(n)
    }
}
