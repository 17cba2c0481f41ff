//! A Mesos master with agents, as far as a scheduler sees them: what it answers is shaped like the
//! recordings of a real one. A test says what goes wrong.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How a task is run: gives its status, or the number of a signal.
pub type Executor =
    Arc<dyn Fn(Launched) -> Pin<Box<dyn Future<Output = Result<i32, i32>> + Send>> + Send + Sync>;

/// A task that is to be run.
pub struct Launched {
    /// Its folder.
    pub sandbox: PathBuf,
    /// What goes to the shell.
    pub command: String,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Set when it is told to end.
    pub cancel: CancellationToken,
}

/// What becomes of a task that is accepted.
pub enum Fate {
    /// It runs.
    Runs,
    /// Nobody hears of it again.
    Silence,
    /// An update instead: state, reason, message, and whether it has a `uuid`.
    Update(&'static str, &'static str, &'static str, bool),
}

/// What a test wants to go wrong; gets the number of the launch, from 0.
pub type Script = Box<dyn Fn(usize) -> Fate + Send + Sync>;

/// A cluster. Dropping it ends everything in it.
pub struct Cluster {
    /// Of the master, and of all agents.
    pub url: String,
    /// Where the sandboxes are.
    pub folder: tempfile::TempDir,
    inside: Arc<Inside>,
    _stop: DropGuard,
}

struct Inside {
    folder: PathBuf,
    port: u16,
    executor: Executor,
    script: Script,
    agents: Vec<Agent>,
    /// Seconds between two heartbeats, as it says; in truth it is shorter.
    heartbeat: f64,
    start: Instant,
    stop: CancellationToken,
    state: Mutex<Inner>,
}

/// An agent.
#[derive(Clone)]
pub struct Agent {
    /// Its name.
    pub host: &'static str,
    /// Processors.
    pub cpus: f64,
    /// MiB.
    pub mem: f64,
    /// Its only attribute.
    pub rack: &'static str,
}

#[derive(Default)]
struct Inner {
    frameworks: BTreeMap<String, Framework>,
    calls: Vec<Json>,
    times: Vec<(String, Duration)>,
    launches: usize,
    next: u64,
    /// Answers instead of a subscription, in turn.
    refusals: Vec<(u16, Json)>,
    held: bool,
}

#[derive(Default)]
struct Framework {
    stream: Option<mpsc::UnboundedSender<Bytes>>,
    stream_id: String,
    suppressed: bool,
    removed: bool,
    mute: bool,
    tasks: BTreeMap<String, Task>,
}

struct Task {
    agent: usize,
    state: &'static str,
    cpus: f64,
    mem: f64,
    cancel: CancellationToken,
    killed: bool,
    /// The updates that were not acknowledged; the first one was sent.
    pending: VecDeque<Json>,
}

impl Task {
    fn lives(&self) -> bool {
        matches!(self.state, "TASK_STAGING" | "TASK_STARTING" | "TASK_RUNNING" | "TASK_KILLING")
    }
}

/// One agent with enough for most tests.
pub fn one_agent() -> Vec<Agent> {
    vec![Agent { host: "127.0.0.1", cpus: 4.0, mem: 4096.0, rack: "r1" }]
}

impl Cluster {
    pub async fn start(agents: Vec<Agent>, executor: Executor, script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let inside = Arc::new(Inside {
            folder: folder.path().to_path_buf(),
            port,
            executor,
            script,
            agents,
            heartbeat: 0.6,
            start: Instant::now(),
            stop: stop.clone(),
            state: Mutex::default(),
        });
        let router = Router::new()
            .route("/api/v1/scheduler", post(scheduler))
            .route("/api/v1", post(operator))
            .route("/state-summary", get(summary))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(inside.clone());
        let ends = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ends.cancelled() => {}
                _ = axum::serve(listener, router) => {}
            }
        });
        let beats = inside.clone();
        tokio::spawn(async move {
            while !beats.stop.is_cancelled() {
                tokio::time::sleep(Duration::from_millis(200)).await;
                beats.everybody(&json!({ "type": "HEARTBEAT" }));
            }
        });
        let url = format!("http://127.0.0.1:{port}");
        Self { url, folder, inside, _stop: stop.drop_guard() }
    }

    /// The calls so far, without acknowledgements unless they are asked for by name.
    pub fn calls(&self, kind: &str) -> Vec<Json> {
        self.inside.state().calls.iter().filter(|call| call["type"] == kind).cloned().collect()
    }

    /// The names of all calls, in their order.
    pub fn order(&self) -> Vec<String> {
        let state = self.inside.state();
        state.calls.iter().map(|call| call["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The tasks that are not at their end.
    pub fn living(&self) -> Vec<String> {
        let state = self.inside.state();
        let all = state.frameworks.values().flat_map(|framework| &framework.tasks);
        all.filter(|(_, task)| task.lives()).map(|(id, _)| id.clone()).collect()
    }

    /// Whether every framework was torn down.
    pub fn is_over(&self) -> bool {
        let state = self.inside.state();
        !state.frameworks.is_empty() && state.frameworks.values().all(|f| f.removed)
    }

    /// Refuses the next subscriptions: a status, and the body or the only event of a stream.
    pub fn refuse(&self, refusals: Vec<(u16, Json)>) {
        self.inside.state().refusals = refusals;
    }

    /// Offers nothing until it is taken back.
    pub fn hold(&self, held: bool) {
        self.inside.state().held = held;
        if !held {
            self.inside.offer_all();
        }
    }

    /// Sends nothing any more and closes nothing, until the next subscription.
    pub fn mute(&self) {
        self.inside.state().frameworks.values_mut().for_each(|framework| framework.mute = true);
    }

    /// Breaks all streams.
    pub fn cut(&self) {
        for framework in self.inside.state().frameworks.values_mut() {
            framework.stream = None;
        }
    }

    /// Ends all frameworks, as an operator does.
    pub fn remove(&self) {
        let error = json!({ "type": "ERROR",
            "error": { "message": "Framework has been removed" } });
        self.inside.everybody(&error);
        let ids: Vec<String> = self.inside.state().frameworks.keys().cloned().collect();
        ids.iter().for_each(|id| self.inside.tear_down(id));
    }

    /// When each call came, and when offers went out.
    pub fn times(&self) -> Vec<(String, Duration)> {
        self.inside.state().times.clone()
    }

    /// Sends an event to everybody.
    pub fn send(&self, event: &Json) {
        self.inside.everybody(event);
    }

    /// Says something of a task.
    pub fn update(&self, task: &str, state: &'static str, reason: &str, message: &str, own: bool) {
        let framework = self.inside.framework_of(task);
        self.inside.update(&framework, task, state, reason, message, own);
    }

    /// Ends the process of a task, as somebody else would.
    pub fn strike(&self, task: &str) {
        let framework = self.inside.framework_of(task);
        self.inside.state().frameworks[&framework].tasks[task].cancel.cancel();
    }

    /// The folder of a task.
    pub fn sandbox(&self, task: &str) -> PathBuf {
        self.inside.sandbox(&self.inside.framework_of(task), task)
    }
}

impl Inside {
    fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }

    fn framework_of(&self, task: &str) -> String {
        let state = self.state();
        let found = state.frameworks.iter().find(|(_, f)| f.tasks.contains_key(task));
        found.map(|(id, _)| id.clone()).unwrap_or_else(|| panic!("no task `{task}`"))
    }

    fn sandbox(&self, framework: &str, task: &str) -> PathBuf {
        self.folder.join(format!("frameworks/{framework}/executors/{task}/runs/latest"))
    }

    fn everybody(&self, event: &Json) {
        for framework in self.state().frameworks.values() {
            send(framework, event);
        }
    }

    fn offer_all(self: &Arc<Self>) {
        let ids: Vec<String> = self.state().frameworks.keys().cloned().collect();
        ids.iter().for_each(|id| self.offer(id));
    }

    /// Offers what is free of every agent to a framework.
    fn offer(&self, id: &str) {
        let mut state = self.state();
        let mut used: Vec<(f64, f64)> = self.agents.iter().map(|_| (0.0, 0.0)).collect();
        for task in state.frameworks.values().flat_map(|f| f.tasks.values()).filter(|t| t.lives()) {
            used[task.agent].0 += task.cpus;
            used[task.agent].1 += task.mem;
        }
        if state.held || state.frameworks[id].suppressed || state.frameworks[id].removed {
            return;
        }
        let mut offers = Vec::new();
        for (number, (agent, used)) in self.agents.iter().zip(used).enumerate() {
            let scalar = |name: &str, value: f64| {
                json!({ "name": name, "type": "SCALAR", "scalar": { "value": value },
                    "allocation_info": { "role": "*" } })
            };
            state.next += 1;
            offers.push(json!({
                "id": { "value": format!("offer-{number}-{}", state.next) },
                "framework_id": { "value": id },
                "agent_id": { "value": format!("agent-{number}") },
                "hostname": agent.host,
                "url": { "scheme": "http", "address": { "hostname": "127.0.0.1",
                    "ip": "127.0.0.1", "port": self.port }, "path": "/slave(1)" },
                "allocation_info": { "role": "*" },
                "attributes": [
                    { "name": "rack", "type": "TEXT", "text": { "value": agent.rack } }],
                "resources": [scalar("cpus", agent.cpus - used.0), scalar("mem", agent.mem - used.1),
                    scalar("disk", 8192.0)],
            }));
        }
        state.times.push(("OFFERS".to_owned(), self.start.elapsed()));
        send(&state.frameworks[id], &json!({ "type": "OFFERS", "offers": { "offers": offers } }));
    }

    /// An update; `own`: of an executor or agent, which has a `uuid`.
    fn update(
        &self,
        framework: &str,
        task: &str,
        state: &'static str,
        reason: &str,
        message: &str,
        own: bool,
    ) {
        let mut inner = self.state();
        inner.next += 1;
        let uuid = format!("{:0>22}==", inner.next);
        let Some(found) = inner.frameworks.get_mut(framework) else { return };
        let mut status = json!({ "task_id": { "value": task }, "state": state,
            "source": if own { "SOURCE_EXECUTOR" } else { "SOURCE_MASTER" },
            "executor_id": { "value": task } });
        if let Some(known) = found.tasks.get_mut(task) {
            if own {
                known.state = state;
            }
            status["agent_id"] = json!({ "value": format!("agent-{}", known.agent) });
        }
        if !reason.is_empty() {
            status["reason"] = json!(format!("REASON_{reason}"));
        }
        if !message.is_empty() {
            status["message"] = json!(message);
        }
        if own {
            status["uuid"] = json!(uuid);
        }
        let event = json!({ "type": "UPDATE", "update": { "status": status } });
        // An agent sends the next update of a task when the one before is acknowledged.
        if let Some(known) = found.tasks.get_mut(task).filter(|_| own) {
            known.pending.push_back(event.clone());
            if known.pending.len() > 1 {
                return;
            }
        }
        send(found, &event);
    }

    fn acknowledged(&self, framework: &str, call: &Json) {
        let mut state = self.state();
        let found = state.frameworks.get_mut(framework).unwrap();
        let asked = &call["acknowledge"];
        let Some(known) = found.tasks.get_mut(asked["task_id"]["value"].as_str().unwrap()) else {
            return;
        };
        let first = known.pending.front();
        if first.is_some_and(|event| event["update"]["status"]["uuid"] == asked["uuid"]) {
            known.pending.pop_front();
            let next = known.pending.front().cloned();
            next.iter().for_each(|event| send(found, event));
        }
    }

    fn accept(self: &Arc<Self>, framework: &str, call: &Json) {
        let operations = call["accept"]["operations"].as_array().unwrap().iter();
        let tasks = operations.flat_map(|o| o["launch"]["task_infos"].as_array().unwrap().clone());
        for info in tasks {
            let task = info["task_id"]["value"].as_str().unwrap().to_owned();
            let agent = info["agent_id"]["value"].as_str().unwrap().strip_prefix("agent-");
            let amount = |name: &str| -> f64 {
                let resources = info["resources"].as_array().unwrap().iter();
                let named = resources.filter(|r| r["name"] == name);
                named.map(|r| r["scalar"]["value"].as_f64().unwrap()).sum()
            };
            let cancel = self.stop.child_token();
            let known = Task {
                agent: agent.unwrap().parse().unwrap(),
                state: "TASK_STAGING",
                cpus: amount("cpus"),
                mem: amount("mem"),
                cancel: cancel.clone(),
                killed: false,
                pending: VecDeque::new(),
            };
            let number = {
                let mut state = self.state();
                state.frameworks.get_mut(framework).unwrap().tasks.insert(task.clone(), known);
                state.launches += 1;
                state.launches - 1
            };
            match (self.script)(number) {
                Fate::Silence => {}
                Fate::Update(state, reason, message, own) => {
                    self.update(framework, &task, state, reason, message, own);
                }
                Fate::Runs => {
                    let (inside, framework) = (self.clone(), framework.to_owned());
                    tokio::spawn(async move { inside.run(framework, task, info, cancel).await });
                }
            }
        }
    }

    async fn run(
        self: Arc<Self>,
        framework: String,
        task: String,
        info: Json,
        cancel: CancellationToken,
    ) {
        let sandbox = self.sandbox(&framework, &task);
        fs::create_dir_all(&sandbox).unwrap();
        for uri in info["command"]["uris"].as_array().into_iter().flatten() {
            if let Err(why) = fetch(uri, &sandbox).await {
                let message = format!(
                    "Failed to launch container: Failed to fetch all URIs for \
                    container 'x': {why}"
                );
                let reason = "CONTAINER_LAUNCH_FAILED";
                return self.update(&framework, &task, "TASK_FAILED", reason, &message, true);
            }
        }
        self.update(&framework, &task, "TASK_STARTING", "", "", true);
        self.update(&framework, &task, "TASK_RUNNING", "", "", true);
        let path = std::env::var("PATH").unwrap_or_default();
        let environment = [
            ("MESOS_SANDBOX", sandbox.display().to_string()),
            ("MESOS_EXECUTOR_ID", task.clone()),
            ("PATH", path),
        ];
        let launched = Launched {
            sandbox,
            command: info["command"]["value"].as_str().unwrap().to_owned(),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            cancel,
        };
        let ended = (self.executor)(launched).await;
        let killed = match self.state().frameworks.get(&framework) {
            Some(found) => found.tasks[&task].killed,
            None => return,
        };
        let (state, message) = match ended {
            Ok(status) => (
                if status == 0 { "TASK_FINISHED" } else { "TASK_FAILED" },
                format!("Command exited with status {status}"),
            ),
            Err(9) => ("TASK_FAILED", "Command terminated with signal Killed".to_owned()),
            Err(_) => ("TASK_FAILED", "Command terminated with signal Terminated".to_owned()),
        };
        let state = if killed { "TASK_KILLED" } else { state };
        self.update(&framework, &task, state, "", &message, true);
        // What is free again is offered.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.offer_all();
    }

    fn kill(&self, framework: &str, task: &str) {
        let living = {
            let mut state = self.state();
            let found = state.frameworks.get_mut(framework).unwrap();
            found.tasks.get_mut(task).filter(|known| known.lives()).map(|known| {
                known.killed = true;
                known.cancel.cancel();
                known.state
            })
        };
        match living {
            Some(_) => self.update(framework, task, "TASK_KILLING", "", "", true),
            None => self.update(framework, task, "TASK_GONE", "RECONCILIATION", "", false),
        }
    }

    fn reconcile(&self, framework: &str, call: &Json) {
        for asked in call["reconcile"]["tasks"].as_array().into_iter().flatten() {
            let task = asked["task_id"]["value"].as_str().unwrap();
            let state = {
                let inner = self.state();
                inner.frameworks[framework].tasks.get(task).map_or("TASK_UNKNOWN", |t| t.state)
            };
            self.update(framework, task, state, "RECONCILIATION", "", false);
        }
    }

    fn tear_down(&self, framework: &str) {
        let mut state = self.state();
        let found = state.frameworks.get_mut(framework).unwrap();
        found.removed = true;
        found.stream = None;
        for task in found.tasks.values_mut().filter(|task| task.lives()) {
            task.state = "TASK_KILLED";
            task.cancel.cancel();
        }
    }
}

fn record(event: &Json) -> Bytes {
    let text = event.to_string();
    format!("{}\n{text}", text.len()).into()
}

fn send(framework: &Framework, event: &Json) {
    if let Some(stream) = framework.stream.as_ref().filter(|_| !framework.mute) {
        let _ = stream.send(record(event));
    }
}

async fn fetch(uri: &Json, sandbox: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let url = uri["value"].as_str().unwrap();
    let name = uri["output_file"].as_str().unwrap_or("file");
    let bytes = download(url).await.map_err(|error| error.to_string())?;
    tokio::fs::write(sandbox.join(name), bytes).await.map_err(|error| error.to_string())?;
    let mode = if uri["executable"] == true { 0o755 } else { 0o644 };
    fs::set_permissions(sandbox.join(name), fs::Permissions::from_mode(mode)).unwrap();
    Ok(())
}

/// As HTTP/1.0, whose answers end with the connection.
async fn download(url: &str) -> std::io::Result<Vec<u8>> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    stream.write_all(format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
    if !bytes.starts_with(b"HTTP/1.0 200") && !bytes.starts_with(b"HTTP/1.1 200") {
        return Err(std::io::Error::other(String::from_utf8_lossy(&bytes[..end]).into_owned()));
    }
    Ok(bytes.split_off(end + 4))
}

async fn scheduler(
    State(inside): State<Arc<Inside>>,
    headers: HeaderMap,
    axum::Json(call): axum::Json<Json>,
) -> Response {
    let kind = call["type"].as_str().unwrap_or_default().to_owned();
    {
        let mut state = inside.state();
        state.times.push((kind.clone(), inside.start.elapsed()));
        state.calls.push(call.clone());
    }
    if kind == "SUBSCRIBE" {
        return subscribe(&inside, &call);
    }
    let framework = call["framework_id"]["value"].as_str().unwrap_or_default().to_owned();
    {
        let mut state = inside.state();
        let stream = headers.get("Mesos-Stream-Id").and_then(|id| id.to_str().ok());
        let Some(found) = state.frameworks.get_mut(&framework).filter(|f| !f.removed) else {
            return (StatusCode::BAD_REQUEST, "Framework cannot be found").into_response();
        };
        if found.stream.is_none() {
            return (StatusCode::FORBIDDEN, "Framework is not subscribed").into_response();
        }
        if stream != Some(&found.stream_id) {
            let text = "The stream ID included in this request didn't match the stream ID";
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
        match kind.as_str() {
            "SUPPRESS" => found.suppressed = true,
            "REVIVE" => found.suppressed = false,
            _ => {}
        }
    }
    match kind.as_str() {
        "REVIVE" => inside.offer(&framework),
        "ACCEPT" => {
            inside.accept(&framework, &call);
            // What is left comes again.
            let (inside, framework) = (inside.clone(), framework.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                inside.offer(&framework);
            });
        }
        "KILL" => inside.kill(&framework, call["kill"]["task_id"]["value"].as_str().unwrap()),
        "ACKNOWLEDGE" => inside.acknowledged(&framework, &call),
        "RECONCILE" => inside.reconcile(&framework, &call),
        "TEARDOWN" => inside.tear_down(&framework),
        _ => {}
    }
    StatusCode::ACCEPTED.into_response()
}

fn subscribe(inside: &Arc<Inside>, call: &Json) -> Response {
    let refusal = {
        let mut state = inside.state();
        (!state.refusals.is_empty()).then(|| state.refusals.remove(0))
    };
    let stream = |id: &str, body: Body| {
        let headers = [("Content-Type", "application/json"), ("Mesos-Stream-Id", id)]
            .map(|(n, v)| (n, v.to_owned()));
        (headers, body).into_response()
    };
    if let Some((status, body)) = refusal {
        return match body.as_str() {
            Some(text) => (StatusCode::from_u16(status).unwrap(), text.to_owned()).into_response(),
            None => stream("refused", Body::from(record(&body))),
        };
    }
    let mut state = inside.state();
    let known = call["framework_id"]["value"].as_str().map(str::to_owned);
    state.next += 1;
    let id = known.unwrap_or_else(|| format!("framework-{:04}", state.next));
    let stream_id = format!("stream-{}", state.next);
    let suppressed =
        call["subscribe"]["suppressed_roles"].as_array().is_some_and(|r| !r.is_empty());
    let found = state.frameworks.entry(id.clone()).or_default();
    if found.removed {
        let error = json!({ "type": "ERROR",
            "error": { "message": "Framework has been removed" } });
        return stream(&stream_id, Body::from(record(&error)));
    }
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let subscribed = json!({ "type": "SUBSCRIBED", "subscribed": {
        "framework_id": { "value": id }, "heartbeat_interval_seconds": inside.heartbeat,
        "master_info": { "id": "m", "ip": 0, "port": inside.port, "version": "1.12.0" } } });
    let _ = sender.send(record(&subscribed));
    found.stream = Some(sender);
    found.mute = false;
    found.stream_id.clone_from(&stream_id);
    found.suppressed = suppressed;
    for event in found.tasks.values().filter_map(|task| task.pending.front()) {
        send(found, event);
    }
    drop(state);
    if !suppressed {
        inside.offer(&id);
    }
    let pieces = futures_util::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|piece| piece.map(Ok::<_, Infallible>))
    });
    stream(&stream_id, Body::from_stream(pieces))
}

/// `READ_FILE` of an agent.
async fn operator(
    State(inside): State<Arc<Inside>>,
    axum::Json(call): axum::Json<Json>,
) -> Response {
    let asked = &call["read_file"];
    let path = inside.folder.join(asked["path"].as_str().unwrap().trim_start_matches('/'));
    let Ok(bytes) = fs::read(path) else {
        return (StatusCode::NOT_FOUND, "No such file or directory").into_response();
    };
    let start = usize::try_from(asked["offset"].as_u64().unwrap()).unwrap().min(bytes.len());
    let length = usize::try_from(asked["length"].as_u64().unwrap()).unwrap().min(65536);
    let page = &bytes[start..(start + length).min(bytes.len())];
    axum::Json(json!({ "type": "READ_FILE",
        "read_file": { "size": bytes.len(), "data": base64(page) } }))
    .into_response()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(DIGITS[(all >> (18 - 6 * place) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

async fn summary(State(inside): State<Arc<Inside>>) -> axum::Json<Json> {
    let agents: Vec<Json> = inside
        .agents
        .iter()
        .enumerate()
        .map(|(number, agent)| {
            json!({ "id": format!("agent-{number}"), "hostname": agent.host, "active": true,
                "attributes": { "rack": agent.rack },
                "resources": { "cpus": agent.cpus, "mem": agent.mem, "disk": 8192.0, "gpus": 0.0 },
                "used_resources": { "cpus": 0.0, "mem": 0.0, "disk": 0.0, "gpus": 0.0 } })
        })
        .collect();
    axum::Json(json!({ "hostname": "127.0.0.1", "slaves": agents, "frameworks": [] }))
}
