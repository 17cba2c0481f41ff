//! Text to tree. The only place that knows pest, and it never fails: what can't be read becomes a
//! diagnostic and a hole in the tree.

mod conflicts;
mod docs;
mod edition;
mod expected;
mod habits;
mod literal;
mod lower;
mod mistakes;
mod scan;

pub use literal::{duration_text, size_text};

use std::borrow::Cow;

use pest::Parser as _;

use crate::{
    diagnostic::Diagnostic,
    span::{SourceId, Span},
    tree::File,
};
use lower::Lower;

/// pest's parser. `Rule` stays inside this module.
#[derive(pest_derive::Parser)]
#[grammar = "pipeline.pest"]
struct Grammar;

/// A text that was read: a tree, and what is wrong with the text.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree, as far as the text could be read.
    pub file: File,
    /// What could not be read, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

/// Reads a Pipelinefile.
#[must_use]
pub fn parse(source: SourceId, text: &str) -> Parsed {
    if let Some(problem) = edition::too_new(source, text) {
        let file = File { source, ..File::default() };
        return Parsed { file, problems: vec![problem] };
    }
    let mut file = File { source, ..File::default() };
    let problems = parse_into(&mut file, source, text);
    Parsed { file, problems }
}

/// Reads another text into a tree that is there: its items stand behind those of the tree, its
/// expressions in the same list.
#[must_use]
pub fn parse_into(file: &mut File, source: SourceId, text: &str) -> Vec<Diagnostic> {
    let (clear, conflicts) = conflicts::blank(text);
    let scan = scan::scan(&clear);
    let clear = replace(clear, &scan.replaced);
    let mut problems: Vec<Diagnostic> = conflicts
        .into_iter()
        .map(|range| mistakes::merge_conflict(Span::new(source, range.start, range.end)))
        .chain(mistakes::diagnostics(source, &clear, &scan.mistakes))
        .collect();
    problems.extend(items(file, source, &clear, &scan));
    if !scan.replaced.is_empty() {
        problems.iter_mut().for_each(|problem| problem.place_by(&|span| span.whole(text)));
    }
    problems.sort_by_key(|problem| problem.span().map(|span| span.start));
    problems
}

/// Where the comments of a text stand, in order: each from its `#` to the last character of its
/// line that is no blank. A `#` in a string or a command begins none.
#[must_use]
pub fn comments(text: &str) -> Vec<std::ops::Range<usize>> {
    let trimmed =
        |range: std::ops::Range<usize>| range.start..range.start + text[range].trim_end().len();
    scan::scan(text).comments.into_iter().map(trimmed).collect()
}

fn items(file: &mut File, source: SourceId, text: &str, scan: &scan::Scan) -> Vec<Diagnostic> {
    let mut lower = Lower::new(source, text, file);
    for slice in &scan.items {
        item(&mut lower, text, *slice);
    }
    std::mem::take(&mut lower.problems)
}

/// Parses one slice, and says what is wrong with it unless the scan has said so already.
fn item(lower: &mut Lower<'_, '_>, text: &str, slice: scan::Slice) {
    let part = &text[slice.start..slice.end];
    if docs::is_silent(part) {
        return;
    }
    if slice.unread {
        return lower.stub(slice.start, part);
    }
    match Grammar::parse(Rule::one_item, part) {
        Ok(pairs) => lower.item(slice.start, pairs, slice.broken),
        Err(error) if !slice.broken => {
            let problem = habits::item(lower, slice.start, part)
                .unwrap_or_else(|| expected::problem(lower.source, slice.start, part, &error));
            lower.problems.push(problem);
            lower.stub(slice.start, part);
        }
        Err(_) => lower.stub(slice.start, part),
    }
}

/// Reads characters as what they were meant to be, keeping every byte in its place.
fn replace<'a>(
    text: Cow<'a, str>,
    replaced: &[(std::ops::Range<usize>, &'static str)],
) -> Cow<'a, str> {
    if replaced.is_empty() {
        return text;
    }
    let mut text = text.into_owned();
    for (range, meant) in replaced {
        text.replace_range(range.clone(), &format!("{meant:<width$}", width = range.len()));
    }
    Cow::Owned(text)
}

/// The parameters and the result of a built-in's declaration.
#[derive(Debug, Default)]
pub struct Signature {
    /// Holds the expressions of the defaults.
    pub file: File,
    /// The comment lines at its begin.
    pub docs: String,
    /// None: a value, not a function.
    pub parameters: Option<Vec<crate::tree::Parameter>>,
    /// None: it gives nothing.
    pub result: Option<crate::tree::TypeExpr>,
}

/// Reads the declaration of a built-in: comment lines, then `(name: type = default, …) -> type`.
///
/// # Errors
///
/// Says where the declaration can't be read.
pub fn parse_signature(text: &str) -> Result<Signature, String> {
    let pairs = Grammar::parse(Rule::signature, text).map_err(|error| error.to_string())?;
    let mut signature = Signature { docs: docs::leading(text), ..Signature::default() };
    let mut lower = Lower::new(SourceId::default(), text, &mut signature.file);
    let lowered = lower.signature(pairs);
    let problems = std::mem::take(&mut lower.problems);
    if let Some(problem) = problems.first() {
        return Err(problem.message.clone());
    }
    (signature.parameters, signature.result) = lowered.ok_or("can't be lowered")?;
    Ok(signature)
}

/// Reads a type alone: the declaration of a built-in type.
///
/// # Errors
///
/// Says where the type can't be read.
pub fn parse_type(text: &str) -> Result<(File, crate::tree::TypeExpr), String> {
    let pairs = Grammar::parse(Rule::one_type, text).map_err(|error| error.to_string())?;
    let mut file = File::default();
    let mut lower = Lower::new(SourceId::default(), text, &mut file);
    let ty = lower.lone_type(pairs).ok_or("can't be lowered")?;
    Ok((file, ty))
}
