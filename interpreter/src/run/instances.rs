//! The instances of a stage with `for`: one for each combination, side by side.

use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use pipe_grammar::tree::ClauseKind;
use pipe_stdlib::core::{Record, Value, write_value};

use super::{
    Begin, Ended, course,
    stage::{self, Clauses},
};
use crate::{
    eval::{Eval, Frame, Slot, Stop},
    event::EventKind,
    plan::sum,
    record::PastStage,
};

/// Runs the instances of a stage.
pub(super) async fn run(
    clauses: Clauses<'_>,
    eval: Eval<'_>,
    begin: &Begin,
    key: Option<&str>,
) -> Ended {
    let host = clauses.host;
    let name = clauses.stage.name.text.to_string();
    let frames = match frames(clauses, eval, key).await {
        Ok(frames) => frames,
        Err(stop) => return stage::not_begun(host, &name, stop),
    };
    if frames.is_empty() {
        let reason = "there is nothing to run it for".to_owned();
        host.events.emit(EventKind::StageSkipped { stage: name, reason });
        return Ended::Skipped;
    }
    let at_once = match at_once(clauses, eval).await {
        Ok(at_once) => at_once,
        Err(stop) => return stage::not_begun(host, &name, stop),
    };
    let keep_going = clauses.stage.clauses.iter().any(|c| matches!(c.kind, ClauseKind::KeepGoing));
    let mut waiting = frames.iter().enumerate();
    let mut running = FuturesUnordered::new();
    let mut ends: Vec<Option<(Ended, Record)>> = vec![None; frames.len()];
    let mut stopped = false;
    loop {
        while !stopped && running.len() < at_once {
            let Some((number, (frame, key))) = waiting.next() else { break };
            let known = key.as_ref().and_then(|key| begin.instances.get(key));
            if let Some(outputs) = kept(clauses, frame, known) {
                ends[number] = Some((Ended::Success, outputs));
                continue;
            }
            running.push(async move {
                // Whoever is cancelled while it waits for its turn is told so by its stage.
                let slot = Slot::take(&host.slots, frame).await.unwrap_or_default();
                let past = known
                    .filter(|known| known.outcome.is_none() && begin.goes_on)
                    .map(|known| Arc::new(known.steps.clone()));
                let frame = Frame { slot, past, ..frame.clone() };
                (number, stage::one(clauses, eval.at(&frame), key.clone()).await)
            });
        }
        let Some((number, (ended, outputs))) = running.next().await else { break };
        stopped |= eval.frame.cancel.is_cancelled()
            || matches!(ended, Ended::Failed(_, false)) && !keep_going;
        ends[number] = Some((ended, outputs));
    }
    let done: Vec<(Ended, Record)> = ends.into_iter().flatten().collect();
    host.set_outputs(&name, lists(clauses, eval, &done));
    together(&done)
}

/// The outputs of an instance that succeeded before.
fn kept(clauses: Clauses<'_>, frame: &Frame, known: Option<&PastStage>) -> Option<Record> {
    let known = known.filter(|known| known.is_done())?;
    let host = clauses.host;
    let outputs = course::instance_outputs(clauses.plan, frame.stage.unwrap_or(0), known)?;
    host.events.emit(EventKind::StageKept {
        stage: host.stage_name(frame),
        from: clauses.plan.facts.run().to_owned(),
        key: known.key.clone(),
        outputs: known.outputs.clone(),
    });
    for message in &known.unstable {
        host.mark_unstable(&host.stage_name(frame), message, None);
    }
    Some(outputs)
}

/// A frame for each combination, in order: the first loop is the outermost; and its key.
async fn frames(
    clauses: Clauses<'_>,
    eval: Eval<'_>,
    key: Option<&str>,
) -> Result<Vec<(Frame, Option<String>)>, Stop> {
    let clause = clauses.stage.clauses.iter().find_map(|clause| match &clause.kind {
        ClauseKind::For { loops, condition } => Some((loops, *condition)),
        _ => None,
    });
    let Some((loops, condition)) = clause else { return Ok(Vec::new()) };
    let mut frames = vec![eval.frame.inner()];
    for (name, list) in loops {
        let mut longer = Vec::new();
        for frame in frames {
            for item in eval.at(&frame).items(*list).await? {
                let inner = frame.inner();
                inner.scope.bind(&name.text, item);
                longer.push(inner);
            }
        }
        frames = longer;
    }
    let mut kept = Vec::new();
    for frame in frames {
        let keep = match condition {
            Some(condition) => eval.at(&frame).holds(condition).await?,
            None => true,
        };
        if keep {
            kept.push(frame);
        }
    }
    let names = loops.iter().map(|(name, _)| &name.text);
    Ok(kept
        .into_iter()
        .enumerate()
        .map(|(number, frame)| {
            let values = names.clone().map(|name| frame.scope.get(name).unwrap_or_default());
            let values: Vec<String> = values.map(|value| write_value(&value)).collect();
            let key = key.map(|key| format!("{key}/{}", sum(&values.join("\n"))));
            (Frame { instance: Some(number), ..frame }, key)
        })
        .collect())
}

async fn at_once(clauses: Clauses<'_>, eval: Eval<'_>) -> Result<usize, Stop> {
    let clause = clauses.find(|clause| match clause.kind {
        ClauseKind::AtOnce(count) => Some(count),
        _ => None,
    });
    let Some(count) = clause else { return Ok(usize::MAX) };
    match eval.value(count).await? {
        Value::Int(count) if count > 0 => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(Stop::evaluation(eval.program.file.span(count), "`at_once` is at least 1")),
    }
}

/// The outputs as lists, in the order of the combinations; those of instances that succeeded.
fn lists(clauses: Clauses<'_>, eval: Eval<'_>, done: &[(Ended, Record)]) -> Record {
    let facts = &clauses.plan.program.checked.stages[eval.frame.stage.unwrap_or(0)];
    let values = |name: &str| {
        let all = done.iter().filter(|(ended, _)| matches!(ended, Ended::Success));
        Value::list(all.filter_map(|(_, outputs)| outputs.get(name).cloned()))
    };
    facts.outputs.keys().map(|name| (name.clone(), values(name))).collect()
}

/// How the stage has ended.
fn together(done: &[(Ended, Record)]) -> Ended {
    let find =
        |test: fn(&Ended) -> bool| done.iter().map(|(end, _)| end).find(|end| test(end)).cloned();
    find(|end| matches!(end, Ended::Failed(_, false)))
        .or_else(|| find(|end| matches!(end, Ended::Cancelled)))
        .or_else(|| find(|end| matches!(end, Ended::Success)))
        .or_else(|| find(|end| matches!(end, Ended::Failed(_, true))))
        .unwrap_or(Ended::Skipped)
}
