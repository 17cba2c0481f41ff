//! Is the deployment done, superseded, hopeless or late? A state machine that is fed with events,
//! answers and the time; it asks nobody and knows no clock.
//!
//! Events are fast and can be missed, answers are slow and true: success is only ever judged by
//! an answer, and what events say of failures is remembered, because answers keep only the last.
//!
//! When is it **hopeless**? Only while no task of ours works, and
//! - three tasks could not be started for one and the same reason that stays (image, fetch), or
//! - three ended, two of which were started after the first had ended: started again twice, it
//!   ended again twice; so a whole first wave that crashes once, because a database is late, is no
//!   verdict; or
//! - two were killed as unhealthy, one of which was started after the first had ended.

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
}

/// How it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Nothing can be said yet.
    Open,
    /// All tasks of ours run and are healthy, and nothing else is left.
    Done,
    /// Another change took over: its version.
    Superseded(String),
    /// Somebody removed the app.
    Removed,
    /// Somebody cancelled the deployment and left everything as it was at that moment.
    Cancelled,
    /// It will not work.
    Hopeless,
    /// The time is over.
    Late,
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
    again: bool,
}

/// A task of ours, as far as we know.
#[derive(Clone, Debug, Default)]
struct Known {
    id: String,
    host: String,
    agent: String,
    running: bool,
    running_since: Option<Duration>,
    healthy: Option<bool>,
}

/// What the last answer about the app said.
#[derive(Clone, Debug)]
struct Answer {
    version: String,
    config_version: String,
    instances: u64,
    /// Tasks that are not ours.
    others: usize,
    tasks: Vec<Task>,
}

/// The deployment being followed.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) goal: Goal,
    known: BTreeMap<String, Known>,
    /// Tasks that were seen, by their id, and at which turn first.
    first_seen: BTreeMap<String, u64>,
    ended: Vec<Ended>,
    /// The turn in which the first one ended.
    first_end: Option<u64>,
    /// Tasks that an answer lacked before an event told how they ended, and at which turn.
    vanished: BTreeMap<String, u64>,
    /// Counts what is seen.
    turn: u64,
    answer: Option<Answer>,
    missing: u32,
    success: bool,
    failed_at: Option<Duration>,
    absent: Option<(Duration, u32)>,
    well_since: Option<Duration>,
    stray_since: Option<Duration>,
    queued: Option<Queued>,
    doing: Vec<String>,
    not_ready: Vec<(String, Option<u64>)>,
    /// Whether we get events now: without them, what vanishes between two answers has ended.
    pub(super) attached: bool,
}

/// How long an answer may lag behind an event, and a deployment be missing from the list.
const LAG: Duration = Duration::from_secs(5);
/// Two lists without the deployment, this far apart, mean that it is over (MARATHON-8566).
const ABSENT: Duration = Duration::from_secs(1);

impl Follow {
    pub(super) fn new(goal: Goal) -> Self {
        Self {
            goal,
            known: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            ended: Vec::new(),
            first_end: None,
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
                self.end(task, host, "TASK_KILLED", reason, Cause::Unhealthy);
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
                    let known = self.see(task, now, state == "TASK_RUNNING");
                    known.id = task.to_owned();
                    known.host = host.to_owned();
                }
                false
            }
            "TASK_KILLING" | "TASK_UNREACHABLE" => false,
            _ => {
                self.end(task, host, state, message, Cause::read(state, message));
                self.known.remove(&key(task));
                true
            }
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
        let again = self.first_end.is_some_and(|first| seen > first);
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
            if self.goal.new_tasks {
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
            let healthy = (self.goal.checks > 0).then(|| task.healthy(self.goal.checks)).flatten();
            let known = self.see(&task.id, now, task.running());
            known.id.clone_from(&task.id);
            known.host.clone_from(&task.host);
            known.agent.clone_from(&task.agent);
            known.healthy = healthy;
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

    fn is_well(&self) -> bool {
        let Some(answer) = &self.answer else { return false };
        // An answer may be older than an event that came before it.
        let over = |task: &Task| {
            let told = |ended: &&Ended| !matches!(ended.cause, Cause::Outside | Cause::Unknown);
            self.ended.iter().filter(told).any(|ended| ended.task == task.id)
        };
        let well = |task: &Task| {
            task.running()
                && !over(task)
                && (self.goal.checks == 0 || task.healthy(self.goal.checks) == Some(true))
        };
        answer.others == 0
            && answer.tasks.len() as u64 == self.goal.instances
            && answer.tasks.iter().all(well)
    }

    fn gone_from_the_list(&self, now: Duration) -> bool {
        match (&self.goal.deployment, self.absent) {
            (Some(_), Some((since, times))) => times >= 2 && now.saturating_sub(since) >= ABSENT,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    /// Judges.
    pub(super) fn verdict(&mut self, now: Duration) -> Verdict {
        if self.missing >= 2 {
            return Verdict::Removed;
        }
        if let Some(version) = self.newer() {
            return Verdict::Superseded(version);
        }
        let over = self.success || self.failed_at.is_some() || self.gone_from_the_list(now);
        if let (true, Some(since)) = (over, self.well_since)
            && now.saturating_sub(since) >= self.goal.settle
        {
            return Verdict::Done;
        }
        // Over, but not by success, and somebody else's tasks are still there: nobody will go on.
        let others = self.answer.as_ref().is_some_and(|answer| answer.others > 0);
        let stray = over && !self.success && self.well_since.is_none();
        if stray && (others || self.failed_at.is_some()) && self.goal.deployment.is_some() {
            let since = *self.stray_since.get_or_insert(now);
            if now.saturating_sub(since) >= LAG {
                return Verdict::Cancelled;
            }
        } else {
            self.stray_since = None;
        }
        if self.hopeless(now).is_some() {
            return Verdict::Hopeless;
        }
        if now >= self.goal.within { Verdict::Late } else { Verdict::Open }
    }

    /// The version of another change that came after ours.
    fn newer(&self) -> Option<String> {
        let answer = self.answer.as_ref()?;
        let beyond = |version: &str, ours: &str| version != ours && at_least(version, ours);
        let other_definition = beyond(&answer.config_version, &self.goal.config_version);
        let other_number =
            beyond(&answer.version, &self.goal.version) && answer.instances != self.goal.instances;
        (other_definition || other_number).then(|| answer.version.clone())
    }

    /// Why it is hopeless, and how many tasks say so.
    pub(super) fn hopeless(&self, now: Duration) -> Option<(Cause, usize)> {
        if self.known.values().any(|task| self.works(task, now)) {
            return None;
        }
        let of = |wanted: &dyn Fn(&Ended) -> bool| self.ended.iter().filter(|e| wanted(e)).count();
        for cause in [Cause::Image, Cause::Fetch, Cause::Launch] {
            let count = of(&|ended| ended.cause == cause);
            if cause.stays() && count >= 3 {
                return Some((cause, count));
            }
        }
        let unhealthy = of(&|ended| ended.cause == Cause::Unhealthy);
        if unhealthy >= 2 && of(&|e| e.cause == Cause::Unhealthy && e.again) >= 1 {
            return Some((Cause::Unhealthy, unhealthy));
        }
        let counted = of(&|ended| ended.cause != Cause::Outside);
        if counted >= 3 && of(&|e| e.cause != Cause::Outside && e.again) >= 2 {
            return self.usual_cause();
        }
        None
    }

    /// The cause that most tasks ended for, and their number.
    pub(super) fn usual_cause(&self) -> Option<(Cause, usize)> {
        let mut counts: BTreeMap<Cause, usize> = BTreeMap::new();
        for ended in self.ended.iter().filter(|ended| ended.cause != Cause::Outside) {
            *counts.entry(ended.cause).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, count)| *count)
    }

    fn works(&self, task: &Known, now: Duration) -> bool {
        if self.goal.checks > 0 {
            return task.healthy == Some(true);
        }
        let long_enough = self.goal.settle.max(LAG);
        task.running_since.is_some_and(|since| now.saturating_sub(since) >= long_enough)
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
    pub(super) others: usize,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::client::marathon::Decoder;

    const OLD: &str = "2016-09-01T09:00:00.000Z";
    const OURS: &str = "2016-09-01T10:00:01.000Z";
    const NEWER: &str = "2016-09-01T11:00:00.000Z";
    const ID: &str = "867ed450-f6a8-4d33-9b0e-e11c5513990b";

    fn goal(instances: u64, checks: usize) -> Goal {
        Goal {
            app: "/product/web".into(),
            deployment: Some(ID.into()),
            version: OURS.into(),
            config_version: OURS.into(),
            instances,
            checks,
            settle: Duration::ZERO,
            within: Duration::from_secs(600),
            grace: Duration::from_secs(30),
            known_failure: None,
            new_tasks: true,
        }
    }

    fn attached(goal: Goal) -> Follow {
        let mut follow = Follow::new(goal);
        follow.attached = true;
        follow
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// `(number, version, state, healthy)`.
    type Row<'a> = (u32, &'a str, &'a str, Option<bool>);

    fn app(version: &str, tasks: &[Row<'_>]) -> App {
        let task = |(number, version, state, healthy): &Row<'_>| {
            let result = healthy.map(|alive| {
                json!({ "alive": alive, "consecutiveFailures": u8::from(!alive), "lastSuccess": alive.then_some("x") })
            });
            json!({
                "id": format!("product_web.instance-{number:04}._app.1"), "host": "node1", "version": version,
                "state": state, "healthCheckResults": result.into_iter().collect::<Vec<Json>>(), "slaveId": "S0",
            })
        };
        App::read(&json!({
            "id": "/product/web", "version": version, "instances": 2,
            "versionInfo": { "lastConfigChangeAt": version },
            "tasks": tasks.iter().map(task).collect::<Vec<Json>>(),
        }))
        .unwrap()
    }

    fn deployment(id: &str) -> Deployment {
        Deployment {
            id: id.into(),
            version: OURS.into(),
            apps: vec!["/product/web".into()],
            actions: vec![],
            not_ready: vec![],
        }
    }

    fn status(number: u32, state: &str, message: &str) -> Event {
        Event::Status {
            app: "/product/web".into(),
            task: format!("product_web.instance-{number:04}._app.1"),
            state: state.into(),
            message: message.into(),
            host: "node1".into(),
            version: OURS.into(),
        }
    }

    fn kill(number: u32) -> Event {
        Event::UnhealthyKill {
            app: "/product/web".into(),
            task: format!("product_web.instance-{number:04}._app.1"),
            reason: "500".into(),
            host: "node1".into(),
            version: OURS.into(),
        }
    }

    fn success() -> Event {
        Event::Success { deployment: ID.into(), empty: Some(false) }
    }

    fn replay(follow: &mut Follow, bytes: &[u8]) {
        for event in Decoder::default().push(bytes).iter().filter_map(Event::read) {
            follow.event(&event, at(1));
        }
    }

    const RUNS: &str = "TASK_RUNNING";

    #[test]
    fn success_needs_an_answer_that_shows_it() {
        let mut follow = attached(goal(2, 1));
        follow.event(&success(), at(1));
        assert_eq!(follow.verdict(at(1)), Verdict::Open);
        // Not checked yet is not healthy, an old task is not gone, too few are not enough.
        for tasks in [
            &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, None)][..],
            &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(false))],
            &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(true)), (1, OLD, RUNS, Some(true))],
            &[(3, OURS, RUNS, Some(true))],
            &[(3, OURS, RUNS, Some(true)), (4, OURS, "TASK_STAGING", Some(true))],
        ] {
            follow.app(Some(&app(OURS, tasks)), at(2));
            assert_eq!(follow.verdict(at(2)), Verdict::Open, "{tasks:?}");
        }
        follow.app(
            Some(&app(OURS, &[(3, OURS, RUNS, Some(true)), (4, OURS, RUNS, Some(true))])),
            at(3),
        );
        assert_eq!(follow.verdict(at(3)), Verdict::Done);
    }

    #[test]
    fn without_the_success_event_two_lists_without_it_do() {
        let mut follow = attached(goal(1, 1));
        follow.app(Some(&app(OURS, &[(3, OURS, RUNS, Some(true))])), at(1));
        follow.deployments(&[], at(1));
        follow.deployments(&[], at(1));
        assert_eq!(follow.verdict(at(1)), Verdict::Open, "both in the same moment");
        follow.deployments(&[deployment(ID)], at(2));
        follow.deployments(&[], at(3));
        assert_eq!(follow.verdict(at(3)), Verdict::Open, "it was there in between");
        follow.deployments(&[], at(4));
        assert_eq!(follow.verdict(at(4)), Verdict::Done);
    }

    #[test]
    fn the_good_streams_alone_never_fail() {
        for bytes in [
            &include_bytes!("../../tests/data/marathon/sse/rolling-ok.txt")[..],
            include_bytes!("../../tests/data/marathon/sse/new-app.txt"),
            include_bytes!("../../tests/data/marathon/sse/finished-before-response.txt"),
            include_bytes!("../../tests/data/marathon/sse/old-1.1-plan.txt"),
            include_bytes!("../../tests/data/marathon/sse/hostile.txt"),
        ] {
            let mut follow = attached(goal(2, 1));
            replay(&mut follow, bytes);
            assert_eq!(follow.verdict(at(1)), Verdict::Open);
            assert_eq!(follow.ended().len(), 0);
            assert!(follow.success);
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_hopeless_after_three_tries() {
        let mut follow = attached(goal(2, 1));
        replay(
            &mut follow,
            include_bytes!("../../tests/data/marathon/sse/image-pull-loop-then-rollback.txt"),
        );
        assert_eq!(follow.hopeless(at(1)), Some((Cause::Image, 3)));
        assert_eq!(follow.verdict(at(1)), Verdict::Hopeless);
    }

    #[test]
    fn a_second_unhealthy_kill_is_hopeless() {
        let mut follow = attached(goal(1, 1));
        replay(
            &mut follow,
            include_bytes!("../../tests/data/marathon/sse/unhealthy-kill-loop.txt"),
        );
        assert_eq!(follow.hopeless(at(1)), Some((Cause::Unhealthy, 2)));
        // The TASK_KILLED that follows each kill is the same end.
        assert_eq!(follow.ended().len(), 2);
    }

    #[test]
    fn two_kills_of_one_wave_are_no_verdict() {
        let mut follow = attached(goal(2, 1));
        for number in [3, 4] {
            follow.event(&status(number, RUNS, ""), at(1));
        }
        for number in [3, 4] {
            follow.event(&kill(number), at(2));
            follow.event(&status(number, "TASK_KILLED", ""), at(2));
        }
        assert_eq!(follow.hopeless(at(2)), None);
        follow.event(&status(5, RUNS, ""), at(3));
        follow.event(&kill(5), at(4));
        assert_eq!(follow.hopeless(at(4)), Some((Cause::Unhealthy, 3)));
    }

    #[test]
    fn a_crash_loop_is_one_that_starting_again_did_not_cure() {
        let mut follow = attached(goal(3, 1));
        for number in [3, 4, 5] {
            follow.event(&status(number, RUNS, ""), at(1));
        }
        for number in [3, 4, 5] {
            follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(2));
        }
        assert_eq!(follow.verdict(at(2)), Verdict::Open, "one wave");
        for number in [6, 7] {
            assert_eq!(follow.verdict(at(3)), Verdict::Open);
            follow.event(&status(number, RUNS, ""), at(3));
            follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(4));
            // Told twice, counted once.
            follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(4));
        }
        assert_eq!(follow.verdict(at(4)), Verdict::Hopeless);
        assert_eq!(follow.usual_cause(), Some((Cause::Crash, 5)));
    }

    #[test]
    fn a_loop_of_status_0_is_hopeless_too() {
        let mut follow = attached(goal(1, 0));
        for number in 3..6 {
            assert_eq!(follow.verdict(at(1)), Verdict::Open);
            follow.event(&status(number, RUNS, ""), at(1));
            follow.event(&status(number, "TASK_FINISHED", ""), at(1));
        }
        assert_eq!(follow.hopeless(at(1)), Some((Cause::Finished, 3)));
    }

    #[test]
    fn while_one_works_it_is_not_hopeless() {
        let mut follow = attached(goal(2, 1));
        follow.app(Some(&app(OURS, &[(9, OURS, RUNS, Some(true))])), at(1));
        for number in 10..20 {
            follow.event(&status(number, RUNS, ""), at(2));
            follow.event(&status(number, "TASK_FAILED", "Command exited with status 1"), at(2));
        }
        assert_eq!(follow.verdict(at(2)), Verdict::Open);
        assert_eq!(follow.verdict(at(600)), Verdict::Late);
    }

    #[test]
    fn what_is_not_the_apps_fault_does_not_count() {
        let mut follow = attached(goal(1, 1));
        for (number, state) in
            [(3, "TASK_LOST"), (4, "TASK_KILLED"), (5, "TASK_GONE"), (6, "TASK_DROPPED")]
        {
            follow.event(&status(number, RUNS, ""), at(1));
            follow.event(&status(number, state, ""), at(1));
        }
        assert_eq!(follow.verdict(at(1)), Verdict::Open);
        // Nor do the ends of old tasks, or another app's.
        for number in 10..14 {
            let Event::Status { app, task, state, message, host, .. } =
                status(number, "TASK_FAILED", "x")
            else {
                unreachable!()
            };
            follow.event(
                &Event::Status {
                    app: app.clone(),
                    task: task.clone(),
                    state: state.clone(),
                    message: message.clone(),
                    host: host.clone(),
                    version: OLD.into(),
                },
                at(1),
            );
            follow.event(
                &Event::Status {
                    app: "/other".into(),
                    task,
                    state,
                    message,
                    host,
                    version: OURS.into(),
                },
                at(1),
            );
        }
        assert_eq!(follow.usual_cause(), None);
    }

    #[test]
    fn reordered_and_repeated_events_change_nothing() {
        let mut follow = attached(goal(1, 1));
        follow.event(&status(3, "TASK_FAILED", "Command exited with status 1"), at(1));
        follow.event(&status(3, RUNS, ""), at(1));
        follow.event(&status(3, "TASK_STAGING", ""), at(1));
        assert_eq!(follow.counts(), Counts::default());
        assert_eq!(follow.ended().len(), 1);
    }

    #[test]
    fn forced_over_is_superseded_and_a_bare_cancel_is_not() {
        let mut follow = attached(goal(2, 1));
        replay(&mut follow, include_bytes!("../../tests/data/marathon/sse/forced-over.txt"));
        follow.app(Some(&app(OURS, &[(3, OURS, RUNS, None), (1, OLD, RUNS, None)])), at(2));
        assert_eq!(follow.verdict(at(2)), Verdict::Open, "the answer may lag behind");
        let mut other = Follow { ..follow };
        other.app(Some(&app(NEWER, &[(1, OLD, RUNS, None)])), at(4));
        assert_eq!(other.verdict(at(4)), Verdict::Superseded(NEWER.into()));

        let mut follow = attached(goal(2, 1));
        follow.event(&Event::Failed { deployment: ID.into(), reason: None }, at(1));
        for second in [1, 3, 5] {
            follow
                .app(Some(&app(OURS, &[(3, OURS, RUNS, None), (1, OLD, RUNS, None)])), at(second));
            assert_eq!(follow.verdict(at(second)), Verdict::Open);
        }
        assert_eq!(follow.verdict(at(6)), Verdict::Cancelled);
    }

    #[test]
    fn an_app_that_is_gone_was_removed() {
        let mut follow = attached(goal(1, 1));
        follow.app(None, at(1));
        assert_eq!(follow.verdict(at(1)), Verdict::Open);
        follow.app(None, at(2));
        assert_eq!(follow.verdict(at(2)), Verdict::Removed);
    }

    #[test]
    fn without_events_failures_are_read_from_the_answers() {
        let mut follow = Follow::new(goal(1, 1));
        for (second, number) in [(1, 3), (3, 4), (5, 5), (7, 6)] {
            follow.app(Some(&app(OURS, &[(number, OURS, RUNS, None)])), at(second));
        }
        assert_eq!(follow.hopeless(at(7)), Some((Cause::Unknown, 3)));

        // `lastTaskFailure` says more; one that was there before says nothing.
        let mut follow = Follow::new(Goal { known_failure: Some("t1".into()), ..goal(1, 1) });
        let failed = |task: &str| {
            let mut app = app(OURS, &[]);
            app.last_failure = Some(LastFailure {
                task: task.into(),
                state: "TASK_FAILED".into(),
                message: "Command exited with status 1".into(),
                host: "node1".into(),
                version: OURS.into(),
            });
            app
        };
        for (second, task) in ["t1", "t2", "t2", "t3"].iter().enumerate() {
            follow.app(Some(&failed(task)), at(second as u64));
            assert_eq!(follow.verdict(at(second as u64)), Verdict::Open);
        }
        follow.app(Some(&failed("t4")), at(9));
        assert_eq!(follow.hopeless(at(9)), Some((Cause::Crash, 3)));
    }

    #[test]
    fn an_app_without_checks_has_to_stay() {
        let mut follow = attached(Goal { settle: at(10), ..goal(1, 0) });
        follow.event(&success(), at(0));
        let answer = app(OURS, &[(3, OURS, RUNS, None)]);
        follow.app(Some(&answer), at(1));
        follow.app(Some(&answer), at(10));
        assert_eq!(follow.verdict(at(10)), Verdict::Open);
        follow.event(&status(3, "TASK_FAILED", "Command exited with status 1"), at(10));
        follow.app(Some(&app(OURS, &[(4, OURS, RUNS, None)])), at(12));
        assert_eq!(follow.verdict(at(12)), Verdict::Open, "it began anew");
        follow.app(Some(&app(OURS, &[(4, OURS, RUNS, None)])), at(22));
        assert_eq!(follow.verdict(at(22)), Verdict::Done);
    }

    #[test]
    fn a_scaling_keeps_the_old_tasks_and_replaces_none() {
        let mut scaled = app(OURS, &[(1, OLD, RUNS, Some(true)), (2, OURS, RUNS, Some(true))]);
        scaled.config_version = OLD.into();
        let mut follow = attached(Goal { config_version: OLD.into(), ..goal(2, 1) });
        follow.event(&success(), at(1));
        follow.app(Some(&scaled), at(1));
        assert_eq!(follow.verdict(at(1)), Verdict::Done);
    }

    #[test]
    fn a_well_app_that_nobody_deploys_is_done_at_once() {
        let mut follow = Follow::new(Goal { deployment: None, ..goal(1, 1) });
        follow.app(Some(&app(OURS, &[(1, OURS, RUNS, Some(true))])), at(0));
        follow.deployments(&[], at(0));
        assert_eq!(follow.verdict(at(0)), Verdict::Done);
    }
}
