//! Runs of the past as text: the list of them, and one of them.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};
use pipe_stdlib::core::{Intent, Value, write_value};

use super::{draw::Look, plain::time};
use crate::{
    event::Outcome,
    record::{StageSummary, Summary},
};

/// How a run or a stage ended, in one word.
fn word(outcome: Option<Outcome>, running: bool) -> &'static str {
    match outcome {
        Some(Outcome::Success) => "done",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Unstable) => "unstable",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::Skipped) => "skipped",
        Some(Outcome::Waiting) => "waits",
        None if running => "runs",
        None => "interrupted",
    }
}

/// A time as a clock here shows it.
pub(crate) fn clock(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(
        |_| at.to_owned(),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// The list of runs, newest first. `running` is the id of the one that runs now.
#[must_use]
pub fn runs(all: &[Summary], running: Option<&str>, width: usize) -> String {
    let mut out = String::new();
    let rows: Vec<[String; 4]> = all
        .iter()
        .map(|run| {
            let state = word(run.outcome, running == Some(&run.run));
            [run.run.clone(), clock(&run.started), state.to_owned(), time(run.millis)]
        })
        .collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..4).map(|column| widest(column).unwrap_or(0)).collect();
    for (row, run) in rows.iter().zip(all) {
        let mut line = String::new();
        for (text, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{text:<width$}  ");
        }
        line.push_str(&told(run));
        let line: String = line.trim_end().chars().take(width).collect();
        let _ = writeln!(out, "{line}");
    }
    out
}

/// What there is to say of a run: what it waits for, where it failed, its inputs.
fn told(run: &Summary) -> String {
    if let Some(question) = run.questions.first().filter(|_| run.outcome == Some(Outcome::Waiting))
    {
        return format!("{}: {}", question.stage, question.question);
    }
    if let Some(failure) = run.failures.first() {
        return failure.stage.clone();
    }
    let inputs = run.params.iter().map(|(name, value)| format!("{name}={}", plain(value)));
    inputs.collect::<Vec<_>>().join(" ")
}

/// A value as the plan writes it.
fn plain(json: &serde_json::Value) -> String {
    write_value(&Value::from_json(json))
}

/// One run. `running` says that it runs now.
#[must_use]
pub fn run(run: &Summary, running: bool, look: Look) -> String {
    let mut out = String::new();
    let place = if run.local { " on the local cluster" } else { "" };
    let _ = writeln!(out, "{}{place}, run {}", run.pipeline, run.run);
    let again = match run.resumed {
        0 => String::new(),
        1 => ", resumed once".to_owned(),
        more => format!(", resumed {more} times"),
    };
    let status = run.status.map_or(String::new(), |status| format!(", status {status}"));
    let state = word(run.outcome, running);
    let began = clock(&run.started);
    let _ = writeln!(out, "  {state} after {}{status}; began {began}{again}", time(run.millis));
    for (name, value) in &run.params {
        let _ = writeln!(out, "  {name} = {}", plain(value));
    }
    for damage in &run.damage {
        let _ = writeln!(out, "  its journal: {damage}");
    }
    let _ = writeln!(out);
    let widest = run.stages.iter().map(|stage| stage.stage.chars().count()).max().unwrap_or(0);
    for stage in &run.stages {
        let _ = writeln!(out, "{}", row(stage, widest, running, look));
        for (name, value) in &stage.outputs {
            let text = format!("{name} = {}", plain(value));
            let text: String = text.chars().take(look.width.saturating_sub(6)).collect();
            let _ = writeln!(out, "      {text}");
        }
    }
    if !run.effects.is_empty() {
        let _ = writeln!(out, "\noutside:");
        for effect in &run.effects {
            let _ = writeln!(out, "  {}", in_words(effect));
        }
    }
    for failure in &run.failures {
        let _ = writeln!(out, "\n{}", failure.drawn.trim_end());
    }
    for asked in &run.questions {
        let until =
            asked.until.as_ref().map_or(String::new(), |at| format!(" (until {})", clock(at)));
        let _ = writeln!(out, "\n{} asks: {}{until}", asked.stage, asked.question);
        let _ = writeln!(out, "  yes: pipe approve {} {}", run.run, asked.stage);
        let _ = writeln!(out, "  no:  pipe refuse {} {}", run.run, asked.stage);
    }
    let open = !matches!(
        run.outcome,
        Some(Outcome::Success | Outcome::Unstable | Outcome::Waiting | Outcome::Skipped)
    );
    if open && !running {
        let _ = writeln!(out, "\nto go on from there: pipe resume {}", run.run);
    }
    out
}

fn row(stage: &StageSummary, widest: usize, running: bool, look: Look) -> String {
    let mark = match (stage.outcome, look.unicode) {
        (Some(Outcome::Success), true) => "✓",
        (Some(Outcome::Failed), true) => "✗",
        (Some(Outcome::Unstable), true) => "⚠",
        (Some(Outcome::Cancelled), true) => "■",
        (Some(Outcome::Skipped), true) => "–",
        (None, true) => "▸",
        _ => " ",
    };
    let name = &stage.stage;
    let state = word(stage.outcome, running);
    let time = stage.millis.map_or(String::new(), time);
    let more = match (&stage.reason, &stage.from, &stage.title) {
        (Some(reason), ..) => reason.clone(),
        (_, Some(from), _) => format!("in run {from}"),
        (.., Some(title)) => title.clone(),
        _ => String::new(),
    };
    let row = format!("{mark} {name:<widest$}  {state:<11}  {time:>9}  {more}");
    row.trim_end().chars().take(look.width).collect()
}

/// An effect in words.
fn in_words(effect: &Intent) -> String {
    let json = serde_json::to_value(effect).unwrap_or_default();
    let what = json["intent"].as_str().unwrap_or("").replace('_', " ");
    let fields = json.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, value)| *name != "intent" && value.is_string());
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{} {}", name.replace('_', " "), value.as_str().unwrap_or("")))
        .collect();
    format!("{what}: {}", fields.join(", "))
}
