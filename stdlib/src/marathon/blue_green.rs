//! `marathon.blue_green`.

use std::{sync::Arc, time::Duration};

use super::{
    Timing,
    balancer::LoadBalancer,
    definition::Definition,
    green::{GREEN, Green},
    pair,
    site::Site,
    traffic::{self, Beside},
};
use crate::core::{Arguments, Call, Failure, Held, HeldType, builtin};

builtin! {
    held marathon.blue_green, blue_green;
    "
    # Starts a new version of an app beside the old one, without traffic.
    #
    # The old one is the app itself, `ID-blue` or `ID-green`, whichever has the traffic; the new
    # one gets the other colour. What follows in the block tries it at its `url`, and `promote()`
    # moves the traffic to it. Without that it is removed when the block ends. The load balancer
    # is marathon-lb: the definition has its labels `HAPROXY_GROUP` and
    # `HAPROXY_DEPLOYMENT_GROUP`, and a service port.
    (
      # The app definition: a JSON file, a record, or JSON.
      definition: app,
      # Changes to it: records merge, lists and null replace.
      with: any = {},
      # Where marathon-lb tells its statistics: `http://HOST:9090`. With it `promote` sees the
      # traffic move and the last connection end; without it, it waits for the time of both.
      load_balancer: string?,
      # What the start takes at most. Without it: what the health checks need, at least 10m.
      within: duration?,
      # Removes what a run that was cut off has left, and cancels other deployments of the app.
      force: bool = false,
    ) -> Green
    "
    examples: [
        r#"let green = marathon.blue_green("marathon.json", with: { container.docker.image: "ssk2/demo:2" })"#,
        r#"let green = marathon.blue_green("marathon.json", load_balancer: "http://lb.example.com:9090")"#,
    ]
}

/// The type of what it gives.
pub(super) static TYPE: HeldType = GREEN;

async fn blue_green(call: Call<'_>, arguments: Arguments) -> Result<Arc<dyn Held>, Failure> {
    blue_green_with(call, arguments, &Timing::default()).await
}

/// `marathon.blue_green` at another pace than the usual one.
///
/// # Errors
///
/// The definition or what runs does not fit, or the new version does not work.
pub async fn blue_green_with(
    call: Call<'_>,
    arguments: Arguments,
    timing: &Timing,
) -> Result<Arc<dyn Held>, Failure> {
    let definition = Definition::read(&call, &arguments).await?;
    let group = traffic::check(&definition)?;
    super::beside::needs_tasks(&definition)?;
    let within: Option<Duration> = arguments.get("within")?;
    let force = arguments.get::<Option<bool>>("force")?.unwrap_or(false);
    let site = Site::connect(call, timing).await?;
    let balancer = LoadBalancer::read(&call, &arguments)?;
    if let Some(balancer) = &balancer {
        balancer.check(&call).await?;
    }
    let pair = pair::find(&site, &definition, &group, balancer.as_ref(), force).await?;
    match &pair.old {
        Some(old) => site.say(format!("`{}` has the traffic, `{}` comes", old.id, pair.id)),
        None => site.say(format!("nothing has the traffic yet, `{}` comes", pair.id)),
    }
    let beside = Beside::new(&definition, &pair.id, &pair.taken);
    let app = super::beside::start(
        &site,
        &beside.without_traffic(),
        &definition.id,
        balancer.as_ref(),
        within,
        force,
    )
    .await?;
    Ok(Arc::new(Green::new(call, *timing, pair, beside, balancer, force, &app, site.client.version)))
}
