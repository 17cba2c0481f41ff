//! `marathon.status`.

use super::{
    Timing, record,
    site::{Site, app_id},
};
use crate::core::{Arguments, Call, Outcome, Value, builtin};

builtin! {
    step marathon.status, status;
    "
    # What Marathon knows of an app; null when it has no such app.
    #
    # `healthy` counts the tasks whose health checks all succeed, of an app without health checks
    # those that run. `deploying`: a deployment holds it at the moment.
    (
      # The app's id.
      app: string,
    ) -> { app: string, version: string, image: string?, instances: int, healthy: int, deploying: bool, tasks: list<Task> }?
    "
    examples: [r#"let web = marathon.status("/shop/web")"#]
}

async fn status(call: Call<'_>, arguments: Arguments) -> Outcome {
    status_with(call, arguments, &Timing::default()).await
}

/// `marathon.status` at another pace than the usual one.
///
/// # Errors
///
/// Nobody answers.
pub async fn status_with(call: Call<'_>, arguments: Arguments, timing: &Timing) -> Outcome {
    let id = app_id(&arguments)?;
    let site = Site::connect(call, timing).await?;
    let Some(app) = site.app(&id).await? else { return Ok(Value::Null) };
    let checks = app.json["healthChecks"].as_array().map_or(0, Vec::len);
    let healthy = app
        .tasks
        .iter()
        .filter(|task| task.running() && (checks == 0 || task.healthy(checks) == Some(true)))
        .count();
    let number = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let image = app.json.pointer("/container/docker/image").and_then(|image| image.as_str());
    Ok(Value::record([
        ("app", Value::string(app.id.as_str())),
        ("version", Value::string(app.version.as_str())),
        ("image", Value::from(image)),
        ("instances", number(app.instances)),
        ("healthy", number(healthy as u64)),
        ("deploying", Value::Bool(!app.deployments.is_empty())),
        ("tasks", record::list(&app.tasks)),
    ]))
}
