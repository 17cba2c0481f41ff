//! Tree to text: the one layout of a Pipelinefile. Its rules are told in `docs/formatting.md`.
//!
//! A printer walks the tree and writes its tokens with the blanks and line ends of the layout.
//! What the tree does not hold it takes from the text: strings, commands and numbers byte for
//! byte, where the author broke a line, and the comments. Those are written by a cursor that only
//! moves forward, at every place where the grammar allows a line end, so none is lost and none
//! changes its place among the tokens.
//!
//! An expression is written on one line where it may stand on one and fits; else it is broken at
//! its outermost brackets or operators, and its parts are asked the same. Whether it may and how
//! long it is then is found once for all expressions, before anything is written.

mod binary;
mod call;
mod command;
mod expression;
mod item;
mod layout;
mod origin;
mod stage;
mod statement;
mod string;
mod types;
mod width;

use crate::{
    diagnostic::{Diagnostic, Severity},
    parser::parse,
    span::SourceId,
};
use layout::Printer;
use origin::Origin;

/// Longest line, in characters, that brackets and operators are broken for.
///
/// Not 100: a call of `docker.build` or `marathon.deploy` with its three arguments takes a few
/// columns more than that in most pipelines, and reads best as one line.
const WIDTH: usize = 110;

/// Writes a Pipelinefile as it ought to look: same tree, same comments, one layout.
///
/// # Errors
///
/// A text that can't be read is not touched: the errors of [`parse`].
pub fn format(source: SourceId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(source, text);
    let mut errors = parsed.problems;
    errors.retain(|problem| problem.severity == Severity::Error);
    if errors.is_empty() {
        Ok(Printer::new(Origin::new(text, &parsed.file)).print())
    } else {
        Err(errors)
    }
}
