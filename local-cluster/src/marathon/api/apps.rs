//! `/v2/apps` (`api/v2/AppsResource.scala`). The ids of apps have slashes, so what an id is
//! followed by is told apart here.

use std::{collections::BTreeSet, convert::Infallible};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequestParts, Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::IntoResponse,
};
use serde_json::{Map, Value, json};

use super::{
    Api,
    answer::{Answer, deployed, deployment_header, json_body, object_body, ok},
    query::Parameters,
    selector::Selector,
    tasks,
};
use crate::{
    guard::Peer,
    marathon::{
        app::{App, AppId},
        engine::{Deployed, Embed, Engine},
        error::{Detail, Refusal},
    },
    time::Timestamp,
};

/// Who changes an app, for the event that tells of it.
pub(super) struct Caller {
    address: String,
    uri: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let peer = Peer::from_request_parts(parts, state).await?;
        Ok(Self { address: peer.ip(), uri: parts.uri.path().to_owned() })
    }
}

/// All apps: read, added to, changed together.
pub(super) async fn collection(
    State(api): State<Api>,
    method: Method,
    caller: Caller,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    match method {
        Method::GET | Method::HEAD => list(&api, &parameters).await,
        Method::POST => create(&api, caller, object_body(&headers, &body)?, &parameters).await,
        Method::PUT | Method::PATCH => {
            let Value::Array(updates) = json_body(&headers, &body)? else {
                let wrong = vec![Detail::new("/", "error.expected.jsarray")];
                return Err(Refusal::wrong_types(&wrong));
            };
            let mode = Mode::new(&method, &parameters);
            let updates = updates.into_iter().map(|update| {
                let Value::Object(update) = update else {
                    return Err(Refusal::wrong_types(&vec![Detail::new(
                        "/",
                        "error.expected.jsobject",
                    )]));
                };
                let id = update.get("id").and_then(Value::as_str).map(AppId::absolute);
                let missing =
                    || Refusal::wrong_types(&vec![Detail::new("/id", "error.path.missing")]);
                Ok((id.ok_or_else(missing)?, update))
            });
            let updates = updates.collect::<Result<Vec<_>, _>>()?;
            let (_, done) = api.ask(move |engine| engine.update(&caller, updates, mode)).await??;
            deployed(StatusCode::OK, &done)
        }
        _ => Err(Refusal::no_method()),
    }
}

/// What a path below `/v2/apps` is about.
enum Target {
    App(AppId),
    Below(AppId),
    Restart(AppId),
    Versions(AppId),
    Version(AppId, String),
    Tasks(AppId),
    Task(AppId, String),
}

impl Target {
    fn parse(path: &str) -> Self {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let id = |segments: &[&str]| AppId::absolute(&segments.join("/"));
        match segments.as_slice() {
            ["*"] => Self::Below(AppId::root()),
            [app @ .., "*"] => Self::Below(id(app)),
            [app @ .., "restart"] if !app.is_empty() => Self::Restart(id(app)),
            [app @ .., "versions"] if !app.is_empty() => Self::Versions(id(app)),
            [app @ .., "versions", version] if !app.is_empty() => {
                Self::Version(id(app), (*version).to_owned())
            }
            [app @ .., "tasks"] if !app.is_empty() => Self::Tasks(id(app)),
            [app @ .., "tasks", task] if !app.is_empty() => Self::Task(id(app), (*task).to_owned()),
            app => Self::App(id(app)),
        }
    }
}

/// One app, and what belongs to it.
pub(super) async fn one(
    State(api): State<Api>,
    method: Method,
    Path(path): Path<String>,
    caller: Caller,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let get = matches!(method, Method::GET | Method::HEAD);
    match Target::parse(&path) {
        Target::App(id) if get => read(&api, id, &parameters).await,
        Target::App(id) if method == Method::PUT || method == Method::PATCH => {
            let update = object_body(&headers, &body)?;
            let mode = Mode::new(&method, &parameters);
            let location = id.to_string();
            let updates = vec![(id, update)];
            let (created, done) =
                api.ask(move |engine| engine.update(&caller, updates, mode)).await??;
            let status = if created { StatusCode::CREATED } else { StatusCode::OK };
            let mut answer = deployed(status, &done)?;
            if let (true, Ok(location)) = (created, HeaderValue::from_str(&location)) {
                answer.headers_mut().insert(header::LOCATION, location);
            }
            Ok(answer)
        }
        Target::App(id) if method == Method::DELETE => {
            let force = parameters.flag("force", true);
            let done = api.ask(move |engine| engine.delete(&id, force)).await??;
            deployed(StatusCode::OK, &done)
        }
        Target::Below(group) if get => {
            let embed = Embed::default().with(&parameters.all("embed"));
            let apps = api.ask(move |engine| engine.below(&group, embed)).await?;
            if apps.is_empty() {
                return Err(Refusal::no_app(&AppId::absolute(&path)));
            }
            ok(json!({ "*": apps }))
        }
        Target::Restart(id) if method == Method::POST => {
            let force = parameters.flag("force", false);
            let done = api.ask(move |engine| engine.restart_app(&id, force)).await??;
            deployed(StatusCode::OK, &done)
        }
        Target::Versions(id) if get => {
            let versions = api.ask(move |engine| engine.version_list(&id)).await??;
            ok(json!({ "versions": versions }))
        }
        Target::Version(id, version) if get => {
            let app = api.ask(move |engine| engine.at_version(&id, &version)).await??;
            ok(Value::Object(app.to_json()))
        }
        Target::Tasks(id) if get => tasks::of_app(&api, id, &headers).await,
        Target::Tasks(id) if method == Method::DELETE => {
            tasks::kill_of_app(&api, id, &parameters).await
        }
        Target::Task(id, task) if method == Method::DELETE => {
            tasks::kill_one(&api, id, task, &parameters).await
        }
        _ => Err(Refusal::no_method()),
    }
}

async fn list(api: &Api, parameters: &Parameters) -> Answer {
    let selector = parameters.first("label").map(Selector::parse).transpose()?;
    let [id, cmd] = ["id", "cmd"].map(|name| parameters.first(name).map(str::to_lowercase));
    let embed = Embed::default().with(&parameters.all("embed"));
    let apps = api
        .ask(move |engine| {
            let has = |text: Option<&str>, part: &Option<String>| {
                part.as_ref().is_none_or(|part| {
                    text.is_some_and(|text| text.to_lowercase().contains(part.as_str()))
                })
            };
            let wanted = |app: &&App| {
                has(Some(app.id.as_str()), &id)
                    && has(app.cmd.as_deref(), &cmd)
                    && selector.as_ref().is_none_or(|selector| selector.matches(&app.labels))
            };
            let apps = engine.apps().values().filter(wanted);
            apps.map(|app| engine.app_json(app, embed)).collect::<Vec<_>>()
        })
        .await?;
    ok(json!({ "apps": apps }))
}

async fn read(api: &Api, id: AppId, parameters: &Parameters) -> Answer {
    let embed = Embed::ONE.with(&parameters.all("embed"));
    let app = api
        .ask(move |engine| {
            let app = engine.app(&id).ok_or_else(|| Refusal::no_app(&id))?;
            Ok::<_, Refusal>(engine.app_json(app, embed))
        })
        .await??;
    ok(json!({ "app": app }))
}

async fn create(
    api: &Api,
    caller: Caller,
    given: Map<String, Value>,
    parameters: &Parameters,
) -> Answer {
    let force = parameters.flag("force", false);
    let (done, app) = api
        .ask(move |engine| {
            let app = App::whole(&given, None)?;
            let id = app.id.clone();
            if engine.app(&id).is_some() {
                return Err(Refusal::exists(&id));
            }
            let mut target = engine.apps().clone();
            target.insert(id.clone(), app);
            let done = engine.deploy(target, &BTreeSet::new(), &id.parent(), force)?;
            let app = engine.app(&id).ok_or_else(|| Refusal::no_app(&id))?.clone();
            engine.posted(&caller, &app);
            let embed = Embed { tasks: true, ..Embed::default() };
            Ok((done, engine.app_json(&app, embed)))
        })
        .await??;
    let mut headers = deployment_header(&done);
    if let Some(Ok(location)) = app["id"].as_str().map(HeaderValue::from_str) {
        headers.insert(header::LOCATION, location);
    }
    Ok((StatusCode::CREATED, headers, Json(app)).into_response())
}

/// How an update goes about.
#[derive(Clone, Copy)]
struct Mode {
    force: bool,
    partial: bool,
    create: bool,
}

impl Mode {
    fn new(method: &Method, parameters: &Parameters) -> Self {
        let patch = method == Method::PATCH;
        Self {
            force: parameters.flag("force", false),
            partial: patch || parameters.flag("partialUpdate", true),
            create: !patch,
        }
    }
}

impl Engine {
    /// Changes or adds apps, all in one deployment; whether one of them is new.
    fn update(
        &mut self,
        caller: &Caller,
        updates: Vec<(AppId, Map<String, Value>)>,
        mode: Mode,
    ) -> Result<(bool, Deployed), Refusal> {
        let mut target = self.apps().clone();
        let mut created = false;
        let mut touched = Vec::new();
        for (id, update) in updates {
            let current = self.app(&id);
            let version = update.get("version").filter(|version| !version.is_null());
            let app = match (version, current) {
                (Some(version), _) => {
                    let other = |(name, value): (&String, &Value)| {
                        !(value.is_null() || name == "id" || name == "version")
                    };
                    if update.iter().any(other) {
                        return Err(Refusal::rule(
                            "The 'version' field may only be combined with the 'id' field.",
                        ));
                    }
                    self.at_version(&id, version.as_str().unwrap_or_default())?
                }
                (None, Some(current)) if mode.partial => current.changed(&update)?,
                (None, None) if !mode.create => return Err(Refusal::no_app(&id)),
                (None, _) => App::whole(&update, Some(&id))?,
            };
            created |= current.is_none();
            target.insert(id.clone(), app);
            touched.push(id);
        }
        let group = match touched.as_slice() {
            [id] => id.parent(),
            _ => AppId::root(),
        };
        let done = self.deploy(target, &BTreeSet::new(), &group, mode.force)?;
        for id in touched {
            if let Some(app) = self.app(&id).cloned() {
                self.posted(caller, &app);
            }
        }
        Ok((created, done))
    }

    fn delete(&mut self, id: &AppId, force: bool) -> Result<Deployed, Refusal> {
        let mut target = self.apps().clone();
        target.remove(id).ok_or_else(|| Refusal::no_app(id))?;
        self.deploy(target, &BTreeSet::new(), &id.parent(), force)
    }

    fn restart_app(&mut self, id: &AppId, force: bool) -> Result<Deployed, Refusal> {
        self.app(id).ok_or_else(|| Refusal::no_app(id))?;
        let target = self.apps().clone();
        self.deploy(target, &BTreeSet::from([id.clone()]), &id.parent(), force)
    }

    fn below(&self, group: &AppId, embed: Embed) -> Vec<Value> {
        let apps = self.apps().values().filter(|app| app.id.is_below(group));
        apps.map(|app| self.app_json(app, embed)).collect()
    }

    fn version_list(&self, id: &AppId) -> Result<Vec<Timestamp>, Refusal> {
        self.app(id).ok_or_else(|| Refusal::no_app(id))?;
        Ok(self.versions(id).iter().rev().map(|app| app.version).collect())
    }

    fn at_version(&self, id: &AppId, version: &str) -> Result<App, Refusal> {
        let wanted: Option<Timestamp> = version.parse().ok();
        let mut versions = self.versions(id).iter();
        versions.find(|app| Some(app.version) == wanted).cloned().ok_or_else(|| {
            let text = format!("App '{id}' does not exist in version {version}");
            Refusal::message(StatusCode::NOT_FOUND, text)
        })
    }

    /// Tells that somebody changed an app.
    fn posted(&mut self, caller: &Caller, app: &App) {
        let event = json!({
            "clientIp": caller.address,
            "uri": caller.uri,
            "appDefinition": app.to_json(),
        });
        self.events().emit("api_post_event", event);
    }
}
