//! Is the deployment done, superseded, hopeless or late?
//!
//! When is it **hopeless**? Only while no task of ours works, and
//! - three tasks could not be started for one and the same reason that stays (image, fetch), or
//! - three ended, two of which were started after the first had ended: started again twice, it
//!   ended again twice; so a whole first wave that crashes once, because a database is late, is no
//!   verdict; or
//! - two were killed as unhealthy, one of which was started after the first had ended.

use std::{collections::BTreeMap, time::Duration};

use super::{
    explain::Cause,
    follow::{Ended, Follow, Known},
};
use crate::client::marathon::{Task, at_least};

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

/// How long an answer may lag behind an event, and a deployment be missing from the list.
const LAG: Duration = Duration::from_secs(5);
/// Two lists without the deployment, this far apart, mean that it is over (MARATHON-8566).
const ABSENT: Duration = Duration::from_secs(1);

impl Follow {
    pub(super) fn is_well(&self) -> bool {
        let Some(answer) = &self.answer else { return false };
        let well = |task: &Task| {
            task.running()
                && !self.has_ended(&task.id)
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
}

#[cfg(test)]
mod tests;
