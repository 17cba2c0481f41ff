//! Texts in, trees and messages out: one file in `parse/` or `errors/` is one case.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use pipe_grammar::{Source, Sources, diagnostic::Rendered, parse};

/// The messages about a text, as a terminal of 100 columns shows them.
fn messages(name: &str, text: &str) -> String {
    let mut sources = Sources::default();
    let id = sources.add(Source::new(name, text));
    let parsed = parse(id, text);
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    for problem in &parsed.problems {
        handler.render_report(&mut out, &Rendered::new(problem, &sources)).expect("a drawing");
        out.push('\n');
    }
    out
}

#[test]
fn errors() {
    insta::glob!("errors/*.pipe", |path| {
        let text = std::fs::read_to_string(path).expect("a case");
        let mut shown = String::new();
        writeln!(shown, "{text}\n-----").expect("a string");
        shown.push_str(&messages("Pipelinefile", &text));
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("errors", shown);
        });
    });
}

#[test]
fn good_files_have_no_problem() {
    insta::glob!("parse/*.pipe", |path| {
        let text = std::fs::read_to_string(path).expect("a case");
        assert_eq!(messages("Pipelinefile", &text), "", "{}", path.display());
    });
}
