//! Tasks, of an app or of all (`api/v2/{AppTasksResource,TasksResource}.scala`).

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::{
    Api,
    answer::{Answer, deployed, object_body, ok, wants_text},
    query::Parameters,
};
use crate::marathon::{
    app::AppId,
    engine::{Deployed, Engine},
    error::{Detail, Refusal},
};

/// The list for load balancers: app, service port, addresses.
fn as_text(tasks: &[Value]) -> Answer {
    let mut rows: Vec<(String, u64, Vec<String>)> = Vec::new();
    for task in tasks {
        let app = task["appId"].as_str().unwrap_or_default().trim_start_matches('/');
        let (host, ports) = (task["host"].as_str().unwrap_or_default(), &task["ports"]);
        let services = task["servicePorts"].as_array().into_iter().flatten();
        for (index, service) in services.filter_map(Value::as_u64).enumerate() {
            let Some(port) = ports[index].as_u64() else { continue };
            let address = format!("{host}:{port}");
            let app = app.replace('/', "_");
            match rows.iter_mut().find(|(known, port, _)| *known == app && *port == service) {
                Some((_, _, addresses)) => addresses.push(address),
                None => rows.push((app, service, vec![address])),
            }
        }
    }
    let line = |(app, port, addresses): (String, u64, Vec<String>)| {
        format!("{app}\t{port}\t{}\t\n", addresses.join("\t"))
    };
    Ok(rows.into_iter().map(line).collect::<String>().into_response())
}

/// The tasks of an app.
pub(super) async fn of_app(api: &Api, id: AppId, headers: &HeaderMap) -> Answer {
    let tasks = api
        .ask(move |engine| {
            engine.app(&id).ok_or_else(|| Refusal::no_app(&id))?;
            Ok::<_, Refusal>(engine.tasks(Some(&id)))
        })
        .await??;
    if wants_text(headers) { as_text(&tasks) } else { ok(json!({ "tasks": tasks })) }
}

/// The tasks of all apps.
pub(super) async fn all(
    State(api): State<Api>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Answer {
    let wanted: Vec<&str> = parameters
        .all("status")
        .iter()
        .filter_map(|status| match status.to_lowercase().as_str() {
            "running" => Some("TASK_RUNNING"),
            "staging" => Some("TASK_STAGING"),
            _ => None,
        })
        .collect();
    let mut tasks = api.ask(|engine| engine.tasks(None)).await?;
    if !wanted.is_empty() {
        tasks.retain(|task| wanted.contains(&task["state"].as_str().unwrap_or_default()));
    }
    if wants_text(&headers) { as_text(&tasks) } else { ok(json!({ "tasks": tasks })) }
}

/// How tasks are killed.
#[derive(Clone, Copy)]
struct Mode {
    scale: bool,
    force: bool,
}

impl Mode {
    fn new(parameters: &Parameters) -> Result<Self, Refusal> {
        let [scale, wipe, force] =
            ["scale", "wipe", "force"].map(|name| parameters.flag(name, false));
        if scale && wipe {
            let text = "You cannot use scale and wipe at the same time.";
            return Err(Refusal::message(StatusCode::BAD_REQUEST, text));
        }
        Ok(Self { scale, force })
    }
}

/// What killing tasks leads to.
enum Killed {
    Tasks(Vec<Value>),
    Deployed(Deployed),
}

fn kill(engine: &mut Engine, tasks: &[String], mode: Mode) -> Result<Killed, Refusal> {
    if mode.scale {
        engine.scale_tasks_away(tasks, mode.force).map(Killed::Deployed)
    } else {
        Ok(Killed::Tasks(engine.kill_tasks(tasks)))
    }
}

/// Kills the tasks of an app.
pub(super) async fn kill_of_app(api: &Api, id: AppId, parameters: &Parameters) -> Answer {
    let mode = Mode::new(parameters)?;
    let elsewhere =
        parameters.first("host").is_some_and(|host| host != crate::marathon::engine::HOST);
    let killed = api
        .ask(move |engine| {
            engine.app(&id).ok_or_else(|| Refusal::no_app(&id))?;
            let tasks = if elsewhere { Vec::new() } else { engine.task_ids(&id) };
            kill(engine, &tasks, mode)
        })
        .await??;
    match killed {
        Killed::Tasks(tasks) => ok(json!({ "tasks": tasks })),
        Killed::Deployed(done) => deployed(StatusCode::OK, &done),
    }
}

/// Kills one task of an app.
pub(super) async fn kill_one(
    api: &Api,
    id: AppId,
    task: String,
    parameters: &Parameters,
) -> Answer {
    let mode = Mode::new(parameters)?;
    let killed = api
        .ask(move |engine| {
            engine.app(&id).ok_or_else(|| Refusal::no_app(&id))?;
            if engine.app_of_task(&task) != Some(&id) {
                return Err(Refusal::no_task(&task));
            }
            kill(engine, &[task], mode)
        })
        .await??;
    match killed {
        Killed::Tasks(mut tasks) => ok(json!({ "task": tasks.pop() })),
        Killed::Deployed(done) => deployed(StatusCode::OK, &done),
    }
}

/// Kills tasks of any apps.
pub(super) async fn delete(
    State(api): State<Api>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mode = Mode::new(&parameters)?;
    let body = object_body(&headers, &body)?;
    let ids = body
        .get("ids")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::wrong_types(&vec![Detail::new("/ids", "error.path.missing")]))?;
    let ids: Vec<String> = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let killed = api.ask(move |engine| kill(engine, &ids, mode)).await??;
    match killed {
        Killed::Tasks(tasks) => ok(json!({ "tasks": tasks })),
        Killed::Deployed(done) => deployed(StatusCode::OK, &done),
    }
}
