//! `marathon.rollback`.

use std::time::Duration;

use pipe_grammar::Code;

use super::{
    Timing,
    changes::{lines, restarts},
    conclusion::Changing,
    lock::Lock,
    normalise::{difference, normalise, same},
    plan::as_it_was,
    record,
    send::{Request, Sent},
    site::{Site, app_id},
    watch::Stream,
    way_back::Policy,
};
use crate::{
    client::marathon::App,
    core::{Arguments, Call, Failure, Intent, Outcome, Value, builtin},
};

builtin! {
    step marathon.rollback, rollback;
    "
    # Goes back to an earlier version of an app and waits until it works.
    #
    # Without `to`: to what ran before this run changed the app. Nothing happens when that runs
    # already, or when this run has not changed the app; an app that this run made is left. Gives
    # null when there is no such app and nothing to go back to.
    (
      # The app's id.
      app: string,
      # A version as Marathon names it: `2016-09-01T10:00:01.000Z`.
      to: string?,
      # What it takes at most. Without it: what the health checks need, at least 10m.
      within: duration?,
    ) -> Deployment?
    "
    examples: [
        r#"marathon.rollback("/shop/web")"#,
        r#"marathon.rollback("/shop/web", to: "2016-09-01T10:00:01.000Z")"#,
    ]
}

async fn rollback(call: Call<'_>, arguments: Arguments) -> Outcome {
    rollback_with(call, arguments, &Timing::default()).await
}

/// `marathon.rollback` at another pace than the usual one.
///
/// # Errors
///
/// There is no such version, or it does not work.
pub async fn rollback_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let id = app_id(&arguments)?;
    let to: Option<String> = arguments.get("to")?;
    let within: Option<Duration> = arguments.get("within")?;
    let site = Site::connect(call, timing).await?;
    let target = match to {
        Some(version) => version,
        None => match before_this_run(&site, &id) {
            Some(Some(version)) => version,
            Some(None) => {
                site.say(format!(
                    "`{id}` was made by this run, there is nothing to go back to: it is left"
                ));
                return as_it_stands(&site, &id).await;
            }
            None => {
                site.say(format!("this run has not changed `{id}`: nothing to do"));
                return as_it_stands(&site, &id).await;
            }
        },
    };
    let mut lock = Lock::new(within.unwrap_or(timing.within));
    let mut force = false;
    loop {
        let before = site.existing(&id).await?;
        let wanted = earlier(&site, &before, &target).await?;
        let server = site.client.version;
        let mut normal = normalise(&wanted.json, server);
        let changes = difference(&mut normal, &before.json, server);
        let changing = Changing {
            site: &site,
            id: &id,
            normal: &normal,
            before: Some(&before),
            restarts: restarts(&changes),
            within,
            settle: None,
            on_failure: Policy::Leave,
            doing: "led back",
        };
        if changes.is_empty() {
            site.say(format!("`{id}` runs what it ran in version {target}: nothing to do"));
            return changing.as_it_is(&before).await;
        }
        if !lock.waited() {
            site.say(format!("`{id}` goes back from version {} to {target}:", before.version));
            lines(&changes).iter().for_each(|line| site.say(format!("  {line}")));
        }
        let mut stream = Stream::open(&site).await?;
        site.call.report.intend(Intent::Rollback { app: id.clone(), to: Some(target.clone()) })?;
        let body = as_it_was(&wanted, server);
        let made = |app: Option<&App>| {
            app.is_some_and(|app| {
                app.version != before.version && same(&wanted.json, &app.json, server)
            })
        };
        let request = Request::Put { body: &body, whole: true, force };
        match request.send(&site, &id, None, made).await? {
            Sent::Accepted(change) => return changing.follow(&mut stream, change).await,
            // What this run has begun itself is what it goes back from.
            Sent::Locked(by) if !force && !by.is_empty() && by.iter().all(|id| ours(&site, id)) => {
                force = true;
            }
            Sent::Locked(by) => lock.wait(&site, &id, &by).await?,
        }
    }
}

/// What ran before this run changed the app: a version, or nothing when it is new; none when this
/// run has not changed it.
fn before_this_run(site: &Site<'_>, id: &str) -> Option<Option<String>> {
    site.call.report.intended().into_iter().find_map(|intent| match intent {
        Intent::Deploy { marathon, app, previous }
            if app == id && marathon == site.client.url() =>
        {
            Some(previous)
        }
        _ => None,
    })
}

/// Whether this run has begun a deployment.
fn ours(site: &Site<'_>, deployment: &str) -> bool {
    site.call
        .report
        .intended()
        .iter()
        .any(|intent| matches!(intent, Intent::Deployment { id, .. } if id == deployment))
}

/// The app as it was in a version.
async fn earlier(site: &Site<'_>, before: &App, version: &str) -> Result<App, Failure> {
    let id = &before.id;
    if let Some(app) = site.ask(site.client.app_version(id, version)).await? {
        return Ok(app);
    }
    const MOST: usize = 10;
    let versions = site.ask(site.client.versions(id)).await?;
    let kept: Vec<String> = versions.into_iter().take(MOST).collect();
    Err(Failure::new(Code::APP_LOST, format!("Marathon has no version `{version}` of `{id}`"))
        .at_argument("to")
        .evidence("the versions that it has, newest first", kept))
}

async fn as_it_stands(site: &Site<'_>, id: &str) -> Outcome {
    Ok(match site.app(id).await? {
        Some(app) => record::deployment(id, &app.version, None, false, &app.tasks),
        None => Value::Null,
    })
}
