//! The builder that needs no daemon and no root: it puts layers on a base and sets values. It runs
//! nothing.

mod base;
mod config;
mod copy;
mod gate;
mod health;
mod plan;
mod ports;
mod stage;

use std::path::Path;

use pipe_grammar::Code;
use pipe_oci::{Descriptor, Digest, Platform, Reference, Store};
use tokio::sync::mpsc;

use super::{context::Context, request::Request};
use crate::core::{Call, Failure};
use gate::Gate;

/// An image in the store.
#[derive(Clone, Debug)]
pub(super) struct Built {
    /// Its manifest.
    pub(super) manifest: Descriptor,
    /// The digest of its configuration, as engines name images.
    pub(super) id: Digest,
}

/// Builds an image into the store and gives it its names.
pub(super) async fn build(
    call: &Call<'_>,
    store: &Store,
    context: Context,
    request: Request,
    tags: &[Reference],
) -> Result<Built, Failure> {
    let platform = match &request.platform {
        Some(text) => text.parse().map_err(|e: pipe_oci::Error| {
            Failure::new(Code::INVALID_IMAGE, e.to_string()).at_argument("platform")
        })?,
        None => Platform::host(),
    };
    let mtime = source_date(call)?;
    let base = {
        let plan = plan::plan(&context, &request, &platform)?;
        match &plan.base {
            plan::Base::Scratch => None,
            plan::Base::Image { reference, place } => {
                let found = base::fetch(call, store, reference, &platform, request.pull).await;
                let place = place.clone();
                Some(found.map_err(|failure| plan.blame(&context, failure, place))?)
            }
        }
    };
    // The work is done by a thread; its lines come back as they are written, and when nobody waits
    // for it any more it ends at the next piece.
    let (lines, mut written) = mpsc::unbounded_channel();
    let gate = Gate::new(call.cancel.child_token());
    let guard = gate.guard();
    let (store, tags) = (store.clone(), tags.to_vec());
    let work = tokio::task::spawn_blocking(move || {
        let plan = plan::plan(&context, &request, &platform)?;
        let job = stage::Job {
            store: &store,
            context: &context,
            request: &request,
            platform: &platform,
            mtime,
            gate: &gate,
            lines,
        };
        let built = stage::run(&job, &plan, base.as_ref())?;
        gate.check().map_err(|_| Failure::cancelled())?;
        for tag in &tags {
            store.name(tag, &built.manifest).map_err(|e| broken(&e))?;
        }
        Ok(built)
    });
    let built = call
        .unless_cancelled(async {
            while let Some(line) = written.recv().await {
                call.report.say(&line);
            }
            work.await
        })
        .await?;
    drop(guard);
    built.map_err(Failure::internal)?
}

/// The time of everything in the image: what `SOURCE_DATE_EPOCH` says, else 1970.
fn source_date(call: &Call<'_>) -> Result<u64, Failure> {
    let Some(text) = call.world.variable("SOURCE_DATE_EPOCH") else { return Ok(0) };
    text.trim().parse().map_err(|_| {
        let message = format!("`SOURCE_DATE_EPOCH` is `{text}`, which is no number of seconds");
        Failure::new(Code::BAD_PARAM, message).help("seconds since 1970: `git log -1 --format=%ct`")
    })
}

/// The disk of this machine failed.
pub(super) fn broken(error: &pipe_oci::Error) -> Failure {
    let failure = Failure::new(Code::BUILD_FAILED, error.to_string());
    match error.kind() {
        std::io::ErrorKind::StorageFull => failure
            .kind(crate::core::FailureKind::Infrastructure)
            .help("make room, or set `PIPE_STATE_DIR` to a folder on another disk"),
        std::io::ErrorKind::ConnectionAborted => Failure::cancelled(),
        _ => failure,
    }
}

/// A path inside an image, for people.
fn shown(path: &Path) -> String {
    format!("/{}", path.display())
}
