//! Holes as they are met, and what is told about them.

use super::lint::{Lint, LintKind};
use super::machine::{Machine, Operand, Quote};
use super::program::Reads;
use super::refusal::{Refusal, RefusalKind};
use super::scan::{Context, Dialect, HoleKind, HoleUse, Leads, Role, VariableUse};
use super::template::Place;
use super::word::is_name;

impl Machine<'_> {
    /// Whether an arithmetic expression is open around the current place.
    fn in_arithmetic(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| {
                matches!(
                    quote,
                    Quote::Arithmetic { .. }
                        | Quote::Subscript { .. }
                        | Quote::Parameter { operand: Operand::Offset, .. }
                )
            })
        })
    }

    /// Whether a `'` stands in front, inside `"${name…}"`.
    fn behind_single(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| matches!(quote, Quote::Parameter { single: true, .. }))
        })
    }

    fn in_group(&self) -> bool {
        self.levels.last().is_some_and(|level| {
            level.quotes.iter().any(|quote| matches!(quote, Quote::Group { .. }))
        })
    }

    /// The hole at the current place, in this context; the place moves behind it.
    pub(super) fn hole(&mut self, context: Context) {
        let arithmetic = self.in_arithmetic();
        let group = self.in_group();
        let in_word = !matches!(context, Context::Comment | Context::Arithmetic { .. });
        let next = self.scan.holes.len();
        let follows = self.template.at(self.at + 1);
        let mut leads = Leads::Never;
        if in_word && let Some(word) = self.word() {
            leads = word.hole(next);
            word.root_of_hole |= leads == Leads::Always && follows == Some(b'/');
        }
        let index = self.record(context);
        let Some(hole) = self.scan.holes.get_mut(index) else { return };
        hole.leads = leads;
        let kind = hole.kind;
        if kind == HoleKind::List && context != Context::Word && context != Context::Comment {
            self.refuse_hole(RefusalKind::ListNotAlone, index);
        }
        if let Context::Arithmetic { .. } = context {
            if kind != HoleKind::Int {
                self.refuse_hole(RefusalKind::Arithmetic, index);
            }
        } else if arithmetic && context != Context::Comment {
            let kind = match kind {
                HoleKind::Int => RefusalKind::QuotedArithmetic,
                HoleKind::Word | HoleKind::List => RefusalKind::Arithmetic,
            };
            self.refuse_hole(kind, index);
        }
        if group {
            self.refuse_hole(RefusalKind::Pattern, index);
        }
        if self.behind_single() {
            self.refuse_hole(RefusalKind::SingleQuotesInParameter, index);
        }
    }

    /// Adds the hole at the current place to the list and moves behind it.
    pub(super) fn record(&mut self, context: Context) -> usize {
        let (part, number) = self.template.hole(self.at).unwrap_or_default();
        let quoted = match context {
            Context::Double | Context::Single | Context::HereDocument | Context::Comment => true,
            Context::Parameter => self.is_quoted(),
            Context::Word | Context::Arithmetic { .. } => false,
        };
        self.scan.holes.push(HoleUse {
            hole: number,
            part,
            kind: self.kinds.get(number).copied().unwrap_or(HoleKind::Word),
            context,
            role: Role::Outside,
            quoted,
            leads: Leads::Never,
            command: None,
            parenthesised: false,
            refused: false,
        });
        self.at += 1;
        self.scan.holes.len() - 1
    }

    /// What a command makes of a hole of it.
    pub(super) fn apply(&mut self, index: usize, reads: Reads, command: &str) {
        let Some(hole) = self.scan.holes.get_mut(index) else { return };
        let command = command.to_owned();
        match reads {
            Reads::Data => {}
            Reads::Script => self.refuse_hole(RefusalKind::Script { command }, index),
            Reads::Program => self.lint_hole(LintKind::Program { command }, index),
            Reads::Variable if self.dialect == Dialect::Sh => {
                self.lint_hole(LintKind::VariableName, index);
            }
            Reads::Variable => self.refuse_hole(RefusalKind::VariableName, index),
            Reads::Integer if hole.kind == HoleKind::Int => {}
            Reads::Integer => self.refuse_hole(RefusalKind::Arithmetic, index),
        }
    }

    pub(super) fn refuse(&mut self, kind: RefusalKind, from: usize, to: usize) {
        let (from, to) = (self.template.place(from), self.template.place_behind(to));
        self.scan.refusals.push(Refusal { from, to, hole: None, kind });
    }

    /// Refuses a hole, once.
    pub(super) fn refuse_hole(&mut self, kind: RefusalKind, index: usize) {
        let Some(hole) = self.scan.holes.get_mut(index) else { return };
        if hole.refused {
            return;
        }
        hole.refused = true;
        let (part, number) = (hole.part, hole.hole);
        self.scan.refusals.push(Refusal {
            from: Place { part, offset: 0 },
            to: Place { part, offset: 1 },
            hole: Some(number),
            kind,
        });
    }

    pub(super) fn lint(&mut self, kind: LintKind, from: usize, to: usize, hole: Option<usize>) {
        let (from, to) = (self.template.place(from), self.template.place_behind(to));
        self.scan.lints.push(Lint { from, to, hole, kind });
    }

    fn lint_hole(&mut self, kind: LintKind, index: usize) {
        let Some(hole) = self.scan.holes.get(index) else { return };
        let (part, number) = (hole.part, hole.hole);
        self.scan.lints.push(Lint {
            from: Place { part, offset: 0 },
            to: Place { part, offset: 1 },
            hole: Some(number),
            kind,
        });
    }

    /// Refuses and reads no further.
    pub(super) fn stop(&mut self, kind: RefusalKind, from: usize, to: usize) {
        self.refuse(kind, from, to);
        self.stopped = true;
    }

    /// Reads no further; a refusal only if a hole stands at `since` or behind, whose context is
    /// not known then. A command without values is the shell's affair.
    pub(super) fn stop_if_holes(
        &mut self,
        kind: RefusalKind,
        since: usize,
        from: usize,
        to: usize,
    ) {
        if self.template.hole_from(since) {
            self.refuse(kind, from, to);
        }
        self.stopped = true;
    }

    /// Notes that a variable of the shell is expanded.
    pub(super) fn variable(&mut self, name: &[u8], from: usize, to: usize, braced: bool) {
        if let Ok(name) = std::str::from_utf8(name)
            && is_name(name.as_bytes())
        {
            let (from, to) = (self.template.place(from), self.template.place_behind(to));
            self.scan.variables.push(VariableUse { name: name.to_owned(), from, to, braced });
        }
    }
}
