//! The builder that needs no daemon and no root: it puts layers on a base and sets values. It runs
//! nothing.

mod args;
mod beyond;
mod build;
mod config;
mod copy;
mod flags;
mod gate;
mod health;
mod images;
mod landing;
mod needs;
mod on;
mod onbuild;
mod plan;
mod ports;
mod source;
mod stage;
mod unpack;
mod wrong;

pub(super) use build::{build, can};

use std::path::Path;

use pipe_grammar::Code;

use crate::core::Failure;

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
