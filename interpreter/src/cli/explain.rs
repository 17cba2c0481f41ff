//! `pipe explain`

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use pipe_grammar::{
    Code,
    diagnostic::{CODES, did_you_mean},
};

use super::{Colour, load::complain, look::look, pages, print::print};
use crate::exit;

/// Explain the codes of messages, each with a wrong and a repaired example
#[derive(clap::Args)]
pub(super) struct Args {
    /// The codes, as messages show them: `unknown-name`; without any all of them are listed
    #[arg(value_name = "CODE")]
    codes: Vec<String>,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let mut found = Vec::new();
    for name in &args.codes {
        match Code::find(name) {
            Some(code) => found.push(code),
            None => return unknown(name),
        }
    }
    let bold = look(&std::io::stdout(), colour).colour;
    let text = if found.is_empty() {
        list()
    } else {
        let pages: Vec<String> =
            found.into_iter().map(|code| plain(pages::page(code), bold)).collect();
        pages.join("\n")
    };
    print(text)
}

fn unknown(name: &str) -> u8 {
    complain(&format!("pipe: no code is called `{name}`"));
    match did_you_mean(name, CODES.iter().map(|(code, _)| code.name())) {
        Some(meant) => complain(&format!("  {meant}")),
        None => complain("  `pipe explain` lists them"),
    }
    exit::WRONG_INPUT
}

fn list() -> String {
    let width = CODES.iter().map(|(code, _)| code.name().len()).max().unwrap_or(0);
    CODES.iter().fold(String::new(), |mut out, (code, about)| {
        let _ = writeln!(out, "{:width$}  {about}", code.name());
        out
    })
}

/// A page for the terminal: titles without their marks, examples indented and named.
fn plain(page: &str, bold: bool) -> String {
    let mut out = String::new();
    let mut example = false;
    let strong = |text: &str| if bold { text.bold().to_string() } else { text.to_owned() };
    for line in page.lines() {
        if let Some(mark) = line.strip_prefix("```") {
            example = !example;
            let title = match mark.split_once(' ') {
                Some((_, "runs")) => "for instance:",
                Some((_, "wrong")) => "wrong:",
                Some((_, "repaired")) => "repaired:",
                _ => continue,
            };
            let _ = writeln!(out, "{}\n", strong(title));
        } else if example {
            let _ = writeln!(out, "{}", format!("    {line}").trim_end());
        } else if let Some(title) = line.strip_prefix("# ") {
            let _ = writeln!(out, "{}", strong(title));
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}
