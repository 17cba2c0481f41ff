//! Stages and their clauses.

use super::layout::Printer;
use crate::tree::{After, Clause, ClauseKind, ExprId, Name, Retry, Stage, WorkspaceKind};

impl Printer<'_> {
    /// A clause alone stays on the line of the name if the author wrote it there; otherwise each
    /// has a line of its own, and so has the brace.
    pub(super) fn stage(&mut self, stage: &Stage) {
        self.push("stage ");
        self.push(&stage.name.text);
        let mut end = stage.name.span.end as usize;
        if let Some(title) = stage.title {
            self.space();
            self.expr(title, 2);
            end = self.origin.range(title).end;
        }
        let body = stage.body.span.start as usize;
        let head = match stage.clauses.as_slice() {
            [] => true,
            [clause] => {
                !self.origin.is_broken(end..clause.span.start as usize)
                    && self.attempt_line(|printer| {
                        printer.space();
                        printer.clause(clause, 2);
                        printer.push(" {");
                    })
            }
            _ => false,
        };
        if head {
            if !stage.clauses.is_empty() {
                self.retract(" {");
            }
            return self.body(&stage.body);
        }
        self.trailing(end);
        self.indented(|printer| {
            for clause in &stage.clauses {
                printer.below(clause.span.start as usize);
                printer.clause(clause, 0);
                printer.trailing(clause.span.end as usize);
            }
            printer.dangling(body, true);
        });
        self.newline();
        self.open_block(&stage.body);
    }

    pub(super) fn clause(&mut self, clause: &Clause, reserve: usize) {
        let kind = &clause.kind;
        match kind {
            ClauseKind::For { loops, condition } => self.for_clause(loops, *condition, reserve),
            ClauseKind::Needs(names) => self.names(clause, names, reserve),
            ClauseKind::After(After::Stages(names)) => self.names(clause, names, reserve),
            ClauseKind::After(After::Nothing) => self.push("after nothing"),
            ClauseKind::When(value)
            | ClauseKind::Using(value)
            | ClauseKind::Lock(value)
            | ClauseKind::Timeout(value)
            | ClauseKind::AtOnce(value)
            | ClauseKind::Env(value)
            | ClauseKind::Cd(value) => self.word(kind.keyword(), *value, reserve),
            ClauseKind::Approve { question, condition, within } => {
                let mut phrases = vec![("approve ".to_owned(), *question)];
                phrases.extend(condition.map(|condition| ("if ".to_owned(), condition)));
                phrases.extend(within.map(|within| ("within ".to_owned(), within)));
                self.phrases(&phrases, reserve);
            }
            ClauseKind::Retry(retry) => self.retry(retry, reserve),
            ClauseKind::MayFail(condition) => self.may_fail(*condition, reserve),
            ClauseKind::KeepGoing => self.push("keep_going"),
            ClauseKind::Workspace(WorkspaceKind::Own) => self.push("workspace own"),
            ClauseKind::Workspace(WorkspaceKind::Clean) => self.push("workspace clean"),
        }
    }

    /// `timeout 10m`
    pub(super) fn word(&mut self, word: &str, value: ExprId, reserve: usize) {
        self.push(word);
        self.space();
        self.expr(value, reserve);
    }

    pub(super) fn retry(&mut self, retry: &Retry, reserve: usize) {
        self.push("retry");
        let every = if retry.every.is_some() { " every".len() } else { reserve };
        if let Some(within) = retry.within {
            self.push(" within ");
            self.expr(within, every);
        } else if let Some(count) = retry.count {
            self.space();
            self.expr(count, every);
        }
        if let Some(every) = retry.every {
            self.push(" every ");
            self.expr(every, reserve);
        }
    }

    pub(super) fn may_fail(&mut self, condition: Option<ExprId>, reserve: usize) {
        self.push("may_fail");
        if let Some(condition) = condition {
            self.push(" if ");
            self.expr(condition, reserve);
        }
    }

    fn for_clause(&mut self, loops: &[(Name, ExprId)], condition: Option<ExprId>, reserve: usize) {
        let mut phrases: Vec<_> =
            loops.iter().map(|(name, list)| (format!("for {} in ", name.text), *list)).collect();
        phrases.extend(condition.map(|condition| ("if ".to_owned(), condition)));
        self.phrases(&phrases, reserve);
    }

    /// Words with their expressions: on one line, or a line each below the first.
    fn phrases(&mut self, phrases: &[(String, ExprId)], reserve: usize) {
        let mut width = reserve;
        let mut flat = true;
        let mut end = None;
        for (word, value) in phrases {
            let range = self.origin.range(*value);
            flat &= !end.is_some_and(|end| self.origin.has_comment(end..range.start));
            end = Some(range.end);
            match self.width(*value) {
                Some(value) => width += word.chars().count() + value + 1,
                None => flat = false,
            }
        }
        flat &= self.fits(width.saturating_sub(1));
        for (place, (word, value)) in phrases.iter().enumerate() {
            let last = place + 1 == phrases.len();
            if flat && place > 0 {
                self.space();
            }
            self.indent += usize::from(place > 0);
            if !flat && place > 0 {
                self.below(self.origin.range(*value).start);
            }
            self.push(word);
            self.expr(*value, if last || flat { reserve } else { 0 });
            if !flat && !last {
                self.trailing(self.origin.range(*value).end);
            }
            self.indent -= usize::from(place > 0);
        }
    }

    /// `needs a, b`
    fn names(&mut self, clause: &Clause, names: &[Name], reserve: usize) {
        let comment = self.origin.has_comment(clause.span.range());
        let flat = |printer: &mut Self| {
            printer.push(clause.kind.keyword());
            printer.space();
            printer.joined(names.len(), |printer, n| printer.push(&names[n].text));
        };
        if !comment
            && self.attempt_line(|printer| {
                flat(printer);
                printer.push(&" ".repeat(reserve));
            })
        {
            return self.retract(&" ".repeat(reserve));
        }
        self.push(clause.kind.keyword());
        self.space();
        self.indented(|printer| {
            for (place, name) in names.iter().enumerate() {
                if place > 0 {
                    printer.push(",");
                    printer.trailing(names[place - 1].span.end as usize);
                    printer.below(name.span.start as usize);
                }
                printer.push(&name.text);
            }
        });
    }
}
