//! `marathon.destroy`.

use std::time::Duration;

use pipe_grammar::Code;

use super::{
    Timing,
    lock::Lock,
    plan::span,
    progress::tasks,
    send::{Request, Sent},
    site::{Site, app_id},
    trouble::failure,
    way_back::until_over,
};
use crate::core::{Arguments, Call, Failure, FailureKind, Intent, Outcome, Value, builtin};

builtin! {
    step marathon.destroy, destroy;
    "
    # Removes an app with its tasks and versions, and waits until it is gone.
    #
    # There is no way back: Marathon forgets its versions too.
    (
      # The app's id.
      app: string,
      # Whether it may be gone already.
      missing_ok: bool = false,
      # What it takes at most, waiting for other deployments included.
      within: duration = 5m,
    )
    "
    examples: [r#"marathon.destroy("/review/web", missing_ok: true)"#]
}

async fn destroy(call: Call<'_>, arguments: Arguments) -> Outcome {
    destroy_with(call, arguments, &Timing::default()).await
}

/// `marathon.destroy` at another pace than the usual one.
///
/// # Errors
///
/// There is no such app, or it does not go.
pub async fn destroy_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let id = app_id(&arguments)?;
    let within: Duration = arguments.get("within")?;
    let site = Site::connect(call, timing).await?;
    if arguments.get("missing_ok")? && site.app(&id).await?.is_none() {
        site.say(format!("there is no app `{id}`: nothing to do"));
        return Ok(Value::Null);
    }
    remove(&site, &id, within).await?;
    Ok(Value::Null)
}

/// Removes an app and waits until it is gone.
///
/// # Errors
///
/// There is no such app, or it does not go.
pub(super) async fn remove(site: &Site<'_>, id: &str, within: Duration) -> Result<(), Failure> {
    let mut lock = Lock::new(within);
    loop {
        let before = site.existing(id).await?;
        site.call.report.intend(Intent::Deploy {
            marathon: site.client.url().to_owned(),
            app: id.to_owned(),
            previous: Some(before.version.clone()),
        })?;
        let change = match Request::Delete.send(site, id, None, |app| app.is_none()).await? {
            Sent::Accepted(change) => change,
            Sent::Locked(by) => {
                lock.wait(site, id, &by).await?;
                continue;
            }
        };
        site.say(format!("`{id}` is removed, with {}", tasks(before.tasks.len(), "")));
        let over = site
            .call
            .unless_cancelled(until_over(site, &change, within))
            .await
            .map_err(|cancelled| {
                let message =
                    format!("cancelled while `{id}` was removed; Marathon goes on with it");
                Failure { message, ..cancelled }
            })?
            .map_err(|error| failure(&error))?;
        if !over {
            let within = span(within);
            let message =
                format!("`{id}` is not gone within {within}: its tasks have still to end");
            let failure = Failure::new(Code::DEPLOYMENT_FAILED, message).kind(FailureKind::Timeout);
            return Err(failure.help(match &change.deployment {
                Some(deployment) => {
                    format!("deployment {deployment} goes on in Marathon by itself")
                }
                None => "Marathon goes on with it by itself".to_owned(),
            }));
        }
        return match site.app(id).await? {
            None => Ok(()),
            Some(_) => Err(Failure::new(
                Code::DEPLOYMENT_SUPERSEDED,
                format!("`{id}` is there again: somebody has made it anew, or has kept it"),
            )
            .kind(FailureKind::Superseded)),
        };
    }
}
