//! A run as plain whole lines: for logs, pipes and CI.

use std::{collections::BTreeMap, io::Write};

use super::{draw::Look, history::clock};
use crate::{
    event::{Event, EventKind, Outcome},
    run::{Piece, Reporter},
};

/// Shows a run as lines. A stage's name stands before a line only while several stages run.
pub struct Plain<W> {
    out: W,
    look: Look,
    /// The stages that run, in the order they began.
    running: Vec<String>,
    /// How deep in `step`s each step is.
    depths: BTreeMap<usize, usize>,
    /// Whether the last piece of output ended its line.
    open_line: bool,
    failures: usize,
    stages: usize,
    run: String,
    skipped: Vec<String>,
    unstable: Vec<String>,
}

impl<W: Write + Send> Plain<W> {
    /// Writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self {
            out,
            look,
            running: Vec::new(),
            depths: BTreeMap::new(),
            open_line: false,
            failures: 0,
            stages: 0,
            run: String::new(),
            skipped: Vec::new(),
            unstable: Vec::new(),
        }
    }

    fn mark(&self, outcome: Outcome) -> &'static str {
        match (outcome, self.look.unicode) {
            (Outcome::Success, true) => "✓",
            (Outcome::Success, false) => "ok",
            (Outcome::Failed, true) => "✗",
            (Outcome::Failed, false) => "FAILED",
            (Outcome::Unstable, true) => "⚠",
            (Outcome::Unstable, false) => "unstable",
            (Outcome::Cancelled, true) => "■",
            (Outcome::Cancelled, false) => "cancelled",
            (Outcome::Skipped, true) => "–",
            (Outcome::Waiting, true) => "?",
            (Outcome::Waiting, false) => "waits",
            (Outcome::Skipped, false) => "skipped",
        }
    }

    fn colour(&self, text: &str, code: &str) -> String {
        if self.look.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn outcome(&self, outcome: Outcome) -> String {
        let code = match outcome {
            Outcome::Success => "32",
            Outcome::Failed => "31",
            Outcome::Unstable | Outcome::Waiting => "33",
            Outcome::Cancelled | Outcome::Skipped => "2",
        };
        self.colour(self.mark(outcome), code)
    }

    /// A reader that is gone is no reason to stop a deployment: what can't be written is dropped,
    /// the journal has it.
    fn raw(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes);
    }

    fn line(&mut self, stage: &str, text: &str) {
        if self.open_line {
            self.raw(b"\n");
            self.open_line = false;
        }
        for line in text.lines() {
            let prefix = self.prefix(stage);
            self.raw(format!("{prefix}{line}\n").as_bytes());
        }
        let _ = self.out.flush();
    }

    fn prefix(&self, stage: &str) -> String {
        if self.running.len() > 1 && !stage.is_empty() {
            let width = self.running.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            format!("{stage:<width$} | ")
        } else {
            String::new()
        }
    }

    fn indent(&self, step: Option<usize>) -> String {
        let depth = step.and_then(|step| self.depths.get(&step)).map_or(0, |depth| depth + 1);
        "  ".repeat(depth + 1)
    }
}

/// A time span as people say it.
pub(crate) fn time(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

impl<W: Write + Send> Reporter for Plain<W> {
    fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { run, pipeline, params, local, .. } => {
                self.run.clone_from(run);
                let inputs: Vec<String> = params.iter().map(|(k, v)| format!("{k}={v}")).collect();
                let place = if *local { " on the local cluster" } else { "" };
                let inputs = if inputs.is_empty() {
                    String::new()
                } else {
                    format!("  {}", inputs.join(" "))
                };
                let name = self.colour(pipeline, "1");
                self.line("", &format!("{name}{place}, run {run}{inputs}"));
            }
            EventKind::StageStarted { stage, title, .. } => {
                self.running.push(stage.clone());
                self.stages += 1;
                let title = title.as_ref().map_or(String::new(), |title| format!("  {title}"));
                let mark = if self.look.unicode { "▸" } else { ">" };
                let name = self.colour(stage, "1");
                self.line(stage, &format!("{mark} {name}{title}"));
            }
            EventKind::StageSkipped { stage, reason } => {
                self.skipped.push(stage.clone());
                let mark = self.outcome(Outcome::Skipped);
                self.line(stage, &format!("{mark} {stage} is skipped: {reason}"));
            }
            EventKind::StageFinished { stage, outcome, millis, .. } => {
                let word = match outcome {
                    Outcome::Success => "",
                    Outcome::Failed => " failed",
                    Outcome::Unstable => " unstable",
                    Outcome::Cancelled => " cancelled",
                    Outcome::Skipped => " skipped",
                    Outcome::Waiting => " waits",
                };
                let mark = self.outcome(*outcome);
                let time = self.colour(&time(*millis), "2");
                self.line(stage, &format!("{mark} {stage}{word}  {time}"));
                self.running.retain(|running| running != stage);
            }
            EventKind::StepStarted { stage, step, within, text, .. } => {
                let depth = within.and_then(|step| self.depths.get(&step)).map_or(0, |d| d + 1);
                self.depths.insert(*step, depth);
                let indent = "  ".repeat(depth + 1);
                let text = text.lines().collect::<Vec<_>>().join(&format!("\n{indent}  "));
                let text = self.colour(&text, "36");
                self.line(stage, &format!("{indent}{text}"));
            }
            EventKind::StepFinished { step, .. } => {
                self.depths.remove(step);
            }
            EventKind::Said { stage, step, text } => {
                let indent = self.indent(*step);
                let text = text.lines().collect::<Vec<_>>().join(&format!("\n{indent}"));
                self.line(stage, &format!("{indent}{text}"));
            }
            EventKind::Unstable { stage, message, .. } => {
                self.unstable.push(format!("{stage}: {message}"));
                let mark = self.outcome(Outcome::Unstable);
                self.line(stage, &format!("  {mark} may fail, and did: {message}"));
            }
            EventKind::Failure { stage, drawn, .. } => {
                self.failures += 1;
                if self.failures == 1 {
                    self.line(stage, &format!("\n{}", drawn.trim_end()));
                    self.line(stage, " ");
                } else {
                    self.line(stage, drawn.trim_end());
                }
            }
            EventKind::Intent { .. } | EventKind::Tests { .. } | EventKind::FactRead { .. } => {}
            EventKind::RunResumed { run, pipeline, .. } => {
                self.run.clone_from(run);
                let name = self.colour(pipeline, "1");
                self.line("", &format!("{name} goes on, run {run}"));
            }
            EventKind::StageKept { stage, from, .. } => {
                let mark = self.outcome(Outcome::Success);
                let from =
                    if *from == self.run { String::new() } else { format!(", in run {from}") };
                self.line(stage, &format!("{mark} {stage}  done before{from}"));
            }
            EventKind::StepKept { stage, text } => {
                let text = text.lines().next().unwrap_or("");
                self.line(stage, &format!("  done before: {text}"));
            }
            EventKind::Asked { stage, question, until } => {
                let mark = self.outcome(Outcome::Waiting);
                let until =
                    until.as_ref().map_or(String::new(), |at| format!(" (until {})", clock(at)));
                self.line(stage, &format!("{mark} {stage} waits for an answer: {question}{until}"));
                let run = self.run.clone();
                self.line(stage, &format!("  yes: pipe approve {run} {stage}"));
                self.line(stage, &format!("  no:  pipe refuse {run} {stage}"));
            }
            EventKind::Answered { stage, yes, by, why } => {
                let word = if *yes { "approved" } else { "refused" };
                let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
                self.line(stage, &format!("  {stage} is {word} by {by}{why}"));
            }
            EventKind::RunFinished { outcome, status, millis, .. } => {
                let what = match outcome {
                    Outcome::Success => "done",
                    Outcome::Unstable => "done, unstable",
                    Outcome::Failed => "failed",
                    Outcome::Cancelled => "cancelled",
                    Outcome::Skipped => "skipped",
                    Outcome::Waiting => "waits for an answer",
                };
                let mark = self.outcome(*outcome);
                let status =
                    if *status == 0 { String::new() } else { format!(", status {status}") };
                let run = self.run.clone();
                let log = if *outcome == Outcome::Success {
                    String::new()
                } else {
                    format!(", journal in .pipe/runs/{run}")
                };
                let stages = pipe_grammar::diagnostic::count("stage", self.stages);
                let text = format!("{mark} {what}: {stages} in {}{status}{log}", time(*millis));
                self.line("", &text);
                if matches!(outcome, Outcome::Failed | Outcome::Cancelled) {
                    self.line("", &format!("  to go on from there: pipe resume {run}"));
                }
            }
        }
    }

    fn silence(&mut self, seconds: u64) {
        let mark = if self.look.unicode { "…" } else { "..." };
        let running = self.running.join(", ");
        let what = if running.is_empty() { "the run".to_owned() } else { running };
        let text = format!("  {mark} {what} goes on, silent for {}", time(seconds * 1000));
        let text = self.colour(&text, "2");
        self.line("", &text);
    }

    fn output(&mut self, piece: Piece<'_>) {
        // One write a line: each is a call of the system.
        let mut line = Vec::with_capacity(piece.bytes.len() + 8);
        if !self.open_line {
            line.extend_from_slice(self.prefix(piece.stage).as_bytes());
            line.extend_from_slice(b"    ");
        }
        line.extend_from_slice(piece.bytes);
        if piece.complete {
            line.push(b'\n');
        }
        self.open_line = !piece.complete;
        self.raw(&line);
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(time(1234), "1.2 s");
        assert_eq!(time(61_000), "1 min 1 s");
        assert_eq!(time(3_660_000), "1 h 1 min");
    }
}
