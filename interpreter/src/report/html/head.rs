//! What is read first: how the run ended, and why; and its stages as a table.

use std::fmt::Write as _;

use super::escape::escaped;
use crate::{
    event::Outcome,
    report::{history, plain::time, trail::Trail},
};

/// The class and the word for an outcome.
pub(super) fn word(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Success) => ("success", "done"),
        Some(Outcome::Failed) => ("failed", "failed"),
        Some(Outcome::Unstable) => ("unstable", "unstable"),
        Some(Outcome::Cancelled) => ("cancelled", "cancelled"),
        Some(Outcome::Skipped) => ("skipped", "skipped"),
        Some(Outcome::Waiting) => ("waiting", "waits for an answer"),
        None => ("open", "not ended"),
    }
}

/// The head of the page.
pub(super) fn head(trail: &Trail) -> String {
    let run = &trail.summary;
    let (class, word) = word(run.outcome);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<header class=\"{class}\">\n<h1>{} <span class=\"badge\">{word}</span></h1>",
        escaped(&run.pipeline)
    );
    let mut about = vec![
        format!("run <code>{}</code>", escaped(&run.run)),
        format!("<time datetime=\"{0}\">{0}</time>", escaped(run.started.get(..19).unwrap_or(""))),
        time(run.millis),
        format!("<code>{}</code>", escaped(&run.file)),
    ];
    if run.local {
        about.push("on the local cluster".to_owned());
    }
    if run.resumed > 0 {
        about.push(format!("resumed {}", times(run.resumed)));
    }
    if let Some(status) = run.status.filter(|status| *status != 0) {
        about.push(format!("status {status}"));
    }
    let _ = writeln!(out, "<p>{}</p>\n</header>\n<main>", about.join(" · "));
    for damage in &run.damage {
        let damage = escaped(damage);
        let _ = writeln!(out, "<p class=\"notice\">The journal of this run: {damage}</p>");
    }
    out.push_str(&cause(trail));
    for asked in &run.questions {
        let until = asked.until.as_ref();
        let until = until.map_or(String::new(), |at| format!(" (until {})", history::clock(at)));
        let _ = writeln!(
            out,
            "<p class=\"notice\"><b>{}</b> asks: {}{}<br><code>pipe approve {} {}</code></p>",
            escaped(&asked.stage),
            escaped(&asked.question),
            escaped(&until),
            escaped(&run.run),
            escaped(&asked.stage),
        );
    }
    out
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// What failed, the cause first.
fn cause(trail: &Trail) -> String {
    let failures = &trail.summary.failures;
    let Some(first) = failures.first() else { return String::new() };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<section id=\"cause\">\n<h2>{}</h2>\n<pre>{}</pre>",
        escaped(&first.message),
        escaped(first.drawn.trim_end())
    );
    for more in &failures[1..] {
        let _ = writeln!(
            out,
            "<details><summary>then: {}</summary><pre>{}</pre></details>",
            escaped(&more.message),
            escaped(more.drawn.trim_end())
        );
    }
    out.push_str("</section>\n");
    out
}

/// The stages as a table; the script puts the time line in its place.
pub(super) fn stages(trail: &Trail) -> String {
    let mut out =
        String::from("<section id=\"stages\">\n<h2>Stages</h2>\n<div id=\"rows\"><table>\n");
    for stage in &trail.stages {
        let (class, word) = word(stage.outcome);
        let name = if stage.name.is_empty() { "handlers" } else { &stage.name };
        // The handlers behind the last stage have no outcome of their own.
        let word = if stage.name.is_empty() { "" } else { word };
        let note = stage.note.as_ref().or(stage.title.as_ref()).map_or("", |note| note);
        let _ = writeln!(
            out,
            "<tr class=\"{class}\"><th>{}</th><td>{word}</td><td>{}</td><td>{}</td></tr>",
            escaped(name),
            stage.millis.map_or(String::new(), time),
            escaped(note),
        );
    }
    out.push_str("</table></div>\n</section>\n");
    out
}
