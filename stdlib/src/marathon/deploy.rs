//! `marathon.deploy`.

use std::time::Duration;

use super::{
    Timing,
    advice::{advice, image, is_mutable},
    changes::lines,
    conclusion::Changing,
    definition::Definition,
    lock::Lock,
    normalise::same,
    plan::Plan,
    preflight, progress,
    send::{Request, Sent},
    site::Site,
    watch::Stream,
    way_back::Policy,
};
use crate::{
    client::marathon::{App, Change},
    core::{Arguments, Call, Failure, Intent, Outcome, builtin},
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
    Deploying { site: &site, definition: &definition, options }.run().await
}

/// How a definition is deployed.
pub(super) struct Options {
    /// What it takes at most.
    pub(super) within: Option<Duration>,
    /// What happens to a version that does not work.
    pub(super) on_failure: Policy,
    /// Keeps the number of tasks that the server has.
    pub(super) keep_instances: bool,
    /// Cancels other deployments of the app.
    pub(super) force: bool,
    /// How long another deployment of the app is waited for.
    pub(super) lock_within: Duration,
    /// How long the tasks have to stay well.
    pub(super) settle: Option<Duration>,
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

/// A definition that is being deployed.
pub(super) struct Deploying<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) definition: &'a Definition,
    pub(super) options: Options,
}

impl Deploying<'_> {
    /// Puts it and follows it to its end: a `Deployment`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the app from being deployed; see the kinds of failure.
    pub(super) async fn run(&self) -> Outcome {
        let (site, id) = (self.site, self.definition.id.as_str());
        let idle = self.definition.check(Some(site.client.version))?;
        let mut stream = None;
        let mut lock = Lock::new(self.options.lock_within);
        loop {
            let before = site.app(id).await?;
            let plan = self.plan(before.as_ref());
            let changing = self.changing(&plan, before.as_ref());
            if let Some(before) = before.as_ref().filter(|_| plan.changes.is_empty()) {
                return self.unchanged(&changing, before).await;
            }
            if !lock.waited() {
                self.announce(&plan, before.as_ref(), &idle);
                if let Some(line) = preflight::look(&site.call, &plan.normal).await? {
                    site.say(line);
                }
            }
            let stream = match &mut stream {
                Some(stream) => stream,
                none => none.insert(Stream::open(site).await?),
            };
            // Opening the stream took a moment, in which somebody may have changed the app.
            let now = site.app(id).await?;
            if now.as_ref().map(|app| &app.version) != before.as_ref().map(|app| &app.version) {
                continue;
            }
            site.call.report.intend(Intent::Deploy {
                marathon: site.client.url().to_owned(),
                app: id.to_owned(),
                previous: before.as_ref().map(|before| before.version.clone()),
            })?;
            let change = match self.put(&plan, before.as_ref()).await? {
                Sent::Accepted(change) => change,
                Sent::Locked(by) => {
                    lock.wait(site, id, &by).await?;
                    continue;
                }
            };
            if let Some(before) = &before
                && self.was_no_change(before, &change).await
            {
                site.say("Marathon sees no difference to what runs");
                return self.unchanged(&changing, before).await;
            }
            return changing.follow(stream, change).await;
        }
    }

    fn plan(&self, before: Option<&App>) -> Plan {
        Plan::new(self.definition, before, self.options.keep_instances, self.site.client.version)
    }

    fn changing<'a>(&'a self, plan: &'a Plan, before: Option<&'a App>) -> Changing<'a> {
        Changing {
            site: self.site,
            id: &self.definition.id,
            normal: &plan.normal,
            before,
            restarts: plan.restarts,
            within: self.options.within,
            settle: self.options.settle,
            on_failure: self.options.on_failure,
            doing: "deployed",
        }
    }

    fn announce(&self, plan: &Plan, before: Option<&App>, idle: &[String]) {
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
        for line in idle.iter().cloned().chain(advice(plan, before, self.options.within)) {
            self.site.say(line);
        }
    }

    async fn put(&self, plan: &Plan, before: Option<&App>) -> Result<Sent, Failure> {
        let (site, id) = (self.site, self.definition.id.as_str());
        if self.options.force {
            self.name_the_cancelled().await?;
        }
        let request = Request::Put { body: &plan.body, whole: true, force: self.options.force };
        // It has another version than before, and the definition that was sent.
        let made = |app: Option<&App>| {
            app.is_some_and(|app| {
                before.is_none_or(|before| before.version != app.version)
                    && same(&plan.body, &app.json, site.client.version)
            })
        };
        request.send(site, id, Some(self.definition), made).await
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

    async fn unchanged(&self, changing: &Changing<'_>, before: &App) -> Outcome {
        let (site, id) = (self.site, &self.definition.id);
        site.say(format!(
            "`{id}` already runs this definition (version {}): nothing to do",
            before.version
        ));
        if let Some(image) = image(&self.definition.json)
            && is_mutable(image)
        {
            site.say(format!("{image} may mean another image now; its tag would have to change"));
        }
        changing.as_it_is(before).await
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
}
