//! The engine: one task that owns all state. Others hand it jobs; after each job, and whenever
//! something is due, it takes the deployments and instances as far as they go.

mod backoff;
mod change;
mod drive;
mod events;
mod handle;
mod health;
mod instance;
mod kill;
mod launch;
mod place;
mod report;
mod served;
mod state;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    time::Duration,
};

use tokio::time::Instant;

use self::{
    backoff::Backoff, drive::Deployment, events::Events, instance::Instance, place::Shortage,
    report::TaskFailure,
};
use super::{
    app::{App, AppId},
    deployment::Apps,
};
use crate::{agent::Agent, time::Timestamp};

pub(crate) use change::Deployed;
pub(crate) use handle::{Handle, run};
pub(crate) use instance::Goal;
pub(crate) use report::Update;
pub(crate) use state::State;
pub(crate) use view::Embed;

/// Where tasks run and are reached: the loop-back address, so that `http://HOST:PORT` is right on
/// this machine and nothing is open to others.
pub(crate) const HOST: &str = "127.0.0.1";

/// How many tasks of an app that have ended keep their folders.
const ENDED_TASKS: usize = 20;

/// All that the cluster knows.
pub(crate) struct Engine {
    file: PathBuf,
    /// How long a second of a definition lasts.
    second: Duration,
    id: String,
    agent: Agent,
    handle: Handle,
    events: Events,
    backoff: Backoff,
    /// The clock of versions, which never shows the same time twice.
    clock: Timestamp,
    apps: Apps,
    /// All versions of each app, the newest last.
    versions: BTreeMap<AppId, Vec<App>>,
    instances: Vec<Instance>,
    deployments: Vec<Deployment>,
    failures: BTreeMap<AppId, TaskFailure>,
    /// Tasks that have ended and whose folders are still there, the newest last.
    ended: BTreeMap<AppId, VecDeque<String>>,
    /// Why instances wait, and since when, by app.
    waiting: BTreeMap<AppId, Shortage>,
    /// Versions whose health checks were announced.
    checked: BTreeSet<(AppId, Timestamp)>,
    /// Apps whose deployment was dropped: nothing is mended before this time.
    left_alone: BTreeMap<AppId, Instant>,
    launched: u64,
    changed: bool,
    closing: bool,
}

impl Engine {
    /// A cluster as it was left, with no task running.
    pub(crate) fn new(
        state: State,
        file: PathBuf,
        second: Duration,
        agent: Agent,
        handle: Handle,
    ) -> Self {
        let ended = agent.ended_tasks(state.apps.keys(), ENDED_TASKS);
        Self {
            file,
            second,
            id: state.id,
            agent,
            handle,
            events: Events::default(),
            backoff: Backoff::new(second),
            clock: state.clock,
            apps: state.apps,
            versions: state.versions,
            instances: Vec::new(),
            deployments: state.deployments.into_iter().map(Deployment::resumed).collect(),
            failures: state.failures,
            ended,
            waiting: BTreeMap::new(),
            checked: BTreeSet::new(),
            left_alone: BTreeMap::new(),
            launched: 0,
            changed: true,
            closing: false,
        }
    }

    /// The events, to listen to.
    pub(crate) fn events(&mut self) -> &mut Events {
        &mut self.events
    }

    /// An app.
    pub(crate) fn app(&self, id: &AppId) -> Option<&App> {
        self.apps.get(id)
    }

    /// All apps.
    pub(crate) fn apps(&self) -> &Apps {
        &self.apps
    }

    /// The versions of an app, the newest last.
    pub(crate) fn versions(&self, id: &AppId) -> &[App] {
        self.versions.get(id).map_or(&[], Vec::as_slice)
    }

    /// The id of the one agent.
    fn agent_id(&self) -> String {
        format!("{}-S0", self.id)
    }

    /// A time that no version has had.
    fn stamp(&mut self) -> Timestamp {
        self.clock = Timestamp::now().max(self.clock.next());
        self.clock
    }

    /// Takes everything as far as it goes. The answer is when to look again.
    fn advance(&mut self) -> Option<Instant> {
        loop {
            let now = Instant::now();
            let mut moved = self.drive_deployments(now);
            moved |= self.mend(now);
            let (launched, next) = self.launch_due(now);
            if !(moved || launched) {
                self.announce_queue();
                return next.into_iter().chain(self.left_alone.values().copied()).min();
            }
        }
    }

    /// Keeps the number of instances of apps that no deployment works on.
    fn mend(&mut self, now: Instant) -> bool {
        self.left_alone.retain(|_, until| *until > now);
        let busy: BTreeSet<AppId> = self.deployments.iter().flat_map(|d| d.plan.apps()).collect();
        let missing: Vec<(App, usize)> = self
            .apps
            .values()
            .filter(|app| !busy.contains(&app.id) && !self.left_alone.contains_key(&app.id))
            .filter_map(|app| {
                let missing = app.instances.saturating_sub(self.wanted(&app.id).count());
                (missing > 0).then(|| (app.clone(), missing))
            })
            .collect();
        for (app, count) in &missing {
            self.announce_health_checks(app);
            self.schedule(app, *count);
        }
        !missing.is_empty()
    }

    /// All instances of an app.
    fn of<'a>(&'a self, id: &'a AppId) -> impl Iterator<Item = &'a Instance> {
        self.instances.iter().filter(move |instance| instance.app.id == *id)
    }

    /// The instances of an app that shall run.
    fn wanted<'a>(&'a self, id: &'a AppId) -> impl Iterator<Item = &'a Instance> {
        self.of(id).filter(|instance| instance.goal == Goal::Running)
    }

    fn instance(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.id == id)
    }

    /// The instance that a task runs in.
    fn instance_of_task(&mut self, task: &str) -> Option<&mut Instance> {
        let runs = |instance: &Instance| instance.task.as_ref().is_some_and(|t| t.id == task);
        self.instances.iter_mut().find(|instance| runs(instance))
    }
}
