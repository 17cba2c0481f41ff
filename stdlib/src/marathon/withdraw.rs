//! Removes an app that was only meant for a while, out of the traffic first.

use std::time::Duration;

use pipe_grammar::Code;
use serde_json::json;

use super::{balancer::LoadBalancer, site::Site, traffic, trouble::failure, way_back::until_over};
use crate::{
    client::marathon::App,
    core::{Failure, FailureKind, Intent},
};

/// Removes an app, whatever holds it. One that has traffic loses it first: its labels go, and the
/// load balancer gets the time to see that. Nothing happens when it is gone already.
///
/// Goes on when the call is cancelled, but then hurries.
///
/// # Errors
///
/// Marathon does not answer, or the app does not go.
pub(super) async fn withdraw(
    site: &Site<'_>,
    id: &str,
    balancer: Option<&LoadBalancer>,
) -> Result<(), Failure> {
    removed(site, id, balancer).await.map_err(|failure| {
        failure.help(format!("look at `{id}` in Marathon: it may be left, and has to be removed"))
    })
}

async fn removed(
    site: &Site<'_>,
    id: &str,
    balancer: Option<&LoadBalancer>,
) -> Result<(), Failure> {
    let found = site.client().app(id).await.map_err(|error| failure(&error))?;
    let Some(app) = found else { return Ok(()) };
    site.call.report.intend(Intent::Deploy {
        marathon: site.client.url().to_owned(),
        app: id.to_owned(),
        previous: Some(app.version.clone()),
    })?;
    if traffic::has_traffic(&app.json) && !app.tasks.is_empty() {
        out_of_traffic(site, &app, balancer).await;
    }
    let change = match site.change(site.client().delete_app(id, true)).await {
        Ok(change) => change,
        Err(error) => {
            let gone = matches!(site.client().app(id).await, Ok(None));
            return if gone { Ok(()) } else { Err(failure(&error)) };
        }
    };
    site.say(format!("`{id}` is removed"));
    if until_over(site, &change, site.timing.within).await.map_err(|error| failure(&error))? {
        return Ok(());
    }
    let what = format!("`{id}` is not gone yet: its tasks have still to end");
    Err(Failure::new(Code::DEPLOYMENT_FAILED, what).kind(FailureKind::Timeout))
}

/// Marathon starts its tasks anew for that, and keeps the old ones until the new ones are healthy;
/// they are all removed before that matters.
async fn out_of_traffic(site: &Site<'_>, app: &App, balancer: Option<&LoadBalancer>) {
    let id = &app.id;
    site.say(format!("taking `{id}` out of the traffic"));
    let body = json!({
        "labels": traffic::other_labels(&app.json),
        "upgradeStrategy": { "minimumHealthCapacity": 1, "maximumOverCapacity": 1 },
    });
    if let Err(error) = site.change(site.client().put_app(id, &body, false, true)).await {
        site.say(format!("{}; it is removed as it is", error.sentence()));
        return;
    }
    match balancer {
        Some(balancer) => balancer.until_gone(site, app).await,
        None => pause(site, site.timing.balancer).await,
    }
}

/// Waits, unless the call is cancelled.
pub(super) async fn pause(site: &Site<'_>, time: Duration) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = site.call.cancel.cancelled() => {}
    }
}
