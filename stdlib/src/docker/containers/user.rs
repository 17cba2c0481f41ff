//! As whom a container works on the files of the workspace.

use crate::{client::engine::Engine, core::Failure};

/// `UID:GID` of `pipe`, so that what the container writes is the user's and not root's. An engine
/// that runs without root maps a container's root to the user who runs it.
pub(in crate::docker) async fn user(engine: &Engine) -> Result<String, Failure> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() || engine.is_rootless().await? {
        return Ok("0:0".to_owned());
    }
    Ok(format!("{}:{}", user.as_raw(), group.as_raw()))
}
