//! `pipe check`

use std::io::Write;

use clap::ValueEnum;
use pipe_grammar::{Diagnostic, Severity, Sources};
use serde_json::{Value, json};

use super::{Colour, FileArg, load, look::look, sarif};
use crate::{exit, report::draw};

/// Look for mistakes, without running anything
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: FileArg,

    /// How to show them
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    format: Format,

    /// Warnings are errors
    #[arg(long)]
    deny_warnings: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the lines of the file
    Pretty,
    /// A line each
    Short,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for Jenkins, code hosts and editors
    Sarif,
}

pub(super) fn main(args: &Args, colour: Colour) -> u8 {
    let loaded = match load::load(args.file.file.as_deref()) {
        Ok(loaded) => loaded,
        Err(status) => return status,
    };
    let problems = &loaded.program.problems;
    let shown = loaded.program.sources(|sources| match args.format {
        Format::Pretty => {
            let look = look(&std::io::stderr(), colour);
            draw::problems(problems, sources, look)
        }
        Format::Short => problems.iter().map(|p| draw::short(p, sources)).collect(),
        Format::Sarif => format!("{:#}\n", sarif::log(problems, sources)),
        Format::Json => format!("{:#}\n", as_json(problems, sources)),
    });
    // What people read goes to standard error, what programs read to standard output.
    let written = match args.format {
        Format::Pretty => std::io::stderr().write_all(shown.as_bytes()),
        _ => std::io::stdout().write_all(shown.as_bytes()),
    };
    let failed = loaded.program.has_errors() || args.deny_warnings && !problems.is_empty();
    if failed || written.is_err() { exit::WRONG_INPUT } else { exit::SUCCESS }
}

/// Lines and columns count from 1, columns in characters.
fn as_json(problems: &[Diagnostic], sources: &Sources) -> Value {
    let diagnostics: Vec<Value> = problems
        .iter()
        .flat_map(|problem| std::iter::once(problem).chain(&problem.related))
        .map(|problem| {
            let place = problem.span().map(|span| place(span, sources)).unwrap_or_default();
            let labels: Vec<Value> = problem
                .labels
                .iter()
                .map(|label| {
                    let mut fields = place_fields(place_of(label.span, sources));
                    fields.insert("message".to_owned(), json!(label.text));
                    Value::Object(fields)
                })
                .collect();
            let severity = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let mut fields = serde_json::Map::new();
            fields.insert("code".to_owned(), json!(problem.code.name()));
            fields.insert("severity".to_owned(), json!(severity));
            fields.insert("message".to_owned(), json!(problem.message));
            fields.extend(place);
            fields.insert("labels".to_owned(), json!(labels));
            fields.insert("help".to_owned(), json!(problem.help.join("\n")));
            Value::Object(fields)
        })
        .collect();
    json!({ "version": 1, "diagnostics": diagnostics })
}

type Place = (String, (usize, usize), (usize, usize));

fn place_of(span: pipe_grammar::Span, sources: &Sources) -> Place {
    let source = sources.get(span.source);
    (source.name.clone(), source.position(span.start), source.position(span.end))
}

fn place(span: pipe_grammar::Span, sources: &Sources) -> serde_json::Map<String, Value> {
    place_fields(place_of(span, sources))
}

fn place_fields((file, start, end): Place) -> serde_json::Map<String, Value> {
    let mut fields = serde_json::Map::new();
    fields.insert("file".to_owned(), json!(file));
    fields.insert("line".to_owned(), json!(start.0));
    fields.insert("column".to_owned(), json!(start.1));
    fields.insert("end_line".to_owned(), json!(end.0));
    fields.insert("end_column".to_owned(), json!(end.1));
    fields
}
