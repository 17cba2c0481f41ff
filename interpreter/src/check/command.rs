//! Commands: what the shell would make of the values in them.

use pipe_grammar::{
    Code, Diagnostic, Span,
    shell::{self, Dialect, HoleKind, LintKind, Part, Place, RefusalKind},
    tree::{Command, CommandPart, Piece},
};
use pipe_stdlib::core::Type;

use super::{Checker, Target, literal};

impl Checker<'_> {
    /// Checks the holes of a command and how the shell would read them: which one runs it is known
    /// on the machine that does, so it has to be right for all of them.
    pub(super) fn command(&mut self, command: &Command) {
        self.command_of(command, Dialect::Sh);
    }

    /// The same of a script whose shell is named.
    pub(super) fn command_of(&mut self, command: &Command, dialect: Dialect) {
        let mut kinds = Vec::new();
        for hole in command.holes() {
            let ty = self.expr(hole, None);
            let ty = self.something(hole, ty);
            kinds.push(match &ty {
                Type::List(item) if item.is_text() => HoleKind::List,
                Type::Int => HoleKind::Int,
                ty => {
                    self.command_hole(hole, ty);
                    HoleKind::Word
                }
            });
        }
        self.github_values(command);
        let parts = parts(command);
        let scan = shell::scan(&parts, &kinds, dialect);
        for refusal in &scan.refusals {
            let problem = self.refused(command, refusal);
            self.report(problem);
        }
        for lint in &scan.lints {
            if let Some(problem) = self.linted(command, lint) {
                self.report(problem);
            }
        }
        for variable in &scan.variables {
            if variable.braced && self.is_value(&variable.name) {
                let span = span_of(command, variable.from, variable.to);
                let name = &variable.name;
                self.report(shell_name(span, name));
            }
        }
        self.constant_guards(command, &scan);
    }

    /// `${{ github.sha }}`: means nothing to any shell.
    fn github_values(&mut self, command: &Command) {
        let mut found = Vec::new();
        for part in &command.parts {
            let CommandPart::Text(text, span) = part else { continue };
            for (at, _) in text.match_indices("${{").filter(|_| text.len() == span.len()) {
                let end = text[at..].find("}}").map_or(text.len(), |n| at + n + 2);
                let start = span.start as usize;
                let inner = text[at + 3..end].trim_end_matches("}}").trim();
                let shown = match inner {
                    "github.sha" => "git.commit",
                    "github.ref_name" => "git.branch",
                    other => other,
                };
                let place = Span::new(span.source, start + at, start + end);
                found.push(
                    Diagnostic::error(
                        Code::FOREIGN_SYNTAX,
                        place,
                        "`${{ … }}` is GitHub's; here a value is `#{…}`",
                    )
                    .label("means nothing here")
                    .help(format!("write `#{{{shown}}}`")),
                );
            }
        }
        found.into_iter().for_each(|problem| self.report(problem));
    }

    fn command_hole(&mut self, hole: pipe_grammar::tree::ExprId, ty: &Type) {
        if let Type::List(item) = ty
            && **item != Type::Unknown
        {
            let span = self.span(hole);
            let what = format!("a command takes a list of texts, not {}", literal::a(ty));
            self.report(Diagnostic::error(Code::WRONG_TYPE, span, what));
            return;
        }
        if matches!(ty, Type::List(_)) {
            return;
        }
        self.text_hole(hole, ty);
    }

    /// Whether a name is a value that is in scope, so that `${name}` is probably meant as one.
    fn is_value(&self, name: &str) -> bool {
        self.is_bound(name) && self.stage_number(name).is_none()
    }

    fn refused(&self, command: &Command, refusal: &shell::Refusal) -> Diagnostic {
        let span = match refusal.hole.and_then(|hole| command.hole_span(hole)) {
            Some(span) => span,
            None => span_of(command, refusal.from, refusal.to),
        };
        let help = self.with_value(command, refusal.hole, &refusal.kind.help());
        let label = match refusal.kind {
            RefusalKind::Script { .. } | RefusalKind::ScriptInput { .. } => "code, to that program",
            _ if refusal.hole.is_some() => "this value",
            _ => "",
        };
        Diagnostic::error(refusal.kind.code(), span, refusal.kind.to_string())
            .label(label)
            .help(help)
    }

    fn linted(&self, command: &Command, lint: &shell::Lint) -> Option<Diagnostic> {
        // Whether the shell has pipefail is known on the machine that runs it. A `$(…)` whose
        // failure is lost is what people write on purpose.
        if matches!(lint.kind, LintKind::Pipe | LintKind::MaskedStatus) {
            return None;
        }
        let hole = lint.hole.and_then(|hole| command.holes().nth(hole));
        if lint.kind == LintKind::RemoveBelow
            && hole.is_some_and(|id| self.checked.types[id.0 as usize] == Type::Path)
        {
            return None;
        }
        let span = span_of(command, lint.from, lint.to);
        let help = match lint.kind {
            LintKind::LoneCd => {
                let shown = self.slice(span).trim().trim_start_matches("cd").trim();
                let dir = if shown.is_empty() { "dir" } else { shown.trim_matches(['"', '\'']) };
                Some(format!("write `cd \"{dir}\" $ command`, or `cd` as a clause of the stage"))
            }
            _ => lint
                .kind
                .rewrite()
                .map(|text| format!("write `{}`", self.with_value(command, lint.hole, &text))),
        };
        Some(Diagnostic::warning(Code::COMMAND_LINT, span, lint.kind.to_string()).help_if(help))
    }

    /// Puts the value as it is written where a help text says `#{v}`.
    fn with_value(&self, command: &Command, hole: Option<usize>, help: &str) -> String {
        let id = hole.and_then(|hole| command.holes().nth(hole));
        match id {
            Some(id) => help
                .replace("#{v}", &format!("#{{{}}}", self.slice(self.span(id))))
                .replace("#{v.", &format!("#{{{}.", self.slice(self.span(id)))),
            None => help.to_owned(),
        }
    }

    /// The guards, for values that are known now.
    fn constant_guards(&mut self, command: &Command, scan: &shell::Scan) {
        let texts: Vec<Option<String>> = command.holes().map(|id| self.known_text(id)).collect();
        let values: Vec<shell::Value<'_>> = texts
            .iter()
            .map(|text| match text {
                Some(text) => {
                    shell::Value::One(shell::guard::Text { bytes: text.as_bytes(), literal: true })
                }
                None => shell::Value::Unknown,
            })
            .collect();
        for violation in shell::guard::check(scan, &values) {
            let hole = scan.holes[violation.place].hole;
            let Some(span) = command.hole_span(hole) else { continue };
            let help = self.with_value(command, Some(hole), violation.guard.help());
            let problem = Diagnostic::error(Code::COMMAND_VALUE, span, violation.guard.to_string())
                .label("this value")
                .help(help);
            self.report(problem);
        }
    }

    /// The text of a value that is a literal, or a name of the file that is bound to one.
    fn known_text(&self, id: pipe_grammar::tree::ExprId) -> Option<String> {
        match self.checked.targets.get(&id) {
            Some(Target::Global(name)) => self.plain(self.bound_to(name)?),
            _ => self.plain(id),
        }
    }

    /// `${name}` in a string, where `name` is a value in scope.
    pub(super) fn dollar_names(&mut self, pieces: &[Piece]) {
        let mut found = Vec::new();
        for piece in pieces {
            let Piece::Text(text, span) = piece else { continue };
            if text.len() != span.len() {
                continue;
            }
            for (at, _) in text.match_indices("${") {
                let rest = &text[at + 2..];
                let Some(end) = rest.find('}') else { continue };
                let name = &rest[..end];
                let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if plain && self.is_value(name) {
                    let start = span.start as usize + at;
                    found.push((Span::new(span.source, start, start + end + 3), name.to_owned()));
                }
            }
        }
        for (span, name) in found {
            self.report(shell_name(span, &name));
        }
    }
}

/// A command as the quoting machine reads it.
pub(crate) fn parts(command: &Command) -> Vec<Part<'_>> {
    let mut holes = 0;
    command
        .parts
        .iter()
        .map(|part| match part {
            CommandPart::Text(text, _) => Part::Text(text),
            CommandPart::Hole(..) => {
                holes += 1;
                Part::Hole(holes - 1)
            }
        })
        .collect()
}

/// Where in the file a stretch of a command stands.
fn span_of(command: &Command, from: Place, to: Place) -> Span {
    let start = place(command, from);
    let end = place(command, to);
    if start.source == end.source && start.start <= end.start { start.to(end) } else { start }
}

fn place(command: &Command, place: Place) -> Span {
    let Some(part) = command.parts.get(place.part) else { return command.span.at_end() };
    match part {
        CommandPart::Text(text, span) if text.len() == span.len() => {
            let at = span.start + u32::try_from(place.offset).unwrap_or(0);
            Span { start: at.min(span.end), end: at.min(span.end), ..*span }
        }
        CommandPart::Text(_, span) | CommandPart::Hole(_, span) => {
            if place.offset == 0 {
                Span { end: span.start, ..*span }
            } else {
                span.at_end()
            }
        }
    }
}

fn shell_name(span: Span, name: &str) -> Diagnostic {
    Diagnostic::warning(
        Code::COMMAND_LINT,
        span,
        format!("`${{{name}}}` is the shell's; the value `{name}` is meant?"),
    )
    .label("the shell knows no such variable")
    .help(format!("write `#{{{name}}}`"))
}
