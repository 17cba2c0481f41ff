//! A Marathon that plays what a scenario says: answers, events and faults.
//!
//! It keeps an app, its tasks and its deployments, accepts changes with the stamps of the streams
//! in `tests/data/marathon/sse`, and then runs the scenario's script. It schedules nothing itself.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

pub(crate) const APP: &str = "/product/web";
pub(crate) const OLD: &str = "2016-09-01T09:00:00.000Z";
pub(crate) const OURS: &str = "2016-09-01T10:00:01.000Z";
pub(crate) const BACK: &str = "2016-09-01T10:00:20.000Z";
pub(crate) const FOREIGN: &str = "2016-09-01T10:00:15.000Z";
pub(crate) const DEPLOYMENT: &str = "867ed450-f6a8-4d33-9b0e-e11c5513990b";
pub(crate) const WAY_BACK: &str = "1b1b1b1b-0000-4000-8000-000000000001";

/// The stamps of accepted changes, in order.
const STAMPS: &[(&str, &str)] = &[
    (OURS, DEPLOYMENT),
    (BACK, WAY_BACK),
    ("2016-09-01T10:00:30.000Z", "2c2c2c2c-0000-4000-8000-000000000002"),
    ("2016-09-01T10:00:40.000Z", "3d3d3d3d-0000-4000-8000-000000000003"),
];

/// How a change is answered.
pub(crate) enum Answer {
    /// It is made, and the script runs.
    Accept,
    /// It is made, and its `deployment_success` goes out before the answer, while the list still
    /// has the deployment.
    SuccessFirst,
    /// It is made, and the answer never comes.
    AcceptAndHang,
    /// It is not made, and the answer never comes.
    Hang,
    /// It is taken for no change.
    NoChange,
    /// It is refused.
    Refuse(u16, String),
}

/// How `/v2/events` answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventStream {
    Works,
    Refused(u16),
    /// Headers, and then nothing.
    Silent,
}

/// What a script does with the change that it is given.
pub(crate) type Script =
    Box<dyn FnOnce(Marathon, Change) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A change that was accepted.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: String,
    pub(crate) deployment: String,
    pub(crate) instances: u64,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) body: Json,
    pub(crate) authorization: Option<String>,
}

pub(crate) struct Inside {
    pub(crate) server_version: &'static str,
    pub(crate) app: Option<Json>,
    versions: BTreeMap<String, Json>,
    pub(crate) tasks: Vec<Json>,
    pub(crate) deployments: Vec<Json>,
    pub(crate) queue: Json,
    pub(crate) last_failure: Json,
    /// Files of tasks, by path.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) scripts: VecDeque<Script>,
    pub(crate) events: EventStream,
    /// As many GETs are answered with this.
    pub(crate) failing: (u32, u16, &'static str),
    pub(crate) lists_deployments: bool,
    pub(crate) seen: Vec<Seen>,
    streams: Vec<mpsc::UnboundedSender<Bytes>>,
    accepted: usize,
}

#[derive(Clone)]
pub(crate) struct Marathon {
    inside: Arc<Mutex<Inside>>,
    pub(crate) url: String,
    _server: Option<Arc<Running>>,
}

struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

impl Marathon {
    /// A Marathon without an app.
    pub(crate) async fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            server_version: "1.9.109",
            app: None,
            versions: BTreeMap::new(),
            tasks: Vec::new(),
            deployments: Vec::new(),
            queue: json!({ "queue": [] }),
            last_failure: Json::Null,
            files: BTreeMap::new(),
            answers: VecDeque::new(),
            scripts: VecDeque::new(),
            events: EventStream::Works,
            failing: (0, 200, ""),
            lists_deployments: true,
            seen: Vec::new(),
            streams: Vec::new(),
            accepted: 0,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // The handler must not keep the server alive.
        let weak = Arc::downgrade(&inside);
        let address = url.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (weak, url) = (weak.clone(), address.clone());
            async move {
                let Some(inside) = weak.upgrade() else { return page(503, "") };
                let marathon = Marathon { inside, url, _server: None };
                handle(State(marathon), request).await
            }
        });
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { inside, url, _server: Some(Arc::new(Running(server))) }
    }

    /// A Marathon in which the app runs, healthy, with so many tasks.
    pub(crate) async fn with_app(definition: Json, instances: u64) -> Self {
        let marathon = Self::start().await;
        {
            let mut inside = marathon.inside();
            let mut app = definition;
            app["instances"] = json!(instances);
            stamp(&mut app, OLD, OLD);
            inside.versions.insert(OLD.to_owned(), app.clone());
            inside.app = Some(app);
            inside.tasks = (1..=instances).map(|n| task(n, OLD, Some(true))).collect();
        }
        marathon
    }

    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    /// The next changes are answered so; after these, all are accepted.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inside().answers.extend(answers);
    }

    /// What happens after the next accepted change; without a script it succeeds.
    pub(crate) fn script<F>(&self, script: impl FnOnce(Marathon, Change) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.inside().scripts.push_back(Box::new(move |m, change| Box::pin(script(m, change))));
    }

    /// The requests that changed something: `PUT /v2/apps/product/web?force=true`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let inside = self.inside();
        let lines = inside.seen.iter().map(|seen| seen.line.clone());
        lines.filter(|line| !line.starts_with("GET ")).collect()
    }

    /// The body of the change with this number.
    pub(crate) fn body(&self, number: usize) -> Json {
        let inside = self.inside();
        let changes = inside.seen.iter().filter(|seen| !seen.line.starts_with("GET "));
        changes.map(|seen| seen.body.clone()).nth(number).unwrap()
    }

    /// Where in the order of requests one with this beginning came first.
    pub(crate) fn first(&self, beginning: &str) -> Option<usize> {
        self.inside().seen.iter().position(|seen| seen.line.starts_with(beginning))
    }

    pub(crate) fn emit_raw(&self, bytes: &'static [u8]) {
        self.inside().streams.retain(|stream| stream.send(Bytes::from_static(bytes)).is_ok());
    }

    pub(crate) fn emit(&self, kind: &str, mut data: Json) {
        data["eventType"] = json!(kind);
        let frame = Bytes::from(format!("event: {kind}\r\ndata: {data}\r\n\r\n"));
        self.inside().streams.retain(|stream| stream.send(frame.clone()).is_ok());
    }

    /// Closes every event stream.
    pub(crate) fn cut_streams(&self) {
        self.inside().streams.clear();
    }

    fn status(&self, number: u64, version: &str, state: &str, message: &str) {
        self.emit(
            "status_update_event",
            json!({
                "appId": APP, "taskId": task_id(number), "taskStatus": state, "message": message,
                "host": "node1", "slaveId": "a-S0", "version": version,
            }),
        );
    }

    /// A task runs; nothing is known of its health.
    pub(crate) fn runs(&self, number: u64, version: &str) {
        self.inside().tasks.push(task(number, version, None));
        self.status(number, version, "TASK_RUNNING", "");
    }

    /// Its health check has an answer.
    pub(crate) fn checked(&self, number: u64, version: &str, healthy: bool) {
        let mut inside = self.inside();
        for one in &mut inside.tasks {
            if one["id"] == task_id(number) {
                *one = task(number, version, Some(healthy));
            }
        }
        drop(inside);
        self.emit(
            "instance_health_changed_event",
            json!({
                "instanceId": format!("product_web.instance-{number:04}"), "runSpecId": APP,
                "healthy": healthy, "runSpecVersion": version,
            }),
        );
    }

    /// It ends.
    pub(crate) fn ends(&self, number: u64, version: &str, state: &str, message: &str) {
        {
            let mut inside = self.inside();
            inside.tasks.retain(|task| task["id"] != task_id(number));
            if state == "TASK_FAILED" {
                inside.last_failure = json!({
                    "appId": APP, "taskId": task_id(number), "state": state, "message": message,
                    "host": "node1", "version": version,
                });
            }
        }
        self.status(number, version, state, message);
    }

    /// Marathon kills it for its health.
    pub(crate) fn killed_as_unhealthy(&self, number: u64, version: &str, reason: &str) {
        self.emit(
            "unhealthy_instance_kill_event",
            json!({
                "appId": APP, "taskId": task_id(number), "instanceId": format!("product_web.instance-{number:04}"),
                "version": version, "reason": reason, "host": "node1", "slaveId": "a-S0",
            }),
        );
        self.ends(number, version, "TASK_KILLED", "Command terminated with signal Terminated");
    }

    /// Every task of another version ends.
    pub(crate) fn retire(&self, version: &str) {
        let numbers: Vec<(u64, String)> = self
            .inside()
            .tasks
            .iter()
            .filter(|task| task["version"] != version)
            .map(|task| (number(task), task["version"].as_str().unwrap().to_owned()))
            .collect();
        for (number, version) in numbers {
            self.ends(number, &version, "TASK_KILLED", "");
        }
    }

    /// A deployment is over, and tells so.
    pub(crate) fn succeeds(&self, deployment: &str) {
        self.leaves_the_list(deployment);
        self.emit(
            "deployment_success",
            json!({ "id": deployment, "plan": { "id": deployment, "steps": [{}] } }),
        );
    }

    /// A deployment is over, and tells nobody.
    pub(crate) fn leaves_the_list(&self, deployment: &str) {
        self.inside().deployments.retain(|one| one["id"] != deployment);
    }

    /// Somebody else forces a definition of his own over the app.
    pub(crate) fn taken_over(&self, deployment: &str) {
        self.leaves_the_list(deployment);
        {
            let mut inside = self.inside();
            let app = inside.app.as_mut().unwrap();
            app["env"] = json!({ "BY": "somebody else" });
            stamp(app, FOREIGN, FOREIGN);
            inside.deployments.push(listed("ffff", FOREIGN));
        }
        self.emit(
            "deployment_failed",
            json!({ "id": deployment, "reason": "The upgrade has been cancelled" }),
        );
    }

    /// So many tasks are there, and healthy, without a word about it.
    pub(crate) fn cover(&self, numbers: &[u64], version: &str) {
        self.inside().tasks.extend(numbers.iter().map(|n| task(*n, version, Some(true))));
    }

    /// The rest of a roll-out whose task 3 runs already.
    pub(crate) async fn rolls_on(&self, change: &Change, number: u64) {
        self.runs(number, &change.version);
        pause(20).await;
        for number in [3, number] {
            self.checked(number, &change.version, true);
        }
        self.retire(&change.version);
        self.succeeds(&change.deployment);
    }

    /// A roll-out as it should be.
    pub(crate) async fn rolls(self, change: Change) {
        let first = 100 + 100 * self.inside().accepted as u64;
        let count = change.instances;
        for number in first..first + count {
            pause(10).await;
            self.runs(number, &change.version);
        }
        for number in first..first + count {
            pause(60).await;
            self.checked(number, &change.version, true);
        }
        self.retire(&change.version);
        self.succeeds(&change.deployment);
    }
}

fn task_id(number: u64) -> String {
    format!("product_web.instance-{number:04}._app.1")
}

fn number(task: &Json) -> u64 {
    let id = task["id"].as_str().unwrap();
    id.split_once("instance-").unwrap().1.split('.').next().unwrap().parse().unwrap()
}

fn task(number: u64, version: &str, healthy: Option<bool>) -> Json {
    let result = healthy.map(|alive| {
        json!({
            "alive": alive, "consecutiveFailures": u8::from(!alive),
            "lastSuccess": alive.then_some(OURS), "lastFailure": (!alive).then_some(OURS),
            "lastFailureCause": (!alive).then_some("Connection refused"),
        })
    });
    json!({
        "id": task_id(number), "appId": APP, "host": "node1", "slaveId": "a-S0", "version": version,
        "state": "TASK_RUNNING", "startedAt": OURS, "ports": [31000 + number],
        "healthCheckResults": result.into_iter().collect::<Vec<Json>>(),
    })
}

fn stamp(app: &mut Json, version: &str, config: &str) {
    app["version"] = json!(version);
    app["versionInfo"] = json!({ "lastScalingAt": version, "lastConfigChangeAt": config });
}

pub(crate) fn listed(id: &str, version: &str) -> Json {
    json!({
        "id": id, "version": version, "affectedApps": [APP], "affectedPods": [],
        "steps": [{ "actions": [{ "action": "RestartApplication", "app": APP }] }],
        "currentActions": [{ "action": "RestartApplication", "app": APP, "readinessCheckResults": [] }],
        "currentStep": 1, "totalSteps": 1,
    })
}

fn page(status: u16, text: &str) -> Response {
    let kind = if text.starts_with('<') { "text/html" } else { "application/json" };
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(Body::from(text.to_owned()))
        .unwrap()
}

fn answer(json: &Json) -> Response {
    page(200, &json.to_string())
}

async fn handle(State(marathon): State<Marathon>, request: Request) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let authorization =
        request.headers().get("authorization").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or(Json::Null);
    let line = if query.is_empty() || path == "/v2/events" {
        format!("{method} {path}")
    } else {
        format!("{method} {path}?{query}")
    };
    marathon.inside().seen.push(Seen { line, body: body.clone(), authorization });
    if method != "GET" {
        return change(&marathon, &method, &path, &query, body).await;
    }
    {
        let mut inside = marathon.inside();
        if inside.failing.0 > 0 {
            inside.failing.0 -= 1;
            let (_, status, text) = inside.failing;
            return page(status, text);
        }
    }
    match path.as_str() {
        "/v2/info" => {
            let version = marathon.inside().server_version;
            // The master and the agent live at the same address.
            let config = json!({ "mesos_leader_ui_url": format!("{}/", marathon.url) });
            answer(
                &json!({ "name": "marathon", "version": version, "frameworkId": "f-0000", "marathon_config": config }),
            )
        }
        "/slaves" => {
            let address = marathon.url.trim_start_matches("http://");
            answer(&json!({ "slaves": [
                { "id": "a-S1", "hostname": "node2", "pid": "slave(1)@127.0.0.1:1" },
                { "id": "a-S0", "hostname": "node1", "pid": format!("slave(1)@{address}") },
            ] }))
        }
        "/v2/events" => events(&marathon),
        "/v2/deployments" => {
            let inside = marathon.inside();
            let list =
                if inside.lists_deployments { inside.deployments.clone() } else { Vec::new() };
            answer(&Json::from(list))
        }
        "/v2/queue" => answer(&marathon.inside().queue.clone()),
        "/files/read" => file(&marathon, &query),
        path => app(&marathon, path),
    }
}

fn app(marathon: &Marathon, path: &str) -> Response {
    let inside = marathon.inside();
    let missing = |what: &str| page(404, &json!({ "message": what }).to_string());
    if let Some(version) = path.strip_prefix(&format!("/v2/apps{APP}/versions/")) {
        return match inside.versions.get(version) {
            Some(app) => answer(app),
            None => missing("App '/product/web' does not exist in version"),
        };
    }
    if path == format!("/v2/apps{APP}/versions") {
        return answer(&json!({ "versions": inside.versions.keys().rev().collect::<Vec<_>>() }));
    }
    let Some(app) = inside.app.as_ref().filter(|_| path == format!("/v2/apps{APP}")) else {
        return missing("App '/product/web' does not exist");
    };
    let mut app = app.clone();
    app["tasks"] = Json::from(inside.tasks.clone());
    app["deployments"] =
        inside.deployments.iter().map(|one| json!({ "id": one["id"] })).collect::<Json>();
    if !inside.last_failure.is_null() {
        app["lastTaskFailure"] = inside.last_failure.clone();
    }
    answer(&json!({ "app": app }))
}

fn events(marathon: &Marathon) -> Response {
    let mut inside = marathon.inside();
    if let EventStream::Refused(status) = inside.events {
        return page(status, "<html>no</html>");
    }
    let (sender, mut receiver) = mpsc::unbounded_channel();
    if inside.events == EventStream::Works {
        let hello = "event: event_stream_attached\r\ndata: {\"eventType\":\"event_stream_attached\"}\r\n\r\n";
        let _ = sender.send(Bytes::from_static(hello.as_bytes()));
    }
    inside.streams.push(sender);
    let stream = futures_util::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|bytes| bytes.map(Ok::<_, Infallible>))
    });
    Response::builder()
        .header("content-type", "text/event-stream;charset=UTF-8")
        .body(Body::from_stream(stream))
        .unwrap()
}

fn file(marathon: &Marathon, query: &str) -> Response {
    let parts: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.replace("%2F", "/")))
        .collect();
    let inside = marathon.inside();
    let Some(text) = parts.get("path").and_then(|path| inside.files.get(path)) else {
        return page(404, "");
    };
    match parts.get("offset").and_then(|offset| offset.parse::<usize>().ok()) {
        None => answer(&json!({ "data": "", "offset": text.len() })),
        Some(offset) => {
            answer(&json!({ "data": &text[offset.min(text.len())..], "offset": offset }))
        }
    }
}

async fn change(
    marathon: &Marathon,
    method: &str,
    path: &str,
    query: &str,
    body: Json,
) -> Response {
    let how = marathon.inside().answers.pop_front().unwrap_or(Answer::Accept);
    match how {
        Answer::Refuse(status, text) => return page(status, &text),
        Answer::Hang => {
            pause(60_000).await;
            return page(503, "");
        }
        Answer::NoChange => {
            let change = json!({ "version": OURS, "deploymentId": DEPLOYMENT });
            marathon.emit(
                "deployment_success",
                json!({ "id": DEPLOYMENT, "plan": { "id": DEPLOYMENT, "steps": [] } }),
            );
            return answer(&change);
        }
        Answer::Accept | Answer::SuccessFirst | Answer::AcceptAndHang => {}
    }
    let accepted = accept(marathon, method, path, query, body);
    if matches!(how, Answer::SuccessFirst) {
        marathon.clone().rolls(accepted.clone()).await;
        // The list is late.
        let late = listed(&accepted.deployment, &accepted.version);
        marathon.inside().deployments.push(late);
    } else {
        let script = marathon.inside().scripts.pop_front();
        let (handle, change) = (marathon.clone(), accepted.clone());
        match script {
            Some(script) => tokio::spawn(script(handle, change)),
            None => tokio::spawn(handle.rolls(change)),
        };
    }
    if matches!(how, Answer::AcceptAndHang) {
        pause(60_000).await;
    }
    answer(&json!({ "version": accepted.version, "deploymentId": accepted.deployment }))
}

/// Makes a change of the app, as Marathon does: whole or in part, to an earlier version, or away.
fn accept(marathon: &Marathon, method: &str, path: &str, query: &str, body: Json) -> Change {
    let mut inside = marathon.inside();
    let (version, deployment) = STAMPS[inside.accepted];
    inside.accepted += 1;
    if query.contains("force=true") {
        inside.deployments.clear();
    }
    inside.deployments.push(listed(deployment, version));
    let change =
        |instances| Change { version: version.into(), deployment: deployment.into(), instances };
    if method == "DELETE" {
        inside.app = None;
        return change(0);
    }
    let before = inside.app.clone();
    let mut app = match (body.get("version").and_then(Json::as_str), &before) {
        (Some(version), _) => inside.versions[version].clone(),
        (None, Some(before)) if !query.contains("partialUpdate=false") => {
            let mut whole = before.clone();
            for (field, value) in body.as_object().into_iter().flatten() {
                whole[field] = value.clone();
            }
            whole
        }
        _ => body,
    };
    let instances = app["instances"].as_u64().unwrap_or(1);
    let bare = |app: &Json| {
        let mut app = app.clone();
        for field in ["instances", "version", "versionInfo", "id"] {
            app.as_object_mut().unwrap().remove(field);
        }
        app
    };
    let restart = path.ends_with("/restart");
    let config = match &before {
        Some(before) if bare(before) == bare(&app) && !restart => {
            before["versionInfo"]["lastConfigChangeAt"].as_str().unwrap_or(version).to_owned()
        }
        _ => version.to_owned(),
    };
    app["id"] = json!(APP);
    stamp(&mut app, version, &config);
    inside.versions.insert(version.to_owned(), app.clone());
    inside.app = Some(app);
    change(instances)
}
