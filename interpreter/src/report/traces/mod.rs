//! A run as spans of OpenTelemetry, sent when it has ended: the run is not slowed, and what is sent
//! is what its journal says.

mod otlp;
mod send;
mod spans;

use std::path::Path;

use pipe_stdlib::core::World;

use crate::{record::Ledger, trace::Trace};

/// Sends the spans of the last part of a run. Gives what there is to tell a person when that did not
/// work: one line.
pub async fn send(world: &World, trace: &Trace, folder: &Path) -> Option<String> {
    let ledger = Ledger::read(folder).ok()?;
    let spans = spans::of(&ledger, trace);
    let batches = otlp::batches(world, trace, &spans);
    send::send(world, &batches).await.err()
}
