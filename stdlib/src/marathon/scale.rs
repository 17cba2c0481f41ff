//! `marathon.scale`.

use std::time::Duration;

use serde_json::{Value as Json, json};

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
    step marathon.scale, scale;
    "
    # Gives an app another number of tasks and waits for them.
    #
    # No task is replaced. When the new ones do not get well in time, the app goes back to the
    # number that it had.
    (
      # The app's id.
      app: string,
      # How many tasks it shall have; 0 stops it.
      instances: int,
      # What it takes at most, waiting for other deployments included.
      within: duration = 10m,
    ) -> Deployment
    "
    examples: [r#"marathon.scale("/shop/web", instances: 5)"#]
}

async fn scale(call: Call<'_>, arguments: Arguments) -> Outcome {
    scale_with(call, arguments, &Timing::default()).await
}

/// `marathon.scale` at another pace than the usual one.
///
/// # Errors
///
/// There is no such app, or it does not get well with this number of tasks.
pub async fn scale_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let id = app_id(&arguments)?;
    let instances = wanted(&arguments)?;
    let within: Duration = arguments.get("within")?;
    let site = Site::connect(call, timing).await?;
    scale_to(&site, &id, instances, within).await
}

/// Gives an app a number of tasks and waits for them: a `Deployment`.
///
/// # Errors
///
/// There is no such app, or it does not get well with this number of tasks.
pub(super) async fn scale_to(
    site: &Site<'_>,
    id: &str,
    instances: u64,
    within: Duration,
) -> Outcome {
    let body = json!({ "instances": instances });
    let mut lock = Lock::new(within);
    loop {
        let before = site.existing(id).await?;
        let mut normal = normalise(&before.json, site.client.version);
        normal["instances"] = Json::from(instances);
        let changing = Changing {
            site,
            id,
            normal: &normal,
            before: Some(&before),
            restarts: false,
            within: Some(within),
            settle: None,
            on_failure: Policy::Rollback,
            doing: "scaled",
        };
        if before.instances == instances {
            site.say(format!("`{id}` has {} already: nothing to do", tasks(instances, "")));
            return changing.as_it_is(&before).await;
        }
        site.say(format!("`{id}`: from {} to {instances}", tasks(before.instances, "")));
        let mut stream = Stream::open(site).await?;
        site.call.report.intend(Intent::Deploy {
            marathon: site.client.url().to_owned(),
            app: id.to_owned(),
            previous: Some(before.version.clone()),
        })?;
        let made = |app: Option<&App>| {
            app.is_some_and(|app| app.version != before.version && app.instances == instances)
        };
        let request = Request::Put { body: &body, whole: false, force: false };
        match request.send(site, id, None, made).await? {
            Sent::Accepted(change) => return changing.follow(&mut stream, change).await,
            Sent::Locked(by) => lock.wait(site, id, &by).await?,
        }
    }
}

/// The argument `instances`.
pub(super) fn wanted(arguments: &Arguments) -> Result<u64, crate::core::Failure> {
    let instances: i64 = arguments.get("instances")?;
    u64::try_from(instances).map_err(|_| {
        crate::core::Failure::new(
            pipe_grammar::Code::INVALID_APP,
            format!("an app can't have {instances} tasks"),
        )
        .at_argument("instances")
    })
}
