//! Tables: tests, inputs, outputs, answers.

use std::fmt::Write as _;

use pipe_stdlib::core::{TestOutcome, TestResult, Value, write_value};

use super::escape::escaped;
use crate::report::trail::Trail;

/// So many failed tests are shown with their text.
const MOST_TESTS: usize = 200;

/// The tests that were collected: those that failed, and how many did not.
pub(super) fn tests(trail: &Trail) -> String {
    let all: Vec<&TestResult> = trail.stages.iter().flat_map(|stage| &stage.tests).collect();
    if all.is_empty() {
        return String::new();
    }
    let count = |wanted| all.iter().filter(|test| test.outcome == wanted).count();
    let mut out = format!("<section id=\"tests\">\n<h2>Tests</h2>\n<p>{} tests", all.len());
    for (outcome, word) in [
        (TestOutcome::Failed, "failed"),
        (TestOutcome::Flaky, "flaky"),
        (TestOutcome::Skipped, "skipped"),
    ] {
        if count(outcome) > 0 {
            let _ = write!(out, " · {} {word}", count(outcome));
        }
    }
    out.push_str("</p>\n");
    let told =
        |test: &&&TestResult| matches!(test.outcome, TestOutcome::Failed | TestOutcome::Flaky);
    for test in all.iter().filter(told).take(MOST_TESTS) {
        let place = if test.class.is_empty() { &test.suite } else { &test.class };
        let class = if test.outcome == TestOutcome::Failed { "failed" } else { "unstable" };
        let _ = writeln!(
            out,
            "<details class=\"{class}\"><summary><b>{}</b> {} <i>{}</i></summary><pre>{}</pre></details>",
            escaped(&test.name),
            escaped(place),
            escaped(&test.message),
            escaped(&test.text),
        );
    }
    let hidden = all.iter().filter(told).count().saturating_sub(MOST_TESTS);
    if hidden > 0 {
        let _ =
            writeln!(out, "<p>{hidden} more are in <code>pipe report --format junit</code></p>");
    }
    out.push_str("</section>\n");
    out
}

/// Inputs, outputs and answers.
pub(super) fn facts(trail: &Trail) -> String {
    let shown = |json: &serde_json::Value| write_value(&Value::from_json(json));
    let params: Vec<[String; 2]> =
        trail.summary.params.iter().map(|(name, value)| [name.clone(), shown(value)]).collect();
    let outputs: Vec<[String; 2]> = trail
        .stages
        .iter()
        .flat_map(|stage| {
            let name = |output: &String| format!("{}.{output}", stage.name);
            stage.outputs.iter().map(move |(output, value)| [name(output), shown(value)])
        })
        .collect();
    let answers: Vec<[String; 2]> =
        trail.answers.iter().map(|(stage, answer)| [stage.clone(), answer.clone()]).collect();
    let mut out = table("Parameters", &["Name", "Value"], &params);
    out.push_str(&table("Outputs", &["Name", "Value"], &outputs));
    out.push_str(&table("Approvals", &["Stage", "Answer"], &answers));
    out
}

/// A table with a heading; nothing when it has no row.
pub(super) fn table<const N: usize>(
    title: &str,
    columns: &[&str; N],
    rows: &[[String; N]],
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("<section>\n<h2>{title}</h2>\n<table>\n<tr>");
    for column in columns {
        let _ = write!(out, "<th>{column}</th>");
    }
    out.push_str("</tr>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}</td>", escaped(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n</section>\n");
    out
}
