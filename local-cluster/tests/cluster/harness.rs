//! A cluster for one test.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Once,
    time::{Duration, Instant},
};

use pipe_local_cluster::{Running, Settings, status};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::events::Events;

/// A cluster in a folder of its own. It ends with the test.
pub(crate) struct Cluster {
    pub(crate) settings: Settings,
    pub(crate) running: Running,
    pub(crate) client: reqwest::Client,
    child: Child,
    folder: TempDir,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The program with a local cluster in it.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples/cluster")
}

/// Whether a test that needs something can run; if not, it says so, or fails where all must run.
pub(crate) fn can(test: &str, what: &str, there: bool) -> bool {
    if !there {
        assert!(std::env::var("PIPE_TEST_ALL").is_err(), "{test} needs {what}");
        eprintln!("left out: {test}: needs {what}");
    }
    there
}

/// Whether a tool is on the search path.
pub(crate) fn has(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').any(|folder| Path::new(folder).join(tool).is_file())
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) fn client() -> reqwest::Client {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Cluster {
    /// A cluster whose seconds last 100 ms.
    pub(crate) fn new() -> Self {
        Self::with(100, None)
    }

    /// A cluster with other seconds, or of another user, which only root can make.
    pub(crate) fn with(second: u64, user: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let settings = Settings::new(folder.path().join("cluster"));
        let mut file = program();
        if let Some(user) = user {
            // Another user may not enter the folder of this program.
            file = folder.path().join("program");
            fs::copy(program(), &file).unwrap();
            fs::create_dir(&settings.folder).unwrap();
            std::os::unix::fs::chown(&settings.folder, Some(user), Some(user)).unwrap();
        }
        let (child, running) = serve(&settings, &file, second, user);
        Self { settings, running, client: client(), child, folder }
    }

    /// Starts the cluster again after it ended.
    pub(crate) fn again(&mut self) {
        self.child.wait().unwrap();
        (self.child, self.running) = serve(&self.settings, &program(), 100, None);
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a request to Marathon.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.running.marathon));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Puts an app and answers the deployment's id.
    pub(crate) async fn deploy(&self, id: &str, app: &Value) -> String {
        let answer = self.put(&format!("/v2/apps{id}?partialUpdate=false"), app).await;
        assert!(matches!(answer.status, 200 | 201), "{}: {}", answer.status, answer.body);
        answer.body["deploymentId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn app(&self, id: &str) -> Value {
        self.get(&format!("/v2/apps{id}")).await["app"].take()
    }

    /// Waits until an app is as it should be.
    pub(crate) async fn until(&self, id: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let app = self.app(id).await;
            if is(&app) {
                return app;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "not {what}: {app:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until no deployment runs.
    pub(crate) async fn settled(&self) {
        let begun = Instant::now();
        loop {
            let left = self.get("/v2/deployments").await;
            if left == json!([]) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still deploying: {left:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn events(&self) -> Events {
        Events::listen(&self.client, &self.running.marathon).await
    }

    /// The page of a task.
    pub(crate) async fn page(&self, task: &Value, path: &str) -> String {
        let url = format!("http://{}:{}{path}", task["host"].as_str().unwrap(), task["ports"][0]);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// The processes that have to do with this cluster, but for the cluster itself.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        processes(&self.settings.folder).into_iter().filter(|(pid, _)| *pid != self.pid()).collect()
    }

    pub(crate) fn kill(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// The processes that name a folder in their arguments or environment.
pub(crate) fn processes(folder: &Path) -> Vec<(u32, String)> {
    let needle = folder.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let text = [read("cmdline"), read("environ")].concat();
        if String::from_utf8_lossy(&text).contains(&needle) {
            found.push((pid, String::from_utf8_lossy(&read("cmdline")).replace('\0', " ")));
        }
    }
    found
}

fn serve(settings: &Settings, program: &Path, second: u64, user: Option<u32>) -> (Child, Running) {
    let mut command = Command::new(program);
    command.args(["cluster", "serve", "--folder"]).arg(&settings.folder);
    command.env("CLUSTER_SECOND", second.to_string());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    loop {
        if let Ok(Some(running)) = status(settings) {
            return (child, running);
        }
        assert!(child.try_wait().unwrap().is_none(), "the cluster ended");
        assert!(begun.elapsed() < Duration::from_secs(10), "the cluster does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill(rustix::process::Signal::TERM);
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begun.elapsed() > Duration::from_secs(20) {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A web server with a page, and health checks of it every second.
pub(crate) fn web(page: &str, instances: u32) -> Value {
    json!({
        "cmd": format!("echo {page} > index.html; exec busybox httpd -f -p 127.0.0.1:$PORT0"),
        "instances": instances,
        "cpus": 0.1,
        "healthChecks": [{
            "protocol": "HTTP", "path": "/", "portIndex": 0,
            "intervalSeconds": 1, "gracePeriodSeconds": 20, "timeoutSeconds": 10,
        }],
    })
}

pub(crate) fn healthy(count: u64) -> impl Fn(&Value) -> bool {
    move |app| app["tasksHealthy"] == count && app["deployments"] == json!([])
}
