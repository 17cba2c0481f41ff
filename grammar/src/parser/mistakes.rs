//! What the scan found, in words.

use super::scan::{MAX_DEPTH, Mistake};
use crate::{
    diagnostic::{Code, Diagnostic},
    span::{SourceId, Span},
};

/// The messages about all of them.
pub(super) fn diagnostics(source: SourceId, text: &str, mistakes: &[Mistake]) -> Vec<Diagnostic> {
    if mistakes.is_empty() {
        return Vec::new();
    }
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    mistakes.iter().map(|mistake| diagnostic(source, text, &ends, mistake)).collect()
}

/// `ends`: where the lines of the text end.
fn diagnostic(source: SourceId, text: &str, ends: &[usize], mistake: &Mistake) -> Diagnostic {
    let span = |start, end| Span::new(source, start, end);
    match *mistake {
        Mistake::Unclosed { open, expected } => {
            let line = ends.partition_point(|end| *end < expected) + 1;
            unclosed(source, text, open, expected, line)
        }
        Mistake::Stray { at, open } => stray(source, text, at, open),
        Mistake::OpenString { open, end } => {
            let end = open + text[open..end].trim_end().len();
            let quote = &text[open..=open];
            let several =
                if quote == "'" { "" } else { ", or use `\"\"\"` for text over several lines" };
            Diagnostic::error(
                Code::UNTERMINATED_STRING,
                span(open, end),
                "this string is never closed",
            )
            .label("opened here, still open at the end of the line")
            .help(format!("close it with `{quote}`{several}"))
        }
        Mistake::OpenHole { open } => Diagnostic::error(
            Code::UNCLOSED_BLOCK,
            span(open, open + 2),
            "this `#{` is never closed",
        )
        .label("opened here, still open at the end of the line")
        .help("close it with `}`; a `#{` that is meant as such is written `\\#{`"),
        Mistake::OpenBlockString { open } => {
            let what = "this text over several lines is never closed";
            Diagnostic::error(Code::UNTERMINATED_STRING, span(open, open + 3), what)
                .label("opened here, still open at the end of the file")
                .help("close it with `\"\"\"` on a line of its own")
        }
        Mistake::OpenCapture { open, end } => {
            let end = open + text[open..end].trim_end().len();
            let what = "this `$(` is never closed";
            Diagnostic::error(Code::UNTERMINATED_COMMAND, span(open, end), what)
                .label("opened here, still open at the end of the line")
                .help(
                    "close it with `)`; a command over several lines is `sh(\"\"\"…\"\"\").stdout`",
                )
        }
        Mistake::TooDeep { at } => {
            let what = format!("brackets nest deeper than {MAX_DEPTH}");
            Diagnostic::error(Code::TOO_DEEP, span(at, at + 1), what)
                .label("one too many")
                .help("give parts of it a name with `let`")
        }
        Mistake::CommandTookBrace { open, brace } => {
            let what = "this `}` belongs to the command";
            let block = Diagnostic::error(Code::UNCLOSED_BLOCK, span(brace, brace + 1), what)
                .label("a `$` command runs to the end of its line")
                .also(span(open, open + 1), "so this block is never closed");
            block.help("put the command on a line of its own, and `}` on the next")
        }
        Mistake::LookAlike { at, end, meant } => look_alike(span(at, end), meant),
    }
}

fn look_alike(span: Span, meant: &str) -> Diagnostic {
    let (what, help) = match meant {
        "\"" | "'" => ("this is a typographic quote", format!("write `{meant}`")),
        "-" => ("this is a typographic dash", "write `-`".to_owned()),
        meant if meant != " " => ("this is a full-width character", format!("write `{meant}`")),
        _ => ("this is a special blank", "write an ordinary one".to_owned()),
    };
    Diagnostic::error(Code::BAD_CHARACTER, span, what)
        .label("an editor or a web page put it here")
        .help(help)
}

pub(super) fn merge_conflict(span: Span) -> Diagnostic {
    Diagnostic::error(Code::MERGE_CONFLICT, span, "a merge was not finished here")
        .label("the marks of both sides are still in the file")
        .help("keep one side and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`")
}

/// What a bracket opens, in the words of the file: `` the block of `stage build` ``.
fn opened(text: &str, open: usize) -> String {
    let line = text[..open].rfind('\n').map_or(0, |n| n + 1);
    let before = text[line..open].trim();
    match &text[open..=open] {
        "{" => {
            let head = if before.is_empty() { head_above(text, line) } else { before };
            let words: Vec<&str> = head.split_whitespace().collect();
            match words.as_slice() {
                ["stage" | "fn" | "step", name, ..] => {
                    let name = name.split('(').next().unwrap_or(name);
                    format!("the block of `{} {name}`", words[0])
                }
                ["type" | "let" | "param", name, ..] => {
                    format!("the record of `{}`", name.trim_end_matches([':', '=']))
                }
                ["}", "else", ..] => "the block of `else`".to_owned(),
                [
                    first @ ("if" | "for" | "parallel" | "env" | "retry" | "timeout" | "on"
                    | "always"),
                    ..,
                ] => {
                    format!("the block of `{first}`")
                }
                _ => "this `{`".to_owned(),
            }
        }
        "(" => {
            let name: String = before
                .chars()
                .rev()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
                .collect();
            let name: String = name.chars().rev().collect();
            if name.is_empty() { "this `(`".to_owned() } else { format!("the `(` of `{name}`") }
        }
        _ => "this list".to_owned(),
    }
}

/// The first line of a head whose block begins on a line of its own.
fn head_above(text: &str, line: usize) -> &str {
    let starts = |l: &str| l.starts_with("stage ") || l.starts_with("fn ");
    let head = text[..line].lines().rev().take(30).find(|l| starts(l.trim_start()));
    head.unwrap_or("").trim()
}

fn closer(text: &str, open: usize) -> &'static str {
    match &text[open..=open] {
        "{" => "}",
        "(" => ")",
        _ => "]",
    }
}

fn unclosed(source: SourceId, text: &str, open: usize, expected: usize, line: usize) -> Diagnostic {
    let closer = closer(text, open);
    let open_span = Span::new(source, open, open + 1);
    let what = format!("{} is never closed", opened(text, open));
    let mut problem = Diagnostic::error(Code::UNCLOSED_BLOCK, open_span, what).label("opened here");
    if expected >= text.trim_end().len() {
        return problem.help(format!("add `{closer}`; the file ends before it"));
    }
    let word = text[expected..].split_whitespace().next().unwrap_or("").len().max(1);
    let before = match &text[expected..=expected] {
        "}" => "this closes another block".to_owned(),
        _ => format!("`{closer}` expected before this"),
    };
    problem = problem.also(Span::new(source, expected, expected + word), before);
    problem.help(format!("add `{closer}` before line {line}"))
}

fn stray(source: SourceId, text: &str, at: usize, open: Option<usize>) -> Diagnostic {
    let span = Span::new(source, at, at + 1);
    let bracket = &text[at..=at];
    match open {
        None => {
            let opener = match bracket {
                ")" => "(",
                "]" => "[",
                _ => "{",
            };
            Diagnostic::error(Code::STRAY_BRACKET, span, format!("this `{bracket}` closes nothing"))
                .label(format!("no `{opener}` is open here"))
                .help("remove it, or look for one too many above")
        }
        Some(open) => {
            let closer = closer(text, open);
            let what = format!("`{bracket}` can't close {}", opened(text, open));
            Diagnostic::error(Code::STRAY_BRACKET, span, what)
                .label(format!("`{closer}` was expected"))
                .also(Span::new(source, open, open + 1), "opened here")
        }
    }
}
