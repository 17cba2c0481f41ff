//! The edition, read before anything else: a file of a newer edition may not even parse.

use crate::{
    diagnostic::{Code, Diagnostic},
    span::{SourceId, Span},
};

/// The newest edition that this program knows.
pub(super) const NEWEST: u32 = 2026;

/// Says so when the file is written for a newer edition.
pub(super) fn too_new(source: SourceId, text: &str) -> Option<Diagnostic> {
    let mut at = 0;
    let line = text.split_inclusive('\n').find(|line| {
        let code = line.trim_start_matches('\u{feff}').trim();
        let silent = code.is_empty() || code.starts_with('#');
        at += if silent { line.len() } else { 0 };
        !silent
    })?;
    let begin = line.find("edition")?;
    let year = line.trim_start_matches('\u{feff}').trim_start().strip_prefix("edition")?;
    let year = year.strip_prefix([' ', '\t'])?.trim_start();
    let digits = year.len() - year.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u32 = year[..digits].parse().ok()?;
    if number <= NEWEST {
        return None;
    }
    let end = at + line.len() - year.len() + digits;
    let span = Span::new(source, at + begin, end);
    let message =
        format!("this file is written for edition {number}, and this `pipe` knows up to {NEWEST}");
    Some(
        Diagnostic::error(Code::EDITION_TOO_NEW, span, message)
            .label("asks for a newer `pipe`")
            .help(format!("install a `pipe` that knows edition {number}; this one is {VERSION}")),
    )
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
