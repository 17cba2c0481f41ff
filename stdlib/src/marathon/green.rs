//! A new version that waits for the traffic, and gets it.

use std::time::Duration;

use pipe_grammar::Code;
use tokio::time::Instant;

use super::{
    Timing,
    balancer::LoadBalancer,
    beside::{Known, LOCK_WITHIN, Phase},
    deploy::{Deploying, Options},
    destroy::remove,
    pair::Pair,
    plan::span,
    scale::scale_to,
    site::Site,
    traffic::Beside,
    way_back::Policy,
    withdraw::withdraw,
};
use crate::{
    client::marathon::{App, ServerVersion, same_version},
    core::{
        Arguments, Call, Failure, FailureKind, Held, HeldType, Holding, Intent, Running, Value,
    },
};

/// The type.
pub(super) const GREEN: HeldType = HeldType {
    name: "Green",
    fields: "{ id: string, url: string, tasks: list<Task> }",
    methods: &[(
        "promote",
        "
        # Moves the traffic to the new version, drains and removes the old one.
        #
        # A label of an app can't change without new tasks: those that were tried end, then as
        # many with the labels of the load balancer start. When they do not get healthy the old
        # version goes on serving. No request is lost: the old tasks get no new connection as soon
        # as as many new ones are healthy, and end when their connections have.
        (
          # How long open connections to the old version are waited for.
          drain: duration = 1m,
          # What it takes at most.
          within: duration = 15m,
        )
        ",
    )],
};

/// A new version beside the one that has the traffic.
pub(super) struct Green {
    connection: Option<String>,
    timing: Timing,
    pair: Pair,
    beside: Beside,
    balancer: Option<LoadBalancer>,
    force: bool,
    known: Known,
}

impl Green {
    /// One that works, as it was made by a call.
    #[expect(clippy::too_many_arguments, reason = "everything that the start has found")]
    pub(super) fn new(
        call: Call<'_>,
        timing: Timing,
        pair: Pair,
        beside: Beside,
        balancer: Option<LoadBalancer>,
        force: bool,
        app: &App,
        server: ServerVersion,
    ) -> Self {
        let connection = call.connection.map(str::to_owned);
        Self { connection, timing, pair, beside, balancer, force, known: Known::new(app, server) }
    }

    /// The Marathon that it was made in.
    async fn site<'a>(&'a self, call: Call<'a>) -> Result<Site<'a>, Failure> {
        Site::connect(Call { connection: self.connection.as_deref(), ..call }, &self.timing).await
    }

    async fn promote(&self, call: Call<'_>, arguments: Arguments) -> Result<Value, Failure> {
        let drain: Duration = arguments.get("drain")?;
        let within: Duration = arguments.get("within")?;
        let id = self.pair.id.as_str();
        self.known.still_there(id)?;
        let until = Instant::now() + within;
        let left = || until.saturating_duration_since(Instant::now());
        let site = self.site(call).await?;
        self.is_as_it_was(&site).await?;
        let old = self.pair.old.as_ref();
        site.call.report.intend(Intent::Promote {
            marathon: site.client.url().to_owned(),
            app: id.to_owned(),
            instead: old.map(|old| old.id.clone()),
        })?;
        // Otherwise the tasks that were tried would get traffic and be ended under it.
        site.say("the tasks that were tried end, those with the traffic start");
        scale_to(&site, id, 0, left()).await?;
        let json = old.map(|old| &old.json);
        let served = self.beside.with_traffic(json, Some(self.pair.colour), call.world.now());
        let options = Options {
            within: Some(left()),
            on_failure: Policy::Rollback,
            keep_instances: false,
            force: self.force,
            lock_within: LOCK_WITHIN.min(left()),
            settle: None,
        };
        Deploying { site: &site, definition: &served, options }.run().await?;
        self.known.look(&site.existing(id).await?, site.client.version);
        self.drain(&site, drain, until).await?;
        self.is_as_it_was(&site).await?;
        self.known.goes_to(Phase::Promoted);
        let Some(old) = old else {
            site.say(format!("`{id}` has the traffic"));
            return Ok(Value::Null);
        };
        site.say(format!("`{id}` has the traffic, `{}` goes", old.id));
        if site.app(&old.id).await?.is_some() {
            remove(&site, &old.id, left().max(site.timing.hurry)).await.map_err(|failure| {
                let help =
                    format!("the traffic has moved to `{id}`; `{}` is to be removed", old.id);
                failure.help(help)
            })?;
        }
        Ok(Value::Null)
    }

    /// Whoever changed the old app meanwhile must not be undone.
    async fn is_as_it_was(&self, site: &Site<'_>) -> Result<(), Failure> {
        let Some(old) = &self.pair.old else { return Ok(()) };
        let Some(now) = site.app(&old.id).await? else { return Ok(()) };
        if same_version(&now.config_version, &old.config_version) {
            return Ok(());
        }
        let what = format!(
            "`{}` was changed by somebody (version {}) since `{}` was started: it keeps the traffic",
            old.id, now.version, self.pair.id
        );
        Err(Failure::new(Code::DEPLOYMENT_SUPERSEDED, what).kind(FailureKind::Superseded))
    }

    async fn drain(&self, site: &Site<'_>, drain: Duration, until: Instant) -> Result<(), Failure> {
        let old = self.pair.old.as_ref().map(|old| old.id.as_str());
        if let Some(balancer) = &self.balancer {
            return balancer.switch(site, &self.pair.id, old, drain, until).await;
        }
        let Some(old) = old else { return Ok(()) };
        let follow = site.timing.balancer;
        site.say(format!(
            "the load balancer has {} to follow, then connections to `{old}` have {} to end",
            span(follow),
            span(drain)
        ));
        site.call.unless_cancelled(tokio::time::sleep(follow + drain)).await
    }
}

impl Held for Green {
    fn fields(&self) -> Value {
        self.known.fields(&self.pair.id)
    }

    fn call<'a>(&'a self, call: Call<'a>, _: &'a str, arguments: Arguments) -> Running<'a> {
        Box::pin(self.promote(call, arguments))
    }

    fn undo<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()> {
        Box::pin(async move {
            if self.known.phase() != Phase::Beside {
                return Ok(());
            }
            let site = self.site(call).await?;
            site.say(format!("`{}` was not promoted", self.pair.id));
            withdraw(&site, &self.pair.id, self.balancer.as_ref()).await?;
            self.known.goes_to(Phase::Gone);
            Ok(())
        })
    }
}
