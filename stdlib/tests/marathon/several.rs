//! A Marathon of several apps that carries out every change at once, and the load balancer before
//! them. Where `server` plays scenarios of one deployment, this one keeps the books of many.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use crate::server::pause;

/// What happens of it is up to a test.
pub(crate) struct Inside {
    pub(crate) apps: BTreeMap<String, Json>,
    /// What was changed: `PUT /shop-green 2 quiet`, `DELETE /shop`.
    pub(crate) changes: Vec<String>,
    /// Whether tasks of a definition get healthy.
    pub(crate) works: fn(&Json) -> bool,
    /// Whether the load balancer follows.
    pub(crate) follows: bool,
    /// Open connections to each old task.
    pub(crate) open: u64,
    deployments: BTreeMap<String, String>,
    streams: Vec<mpsc::UnboundedSender<Bytes>>,
    stamps: u64,
    ports: u64,
}

/// The server; it ends with its last handle.
#[derive(Clone)]
pub(crate) struct Several {
    inside: Arc<Mutex<Inside>>,
    pub(crate) url: String,
    _server: Arc<Server>,
}

struct Server(tokio::task::JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn lock(inside: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap()
}

impl Several {
    /// A Marathon in which these run.
    pub(crate) async fn with(apps: &[Json]) -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            apps: BTreeMap::new(),
            changes: Vec::new(),
            works: |_| true,
            follows: true,
            open: 0,
            deployments: BTreeMap::new(),
            streams: Vec::new(),
            stamps: 0,
            ports: 31000,
        }));
        for app in apps {
            lock(&inside).put(app["id"].as_str().unwrap(), app.clone(), true);
        }
        lock(&inside).deployments.clear();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let handled = inside.clone();
        let router =
            Router::new().fallback(move |request: Request| handle(handled.clone(), request));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { inside, url, _server: Arc::new(Server(server)) }
    }

    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }

    pub(crate) fn changes(&self) -> Vec<String> {
        self.inside().changes.clone()
    }

    /// Who runs, with how many tasks.
    pub(crate) fn running(&self) -> Vec<(String, usize)> {
        let inside = self.inside();
        let count = |app: &Json| app["tasks"].as_array().unwrap().len();
        inside.apps.iter().map(|(id, app)| (id.clone(), count(app))).collect()
    }

    pub(crate) fn app(&self, id: &str) -> Json {
        self.inside().apps[id].clone()
    }

    /// Somebody else changes an app.
    pub(crate) fn touch(&self, id: &str) {
        let mut app = self.app(id);
        app["env"] = json!({ "BY": "somebody else" });
        self.start(id, app);
    }

    /// An app is there.
    pub(crate) fn start(&self, id: &str, app: Json) {
        let mut inside = self.inside();
        inside.put(id, app, true);
        inside.deployments.clear();
    }
}

fn served(app: &Json) -> bool {
    app["labels"]["HAPROXY_GROUP"].is_string()
}

impl Inside {
    /// Carries a change out; the deployment, and whether it succeeds.
    fn put(&mut self, id: &str, body: Json, whole: bool) -> (String, String, bool) {
        self.stamps += 1;
        let version = format!("2026-11-25T10:{:02}:{:02}.000Z", self.stamps / 60, self.stamps % 60);
        let before = self.apps.get(id).cloned();
        let mut app = match &before {
            Some(before) if !whole => before.clone(),
            _ => json!({ "tasks": [], "versionInfo": {} }),
        };
        for (field, value) in body.as_object().unwrap() {
            app[field] = value.clone();
        }
        for port in app["ports"].as_array_mut().into_iter().flatten().filter(|port| **port == 0) {
            *port = json!(10100 + self.stamps);
        }
        let bare = |app: &Json| {
            let mut app = app.clone();
            for field in ["instances", "version", "versionInfo", "tasks", "deployments"] {
                app.as_object_mut().unwrap().remove(field);
            }
            app
        };
        let same = before.as_ref().is_some_and(|before| bare(before) == bare(&app));
        let mut tasks = match before {
            Some(before) if same => {
                app["versionInfo"] = before["versionInfo"].clone();
                before["tasks"].as_array().unwrap().clone()
            }
            _ => {
                app["versionInfo"] = json!({ "lastConfigChangeAt": version });
                Vec::new()
            }
        };
        let wanted = app["instances"].as_u64().unwrap_or(1) as usize;
        tasks.truncate(wanted);
        let works = (self.works)(&app);
        while tasks.len() < wanted {
            self.ports += 1;
            tasks.push(json!({
                "id": format!("task-{}", self.ports), "host": "127.0.0.1", "ports": [self.ports],
                "state": "TASK_RUNNING", "version": version, "startedAt": version,
                "healthCheckResults": [{ "alive": works, "consecutiveFailures": u8::from(!works) }],
            }));
        }
        app["id"] = json!(id);
        app["tasks"] = Json::from(tasks);
        app["version"] = json!(version);
        self.apps.insert(id.to_owned(), app);
        let deployment = format!("deployment-{}", self.stamps);
        self.deployments.insert(deployment.clone(), id.to_owned());
        (deployment, version, works || wanted == 0)
    }

    /// HAProxy's statistics, as marathon-lb would have it.
    fn statistics(&self) -> String {
        let started = |app: &Json| {
            let label = app["labels"]["HAPROXY_DEPLOYMENT_STARTED_AT"].as_str();
            label.unwrap_or_default().to_owned()
        };
        let mut all: Vec<&Json> = self.apps.values().filter(|app| served(app)).collect();
        all.sort_by_key(|app| started(app));
        if !self.follows {
            all.truncate(1);
        }
        let mut text = "# pxname,svname,qcur,scur,status,\n".to_owned();
        let newest = all.len().saturating_sub(1);
        let closed: usize = all.last().map_or(0, |app| app["tasks"].as_array().unwrap().len());
        for (number, app) in all.iter().enumerate() {
            for (n, task) in app["tasks"].as_array().unwrap().iter().enumerate() {
                let draining = number < newest && n < closed;
                let (open, status) = if draining { (self.open, "MAINT") } else { (1, "UP") };
                text.push_str(&format!(
                    "shop_10000,127_0_0_1_{},0,{open},{status},\n",
                    task["ports"][0]
                ));
            }
        }
        text
    }
}

fn page(status: u16, text: String) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(text))
        .unwrap()
}

async fn handle(inside: Arc<Mutex<Inside>>, request: Request) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let ok = |json: Json| page(200, json.to_string());
    let no_app = || page(404, r#"{"message":"App does not exist"}"#.to_owned());
    let id = path.strip_prefix("/v2/apps").unwrap_or_default().to_owned();
    match (method.as_str(), path.as_str()) {
        ("GET", "/v2/info") => ok(json!({ "name": "marathon", "version": "1.9.109" })),
        ("GET", "/v2/queue") => ok(json!({ "queue": [] })),
        ("GET", "/haproxy") => page(200, lock(&inside).statistics()),
        ("GET", "/_haproxy_getpids") => page(200, "1".to_owned()),
        ("GET", "/v2/events") => events(&inside),
        ("GET", "/v2/deployments") => {
            let inside = lock(&inside);
            ok(inside
                .deployments
                .iter()
                .map(|(d, id)| json!({ "id": d, "affectedApps": [id] }))
                .collect())
        }
        ("GET", _) => match lock(&inside).apps.get(&id) {
            Some(app) => ok(json!({ "app": app })),
            None => no_app(),
        },
        ("PUT", _) => {
            let body: Json = serde_json::from_slice(&body).unwrap();
            let (deployment, version, works) = {
                let mut inside = lock(&inside);
                let force = query.contains("force=true");
                inside.deployments.retain(|_, held| !(force && *held == id));
                let done = inside.put(&id, body, query.contains("partialUpdate=false"));
                let app = &inside.apps[&id];
                let what = if served(app) { "served" } else { "quiet" };
                let line = format!("PUT {id} {} {what}", app["instances"]);
                inside.changes.push(line);
                done
            };
            if works {
                tokio::spawn(succeed(inside, deployment.clone()));
            }
            ok(json!({ "version": version, "deploymentId": deployment }))
        }
        ("DELETE", _) => {
            let mut inside = lock(&inside);
            if inside.apps.remove(&id).is_none() {
                return no_app();
            }
            inside.deployments.retain(|_, held| *held != id);
            inside.changes.push(format!("DELETE {id}"));
            ok(json!({ "version": "2026-11-25T11:00:00.000Z", "deploymentId": "gone" }))
        }
        _ => page(405, String::new()),
    }
}

async fn succeed(inside: Arc<Mutex<Inside>>, deployment: String) {
    pause(20).await;
    let data = json!({
        "eventType": "deployment_success", "id": deployment, "plan": { "id": deployment, "steps": [{}] },
    });
    let frame = Bytes::from(format!("event: deployment_success\r\ndata: {data}\r\n\r\n"));
    let mut inside = lock(&inside);
    inside.deployments.remove(&deployment);
    inside.streams.retain(|stream| stream.send(frame.clone()).is_ok());
}

fn events(inside: &Mutex<Inside>) -> Response {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let hello =
        "event: event_stream_attached\r\ndata: {\"eventType\":\"event_stream_attached\"}\r\n\r\n";
    let _ = sender.send(Bytes::from_static(hello.as_bytes()));
    lock(inside).streams.push(sender);
    let stream = futures_util::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|bytes| bytes.map(Ok::<_, Infallible>))
    });
    Response::builder()
        .header("content-type", "text/event-stream;charset=UTF-8")
        .body(Body::from_stream(stream))
        .unwrap()
}

/// The service ports of all apps are different.
pub(crate) fn ports_differ(several: &Several) -> bool {
    let inside = several.inside();
    let ports: Vec<&Json> =
        inside.apps.values().flat_map(|app| app["ports"].as_array().unwrap()).collect();
    let all: BTreeSet<String> = ports.iter().map(ToString::to_string).collect();
    all.len() == ports.len()
}
