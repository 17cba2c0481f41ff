//! The outline of a file for the terminal.

use std::fmt::Write as _;

use super::{Outline, Param, Secret, Stage};
use crate::docs::wrap;

/// The outline in lines of at most `width` columns where words allow it.
#[must_use]
pub fn text(outline: &Outline, width: usize) -> String {
    let mut out = format!("{}\n", outline.name);
    if !outline.docs.is_empty() {
        let _ = writeln!(out, "{}", wrap::paragraphs(&outline.docs, width));
    }
    section(&mut out, "parameters", outline.params.iter().map(|p| param(p, width)));
    let column = column(outline.secrets.iter().map(|s| s.name.as_str()));
    section(&mut out, "secrets", outline.secrets.iter().map(|s| secret(s, column, width)));
    let column = self::column(outline.stages.iter().map(|s| s.name.as_str()));
    section(&mut out, "stages", outline.stages.iter().map(|s| stage(s, column, width)));
    out
}

fn section(out: &mut String, title: &str, entries: impl Iterator<Item = String>) {
    for (number, entry) in entries.enumerate() {
        if number == 0 {
            let _ = writeln!(out, "\n{title}");
        }
        out.push_str(&entry);
    }
}

/// Where the second column begins.
fn column<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    /// A longer name stands on a line of its own.
    const LONGEST: usize = 24;
    let lengths = names.map(|name| name.chars().count()).filter(|length| *length <= LONGEST);
    lengths.max().unwrap_or(0) + 4
}

fn param(param: &Param, width: usize) -> String {
    let limit = param.limit.as_ref().map_or(String::new(), |limit| format!(" {limit}"));
    let default = match &param.default {
        Some(default) => format!(" = {default}"),
        None if param.required => ", must be given".to_owned(),
        None => String::new(),
    };
    let head = format!("{}: {}{limit}{default}", param.name, param.ty);
    let head = wrap::paragraphs(&head, width.saturating_sub(6)).replace('\n', "\n    ");
    let mut out = wrap::indented(&head, 2) + "\n";
    if !param.docs.is_empty() {
        let docs = wrap::paragraphs(&param.docs, width.saturating_sub(6));
        let _ = writeln!(out, "{}", wrap::indented(&docs, 6));
    }
    out
}

fn secret(secret: &Secret, column: usize, width: usize) -> String {
    let from = match (&secret.variable, &secret.file) {
        (Some(variable), _) => format!("variable `{variable}`"),
        (None, Some(file)) => format!("file `{file}`"),
        (None, None) => String::new(),
    };
    row(&secret.name, &[from, secret.docs.clone()], column, width)
}

fn stage(stage: &Stage, column: usize, width: usize) -> String {
    let mut lines = vec![stage.title.clone().unwrap_or_default(), stage.docs.clone()];
    lines.extend(stage.each.as_ref().map(|each| format!("for {each}")));
    lines.extend(stage.when.as_ref().map(|when| format!("when {when}")));
    if !stage.needs.is_empty() {
        lines.push(format!("needs {}", stage.needs.join(", ")));
    }
    lines.extend(stage.after.as_ref().map(|after| match after.as_slice() {
        [] => "after nothing".to_owned(),
        names => format!("after {}", names.join(", ")),
    }));
    row(&stage.name, &lines, column, width)
}

/// A name, and beside it paragraphs.
fn row(name: &str, paragraphs: &[String], column: usize, width: usize) -> String {
    let filled: Vec<String> = paragraphs
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| wrap::paragraphs(text, width.saturating_sub(column)))
        .collect();
    let text = wrap::indented(&filled.join("\n"), column);
    let length = name.chars().count() + 2;
    if text.is_empty() {
        format!("  {name}\n")
    } else if length + 2 > column {
        format!("  {name}\n{text}\n")
    } else {
        format!("  {name}{}\n", &text[length..])
    }
}
