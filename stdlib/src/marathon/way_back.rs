//! The way back: what ran before runs again, or nothing does.
//!
//! Always by a PUT of the definition that was remembered, never by `DELETE
//! /v2/deployments/ID`: of an app's first deployment that removes the app, and in other cases it
//! may end with no instance at all (#4046, `DeploymentPlanReverter.scala`). Marathon stamps the
//! way back as a third version and so replaces every task, also the good ones.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{
    follow::{Follow, Goal},
    plan::{as_it_was, checks, grace, within},
    progress::tasks,
    site::Site,
    verdict::Verdict,
    watch::{Cancellation, Stream, Watched, watch},
};
use crate::{
    client::marathon::{App, Change, Error, same_version},
    core::Intent,
};

/// What to do about a version that does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Policy {
    /// Go back to what ran before; without that, scale to 0.
    Rollback,
    /// Go back to what ran before; without that, remove the app.
    Remove,
    /// Leave everything as it is.
    Leave,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WentBack {
    /// All is as it was; in words.
    Well(String),
    /// Nothing was done, on purpose; in words.
    Left(String),
    /// The way back did not work either; in words, and what to do.
    Badly(String, String),
}

impl WentBack {
    /// The words.
    pub(super) fn sentence(&self) -> &str {
        match self {
            Self::Well(text) | Self::Left(text) | Self::Badly(text, _) => text,
        }
    }
}

/// Goes back and waits for it.
pub(super) async fn go_back(
    site: &Site<'_>,
    stream: &mut Stream,
    policy: Policy,
    failed: &Follow,
    before: Option<&App>,
) -> WentBack {
    let app = &failed.goal.app;
    if policy == Policy::Leave {
        return WentBack::Left(left(failed));
    }
    match nobody_else(site, failed).await {
        Ok(true) => {}
        Ok(false) => {
            return WentBack::Left(
                "somebody else has changed it meanwhile, so it is left".to_owned(),
            );
        }
        Err(error) => return stranded(app, &error.sentence()),
    }
    let to = before.map(|before| before.version.clone());
    if let Err(failure) = site.call.report.intend(Intent::Rollback { app: app.clone(), to }) {
        return stranded(app, &failure.message);
    }
    match (before, policy) {
        (Some(before), _) => to_before(site, stream, failed, before).await,
        (None, Policy::Remove) => removed(site, app).await,
        (None, _) => to_nothing(site, stream, failed).await,
    }
}

/// Whether the app still is what we made of it: whoever came after us must not be undone.
async fn nobody_else(site: &Site<'_>, failed: &Follow) -> Result<bool, Error> {
    let app = site.client().app(&failed.goal.app).await?;
    Ok(app.is_some_and(|app| same_version(&app.config_version, &failed.goal.config_version)))
}

async fn to_before(
    site: &Site<'_>,
    stream: &mut Stream,
    failed: &Follow,
    before: &App,
) -> WentBack {
    let app = &before.id;
    site.say(format!("going back to version {}", before.version));
    let body = as_it_was(before, site.client.version);
    let change = match put(site, app, &body, true).await {
        Ok(change) => change,
        Err(error) => return stranded(app, &error.sentence()),
    };
    let normal = super::normalise::normalise(&before.json, site.client.version);
    // Where only the number of tasks had changed, the old ones are still the right ones.
    let same_tasks = same_version(&failed.goal.config_version, &before.config_version);
    let config_version = if same_tasks { &before.config_version } else { &change.version };
    let mut follow = Follow::new(Goal {
        app: app.clone(),
        deployment: change.deployment.clone(),
        version: change.version.clone(),
        config_version: config_version.clone(),
        instances: before.instances,
        checks: checks(&normal),
        settle: Duration::ZERO,
        within: within(&normal, &site.timing),
        grace: grace(&normal),
        known_failure: before.last_failure.as_ref().map(|failure| failure.task.clone()),
        new_tasks: false,
        restarts: !same_tasks,
    });
    let hurry = Cancellation::Hurries(site.timing.hurry);
    match watch(site, stream, &mut follow, hurry).await {
        Ok(Watched::Verdict(Verdict::Done)) => {
            let word = if follow.goal.checks > 0 { "healthy" } else { "running" };
            WentBack::Well(if before.instances == 0 {
                "the previous version is back, with no tasks as before".to_owned()
            } else {
                format!("the previous version runs again, {0} of {0} {word}", before.instances)
            })
        }
        Ok(Watched::Verdict(Verdict::Superseded(version))) => WentBack::Left(format!(
            "another deployment took over on the way back (version {version})"
        )),
        Ok(_) => WentBack::Badly(
            format!(
                "the previous version does not work either: {}",
                super::progress::line(&follow)
            ),
            match &change.deployment {
                Some(id) => format!("deployment {id} leads back to it and goes on in Marathon"),
                None => format!("look at `{app}` in Marathon"),
            },
        ),
        Err(failure) => stranded(app, &failure.message),
    }
}

async fn to_nothing(site: &Site<'_>, stream: &mut Stream, failed: &Follow) -> WentBack {
    let app = &failed.goal.app;
    site.say(format!("`{app}` is new, so there is nothing to go back to: scaling it to 0"));
    let change = match put(site, app, &json!({ "instances": 0 }), false).await {
        Ok(change) => change,
        Err(error) => return stranded(app, &error.sentence()),
    };
    let mut follow = Follow::new(Goal {
        deployment: change.deployment,
        version: change.version,
        instances: 0,
        settle: Duration::ZERO,
        within: site.timing.within,
        new_tasks: false,
        restarts: false,
        ..failed.goal.clone()
    });
    let hurry = Cancellation::Hurries(site.timing.hurry);
    match watch(site, stream, &mut follow, hurry).await {
        Ok(Watched::Verdict(Verdict::Done)) => {
            WentBack::Well("it is new, so it was scaled to 0".to_owned())
        }
        Ok(Watched::Verdict(Verdict::Removed)) => {
            WentBack::Left("somebody has removed it".to_owned())
        }
        Ok(_) => WentBack::Badly(
            format!("scaling it to 0 is not done yet, {}", super::progress::line(&follow)),
            format!("look at `{app}` in Marathon"),
        ),
        Err(failure) => stranded(app, &failure.message),
    }
}

async fn removed(site: &Site<'_>, app: &str) -> WentBack {
    site.say(format!("`{app}` is new, so there is nothing to go back to: removing it"));
    let change = match site.change(site.client().delete_app(app, true)).await {
        Ok(change) => change,
        Err(error) => return stranded(app, &error.sentence()),
    };
    match until_over(site, &change, site.timing.within).await {
        Ok(true) => WentBack::Well("it is new, so it was removed".to_owned()),
        Ok(false) => WentBack::Badly(
            "its removal is not done yet".to_owned(),
            format!("look at `{app}` in Marathon"),
        ),
        Err(error) => stranded(app, &error.sentence()),
    }
}

/// Waits until a deployment is not in the list any more; false when that takes too long, or longer
/// than a cancelled call has. It must be missing twice, because before 1.8 the list may lack a
/// deployment that has just begun.
pub(super) async fn until_over(
    site: &Site<'_>,
    change: &Change,
    within: Duration,
) -> Result<bool, Error> {
    let mut until = Instant::now() + within;
    let mut hurried = false;
    let mut absent = 0;
    while absent < 2 {
        let list = site.client().deployments().await?;
        let there =
            list.iter().any(|deployment| Some(&deployment.id) == change.deployment.as_ref());
        absent = if there { 0 } else { absent + 1 };
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::select! {
            () = tokio::time::sleep(site.timing.poll) => {}
            () = site.call.cancel.cancelled(), if !hurried => {
                hurried = true;
                until = until.min(Instant::now() + site.timing.hurry);
            }
        }
    }
    Ok(true)
}

/// The way back overrides what we began ourselves. After a lost answer it is looked whether it
/// was carried out; the PUT says the same thing each time, so it may be sent again.
async fn put(
    site: &Site<'_>,
    app: &str,
    body: &serde_json::Value,
    replace: bool,
) -> Result<Change, Error> {
    let mut tries = 0;
    loop {
        let done = site.change(site.client().put_app(app, body, replace, true)).await;
        tries += 1;
        match done {
            Err(error) if error.passes() && tries < 3 => tokio::time::sleep(site.timing.poll).await,
            done => return done,
        }
    }
}

fn left(failed: &Follow) -> String {
    let counts = failed.counts();
    let ours = counts.healthy + counts.unhealthy + counts.unknown + counts.starting;
    let mut text = format!("left as it is, {} of the new version", tasks(ours, ""));
    if counts.others > 0 {
        text.push_str(&format!(", {} of the old one", tasks(counts.others, "")));
    }
    if let Some(id) = &failed.goal.deployment {
        text.push_str(&format!("; deployment {id} goes on and keeps the app locked"));
    }
    text
}

fn stranded(app: &str, why: &str) -> WentBack {
    WentBack::Badly(
        format!("the way back failed: {why}"),
        format!("`{app}` may still run the new version: look at it in Marathon"),
    )
}
