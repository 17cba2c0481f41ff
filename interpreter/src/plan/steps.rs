//! What a stage will do, line by line, with the values that are known.

use pipe_grammar::tree::{
    Block, Command, CommandPart, ExprId, ExprKind, Modifier, Statement, StatementKind,
};
use pipe_stdlib::core::{Value, text_of, write_value};

use super::Facts;
use crate::check::Target;

/// A line of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the file, from 1.
    pub line: usize,
    /// How deep in blocks.
    pub depth: usize,
    /// What it does.
    pub text: String,
}

/// The lines of a stage.
pub(super) fn steps(facts: &Facts, number: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(stage) = facts.program.file.stages().nth(number) {
        Walk { facts, steps: &mut steps }.block(&stage.body, 0);
    }
    steps
}

struct Walk<'a> {
    facts: &'a Facts,
    steps: &'a mut Vec<Step>,
}

impl Walk<'_> {
    fn block(&mut self, block: &Block, depth: usize) {
        for statement in &block.statements {
            self.statement(statement, depth, "");
        }
    }

    fn push(&mut self, statement: &Statement, depth: usize, text: String) {
        let line = self.facts.program.line(statement.span);
        self.steps.push(Step { line, depth, text });
    }

    fn statement(&mut self, statement: &Statement, depth: usize, before: &str) {
        match &statement.kind {
            StatementKind::Let(binding) | StatementKind::Output(binding) => {
                if self.acts(binding.value) {
                    let text =
                        format!("{before}{} = {}", binding.name.text, self.shown(binding.value));
                    self.push(statement, depth, text);
                }
            }
            StatementKind::Expr(id) => {
                let text = format!("{before}{}", self.shown(*id));
                self.push(statement, depth, text);
            }
            StatementKind::Command(command) => {
                let values: Vec<Option<Value>> =
                    command.holes().map(|id| self.facts.value(id).ok()).collect();
                let text = format!("{before}$ {}", self.command(command, &values));
                self.push(statement, depth, text);
            }
            StatementKind::Step { title, body } => {
                let text = format!("{before}step {}", self.shown(*title));
                self.push(statement, depth, text);
                self.block(body, depth + 1);
            }
            StatementKind::If { branches, otherwise } => {
                for (number, branch) in branches.iter().enumerate() {
                    let word = if number == 0 { "if" } else { "else if" };
                    let text = format!("{before}{word} {}", self.as_written(branch.condition));
                    let known = self.facts.value(branch.condition).ok();
                    let note = match known {
                        Some(Value::Bool(true)) => " (holds)",
                        Some(Value::Bool(false)) => " (does not hold)",
                        _ => "",
                    };
                    self.push(statement, depth, text + note);
                    if known != Some(Value::Bool(false)) {
                        self.block(&branch.body, depth + 1);
                    }
                }
                if let Some(block) = otherwise {
                    self.push(statement, depth, format!("{before}else"));
                    self.block(block, depth + 1);
                }
            }
            StatementKind::For { name, list, body, .. } => {
                let text = format!("{before}for {} in {}", name.text, self.shown(*list));
                self.push(statement, depth, text);
                self.block(body, depth + 1);
            }
            StatementKind::Fail(text) => {
                let text = format!("{before}fail {}", self.shown(*text));
                self.push(statement, depth, text);
            }
            StatementKind::Skip(text) => {
                let text = format!("{before}skip {}", self.shown(*text));
                self.push(statement, depth, text);
            }
            StatementKind::Modified { modifiers, body } => {
                let words =
                    modifiers.iter().map(|m| self.modifier(m)).collect::<Vec<_>>().join(" ");
                self.statement(body, depth, &format!("{before}{words} "));
            }
            StatementKind::Block(block) | StatementKind::Parallel(block) => {
                self.push(statement, depth, before.trim_end().to_owned());
                self.block(block, depth + 1);
            }
            StatementKind::Handler(handler) => {
                self.push(statement, depth, handler.outcome.name().to_owned());
                match &handler.body.kind {
                    StatementKind::Block(block) => self.block(block, depth + 1),
                    _ => self.statement(&handler.body, depth + 1, ""),
                }
            }
            StatementKind::Secret(_)
            | StatementKind::Return(_)
            | StatementKind::Env(_)
            | StatementKind::Broken => {}
        }
    }

    fn modifier(&self, modifier: &Modifier) -> String {
        // As written: an `env` may hold secrets, and their names are what one wants to see.
        self.facts.program.slice(modifier.span)
    }

    /// Whether evaluating an expression acts.
    fn acts(&self, id: ExprId) -> bool {
        self.facts.value(id).is_err()
    }

    fn command(&self, command: &Command, values: &[Option<Value>]) -> String {
        shown_command(command, values, |id| {
            format!("#{{{}}}", self.facts.program.slice(self.facts.program.file.span(id)))
        })
    }

    fn as_written(&self, id: ExprId) -> String {
        let text = self.facts.program.slice(self.facts.program.file.span(id));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// An expression with its values where they are known.
    fn shown(&self, id: ExprId) -> String {
        let file = &self.facts.program.file;
        if let Ok(value) = self.facts.value(id)
            && !matches!(file.expr(id).kind, ExprKind::Binary { .. })
        {
            return write_value(&value);
        }
        match &file.expr(id).kind {
            ExprKind::Call { arguments, .. } => {
                let name = match self.facts.program.checked.targets.get(&id) {
                    Some(Target::Builtin { builtin, connection: Some(name) }) => {
                        format!("{name}.{}", builtin.name)
                    }
                    Some(Target::Builtin { builtin, .. }) => builtin.full_name(),
                    Some(Target::Function(name)) => name.to_string(),
                    _ => return self.as_written(id),
                };
                let arguments: Vec<String> = arguments
                    .iter()
                    .map(|argument| {
                        let value = self.shown(argument.value);
                        match &argument.name {
                            Some(name) => format!("{}: {value}", name.text),
                            None => value,
                        }
                    })
                    .collect();
                format!("{name}({})", arguments.join(", "))
            }
            ExprKind::Capture(command) => {
                let values: Vec<Option<Value>> =
                    command.holes().map(|id| self.facts.value(id).ok()).collect();
                format!("$({})", self.command(command, &values))
            }
            _ => self.as_written(id),
        }
    }
}

/// A command with its values; a value that is not known as `unknown` writes it, a secret as stars.
pub fn shown_command(
    command: &Command,
    values: &[Option<Value>],
    unknown: impl Fn(ExprId) -> String,
) -> String {
    let mut values = values.iter();
    let mut out = String::new();
    for part in &command.parts {
        match part {
            CommandPart::Text(text, _) => out.push_str(text),
            CommandPart::Hole(id, _) => match values.next().and_then(Option::as_ref) {
                Some(Value::Secret(_)) => out.push_str("***"),
                Some(Value::List(items)) => {
                    let texts: Vec<String> =
                        items.iter().map(|item| text_of(item).unwrap_or_default()).collect();
                    out.push_str(&texts.join(" "));
                }
                Some(value) => out.push_str(&text_of(value).unwrap_or_default()),
                None => out.push_str(&unknown(*id)),
            },
        }
    }
    out
}
