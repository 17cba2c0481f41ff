//! `marathon.deploy`.

use std::time::Duration;

use pipe_grammar::Code;
use tokio::time::Instant;

use super::{
    Timing,
    changes::lines,
    definition::Definition,
    evidence::Evidence,
    normalise::normalise,
    plan::{Plan, checks, grace, until_kill, within},
    progress::{self, times},
    site::Site,
    trouble::definition_refused,
    follow::{Follow, Goal},
    verdict::Verdict,
    watch::{Cancellation, Stream, Watched, watch},
    way_back::{Policy, WentBack, go_back},
};
use crate::{
    client::marathon::{App, Change, Error, Kind, Task},
    core::{Arguments, Call, Failure, FailureKind, Intent, Outcome, Value, builtin},
};

builtin! {
    step marathon.deploy, deploy;
    "
    # Deploys an app and waits until it works.
    #
    # Puts the definition, follows the deployment until every task of the new version runs and is
    # healthy and no old one is left. A version that does not work is seen by its failures or by
    # the time; then what ran before is put back, and waited for.
    (
      # The app definition: a JSON file, a record, or JSON.
      definition: app,
      # Changes to it: records merge, lists and null replace.
      with: any = {},
      # What it takes at most. Without it: what the health checks need, at least 10m.
      within: duration?,
      # What happens to a version that does not work. Without a version before it, rollback scales
      # the app to 0, and remove removes it.
      on_failure: \"rollback\" | \"leave\" | \"remove\" = \"rollback\",
      # Keeps the number of tasks that the server has.
      keep_instances: bool = false,
      # Cancels other deployments of the app.
      force: bool = false,
      # How long another deployment of the app is waited for.
      lock_within: duration = 10m,
      # How long the tasks have to stay well. Without it: 0s with health checks, else 10s.
      settle: duration?,
      # Replaces the definition's `upgradeStrategy`.
      strategy: { minimumHealthCapacity: float, maximumOverCapacity: float }?,
    ) -> Deployment
    "
    examples: [
        r#"marathon.deploy("marathon.json")"#,
        r#"marathon.deploy("marathon.json", with: { container.docker.image: "ssk2/demo:2", instances: 3 }, within: 10m)"#,
    ]
}

async fn deploy(call: Call<'_>, arguments: Arguments) -> Outcome {
    deploy_with(call, arguments, &Timing::default()).await
}

/// `marathon.deploy` at another pace than the usual one.
///
/// # Errors
///
/// Whatever keeps the app from being deployed; see the kinds of failure.
pub async fn deploy_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let definition = Definition::read(&call, &arguments).await?;
    let options = Options::read(&arguments)?;
    let site = Site::connect(call, timing).await?;
    let deployment = Deploying { site, definition, options };
    deployment.run().await
}

struct Options {
    within: Option<Duration>,
    on_failure: Policy,
    keep_instances: bool,
    force: bool,
    lock_within: Duration,
    settle: Option<Duration>,
}

impl Options {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let on_failure: Option<String> = arguments.get("on_failure")?;
        Ok(Self {
            within: arguments.get("within")?,
            on_failure: match on_failure.as_deref() {
                Some("leave") => Policy::Leave,
                Some("remove") => Policy::Remove,
                _ => Policy::Rollback,
            },
            keep_instances: arguments.get::<Option<bool>>("keep_instances")?.unwrap_or(false),
            force: arguments.get::<Option<bool>>("force")?.unwrap_or(false),
            lock_within: arguments
                .get::<Option<Duration>>("lock_within")?
                .unwrap_or(Duration::from_secs(600)),
            settle: arguments.get("settle")?,
        })
    }
}

struct Deploying<'a> {
    site: Site<'a>,
    definition: Definition,
    options: Options,
}

/// What a PUT led to.
enum Sent {
    /// It was accepted.
    Accepted(Change),
    /// Others hold the app.
    Locked(Vec<String>),
}

impl Deploying<'_> {
    async fn run(&self) -> Outcome {
        let id = &self.definition.id;
        let mut stream = None;
        let mut locked_since: Option<Instant> = None;
        loop {
            let before = self.site.app(id).await?;
            let plan = self.plan(before.as_ref());
            if let Some(before) = before.as_ref().filter(|_| plan.changes.is_empty()) {
                return self.unchanged(before, &plan).await;
            }
            if locked_since.is_none() {
                self.announce(&plan, before.as_ref());
            }
            let stream = match &mut stream {
                Some(stream) => stream,
                none => none.insert(Stream::open(&self.site).await?),
            };
            // Opening the stream took a moment, in which somebody may have changed the app.
            let now = self.site.app(id).await?;
            if now.as_ref().map(|app| &app.version) != before.as_ref().map(|app| &app.version) {
                continue;
            }
            self.site.call.report.intend(Intent::Deploy {
                marathon: self.site.client.url().to_owned(),
                app: id.clone(),
                previous: before.as_ref().map(|before| before.version.clone()),
            })?;
            match self.put(&plan, before.as_ref()).await? {
                Sent::Accepted(change) => {
                    return self.follow(stream, &plan, before.as_ref(), change).await;
                }
                Sent::Locked(by) => {
                    let since = *locked_since.get_or_insert_with(Instant::now);
                    self.wait_for_lock(&by, since).await?;
                }
            }
        }
    }

    fn plan(&self, before: Option<&App>) -> Plan {
        Plan::new(&self.definition, before, self.options.keep_instances, self.site.client.version)
    }

    fn announce(&self, plan: &Plan, before: Option<&App>) {
        let id = &self.definition.id;
        match before {
            None => {
                self.site.say(format!("`{id}` is new, {}", progress::tasks(plan.instances(), "")))
            }
            Some(before) => {
                let what =
                    if plan.restarts { "every task is replaced" } else { "no task is replaced" };
                self.site.say(format!("`{id}` changes from version {}, {what}:", before.version));
                for line in lines(&plan.changes) {
                    self.site.say(format!("  {line}"));
                }
            }
        }
        for field in &plan.stuck {
            self.site.say(format!(
                "`{field}` stays as it is on the server: this Marathon (before 1.4) can't unset it"
            ));
        }
        if checks(&plan.normal) == 0 && plan.instances() > 0 {
            self.site.say("no health check: success will mean started, not working");
        }
        if let Some(within) = self.options.within
            && within < until_kill(&plan.normal)
        {
            self.site.say(format!(
                "within {} s is shorter than the {} s in which its health checks tell a bad task",
                within.as_secs(),
                until_kill(&plan.normal).as_secs()
            ));
        }
    }

    /// Sends the definition. A cancellation waits for the answer: what was sent must be known.
    async fn put(&self, plan: &Plan, before: Option<&App>) -> Result<Sent, Failure> {
        let client = &self.site.client;
        if self.site.call.cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        if self.options.force {
            self.name_the_cancelled().await?;
        }
        let mut tries = 0;
        loop {
            let put = client.put_app(&self.definition.id, &plan.body, true, self.options.force);
            let sent = self.site.change(put).await;
            tries += 1;
            let error = match sent {
                Ok(change) => return Ok(Sent::Accepted(change)),
                Err(error) => error,
            };
            if let Error::Refused(refusal) = &error
                && refusal.kind == Kind::Locked
            {
                return Ok(Sent::Locked(refusal.deployments.clone()));
            }
            let unknown = matches!(error, Error::Lost(_))
                || matches!(error.kind(), Some(Kind::Gateway | Kind::Server));
            if !unknown {
                return Err(definition_refused(&self.definition, &error));
            }
            self.site.say(format!("{}; looking whether the change was made", error.sentence()));
            if let Some(change) = self.look(plan, before).await {
                self.site.say("it was made");
                return Ok(Sent::Accepted(change));
            }
            if self.site.call.cancel.is_cancelled() {
                let message = format!(
                    "cancelled while the definition of `{}` was sent; it did not arrive",
                    self.definition.id
                );
                return Err(Failure { message, ..Failure::cancelled() });
            }
            let again = matches!(error, Error::Lost(_)) || error.kind() == Some(Kind::Gateway);
            if !again || tries >= 2 {
                return Err(definition_refused(&self.definition, &error));
            }
            self.site.say("it was not made; sending it again");
        }
    }

    /// Whether a change whose answer was lost was made: the app has another version than before,
    /// and the definition that was sent.
    async fn look(&self, plan: &Plan, before: Option<&App>) -> Option<Change> {
        let client = self.site.client();
        let until = Instant::now() + self.site.timing.look;
        loop {
            if let Ok(Some(app)) = client.app(&self.definition.id).await {
                let changed = before.is_none_or(|before| before.version != app.version);
                let mut wanted = normalise(&plan.body, client.version);
                let current = normalise(&app.json, client.version);
                super::normalise::adopt(&mut wanted, &current);
                if changed && wanted == current {
                    let deployment = app.deployments.first().cloned();
                    return Some(Change { deployment, version: app.version });
                }
            }
            if Instant::now() >= until {
                return None;
            }
            tokio::time::sleep(self.site.timing.poll).await;
        }
    }

    async fn name_the_cancelled(&self) -> Result<(), Failure> {
        let id = &self.definition.id;
        let all = self.site.ask(self.site.client.deployments()).await?;
        for deployment in all.iter().filter(|deployment| deployment.apps.contains(id)) {
            self.site.say(format!(
                "force: cancels deployment {} of {}",
                deployment.id,
                deployment.apps.join(", ")
            ));
        }
        Ok(())
    }

    /// Waits until the deployments that hold the app are over.
    async fn wait_for_lock(&self, by: &[String], since: Instant) -> Result<(), Failure> {
        let (site, id) = (&self.site, &self.definition.id);
        let mut told = false;
        loop {
            let all = site.ask(site.client.deployments()).await?;
            let holding: Vec<_> = all
                .iter()
                .filter(|d| by.contains(&d.id) || (by.is_empty() && d.apps.contains(id)))
                .collect();
            let names: Vec<String> =
                holding.iter().map(|d| format!("{} of {}", d.id, d.apps.join(", "))).collect();
            if since.elapsed() >= self.options.lock_within {
                let mut failure = Failure::infrastructure(
                    Code::APP_LOCKED,
                    format!(
                        "`{id}` is held by another deployment for longer than {} s",
                        self.options.lock_within.as_secs()
                    ),
                )
                .help(
                    "wait longer with `lock_within:`, or cancel the other one with `force: true`",
                );
                failure = failure.evidence("what holds it", names);
                return Err(failure);
            }
            if !std::mem::replace(&mut told, true) && !names.is_empty() {
                site.say(format!("waiting for deployment {}", names.join(" and ")));
            }
            site.call.unless_cancelled(tokio::time::sleep(site.timing.poll)).await?;
            if holding.is_empty() {
                return Ok(());
            }
        }
    }

    /// Nothing to send: the app only has to be well.
    async fn unchanged(&self, before: &App, plan: &Plan) -> Outcome {
        let (site, id) = (&self.site, &self.definition.id);
        site.say(format!(
            "`{id}` already runs this definition (version {}): nothing to do",
            before.version
        ));
        if let Some(image) = self.definition.image()
            && is_mutable(image)
        {
            site.say(format!("{image} may mean another image now; its tag would have to change"));
        }
        let mut goal =
            self.goal(plan, Some(before), before.deployments.first().cloned(), &before.version);
        goal.config_version.clone_from(&before.config_version);
        goal.settle = Duration::ZERO;
        goal.new_tasks = false;
        let mut follow = Follow::new(goal);
        follow.app(Some(before), Duration::ZERO);
        if before.deployments.is_empty() {
            follow.deployments(&[], Duration::ZERO);
        }
        if follow.verdict(Duration::ZERO) == Verdict::Done {
            return Ok(self.record(&follow, Some(&before.version), false));
        }
        site.say("it is not well yet");
        let mut stream = Stream::open(site).await?;
        match watch(site, &mut stream, &mut follow, Cancellation::Ends).await? {
            Watched::Cancelled => Err(Failure::cancelled()),
            Watched::Verdict(Verdict::Done) => {
                self.say_where(&follow, plan);
                Ok(self.record(&follow, Some(&before.version), false))
            }
            Watched::Verdict(verdict) => {
                let evidence = Evidence::gather(site, &follow).await;
                let went = WentBack::Left("nothing was changed".to_owned());
                Err(evidence.add_to(self.verdict_failure(&follow, &verdict, &went)))
            }
        }
    }

    /// Whether Marathon took the definition and found nothing to do: the app keeps its version,
    /// and no deployment with the id that was answered runs, in two looks.
    async fn was_no_change(&self, before: &App, change: &Change) -> bool {
        for look in 0..2 {
            if look > 0 && !self.site.call.cancel.is_cancelled() {
                tokio::time::sleep(self.site.timing.poll).await;
            }
            // A cancellation is seen by who follows; an error too.
            let Ok(Some(app)) = self.site.client().app(&self.definition.id).await else {
                return false;
            };
            let running = change.deployment.as_ref().is_some_and(|id| app.deployments.contains(id));
            if running || app.version != before.version {
                return false;
            }
        }
        true
    }

    /// What is to be followed after a change.
    fn goal(
        &self,
        plan: &Plan,
        before: Option<&App>,
        deployment: Option<String>,
        version: &str,
    ) -> Goal {
        let checks = checks(&plan.normal);
        let settle = if checks > 0 { Duration::ZERO } else { self.site.timing.settle };
        let config_version = match before {
            Some(before) if !plan.restarts => before.config_version.clone(),
            _ => version.to_owned(),
        };
        let failure = before.and_then(|before| before.last_failure.as_ref());
        Goal {
            app: self.definition.id.clone(),
            deployment,
            version: version.to_owned(),
            config_version,
            instances: plan.instances(),
            checks,
            settle: self.options.settle.unwrap_or(settle),
            within: self.options.within.unwrap_or_else(|| within(&plan.normal, &self.site.timing)),
            grace: grace(&plan.normal),
            known_failure: failure.map(|failure| failure.task.clone()),
            new_tasks: plan.restarts && before.is_some(),
        }
    }

    async fn follow(
        &self,
        stream: &mut Stream,
        plan: &Plan,
        before: Option<&App>,
        change: Change,
    ) -> Outcome {
        let (site, id) = (&self.site, &self.definition.id);
        if let Some(before) = before
            && self.was_no_change(before, &change).await
        {
            site.say("Marathon sees no difference to what runs");
            return self.unchanged(before, plan).await;
        }
        let Change { deployment, version } = change;
        if let Some(deployment) = &deployment {
            site.say(format!("deployment {deployment} leads to version {version}"));
            let intent = Intent::Deployment {
                app: id.clone(),
                id: deployment.clone(),
                version: version.clone(),
            };
            // The change is made: it has to be followed, whatever becomes of the journal.
            if let Err(failure) = site.call.report.intend(intent) {
                site.say(failure.message);
            }
        }
        let mut follow = Follow::new(self.goal(plan, before, deployment, &version));
        let watched = watch(site, stream, &mut follow, Cancellation::Ends).await?;
        let previous = before.map(|before| before.version.as_str());
        let verdict = match watched {
            Watched::Verdict(Verdict::Done) => {
                self.say_where(&follow, plan);
                return Ok(self.record(&follow, previous, true));
            }
            Watched::Cancelled => {
                let went = go_back(site, stream, self.options.on_failure, &follow, before).await;
                site.say(format!("`{id}`: {}", went.sentence()));
                let message = format!("cancelled while `{id}` was deployed; {}", went.sentence());
                return Err(Failure { message, ..Failure::cancelled() });
            }
            Watched::Verdict(verdict) => verdict,
        };
        if matches!(verdict, Verdict::Superseded(_) | Verdict::Removed | Verdict::Cancelled) {
            return Err(self.taken_over(&follow, &verdict));
        }
        site.say(progress::line(&follow));
        let evidence = Evidence::gather(site, &follow).await;
        let went = go_back(site, stream, self.options.on_failure, &follow, before).await;
        site.say(went.sentence());
        Err(evidence.add_to(self.verdict_failure(&follow, &verdict, &went)))
    }

    /// The failure of a version that does not work, and what became of it.
    fn verdict_failure(&self, follow: &Follow, verdict: &Verdict, went: &WentBack) -> Failure {
        let id = &self.definition.id;
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
        let id = &self.definition.id;
        let what = match verdict {
            Verdict::Superseded(version) => format!(
                "`{id}` was taken over by another deployment (version {version}); nothing was led back"
            ),
            Verdict::Removed => format!("`{id}` was removed by somebody while it was deployed"),
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

    fn say_where(&self, follow: &Follow, plan: &Plan) {
        let word = if follow.goal.checks > 0 { "healthy" } else { "running" };
        let id = &self.definition.id;
        self.site
            .say(format!("`{id}`: {0} of {0} {word}", progress::tasks(follow.goal.instances, "")));
        for task in follow.tasks() {
            for address in addresses(task, plan) {
                self.site.say(format!("answers at {address}"));
            }
        }
    }

    fn record(&self, follow: &Follow, previous: Option<&str>, changed: bool) -> Value {
        let tasks = follow.tasks().iter().map(|task| {
            Value::record([
                ("id", Value::string(task.id.as_str())),
                ("host", Value::string(task.host.as_str())),
                ("ports", Value::list(task.ports.iter().map(|port| Value::Int((*port).into())))),
            ])
        });
        Value::record([
            ("app", Value::string(self.definition.id.as_str())),
            ("version", Value::string(follow.goal.version.as_str())),
            ("previous", Value::from(previous)),
            ("changed", Value::Bool(changed)),
            ("tasks", Value::list(tasks)),
        ])
    }
}

/// Where a task answers: `http://host:port`, without the scheme where only TCP is checked.
fn addresses(task: &Task, plan: &Plan) -> Vec<String> {
    let protocols: Vec<&str> = plan.normal["healthChecks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|check| check["protocol"].as_str())
        .collect();
    let any = |name: &str| protocols.iter().any(|protocol| protocol.ends_with(name));
    let scheme = if any("HTTPS") {
        "https://"
    } else if any("TCP") && !any("HTTP") {
        ""
    } else {
        "http://"
    };
    task.ports.iter().map(|port| format!("{scheme}{}:{port}", task.host)).collect()
}

/// No tag, or `latest`, and no digest: the name may mean another image tomorrow.
fn is_mutable(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        0 => format!("{}ms", time.as_millis()),
        seconds => format!("{seconds}s"),
    }
}
