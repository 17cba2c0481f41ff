//! pest's pairs to the tree.
//!
//! A function returns `None` where the grammar and the lowering disagree: that is a mistake of
//! ours, reported once, in [`Lower::item`].

mod command;
mod expression;
mod item;
mod stage;
mod statement;
mod string;
mod types;

use std::collections::HashMap;

use pest::iterators::Pair;

use super::Rule;
use crate::{
    diagnostic::{Code, Diagnostic},
    span::{SourceId, Span},
    tree::{Expr, ExprId, ExprKind, File, Name, Text},
};

/// An expression nests at most this deep, so that whoever walks the tree may recurse.
const MAX_EXPR_DEPTH: u16 = 400;

/// Words that can't be names.
const RESERVED: [&str; 26] = [
    "let", "output", "if", "then", "else", "for", "in", "and", "or", "not", "true", "false",
    "null", "return", "parallel", "stage", "edition", "import", "type", "param", "secret", "fn",
    "connect", "on", "always", "matches",
];

/// What a pair holds. Comments are part of line ends and stand between everything.
fn inner(pair: Pair<'_, Rule>) -> impl DoubleEndedIterator<Item = Pair<'_, Rule>> {
    pair.into_inner().filter(|p| p.as_rule() != Rule::comment)
}

pub(super) struct Lower<'t, 'f> {
    pub(super) source: SourceId,
    pub(super) problems: Vec<Diagnostic>,
    /// The whole text.
    text: &'t str,
    /// Where the text that pest sees begins in it.
    base: usize,
    file: &'f mut File,
    /// How deep each expression of the file is.
    depths: Vec<u16>,
    texts: HashMap<&'t str, Text>,
    /// Set when a part of the item under way could not be read.
    broken: bool,
}

impl<'t, 'f> Lower<'t, 'f> {
    pub(super) fn new(source: SourceId, text: &'t str, file: &'f mut File) -> Self {
        // What is there already is not built upon.
        let depths = vec![0; file.expressions.len()];
        Self {
            source,
            problems: Vec::new(),
            text,
            base: 0,
            file,
            depths,
            texts: HashMap::new(),
            broken: false,
        }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// Where a pair stands, without the blanks that an optional last part leaves behind.
    fn pair_span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        let start = self.base + span.start();
        self.span(start, start + pair.as_str().trim_end().len())
    }

    fn text_of(&mut self, span: Span) -> Text {
        let text = &self.text[span.range()];
        self.texts.entry(text).or_insert_with(|| text.into()).clone()
    }

    fn name(&mut self, pair: &Pair<'_, Rule>) -> Name {
        let span = self.pair_span(pair);
        Name { text: self.text_of(span), span }
    }

    /// The name of something that is declared here: no reserved word, in small letters.
    fn new_name(&mut self, pair: &Pair<'_, Rule>) -> Name {
        let name = self.new_type_name(pair);
        if name.text.contains(|c: char| c.is_ascii_uppercase()) {
            self.problems.push(capitals(&name));
            self.file.broken.push(name.span);
        }
        name
    }

    /// The name of a type that is declared here: capitals are fine.
    fn new_type_name(&mut self, pair: &Pair<'_, Rule>) -> Name {
        let name = self.name(pair);
        if RESERVED.contains(&&*name.text) {
            self.problems.push(reserved_word(&name));
            self.file.broken.push(name.span);
        }
        name
    }

    fn push(&mut self, kind: ExprKind, span: Span, children: &[ExprId]) -> ExprId {
        let below = children.iter().filter_map(|id| self.depths.get(id.0 as usize)).max();
        let mut depth = below.map_or(0, |d| d + 1);
        let mut kind = kind;
        if depth > MAX_EXPR_DEPTH {
            self.problems.push(too_long(span));
            (kind, depth) = (ExprKind::Broken, 0);
        }
        self.depths.push(depth);
        self.file.expressions.push(Expr { kind, span });
        ExprId(u32::try_from(self.file.expressions.len() - 1).unwrap_or(u32::MAX))
    }

    fn span_of(&self, id: ExprId) -> Span {
        self.file.span(id)
    }
}

fn reserved_word(name: &Name) -> Diagnostic {
    Diagnostic::error(
        Code::RESERVED_WORD,
        name.span,
        format!("`{}` is a reserved word and can't be a name", name.text),
    )
    .label("choose another name")
    .help(format!("for instance `{}_`", name.text))
}

fn capitals(name: &Name) -> Diagnostic {
    let mut small = String::new();
    let mut last = '_';
    for c in name.text.chars() {
        if c.is_ascii_uppercase() && (last.is_ascii_lowercase() || last.is_ascii_digit()) {
            small.push('_');
        }
        small.push(c.to_ascii_lowercase());
        last = c;
    }
    Diagnostic::error(Code::SYNTAX, name.span, "a name is written in small letters")
        .label("only a type may begin with a capital")
        .help(format!("write `{small}`"))
}

fn too_long(span: Span) -> Diagnostic {
    Diagnostic::error(Code::TOO_DEEP, span, "this expression is nested too deeply")
        .label(format!("more than {MAX_EXPR_DEPTH} levels"))
        .help("give parts of it a name with `let`")
}
