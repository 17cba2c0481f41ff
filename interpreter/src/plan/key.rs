//! What a stage is made of, as a sum: its text, the functions it calls, the values it reads.

use std::fmt::Write;

use pipe_grammar::tree::ItemKind;
use pipe_stdlib::core::write_value;
use sha2::{Digest, Sha256};

use super::{Facts, needs};
use crate::eval::Host;

/// The sum of a stage's definition and inputs. None: a value that it reads can't be told.
#[must_use]
pub fn key(facts: &Facts, number: usize) -> Option<String> {
    let file = &facts.program.file;
    let item =
        file.items.iter().filter(|item| matches!(item.kind, ItemKind::Stage(_))).nth(number)?;
    let ItemKind::Stage(stage) = &item.kind else { return None };
    let mut text = format!("{}\n", facts.program.slice(item.span));
    for item in &file.items {
        // What holds for every stage.
        if let ItemKind::Pipeline(_) = item.kind {
            let _ = writeln!(text, "{}", facts.program.slice(item.span));
        }
    }
    for name in needs::mentioned(facts, &format!("stage {}", stage.name.text)) {
        let item = file.items.iter().find_map(|item| match &item.kind {
            ItemKind::Param(param) if param.name.text == name => Some(true),
            ItemKind::Let(binding) if binding.name.text == name => Some(true),
            ItemKind::Function(function) if function.name.text == name => {
                let _ = writeln!(text, "{}", facts.program.slice(item.span));
                Some(false)
            }
            // A secret that was renewed is the same input.
            ItemKind::Secret(secret) if secret.name.text == name => Some(false),
            _ => None,
        });
        if item == Some(true) {
            let value = facts.global(&name).ok()?;
            let _ = writeln!(text, "{name} = {}", write_value(&value));
        }
    }
    for connection in &facts.program.checked.connections {
        let _ = writeln!(text, "{}", facts.program.slice(file.span(connection.call)));
    }
    Some(sum(&text))
}

/// A short sum of a text.
#[must_use]
pub fn sum(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().take(12).fold(String::new(), |mut sum, byte| {
        let _ = write!(sum, "{byte:02x}");
        sum
    })
}
