//! A step of a built-in.

use pipe_stdlib::core::{
    Call, Failure, FailureKind, Implementation, Intent, Report, Stream, Value, write_value,
};

use super::RunHost;
use crate::{
    eval::{Eval, Frame, StepCall, Stop},
    event::EventKind,
};

/// A call longer than this is cut where it is shown.
const LONGEST_TEXT: usize = 160;

/// Runs a step of a built-in to its end.
pub(super) async fn run(host: &RunHost, frame: &Frame, call: StepCall<'_>) -> Result<Value, Stop> {
    let Implementation::Step(body) = call.builtin.implementation else {
        return Err(Stop::evaluation(call.span, "this is no step"));
    };
    if frame.cancel.is_cancelled() {
        return Err(Stop::Cancelled);
    }
    // A line of the log is itself what there is to see.
    let quiet = call.builtin.module.is_empty() && call.builtin.name == "log";
    let step = (!quiet).then(|| host.start_step(frame, &shown(&call), call.span));
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step };
    let result = body(
        Call {
            world: &host.plan.world,
            connections: &host.plan.connections,
            connection: call.connection.map(|name| &**name),
            dir: &frame.dir,
            report: &report,
            cancel: &frame.cancel,
            run: host.plan.facts.run(),
            run_folder: &run_folder,
            stage: &stage,
        },
        call.arguments.clone(),
    )
    .await;
    let eval = Eval { program: &host.plan.program, host, frame };
    let result = result.map_err(|failure| placed(&eval, &failure, &call, frame));
    if let Some(step) = step {
        host.finish_step(frame, step, result.as_ref());
    }
    result
}

fn placed(eval: &Eval<'_>, failure: &Failure, call: &StepCall<'_>, frame: &Frame) -> Stop {
    if failure.kind == FailureKind::Cancelled || frame.cancel.is_cancelled() {
        // What a cancelled built-in could not undo it has said itself.
        return Stop::Cancelled;
    }
    match crate::eval::placed(eval.program, &frame.dir, call.span, failure, call.places) {
        Stop::Failed(mut failed) => {
            failed.step = frame.steps.last().cloned();
            Stop::Failed(failed)
        }
        other => other,
    }
}

/// The call with the values of what stands in it.
fn shown(call: &StepCall<'_>) -> String {
    let mut arguments: Vec<String> = Vec::new();
    for (number, (name, _)) in call.places.iter().enumerate() {
        let value = write_value(call.arguments.value(name));
        arguments.push(if number == 0 { value } else { format!("{name}: {value}") });
    }
    let name = match call.connection {
        Some(connection) => format!("{connection}.{}", call.builtin.name),
        None => call.builtin.full_name(),
    };
    let text = format!("{name}({})", arguments.join(", "));
    if text.chars().count() <= LONGEST_TEXT {
        return text;
    }
    let cut: String = text.chars().take(LONGEST_TEXT).collect();
    format!("{cut}…")
}

/// Passes on what a built-in says.
struct StepReport<'a> {
    host: &'a RunHost,
    stage: &'a str,
    step: Option<usize>,
}

impl Report for StepReport<'_> {
    fn say(&self, text: &str) {
        let events = &self.host.events;
        events.emit(EventKind::Said {
            stage: self.stage.to_owned(),
            step: self.step,
            text: events.mask.text(text).into_owned(),
        });
    }

    fn unstable(&self, message: &str) {
        self.host.mark_unstable(self.stage, message);
    }

    fn output(&self, stream: Stream, line: &str) {
        let step = self.step.unwrap_or(0);
        self.host.events.output(self.stage, step, stream, line.as_bytes(), true);
    }

    fn intend(&self, intent: Intent) -> Result<(), Failure> {
        self.host.events.intend(EventKind::Intent { stage: self.stage.to_owned(), intent })
    }

    fn intended(&self) -> Vec<Intent> {
        self.host.events.intended()
    }
}
