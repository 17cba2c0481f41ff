//! `marathon.canary`.

use std::{sync::Arc, time::Duration};

use pipe_grammar::Code;
use serde_json::Value as Json;

use super::{
    Timing,
    balancer::LoadBalancer,
    beside::{self, Known, LOCK_WITHIN, Phase},
    definition::Definition,
    deploy::{Deploying, Options},
    pair::is_ours,
    progress::tasks,
    scale::{scale_to, wanted},
    site::Site,
    traffic::{self, Beside},
    way_back::Policy,
    withdraw::withdraw,
};
use crate::{
    client::marathon::App,
    core::{
        Arguments, Call, Failure, Held, HeldType, Holding, Running, Value, builtin,
    },
};

builtin! {
    held marathon.canary, canary;
    "
    # Starts a few tasks of a new version that get a part of an app's traffic.
    #
    # They are an app of their own, `ID-canary`. When the app is served by marathon-lb, both need
    # the label `HAPROXY_DEPLOYMENT_GROUP`: each healthy task of the canary then takes the place of
    # one of the app's. `promote()` deploys the definition to the app itself. Without that the
    # canary is removed when the block ends, and nothing has changed.
    (
      # The app definition: a JSON file, a record, or JSON.
      definition: app,
      # Changes to it: records merge, lists and null replace.
      with: any = {},
      # How many tasks it has.
      instances: int = 1,
      # What the start takes at most. Without it: what the health checks need, at least 10m.
      within: duration?,
    ) -> Canary
    "
    examples: [r#"let few = marathon.canary("marathon.json", instances: 2)"#]
}

/// The type of what it gives.
pub(super) static TYPE: HeldType = HeldType {
    name: "Canary",
    fields: "{ id: string, url: string, tasks: list<Task> }",
    methods: &[
        (
            "scale",
            "
            # Gives the canary another number of tasks, and so another part of the traffic.
            (
              # How many.
              instances: int,
              # What it takes at most.
              within: duration = 10m,
            )
            ",
        ),
        (
            "promote",
            "
            # Deploys the definition to the app itself, then removes the canary.
            #
            # When the app does not work with it, it goes back to what ran before, as with
            # `marathon.deploy`.
            (
              # What it takes at most. Without it: what the health checks need, at least 10m.
              within: duration?,
            )
            ",
        ),
    ],
};

async fn canary(call: Call<'_>, arguments: Arguments) -> Result<Arc<dyn Held>, Failure> {
    canary_with(call, arguments, &Timing::default()).await
}

/// `marathon.canary` at another pace than the usual one.
///
/// # Errors
///
/// Nothing runs that it could stand beside, or it does not work.
pub async fn canary_with(
    call: Call<'_>,
    arguments: Arguments,
    timing: &Timing,
) -> Result<Arc<dyn Held>, Failure> {
    let definition = Definition::read(&call, &arguments).await?;
    let instances = some(&arguments)?;
    let within: Option<Duration> = arguments.get("within")?;
    let site = Site::connect(call, timing).await?;
    // Only a local cluster has one that can be asked.
    let balancer = LoadBalancer::read(&call, &arguments)?;
    let app = running(&site, &definition).await?;
    let id = format!("{}-canary", definition.id);
    if let Some(other) = site.app(&id).await?.filter(|app| app.instances > 0) {
        if !is_ours(&site, &other.id) {
            return Err(busy(&other));
        }
        site.say(format!("`{id}` is left of a run that was cut off: it goes first"));
        withdraw(&site, &id, balancer.as_ref()).await?;
    }
    let mut few = definition.clone();
    few.json["instances"] = Json::from(instances);
    let beside = Beside::new(&few, &id, &traffic::service_ports(&app.json));
    let few = if traffic::has_traffic(&app.json) {
        share(&site, &app, instances);
        beside.with_traffic(Some(&app.json), None, call.world.now())
    } else {
        beside.without_traffic()
    };
    let started = beside::start(&site, &few, &definition.id, balancer.as_ref(), within, false).await?;
    let known = Known::new(&started, site.client.version);
    let connection = call.connection.map(str::to_owned);
    Ok(Arc::new(Canary { connection, timing: *timing, definition, id, balancer, known }))
}

/// The argument `instances`, at least 1.
fn some(arguments: &Arguments) -> Result<u64, Failure> {
    match wanted(arguments)? {
        0 => Err(Failure::new(Code::INVALID_APP, "a canary has at least one task")
            .at_argument("instances")),
        instances => Ok(instances),
    }
}

/// The app that it stands beside, which must be able to share its traffic.
async fn running(site: &Site<'_>, definition: &Definition) -> Result<App, Failure> {
    let id = &definition.id;
    let app = site.app(id).await?.filter(|app| app.instances > 0).ok_or_else(|| {
        Failure::new(Code::APP_LOST, format!("no `{id}` runs that a canary could stand beside"))
            .at(definition.spot("/id"))
            .help("deploy it first: `marathon.deploy(…)`")
    })?;
    if !traffic::has_traffic(&app.json) && !traffic::has_traffic(&definition.json) {
        return Ok(app);
    }
    let group = traffic::check(definition)?;
    if traffic::group(&app.json) != Some(&*group) || !traffic::has_traffic(&app.json) {
        return Err(traffic::no_group(definition, "runs without"));
    }
    Ok(app)
}

fn busy(app: &App) -> Failure {
    let id = &app.id;
    let what = format!("`{id}` is there already: another run tries it, or one was cut off");
    Failure::infrastructure(Code::APP_LOCKED, what)
        .help(format!("when no other run is at work: `marathon.destroy(\"{id}\")`"))
}

/// Says which part of the traffic the canary gets.
fn share(site: &Site<'_>, app: &App, instances: u64) {
    let id = &app.id;
    if instances < app.instances {
        site.say(format!(
            "{} of {} in the traffic of `{id}` will be new",
            instances,
            tasks(app.instances, "")
        ));
    } else {
        site.say(format!(
            "`{id}` has {}, the canary no fewer: it will get all of the traffic",
            tasks(app.instances, "")
        ));
    }
}

/// A few tasks of a new version.
struct Canary {
    connection: Option<String>,
    timing: Timing,
    /// What is deployed to the app itself.
    definition: Definition,
    /// Its own id.
    id: String,
    balancer: Option<LoadBalancer>,
    known: Known,
}

impl Canary {
    async fn site<'a>(&'a self, call: Call<'a>) -> Result<Site<'a>, Failure> {
        Site::connect(Call { connection: self.connection.as_deref(), ..call }, &self.timing).await
    }

    async fn scale(&self, call: Call<'_>, arguments: Arguments) -> Result<Value, Failure> {
        let instances = some(&arguments)?;
        let within: Duration = arguments.get("within")?;
        self.known.still_there(&self.id)?;
        let site = self.site(call).await?;
        if let Some(app) = site.app(&self.definition.id).await?
            && traffic::has_traffic(&app.json)
        {
            share(&site, &app, instances);
        }
        scale_to(&site, &self.id, instances, within).await?;
        self.known.look(&site.existing(&self.id).await?, site.client.version);
        Ok(Value::Null)
    }

    async fn promote(&self, call: Call<'_>, arguments: Arguments) -> Result<Value, Failure> {
        let within: Option<Duration> = arguments.get("within")?;
        self.known.still_there(&self.id)?;
        let site = self.site(call).await?;
        let options = Options {
            within,
            on_failure: Policy::Rollback,
            keep_instances: false,
            force: false,
            lock_within: LOCK_WITHIN,
            settle: None,
        };
        Deploying { site: &site, definition: &self.definition, options }.run().await?;
        withdraw(&site, &self.id, self.balancer.as_ref()).await.map_err(|failure| {
            failure.help(format!("`{}` itself is deployed", self.definition.id))
        })?;
        self.known.goes_to(Phase::Promoted);
        Ok(Value::Null)
    }
}

impl Held for Canary {
    fn fields(&self) -> Value {
        self.known.fields(&self.id)
    }

    fn call<'a>(&'a self, call: Call<'a>, method: &'a str, arguments: Arguments) -> Running<'a> {
        match method {
            "scale" => Box::pin(self.scale(call, arguments)),
            _ => Box::pin(self.promote(call, arguments)),
        }
    }

    fn undo<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()> {
        Box::pin(async move {
            if self.known.phase() != Phase::Beside {
                return Ok(());
            }
            let site = self.site(call).await?;
            site.say(format!("`{}` was not promoted", self.id));
            withdraw(&site, &self.id, self.balancer.as_ref()).await?;
            self.known.goes_to(Phase::Gone);
            Ok(())
        })
    }
}
