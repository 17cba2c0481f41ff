//! The image that a Dockerfile builds on.

use pipe_grammar::Code;
use pipe_oci::{Descriptor, Platform, Reference, Store};

use super::broken;
use crate::{
    client::registry::Registry,
    core::{Call, Failure},
};

/// The manifest of a base image in the store. It is pulled when it is not there, is made for
/// another platform, or `pull` asks for it.
pub(super) async fn fetch(
    call: &Call<'_>,
    store: &Store,
    reference: &Reference,
    platform: &Platform,
    pull: bool,
) -> Result<Descriptor, Failure> {
    let reference = reference.clone().or_latest();
    if !pull && let Some(there) = local(store, &reference, platform) {
        return Ok(there);
    }
    // The local cluster's registry may have it; otherwise it comes from where it is at home.
    if let Some(cluster) = &call.connections.local
        && let Ok(here) = cluster.image(&reference.to_string()).parse::<Reference>()
    {
        if !pull && let Some(there) = local(store, &here, platform) {
            return Ok(there);
        }
        let registry = Registry::connect(here.host(), call.world, call.connections);
        let registry = call.unless_cancelled(registry).await??;
        if call.unless_cancelled(registry.head(&here)).await??.is_some() {
            return pulled(call, &registry, store, &here, platform).await;
        }
    }
    let registry = Registry::connect(reference.host(), call.world, call.connections);
    let registry = call.unless_cancelled(registry).await??;
    pulled(call, &registry, store, &reference, platform).await
}

async fn pulled(
    call: &Call<'_>,
    registry: &Registry,
    store: &Store,
    reference: &Reference,
    platform: &Platform,
) -> Result<Descriptor, Failure> {
    call.report.say(&format!("pulling {} for {platform}", reference.familiar()));
    let manifest = call.unless_cancelled(registry.pull(store, reference, platform)).await??;
    if reference.digest().is_none() {
        store.name(reference, &manifest).map_err(|e| broken(&e))?;
    }
    local(store, reference, platform).ok_or_else(|| {
        let message = format!("`{}` is not made for `{platform}`", reference.familiar());
        Failure::new(Code::INVALID_IMAGE, message)
    })
}

/// What the store has under a name, whole and for this platform.
fn local(store: &Store, reference: &Reference, platform: &Platform) -> Option<Descriptor> {
    let named = store.find(reference).ok()??;
    let manifest = store.manifest(&named.manifest.digest).ok()?;
    let is_whole = manifest.blobs().all(|blob| store.size(&blob.digest) == Some(blob.size));
    let config = store.config(&manifest).ok()?;
    (is_whole && config.platform().satisfies(platform)).then_some(named.manifest)
}
