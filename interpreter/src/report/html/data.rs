//! What the script of the page gets.

use serde_json::{Value as Json, json};

use super::logs::Log;
use crate::{
    event::StepKind,
    report::{
        html::head::word,
        trail::{StageTrail, StepTrail, Trail},
    },
    run::log_name,
};

/// The run for the script: names are short, for there may be thousands of steps.
pub(super) fn data(trail: &Trail, logs: &[Option<Log>]) -> Json {
    let stages: Vec<Json> =
        trail.stages.iter().zip(logs).map(|(one, log)| stage(trail, one, log.as_ref())).collect();
    json!({ "end": trail.end, "failed": failed(trail), "stages": stages })
}

/// The stage that failed first.
fn failed(trail: &Trail) -> Option<usize> {
    let first = trail.summary.failures.first()?;
    trail.stages.iter().position(|stage| stage.name == first.stage)
}

fn stage(trail: &Trail, stage: &StageTrail, log: Option<&Log>) -> Json {
    let (class, shown) = word(stage.outcome);
    let name = if stage.name.is_empty() { "handlers" } else { &stage.name };
    let note = [stage.title.as_deref(), stage.note.as_deref()];
    let note: Vec<&str> = note.into_iter().flatten().collect();
    json!({
        "name": name,
        "class": if stage.name.is_empty() { "" } else { class },
        "word": if stage.name.is_empty() { "" } else { shown },
        "note": note.join(" · "),
        "ran": stage.at.is_some(),
        "start": stage.start,
        "millis": stage.millis,
        "said": stage.said,
        "steps": stage.steps.iter().map(step).collect::<Vec<_>>(),
        "log": log.map(|log| {
            let file = format!(".pipe/runs/{}/{}", trail.summary.run, log_name(&stage.name));
            self::log(log, &file)
        }),
    })
}

fn step(step: &StepTrail) -> Json {
    let (class, shown) = word(step.outcome);
    json!({
        "n": step.number,
        "in": step.within,
        "group": step.kind == StepKind::Group,
        "text": step.text,
        "line": step.line,
        "class": class,
        "word": shown,
        "start": step.start,
        "millis": step.millis,
        "said": step.said,
    })
}

fn log(log: &Log, file: &str) -> Json {
    json!({
        "file": file,
        "lines": log.lines,
        "chunks": log.chunks.iter().map(|chunk| [chunk.first, chunk.lines]).collect::<Vec<_>>(),
        "runs": log.runs.iter().map(|run| [run.line, run.step, usize::from(run.err)]).collect::<Vec<_>>(),
        "cut": log.cut.as_ref().map(|cut| json!({
            "first": cut.first, "lines": cut.lines, "size": super::logs::size(cut.bytes),
        })),
    })
}
