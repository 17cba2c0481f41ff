//! Stretches of the file that could not be read: nobody is blamed for what they would have
//! declared or mentioned.

use std::collections::HashSet;

use pipe_grammar::{
    Sources,
    tree::{File, ItemKind},
};

use super::Checker;
use crate::imports::stem;

/// Words that a name follows which is declared by them, here or in other languages.
const DECLARE: [&str; 16] = [
    "let", "param", "secret", "output", "fn", "type", "stage", "for", "as", "function", "func",
    "def", "var", "const", "val", "import",
];

/// The words of the stretches that could not be read.
#[derive(Default)]
pub(super) struct Broken<'a> {
    words: HashSet<&'a str>,
    declared: HashSet<&'a str>,
}

impl<'a> Broken<'a> {
    pub(super) fn new(file: &File, sources: &'a Sources) -> Self {
        let mut broken = Self::default();
        for span in &file.broken {
            let text = sources.slice(*span);
            let mut before = "";
            for word in words(text) {
                broken.words.insert(word);
                if DECLARE.contains(&before) {
                    broken.declared.insert(word);
                }
                before = word;
            }
            // `version = "1"`
            let first = words(text).next().unwrap_or("");
            let behind = text.trim_start().strip_prefix(first).unwrap_or("").trim_start();
            if behind.starts_with('=') {
                broken.declared.insert(first);
            }
        }
        broken
    }
}

impl Checker<'_> {
    /// Whether a name would be known if everything could be read.
    pub(super) fn is_broken_name(&self, name: &str) -> bool {
        self.broken.declared.contains(name) || self.is_unread_import(name)
    }

    /// Whether a name is that of an import that failed, which is told there.
    fn is_unread_import(&self, name: &str) -> bool {
        self.file.items.iter().any(|item| match &item.kind {
            ItemKind::Import(import) if item.span.source == self.place.source => {
                match &import.alias {
                    Some(alias) => &*alias.text == name,
                    None => self.plain(import.path).is_some_and(|path| stem(&path) == name),
                }
            }
            _ => false,
        })
    }

    /// Whether what could not be read mentions a name: as its own declaration, or to use it.
    pub(super) fn is_maybe_used(&self, name: &str) -> bool {
        self.broken.words.contains(name)
    }
}

/// The names in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}
