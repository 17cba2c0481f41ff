//! From an accepted change to what it came to: followed, judged, and led back when it must be.

use std::time::Duration;

use pipe_grammar::Code;
use serde_json::Value as Json;

use super::{
    evidence::Evidence,
    follow::{Follow, Goal},
    plan::{checks, grace, span, within},
    progress::{self, times},
    record,
    site::Site,
    verdict::Verdict,
    watch::{Cancellation, Stream, Watched, watch},
    way_back::{Policy, WentBack, go_back},
};
use crate::{
    client::marathon::{App, Change},
    core::{Failure, FailureKind, Intent, Outcome},
};

/// A change of an app that is under way.
pub(super) struct Changing<'a> {
    pub(super) site: &'a Site<'a>,
    /// The app's id.
    pub(super) id: &'a str,
    /// What it is to become, in normal form.
    pub(super) normal: &'a Json,
    /// What it was.
    pub(super) before: Option<&'a App>,
    /// Whether tasks are started anew.
    pub(super) restarts: bool,
    /// How long it may take; else what the health checks need.
    pub(super) within: Option<Duration>,
    /// How long the tasks have to stay well; else what is usual.
    pub(super) settle: Option<Duration>,
    /// What happens when it does not work.
    pub(super) on_failure: Policy,
    /// `deployed`, `scaled`.
    pub(super) doing: &'static str,
}

impl Changing<'_> {
    /// Follows the change to its end.
    ///
    /// # Errors
    ///
    /// It does not work, is taken over by another one, or is cancelled.
    pub(super) async fn follow(&self, stream: &mut Stream, change: Change) -> Outcome {
        let (site, id) = (self.site, self.id);
        let Change { deployment, version } = change;
        if let Some(deployment) = &deployment {
            site.say(format!("deployment {deployment} leads to version {version}"));
            let intent = Intent::Deployment {
                app: id.to_owned(),
                id: deployment.clone(),
                version: version.clone(),
            };
            // The change is made: it has to be followed, whatever becomes of the journal.
            if let Err(failure) = site.call.report.intend(intent) {
                site.say(failure.message);
            }
        }
        let mut follow = Follow::new(self.goal(deployment, &version));
        let verdict = match watch(site, stream, &mut follow, Cancellation::Ends).await? {
            Watched::Verdict(Verdict::Done) => {
                self.say_where(&follow);
                let previous = self.before.map(|before| before.version.as_str());
                let version = &follow.goal.version;
                return Ok(record::deployment(id, version, previous, true, follow.tasks()));
            }
            Watched::Cancelled => {
                let went = go_back(site, stream, self.on_failure, &follow, self.before).await;
                site.say(format!("`{id}`: {}", went.sentence()));
                let message =
                    format!("cancelled while `{id}` was {}; {}", self.doing, went.sentence());
                return Err(Failure { message, ..Failure::cancelled() });
            }
            Watched::Verdict(verdict) => verdict,
        };
        if matches!(verdict, Verdict::Superseded(_) | Verdict::Removed | Verdict::Cancelled) {
            return Err(self.taken_over(&follow, &verdict));
        }
        site.say(progress::line(&follow));
        let evidence = Evidence::gather(site, &follow).await;
        let went = go_back(site, stream, self.on_failure, &follow, self.before).await;
        site.say(went.sentence());
        Err(evidence.add_to(self.does_not_work(&follow, &verdict, &went)))
    }

    /// There is nothing to change: the app, as it is, only has to be well.
    ///
    /// # Errors
    ///
    /// It does not get well.
    pub(super) async fn as_it_is(&self, now: &App) -> Outcome {
        let (site, id) = (self.site, self.id);
        let mut goal = self.goal(now.deployments.first().cloned(), &now.version);
        goal.config_version.clone_from(&now.config_version);
        goal.settle = Duration::ZERO;
        goal.new_tasks = false;
        goal.restarts = false;
        let mut follow = Follow::new(goal);
        follow.app(Some(now), Duration::ZERO);
        if now.deployments.is_empty() {
            follow.deployments(&[], Duration::ZERO);
        }
        if follow.verdict(Duration::ZERO) != Verdict::Done {
            site.say("it is not well yet");
            let mut stream = Stream::open(site).await?;
            match watch(site, &mut stream, &mut follow, Cancellation::Ends).await? {
                Watched::Cancelled => return Err(Failure::cancelled()),
                Watched::Verdict(Verdict::Done) => self.say_where(&follow),
                Watched::Verdict(verdict) => {
                    let evidence = Evidence::gather(site, &follow).await;
                    let went = WentBack::Left("nothing was changed".to_owned());
                    return Err(evidence.add_to(self.does_not_work(&follow, &verdict, &went)));
                }
            }
        }
        Ok(record::deployment(id, &now.version, Some(&now.version), false, follow.tasks()))
    }

    fn goal(&self, deployment: Option<String>, version: &str) -> Goal {
        let checks = checks(self.normal);
        let settle = if checks > 0 { Duration::ZERO } else { self.site.timing.settle };
        let config_version = match self.before {
            Some(before) if !self.restarts => before.config_version.clone(),
            _ => version.to_owned(),
        };
        let failure = self.before.and_then(|before| before.last_failure.as_ref());
        Goal {
            app: self.id.to_owned(),
            deployment,
            version: version.to_owned(),
            config_version,
            instances: self.normal["instances"].as_u64().unwrap_or(1),
            checks,
            settle: self.settle.unwrap_or(settle),
            within: self.within.unwrap_or_else(|| within(self.normal, &self.site.timing)),
            grace: grace(self.normal),
            known_failure: failure.map(|failure| failure.task.clone()),
            new_tasks: self.restarts && self.before.is_some(),
            restarts: self.restarts,
        }
    }

    /// The failure of a version that does not work, and what became of it.
    fn does_not_work(&self, follow: &Follow, verdict: &Verdict, went: &WentBack) -> Failure {
        let id = self.id;
        let version = &follow.goal.version;
        let usual = follow.usual_cause();
        let (kind, what) = match verdict {
            Verdict::Hopeless => {
                let what = usual
                    .map_or_else(String::new, |(cause, n)| format!(": it {}", times(cause, n)));
                (FailureKind::Step, format!("`{id}` did not work in version {version}{what}"))
            }
            Verdict::Late => (
                FailureKind::Timeout,
                format!(
                    "`{id}` did not work in version {version} within {}: {}",
                    span(follow.goal.within),
                    progress::line(follow)
                ),
            ),
            _ => return self.taken_over(follow, verdict),
        };
        let mut failure =
            Failure::new(Code::DEPLOYMENT_FAILED, format!("{what}; {}", went.sentence()))
                .kind(kind);
        if let WentBack::Badly(_, help) = went {
            // Now somebody has to look after the cluster itself.
            failure = failure.kind(FailureKind::Infrastructure).help(help);
        }
        match usual.and_then(|(cause, _)| cause.help()) {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// Somebody else changed the app: what they did is not undone.
    fn taken_over(&self, follow: &Follow, verdict: &Verdict) -> Failure {
        let (id, doing) = (self.id, self.doing);
        let what = match verdict {
            Verdict::Superseded(version) => format!(
                "`{id}` was taken over by another deployment (version {version}); nothing was led back"
            ),
            Verdict::Removed => format!("`{id}` was removed by somebody while it was {doing}"),
            _ => format!(
                "the deployment of `{id}` was cancelled by somebody, who left it half-way: {}",
                progress::line(follow)
            ),
        };
        let failure = Failure::new(Code::DEPLOYMENT_SUPERSEDED, what).kind(FailureKind::Superseded);
        match verdict {
            Verdict::Cancelled => failure.help("run it again, or go back with `marathon.rollback`"),
            _ => failure,
        }
    }

    fn say_where(&self, follow: &Follow) {
        let (site, id) = (self.site, self.id);
        let count = follow.goal.instances;
        if count == 0 {
            site.say(format!("`{id}` has no tasks now"));
            return;
        }
        let word = if follow.goal.checks > 0 { "healthy" } else { "running" };
        site.say(format!("`{id}`: {count} of {} {word}", progress::tasks(count, "")));
        for task in follow.tasks() {
            for address in record::addresses(task, self.normal) {
                site.say(format!("answers at {address}"));
            }
        }
    }
}
