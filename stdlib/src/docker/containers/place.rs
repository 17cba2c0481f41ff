//! Where the containers of a stage are: an engine, and a network in which they know each other by
//! name.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::{
    Guard,
    names::{RUN, host, labels, name, process},
    refused, sweep, watchdog,
};
use crate::{
    client::engine::{Attached, Engine, NewContainer},
    core::{Call, Failure},
};

/// The runs that have looked for what their dead predecessors left.
static SWEPT: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// So often a container is started whose network goes at the same moment.
const TRIES: usize = 3;

/// Where containers are.
pub(in crate::docker) struct Place {
    pub(in crate::docker) engine: Engine,
    labels: Vec<(String, String)>,
    network: String,
    run: String,
    stage: String,
}

/// A container that runs.
pub(in crate::docker) struct Started {
    /// Its id.
    pub(in crate::docker) id: String,
    /// Ends it.
    pub(in crate::docker) guard: Guard,
    /// The streams of its main process.
    pub(in crate::docker) attached: Attached,
}

impl Place {
    /// The engine for a call. The first call of a run removes what dead processes have left of runs in
    /// the same folder: no two run in it at the same time.
    pub(in crate::docker) async fn find(call: &Call<'_>) -> Result<Self, Failure> {
        let found = Engine::reach(call.world, call.connections);
        let engine = match call.unless_cancelled(found).await?? {
            Ok(engine) => engine,
            Err(none) => {
                return Err(none.failure().help(
                    "containers run in a Docker Engine only; a stage without `using` runs on this \
                     machine itself",
                ));
            }
        };
        let first = (engine.address.clone(), call.run.to_owned());
        if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(first) {
            let dead = |owner: &sweep::Owner| {
                owner.process != process()
                    && owner.workspace == call.world.root()
                    && owner.is_here()
            };
            for gone in call.unless_cancelled(sweep::clear(&engine, dead)).await?? {
                call.report.say(&format!("removed what an earlier run has left: {gone}"));
            }
        }
        watchdog::start(call.world, &engine).await;
        Ok(Self {
            labels: labels(call),
            network: name(call.run, call.stage, ""),
            run: call.run.to_owned(),
            stage: call.stage.to_owned(),
            engine,
        })
    }

    /// A container of the stage that is to be made; `what` tells it from others of the stage.
    pub(in crate::docker) fn container(&self, what: &str) -> NewContainer {
        NewContainer {
            name: name(&self.run, &self.stage, what),
            labels: self.labels.clone(),
            init: true,
            ..NewContainer::default()
        }
    }

    /// The network of the stage, made if there is none.
    pub(in crate::docker) async fn network(&self) -> Result<String, Failure> {
        // Engines take a name twice; whoever makes one in this run is in this process.
        static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _one = ONE.lock().await;
        if !self.has_network().await? {
            let made = self.engine.create_network(&self.network, &self.labels).await?;
            made.map_err(|refusal| refused::no_network(&self.engine, &refusal))?;
        }
        Ok(self.network.clone())
    }

    /// Whether the stage has its network already.
    pub(in crate::docker) async fn has_network(&self) -> Result<bool, Failure> {
        let found = self.engine.networks(&format!("{RUN}={}", self.run)).await?;
        Ok(found.iter().any(|network| network.name == self.network))
    }

    /// Makes a container and starts it. One with the same name that is still there is `None`.
    pub(in crate::docker) async fn start(
        &self,
        new: &NewContainer,
    ) -> Result<Option<Started>, Failure> {
        let made = self.engine.create(new).await?;
        let id = match made {
            Ok(id) => id,
            Err(refusal) if refusal.status == 409 && refusal.says(&["already in use"]) => {
                return Ok(None);
            }
            Err(refusal) => {
                if new.network == self.network {
                    self.engine.remove_network(&self.network).await?;
                }
                return Err(refused::not_made(&self.engine, new, &refusal));
            }
        };
        let network = (new.network == self.network).then(|| self.network.clone());
        let guard = Guard::new(&self.engine, id.clone(), network);
        let attached = match self.engine.attach(&id, new.stdin).await? {
            Ok(attached) => attached,
            Err(refusal) => {
                guard.end().await?;
                return Err(refused::not_made(&self.engine, new, &refusal));
            }
        };
        for _ in 0..TRIES {
            match self.engine.start(&id).await? {
                Ok(()) => return Ok(Some(Started { id, guard, attached })),
                // The last one in it has just ended.
                Err(refusal) if refusal.says(&["network", &self.network, "not found"]) => {
                    self.network().await?;
                }
                Err(refusal) => {
                    guard.end().await?;
                    return Err(refused::not_made(&self.engine, new, &refusal));
                }
            }
        }
        Err(self.engine.failed_inside(&format!("the network `{}` does not stay", self.network)))
    }

    /// The address of the engine's machine: what listens there, and how it is reached from here.
    pub(in crate::docker) fn address(&self) -> (&'static str, String) {
        match remote(&self.engine.address) {
            Some(host) => ("0.0.0.0", host),
            None => ("127.0.0.1", "127.0.0.1".to_owned()),
        }
    }
}

/// The host of an engine that is on another machine.
fn remote(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    if scheme == "unix" {
        return None;
    }
    let at = rest.split('/').next()?;
    let machine = at.rsplit_once(':').map_or(at, |(machine, _)| machine);
    let is_this = ["localhost", "127.0.0.1", "[::1]"].contains(&machine) || machine == host();
    (!is_this).then(|| machine.trim_matches(['[', ']']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_elsewhere_has_an_address() {
        assert_eq!(remote("tcp://docker:2375"), Some("docker".to_owned()));
        assert_eq!(remote("tcp://[fd00::1]:2376/"), Some("fd00::1".to_owned()));
        for here in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost"] {
            assert_eq!(remote(here), None);
        }
    }
}
