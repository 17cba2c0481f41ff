//! An app that stands beside another one for a while, and what a block may know of it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pipe_grammar::Code;

use super::{
    balancer::LoadBalancer,
    definition::Definition,
    deploy::{Deploying, Options},
    normalise::normalise,
    record,
    site::Site,
    way_back::Policy,
    withdraw::withdraw,
};
use crate::{
    client::marathon::{App, ServerVersion},
    core::{Failure, FailureKind, Intent, Value},
};

/// How long another deployment of such an app is waited for.
pub(super) const LOCK_WITHIN: Duration = Duration::from_secs(600);

/// An app beside another one has a task, or there is nothing to try.
///
/// # Errors
///
/// Its definition says otherwise.
pub(super) fn needs_tasks(definition: &Definition) -> Result<(), Failure> {
    if definition.json["instances"].as_u64() != Some(0) {
        return Ok(());
    }
    let what = format!("`{}` is to have no task, so there is nothing to try", definition.id);
    Err(Failure::new(Code::INVALID_APP, what)
        .at(definition.spot("/instances"))
        .help("give it the number with which it will serve: `with: { instances: 3 }`"))
}

/// Starts it, and waits until it works. What does not work is removed.
///
/// # Errors
///
/// As of a deployment.
pub(super) async fn start(
    site: &Site<'_>,
    definition: &Definition,
    of: &str,
    balancer: Option<&LoadBalancer>,
    within: Option<Duration>,
    force: bool,
) -> Result<App, Failure> {
    site.call.report.intend(Intent::Beside {
        marathon: site.client.url().to_owned(),
        app: definition.id.clone(),
        of: of.to_owned(),
    })?;
    let options = Options {
        within,
        on_failure: Policy::Remove,
        keep_instances: false,
        force,
        lock_within: LOCK_WITHIN,
        settle: None,
    };
    let deployed = Deploying { site, definition, options }.run().await;
    let app = match deployed {
        Ok(_) => site.existing(&definition.id).await,
        Err(failure) => Err(failure),
    };
    match app {
        // Whoever came after us must not be undone.
        Err(failure) if failure.kind == FailureKind::Superseded => Err(failure),
        Err(failure) => match withdraw(site, &definition.id, balancer).await {
            Ok(()) => Err(failure),
            Err(left) => Err(left.help.into_iter().fold(failure, Failure::help)),
        },
        app => app,
    }
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It stands beside the other one.
    Beside,
    /// It was promoted: nothing is undone any more.
    Promoted,
    /// It was removed.
    Gone,
}

/// What a block knows of it.
pub(super) struct Known(Mutex<Inside>);

struct Inside {
    phase: Phase,
    url: String,
    tasks: Value,
}

impl Known {
    /// An app that works.
    pub(super) fn new(app: &App, server: ServerVersion) -> Self {
        let (url, tasks) = seen(app, server);
        Self(Mutex::new(Inside { phase: Phase::Beside, url, tasks }))
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is.
    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// It goes on.
    pub(super) fn goes_to(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// It has other tasks now.
    pub(super) fn look(&self, app: &App, server: ServerVersion) {
        let mut inside = self.lock();
        (inside.url, inside.tasks) = seen(app, server);
    }

    /// The fields of `Green` and `Canary`.
    pub(super) fn fields(&self, id: &str) -> Value {
        let inside = self.lock();
        Value::record([
            ("id", Value::string(id)),
            ("url", Value::string(inside.url.as_str())),
            ("tasks", inside.tasks.clone()),
        ])
    }

    /// Whether something can be done with it.
    ///
    /// # Errors
    ///
    /// It is not there any more.
    pub(super) fn still_there(&self, id: &str) -> Result<(), Failure> {
        match self.phase() {
            Phase::Beside => Ok(()),
            Phase::Promoted => {
                Err(Failure::new(Code::EVALUATION, format!("`{id}` is promoted already")))
            }
            Phase::Gone => Err(Failure::new(Code::APP_LOST, format!("`{id}` is removed already"))),
        }
    }
}

/// Where one healthy task answers, empty where it has no port; and all tasks.
fn seen(app: &App, server: ServerVersion) -> (String, Value) {
    let normal = normalise(&app.json, server);
    let checks = super::plan::checks(&normal);
    let well = |task: &&crate::client::marathon::Task| {
        task.running() && (checks == 0 || task.healthy(checks) == Some(true))
    };
    let first = app.tasks.iter().find(well).or(app.tasks.first());
    let url = first.and_then(|task| record::addresses(task, &normal).into_iter().next());
    (url.unwrap_or_default(), record::list(&app.tasks))
}
