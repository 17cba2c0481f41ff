//! The place of a stage's commands when it is not this machine: made before the first statement,
//! gone after the last handler.

use std::{sync::Arc, time::Duration};

use pipe_grammar::Span;
use pipe_stdlib::core::{Call, Runner, Session};
use tokio_util::sync::CancellationToken;

use super::{
    RunHost,
    host::Begins,
    step::{StepReport, placed, seen},
};
use crate::{
    eval::{Frame, Stop, limited},
    event::StepKind,
};

/// How long the end may take.
const GRACE: Duration = Duration::from_secs(60);

/// Makes the place.
pub(super) async fn start(
    host: &RunHost,
    frame: &Frame,
    runner: &dyn Runner,
    connection: Option<&str>,
    span: Span,
) -> Result<Arc<dyn Session>, Stop> {
    let (path, text) = (frame.call(), format!("using {}", runner.shown()));
    let begins = Begins { kind: StepKind::Place, path: &path, text: &text, span };
    let step = host.start_step(frame, begins);
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step: Some(step) };
    let call = Call { connection, ..seen(host, frame, &report, &run_folder) };
    let result = runner.start(call, host.world_of(frame).root()).await;
    let result = result.map_err(|failure| placed(host, frame, &failure, span, &[]));
    host.finish_step(frame, step, result.as_ref().map(|_| None));
    result
}

/// Ends it, whatever has become of the stage. What can't be ended fails the stage, unless that has
/// failed already.
pub(super) async fn end(
    host: &RunHost,
    frame: &Frame,
    session: &dyn Session,
    span: Span,
    result: Result<(), Stop>,
) -> Result<(), Stop> {
    let cancel = CancellationToken::new();
    let last = Frame { cancel: cancel.clone(), limit: None, ..frame.clone() };
    let stage = host.stage_name(frame);
    let run_folder = host.events.folder();
    let report = StepReport { host, stage: &stage, step: None };
    let ended = limited(&cancel, GRACE, session.end(seen(host, &last, &report, &run_folder))).await;
    let ended = match ended {
        Some(ended) => ended.map_err(|failure| placed(host, &last, &failure, span, &[])),
        None => Err(Stop::evaluation(span, format!("{} could not be ended", session.shown()))),
    };
    match (result, ended) {
        (Ok(()), Err(stop)) => Err(stop),
        (result, _) => result,
    }
}
