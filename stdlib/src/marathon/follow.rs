//! What is known of a deployment: fed with events, answers and the time, it asks nobody and knows
//! no clock.
//!
//! Events are fast and can be missed, answers are slow and true: success is only ever judged by
//! an answer, and what events say of failures is remembered, because answers keep only the last.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::explain::Cause;
use crate::client::marathon::{App, Deployment, Event, LastFailure, Queued, Task, at_least, key};

/// What is followed.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    /// The app's id.
    pub(super) app: String,
    /// The deployment; none when nothing was changed and the app only has to be well.
    pub(super) deployment: Option<String>,
    /// The version of the app that the change led to.
    pub(super) version: String,
    /// Tasks of this version and newer are ours.
    pub(super) config_version: String,
    /// How many of them there should be.
    pub(super) instances: u64,
    /// How many health checks each has.
    pub(super) checks: usize,
    /// How long they have to stay well.
    pub(super) settle: Duration,
    /// How long all of it may take.
    pub(super) within: Duration,
    /// For people: how long failed checks of a new task are ignored.
    pub(super) grace: Duration,
    /// A failure that was there before.
    pub(super) known_failure: Option<String>,
    /// Whether the change starts new tasks beside old ones.
    pub(super) new_tasks: bool,
    /// Whether the change starts every task anew.
    pub(super) restarts: bool,
}

/// A task of ours that ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ended {
    /// Its id.
    pub(super) task: String,
    /// Where it was.
    pub(super) host: String,
    /// The agent's id, if known.
    pub(super) agent: String,
    /// The state it ended in.
    pub(super) state: String,
    /// In the words of Mesos, Docker or Marathon.
    pub(super) message: String,
    /// What it means.
    pub(super) cause: Cause,
    /// It was started after another one had ended.
    pub(super) again: bool,
}

/// A task of ours, as far as we know.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) host: String,
    pub(super) agent: String,
    pub(super) running: bool,
    pub(super) running_since: Option<Duration>,
    pub(super) healthy: Option<bool>,
    /// `TASK_KILLING`: it neither runs nor starts any more.
    pub(super) ending: bool,
    /// `TASK_UNREACHABLE`: its agent is not heard of.
    pub(super) unreachable: bool,
}

/// What the last answer about the app said.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) version: String,
    pub(super) config_version: String,
    pub(super) instances: u64,
    /// Tasks that are not ours.
    pub(super) others: usize,
    pub(super) tasks: Vec<Task>,
}

/// The deployment being followed.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) goal: Goal,
    pub(super) known: BTreeMap<String, Known>,
    /// Tasks that were seen, by their id, and at which turn first.
    pub(super) first_seen: BTreeMap<String, u64>,
    pub(super) ended: Vec<Ended>,
    /// The turn in which the first one ended.
    pub(super) first_end: Option<u64>,
    /// The same, by events alone: their order among each other is the server's, while answers may
    /// overtake them.
    pub(super) told: BTreeMap<String, u64>,
    pub(super) first_end_told: Option<u64>,
    /// Tasks that an answer lacked before an event told how they ended, and at which turn.
    pub(super) vanished: BTreeMap<String, u64>,
    /// Counts what is seen.
    pub(super) turn: u64,
    pub(super) answer: Option<Answer>,
    pub(super) missing: u32,
    pub(super) success: bool,
    pub(super) failed_at: Option<Duration>,
    pub(super) absent: Option<(Duration, u32)>,
    pub(super) well_since: Option<Duration>,
    pub(super) stray_since: Option<Duration>,
    pub(super) queued: Option<Queued>,
    pub(super) doing: Vec<String>,
    pub(super) not_ready: Vec<(String, Option<u64>)>,
    /// Whether we get events now: without them, what vanishes between two answers has ended.
    pub(super) attached: bool,
}

impl Follow {
    pub(super) fn new(goal: Goal) -> Self {
        Self {
            goal,
            known: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            ended: Vec::new(),
            first_end: None,
            told: BTreeMap::new(),
            first_end_told: None,
            vanished: BTreeMap::new(),
            turn: 0,
            answer: None,
            missing: 0,
            success: false,
            failed_at: None,
            absent: None,
            well_since: None,
            stray_since: None,
            queued: None,
            doing: Vec::new(),
            not_ready: Vec::new(),
            attached: false,
        }
    }

    /// Takes an event. Returns whether it is worth to ask at once.
    pub(super) fn event(&mut self, event: &Event, now: Duration) -> bool {
        match event {
            Event::Status { app, task, state, message, host, version }
                if self.ours(app, version) =>
            {
                self.status(task, state, message, host, now)
            }
            Event::Health { app, instance, healthy, version } if self.ours(app, version) => {
                if let Some(task) = self.known.get_mut(&key(instance)) {
                    task.healthy = *healthy;
                }
                *healthy == Some(true)
            }
            Event::UnhealthyKill { app, task, reason, host, version }
                if self.ours(app, version) =>
            {
                self.told_end(task, host, "TASK_KILLED", reason, Cause::Unhealthy);
                if let Some(task) = self.known.get_mut(&key(task)) {
                    task.healthy = Some(false);
                }
                false
            }
            Event::Success { deployment, .. } if self.is_goal(deployment) => {
                self.success = true;
                true
            }
            Event::Failed { deployment, .. } if self.is_goal(deployment) => {
                self.failed_at.get_or_insert(now);
                true
            }
            Event::Terminated { app } => *app == self.goal.app,
            _ => false,
        }
    }

    fn is_goal(&self, deployment: &str) -> bool {
        self.goal.deployment.as_deref() == Some(deployment)
    }

    fn ours(&self, app: &str, version: &str) -> bool {
        app == self.goal.app && at_least(version, &self.goal.config_version)
    }

    fn see(&mut self, id: &str, now: Duration, running: bool) -> &mut Known {
        self.turn += 1;
        self.first_seen.entry(id.to_owned()).or_insert(self.turn);
        let known = self.known.entry(key(id)).or_default();
        known.running = running;
        if running {
            known.running_since.get_or_insert(now);
        } else {
            known.running_since = None;
        }
        known
    }

    fn status(
        &mut self,
        task: &str,
        state: &str,
        message: &str,
        host: &str,
        now: Duration,
    ) -> bool {
        match state {
            "TASK_STAGING" | "TASK_STARTING" | "TASK_RUNNING" => {
                // A late or repeated event brings nobody back to life.
                if !self.ended.iter().any(|ended| ended.task == task) {
                    self.turn += 1;
                    self.told.entry(task.to_owned()).or_insert(self.turn);
                    let known = self.see(task, now, state == "TASK_RUNNING");
                    known.id = task.to_owned();
                    known.host = host.to_owned();
                }
                false
            }
            "TASK_KILLING" | "TASK_UNREACHABLE" => false,
            _ => {
                self.told_end(task, host, state, message, Cause::read(state, message));
                self.known.remove(&key(task));
                true
            }
        }
    }

    /// Whether an event has told the end of a task. An answer may be older than that.
    pub(super) fn has_ended(&self, task: &str) -> bool {
        let told = |ended: &&Ended| !matches!(ended.cause, Cause::Outside | Cause::Unknown);
        self.ended.iter().filter(told).any(|ended| ended.task == task)
    }

    fn told_end(&mut self, task: &str, host: &str, state: &str, message: &str, cause: Cause) {
        self.end(task, host, state, message, cause);
        if cause != Cause::Outside {
            self.turn += 1;
            self.first_end_told.get_or_insert(self.turn);
        }
    }

    /// Notes the end of a task, once, however often it is told.
    fn end(&mut self, task: &str, host: &str, state: &str, message: &str, cause: Cause) {
        let known = |ended: &Ended| {
            ended.task == task
                || (key(&ended.task) == key(task)
                    && (key(task) == task || key(&ended.task) == ended.task))
        };
        if self.ended.iter().any(known) {
            return;
        }
        self.turn += 1;
        let alike =
            || self.first_seen.iter().find(|(id, _)| key(id) == key(task)).map(|(_, at)| at);
        let seen = self.first_seen.get(task).or_else(alike).copied().unwrap_or(self.turn);
        let again = match (self.told.get(task), self.first_end_told) {
            (Some(told), Some(first)) => *told > first,
            _ => self.first_end.is_some_and(|first| seen > first),
        };
        let agent = self.known.get(&key(task)).map(|known| known.agent.clone()).unwrap_or_default();
        self.ended.push(Ended {
            task: task.to_owned(),
            host: host.to_owned(),
            agent,
            state: state.to_owned(),
            message: message.to_owned(),
            cause,
            again,
        });
        if cause != Cause::Outside {
            let at = self.vanished.get(&key(task)).copied().unwrap_or(self.turn);
            self.first_end = Some(self.first_end.map_or(at, |first| first.min(at)));
            self.well_since = None;
        }
    }

    /// Takes an answer about the app; none: there is no such app.
    pub(super) fn app(&mut self, app: Option<&App>, now: Duration) {
        let Some(app) = app else {
            self.missing += 1;
            self.answer = None;
            self.well_since = None;
            return;
        };
        self.missing = 0;
        let deployed = |id: &String| app.deployments.contains(id);
        if self.goal.deployment.as_ref().is_some_and(deployed)
            && at_least(&app.version, &self.goal.version)
        {
            // The app says itself which of its versions our deployment leads to.
            self.goal.version.clone_from(&app.version);
            if self.goal.restarts {
                self.goal.config_version.clone_from(&app.config_version);
            }
        }
        let (ours, others): (Vec<&Task>, Vec<&Task>) =
            app.tasks.iter().partition(|task| at_least(&task.version, &self.goal.config_version));
        // First who ended, then who is there: so a new task counts as started after the old one.
        if let Some(failure) = &app.last_failure {
            self.last_failure(failure);
        }
        self.forget_the_vanished(&ours);
        for task in &ours {
            if self.has_ended(&task.id) {
                continue;
            }
            let healthy = (self.goal.checks > 0).then(|| task.healthy(self.goal.checks)).flatten();
            // The answer before may have been older than the event that told its start.
            self.vanished.remove(&key(&task.id));
            let known = self.see(&task.id, now, task.running());
            known.id.clone_from(&task.id);
            known.host.clone_from(&task.host);
            known.agent.clone_from(&task.agent);
            known.healthy = healthy;
            known.ending = task.state == "TASK_KILLING";
            known.unreachable = task.state == "TASK_UNREACHABLE";
        }
        self.answer = Some(Answer {
            version: app.version.clone(),
            config_version: app.config_version.clone(),
            instances: app.instances,
            others: others.len(),
            tasks: ours.into_iter().cloned().collect(),
        });
        if self.is_well() {
            self.well_since.get_or_insert(now);
        } else {
            self.well_since = None;
        }
    }

    fn last_failure(&mut self, failure: &LastFailure) {
        let known = self.goal.known_failure.as_deref() == Some(failure.task.as_str());
        if !known && at_least(&failure.version, &self.goal.config_version) {
            let cause = Cause::read(&failure.state, &failure.message);
            self.end(&failure.task, &failure.host, &failure.state, &failure.message, cause);
        }
    }

    /// A task that is gone from an answer will be told to have ended, before those that the answer
    /// shows for the first time. Without events, it has ended, unless there were more than there should be.
    fn forget_the_vanished(&mut self, ours: &[&Task]) {
        let there: BTreeSet<String> = ours.iter().map(|task| key(&task.id)).collect();
        let gone: Vec<Known> = self
            .known
            .iter()
            .filter(|(key, _)| !there.contains(*key))
            .map(|(_, known)| known.clone())
            .collect();
        let before = self.known.len() as u64;
        self.known.retain(|key, _| there.contains(key));
        self.turn += 1;
        self.vanished.extend(gone.iter().map(|task| (key(&task.id), self.turn)));
        if !self.attached && before <= self.goal.instances {
            for task in gone {
                self.end(&task.id, &task.host, "", "", Cause::Unknown);
            }
        }
    }

    /// Takes the list of running deployments.
    pub(super) fn deployments(&mut self, list: &[Deployment], now: Duration) {
        let ours = list.iter().find(|deployment| match &self.goal.deployment {
            Some(id) => deployment.id == *id,
            None => deployment.apps.contains(&self.goal.app),
        });
        if let Some(deployment) = ours {
            self.absent = None;
            self.doing.clone_from(&deployment.actions);
            self.not_ready.clone_from(&deployment.not_ready);
        } else {
            let (since, times) = self.absent.unwrap_or((now, 0));
            self.absent = Some((since, times + 1));
            self.doing.clear();
            self.not_ready.clear();
        }
    }

    /// Takes the queue.
    pub(super) fn queue(&mut self, queue: &[Queued]) {
        self.queued = queue.iter().find(|queued| queued.app == self.goal.app).cloned();
    }

    /// Whether fewer tasks are there than there should be, so that the queue is worth a look.
    pub(super) fn lacks_tasks(&self) -> bool {
        (self.known.len() as u64) < self.goal.instances
    }

    /// The tasks of ours that ended, oldest first.
    pub(super) fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// The tasks of ours in the last answer.
    pub(super) fn tasks(&self) -> &[Task] {
        self.answer.as_ref().map(|answer| answer.tasks.as_slice()).unwrap_or_default()
    }

    /// What waits to be started.
    pub(super) fn queued(&self) -> Option<&Queued> {
        self.queued.as_ref()
    }

    /// What others do to whom at the moment: dependencies that come first.
    pub(super) fn doing(&self) -> &[String] {
        &self.doing
    }

    /// Readiness checks that have not said yes.
    pub(super) fn not_ready(&self) -> &[(String, Option<u64>)] {
        &self.not_ready
    }

    /// How many of ours are healthy, unhealthy, run without a word about their health, and start;
    /// and how many are not ours.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for task in self.known.values() {
            match (task.running, task.healthy) {
                (true, Some(true)) => counts.healthy += 1,
                (true, Some(false)) => counts.unhealthy += 1,
                (true, None) => counts.unknown += 1,
                (false, _) if task.ending => counts.ending += 1,
                (false, _) if task.unreachable => counts.unreachable += 1,
                (false, _) => counts.starting += 1,
            }
        }
        counts.others = self.answer.as_ref().map_or(0, |answer| answer.others);
        counts
    }
}

/// See [`Follow::counts`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Counts {
    pub(super) healthy: usize,
    pub(super) unhealthy: usize,
    pub(super) unknown: usize,
    pub(super) starting: usize,
    pub(super) ending: usize,
    pub(super) unreachable: usize,
    pub(super) others: usize,
}
