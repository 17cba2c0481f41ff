//! The ends of words and of simple commands: what a word is, and what its holes are then.

use super::lint::LintKind;
use super::list::{Expects, Position};
use super::machine::Machine;
use super::program::Reads;
use super::refusal::RefusalKind;
use super::scan::{Dialect, HoleKind, Leads, Role};
use super::word::Word;

impl Machine<'_> {
    /// The end of a word: its role is known now, and what its holes are.
    pub(super) fn end_word(&mut self) {
        let end = self.at;
        let Some(commands) = self.commands_mut() else { return };
        let Some(word) = commands.word.take() else { return };
        if let Some(redirect) = commands.redirect.take() {
            if commands.position == Position::Start {
                commands.position = Position::Prefix;
            }
            return self.redirected(redirect, &word);
        }
        match commands.position {
            Position::Start => {
                if let Some(next) = word.bare().and_then(reserved) {
                    if word.bare() == Some("esac") {
                        commands.cases = commands.cases.saturating_sub(1);
                    }
                    commands.position = next;
                    commands.groups = 0;
                    commands.expects = Expects::Any;
                    return;
                }
                self.prefix_word(&word, end);
            }
            Position::Prefix => self.prefix_word(&word, end),
            Position::Arguments => self.argument(&word, end),
            Position::ForName => {
                commands.position = Position::ForIn;
                commands.item = word.text().unwrap_or_default().to_owned();
                self.named(&word);
            }
            Position::FunctionName => {
                commands.position = Position::Start;
                self.named(&word);
            }
            Position::ForIn => {
                commands.position = match word.bare() {
                    Some("in") => Position::ForList,
                    _ => Position::Start,
                };
                self.roles(&word, Role::Outside);
            }
            Position::ForList => {
                let name = commands.item.clone();
                self.special(&name, &word);
                self.roles(&word, Role::Item);
            }
            Position::CaseWord => {
                commands.position = Position::CaseIn;
                self.roles(&word, Role::CaseWord);
            }
            Position::CaseIn => {
                commands.position = Position::CasePattern { begun: false };
                commands.cases += 1;
                self.roles(&word, Role::Outside);
            }
            Position::CasePattern { begun } => {
                if !begun && word.bare() == Some("esac") {
                    commands.cases = commands.cases.saturating_sub(1);
                    commands.position = Position::Start;
                    return;
                }
                commands.position = Position::CasePattern { begun: true };
                self.roles(&word, Role::CasePattern);
                self.refuse_holes(&word, &RefusalKind::Pattern);
            }
            Position::Test => self.test_word(&word),
            Position::Elements => self.roles(&word, Role::Element),
        }
    }

    /// An assignment, or the command's name.
    fn prefix_word(&mut self, word: &Word, end: usize) {
        if word.assigned.is_some() {
            self.at_position(Position::Prefix);
            self.roles(word, Role::Assignment);
            if let Some(name) = word.name() {
                self.set.insert(name.to_owned());
                self.special(name, word);
            }
            return;
        }
        self.at_position(Position::Arguments);
        self.roles(word, Role::Name);
        if !word.slash_behind {
            self.refuse_holes(word, &RefusalKind::CommandName);
        }
        if let Some(commands) = self.commands_mut() {
            commands.command.word(word, end);
        }
    }

    fn argument(&mut self, word: &Word, end: usize) {
        let Some(commands) = self.commands_mut() else { return };
        let reads = commands.command.word(word, end);
        let command = commands.command.caller();
        let name = commands.command.name.clone();
        let options_over = commands.command.options_over;
        let removes = commands.command.removes() && word.root_of_hole;
        if commands.command.sets_variables()
            && let Some(name) = word.name()
        {
            self.set.insert(name.to_owned());
            if word.assigned.is_some() {
                self.special(name, word);
            }
        }
        self.roles(word, Role::Argument);
        for &index in &word.holes {
            if let Some(hole) = self.scan.holes.get_mut(index) {
                hole.command.clone_from(&name);
                if options_over {
                    hole.leads = Leads::Never;
                }
                if reads == Reads::Integer && hole.kind == HoleKind::Int && word.content {
                    hole.parenthesised = true;
                }
            }
            self.apply(index, reads, &command);
        }
        if removes && let Some(&index) = word.holes.first() {
            let hole = self.scan.holes.get(index).map(|hole| hole.hole);
            self.lint(LintKind::RemoveBelow, word.start, end, hole);
        }
        for &(from, to) in &word.substitutions {
            self.lint(LintKind::MaskedStatus, from, to, None);
        }
        if let Some(commands) = self.commands_mut() {
            commands.command.operand_holes.extend(&word.holes);
        }
    }

    /// A word inside `[[ … ]]`.
    fn test_word(&mut self, word: &Word) {
        let Some(commands) = self.commands_mut() else { return };
        let expects = std::mem::replace(&mut commands.expects, Expects::Any);
        let before = std::mem::take(&mut commands.before);
        let mut compared = Vec::new();
        match word.bare() {
            Some("]]") => {
                commands.position = Position::Start;
                commands.groups = 0;
            }
            Some("-v" | "-R") => commands.expects = Expects::Variable,
            Some("-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") => {
                commands.expects = Expects::Integer;
                compared = before;
            }
            Some("=~") => commands.expects = Expects::Regex,
            _ => commands.before.clone_from(&word.holes),
        }
        for index in compared {
            self.apply(index, Reads::Integer, "");
        }
        self.roles(word, Role::Test);
        for &index in &word.holes {
            if self.dialect == Dialect::Sh {
                let kind = RefusalKind::BashOnly { what: "`[[`", instead: "[ … ]" };
                self.refuse_hole(kind, index);
            }
            match expects {
                Expects::Any => {}
                Expects::Variable => self.apply(index, Reads::Variable, ""),
                Expects::Integer => self.apply(index, Reads::Integer, ""),
                Expects::Regex => self.refuse_hole(RefusalKind::Pattern, index),
            }
        }
    }

    /// The word is assigned to the variable `name`: some of bash's run what they get. Numbers
    /// are harmless.
    fn special(&mut self, name: &str, word: &Word) {
        if !matches!(name, "PS4" | "BASH_ENV" | "OPTIND" | "RANDOM" | "SRANDOM" | "HISTCMD") {
            return;
        }
        for &index in &word.holes {
            if self.scan.holes.get(index).is_some_and(|hole| hole.kind != HoleKind::Int) {
                let name = name.to_owned();
                self.refuse_hole(RefusalKind::SpecialVariable { name }, index);
            }
        }
    }

    /// The name of a variable or function.
    fn named(&mut self, word: &Word) {
        if let Some(name) = word.text() {
            self.set.insert(name.to_owned());
        }
        self.refuse_holes(word, &RefusalKind::VariableName);
    }

    pub(super) fn refuse_holes(&mut self, word: &Word, kind: &RefusalKind) {
        for &index in &word.holes {
            self.refuse_hole(kind.clone(), index);
        }
    }

    /// Gives the holes of a word its role; a list must be the word.
    pub(super) fn roles(&mut self, word: &Word, role: Role) {
        let single = word.holes.len() == 1 && !word.content && !word.quoted;
        let many = matches!(role, Role::Argument | Role::Item | Role::Element);
        for &index in &word.holes {
            let Some(hole) = self.scan.holes.get_mut(index) else { continue };
            hole.role = role;
            if !many {
                hole.leads = Leads::Never;
            }
            if hole.kind == HoleKind::List && !(single && many) {
                self.refuse_hole(RefusalKind::ListNotAlone, index);
            }
        }
    }

    /// The end of a simple command.
    pub(super) fn end_command(&mut self) {
        let Some(commands) = self.commands_mut() else { return };
        let command = std::mem::take(&mut commands.command);
        commands.redirect = None;
        commands.lone_cd =
            (command.name.as_deref() == Some("cd")).then_some((command.start, command.end));
        let feed = std::mem::take(&mut commands.feed);
        let input = command.input();
        let name = command.caller();
        let documents = self.announce_documents(input, &name);
        self.feed(&feed, input, &name);
        if let Some(commands) = self.commands_mut() {
            commands.written = command.writes(feed, documents);
        }
        for &index in &command.input_holes {
            self.apply_input(index, input, &name);
        }
        if command.words == 0 {
            return;
        }
        self.commands += 1;
        self.integers |= command.makes_integers();
        if command.is_short_test() {
            for &index in &command.operand_holes {
                if let Some(hole) = self.scan.holes.get_mut(index) {
                    hole.leads = Leads::Never;
                }
            }
        }
    }
}

/// Where the grammar goes on behind a reserved word.
fn reserved(word: &str) -> Option<Position> {
    Some(match word {
        "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "while" | "until" | "{" | "}"
        | "!" | "time" | "coproc" | "esac" => Position::Start,
        "for" | "select" => Position::ForName,
        "case" => Position::CaseWord,
        "function" => Position::FunctionName,
        "[[" => Position::Test,
        _ => return None,
    })
}
