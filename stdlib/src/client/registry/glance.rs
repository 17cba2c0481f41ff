//! A quick look at an image, for those who go on without an answer.

use std::time::Duration;

use pipe_oci::{Descriptor, Reference};

use super::{Pace, Registry, credentials, transport};
use crate::core::{Connections, World};

/// Nobody waits longer for something that is nice to know.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a registry has under a reference: its media type and its digest. Nothing when the registry
/// does not answer at once, refuses, or has no such image.
pub async fn glance(
    reference: &Reference,
    world: &World,
    connections: &Connections,
) -> Option<Descriptor> {
    let look = async {
        let host = reference.host();
        let credentials = credentials(host, world, connections).await.ok()?;
        let authorities = transport::authorities(host, world).ok()?;
        let pace = Pace { answer: PATIENCE, tries: 1, ..Pace::default() };
        let registry = Registry::reach(host, credentials, connections, authorities, pace).await;
        registry.ok()?.head(reference).await.ok()?
    };
    tokio::time::timeout(PATIENCE, look).await.ok()?
}
