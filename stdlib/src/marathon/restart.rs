//! `marathon.restart`.

use std::time::Duration;

use super::{
    Timing,
    conclusion::Changing,
    lock::Lock,
    normalise::normalise,
    progress::tasks,
    send::{Request, Sent},
    site::{Site, app_id},
    watch::Stream,
    way_back::Policy,
};
use crate::{
    client::marathon::App,
    core::{Arguments, Call, Intent, Outcome, builtin},
};

builtin! {
    once marathon.restart, restart;
    "
    # Starts every task of an app anew and waits until all are well.
    #
    # By the app's own upgrade strategy, so that the old tasks serve until new ones do. Takes up
    # an image whose tag has not changed. There is nothing to go back to: when the new tasks do
    # not get well, the app is left as it is.
    (
      # The app's id.
      app: string,
      # What it takes at most. Without it: what the health checks need, at least 10m.
      within: duration?,
    ) -> Deployment
    "
    examples: [r#"marathon.restart("/shop/web")"#]
}

async fn restart(call: Call<'_>, arguments: Arguments) -> Outcome {
    restart_with(call, arguments, &Timing::default()).await
}

/// `marathon.restart` at another pace than the usual one.
///
/// # Errors
///
/// There is no such app, or its new tasks do not get well.
pub async fn restart_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let id = app_id(&arguments)?;
    let within: Option<Duration> = arguments.get("within")?;
    let site = Site::connect(call, timing).await?;
    let mut lock = Lock::new(within.unwrap_or(timing.within));
    loop {
        let before = site.existing(&id).await?;
        let normal = normalise(&before.json, site.client.version);
        let changing = Changing {
            site: &site,
            id: &id,
            normal: &normal,
            before: Some(&before),
            restarts: true,
            within,
            settle: None,
            on_failure: Policy::Leave,
            doing: "restarted",
        };
        if before.instances == 0 {
            site.say(format!("`{id}` has no tasks: nothing to do"));
            return changing.as_it_is(&before).await;
        }
        site.say(format!("`{id}` restarts: {} to replace", tasks(before.instances, "")));
        let mut stream = Stream::open(&site).await?;
        site.call.report.intend(Intent::Deploy {
            marathon: site.client.url().to_owned(),
            app: id.clone(),
            previous: Some(before.version.clone()),
        })?;
        let made = |app: Option<&App>| app.is_some_and(|app| app.version != before.version);
        match Request::Restart.send(&site, &id, None, made).await? {
            Sent::Accepted(change) => return changing.follow(&mut stream, change).await,
            Sent::Locked(by) => lock.wait(&site, &id, &by).await?,
        }
    }
}
