//! A container that does not outlive whoever holds it.

use std::sync::{Mutex, PoisonError};

use crate::{client::engine::Engine, core::Failure};

/// A container, and the network of its stage, which goes with the last one in it.
///
/// Dropped, it has them removed in the background; when `pipe` itself is gone, the watchdog does it.
pub(in crate::docker) struct Guard {
    engine: Engine,
    held: Mutex<Option<Held>>,
}

struct Held {
    container: String,
    network: Option<String>,
}

impl Guard {
    pub(super) fn new(engine: &Engine, container: String, network: Option<String>) -> Self {
        let held = Mutex::new(Some(Held { container, network }));
        Self { engine: engine.clone(), held }
    }

    /// Ends and removes the container, and the network when nobody else is in it. Nothing happens
    /// the second time.
    pub(in crate::docker) async fn end(&self) -> Result<(), Failure> {
        let Some(held) = self.take() else { return Ok(()) };
        let removed = remove(&self.engine, &held).await;
        if removed.is_err() {
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        }
        removed
    }

    fn take(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(held) = self.take() else { return };
        let engine = self.engine.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Who can't be asked any more has nothing to remove either.
            runtime.spawn(async move { drop(remove(&engine, &held).await) });
        }
    }
}

async fn remove(engine: &Engine, held: &Held) -> Result<(), Failure> {
    engine.remove(&held.container).await?;
    if let Some(network) = &held.network {
        engine.remove_network(network).await?;
    }
    Ok(())
}
