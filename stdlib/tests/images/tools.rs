//! The tools that the tests start: a registry, a Docker Engine, and those that look at the result.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// `user` and `secret`, bcrypt.
const HTPASSWD: &str = "user:$2y$05$UKuBifOegTZ9Jwv1lFzExO/vXtZGjE96itVsANqjyvC0QjlYvyA6y\n";

/// Whether all tools are there; otherwise says that the test is left out, or fails when nothing may
/// be left out. `root` stands for the right to be it.
pub(crate) fn has(test: &str, tools: &[&str]) -> bool {
    let found = |tool: &&&str| match **tool {
        "root" => is_root(),
        tool => std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
        }),
    };
    let missing: Vec<&str> = tools.iter().filter(|tool| !found(tool)).copied().collect();
    if missing.is_empty() {
        return true;
    }
    let line = format!("left out: {test}: needs {}", missing.join(", "));
    assert!(std::env::var_os("PIPE_TEST_ALL").is_none_or(|all| all != "1"), "{line}");
    let _ = writeln!(std::io::stderr(), "{line}");
    false
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// A program that ends with its owner: asked first, so that it ends its own children.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Debian's `docker-registry` on a port of its own.
pub(crate) struct Registry {
    _running: Running,
    folder: TempDir,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One that wants a login of `user` with `secret`.
    pub(crate) fn with_login() -> Self {
        Self::with("auth:\n  htpasswd:\n    realm: test\n    path: HTPASSWD\n")
    }

    /// One with TLS and a certificate of its own, at this address.
    pub(crate) fn with_tls(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"])
            // It is no authority, as strict readers of certificates demand of a server's.
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-subj", "/CN=test", "-addext", &format!("subjectAltName=IP:{address}")])
            .args(["-keyout", &at("key"), "-out", &at("certificate")])
            .output()
            .unwrap();
        assert!(made.status.success());
        let (key, certificate) = (at("key"), at("certificate"));
        let tls = format!("  tls:\n    certificate: {certificate}\n    key: {key}\n");
        Self::at(folder, &format!("{address}:{}", free_port()), &tls)
    }

    fn with(auth: &str) -> Self {
        Self::at(tempfile::tempdir().unwrap(), &format!("127.0.0.1:{}", free_port()), auth)
    }

    fn at(folder: TempDir, host: &str, rest: &str) -> Self {
        let htpasswd = folder.path().join("htpasswd");
        fs::write(&htpasswd, HTPASSWD).unwrap();
        let rest = rest.replace("HTPASSWD", &htpasswd.display().to_string());
        let config = format!(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: {host}\n{rest}",
            folder.path().join("data").display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let host = host.to_owned();
        let registry = Self { _running: Running(child), folder, host };
        wait("docker-registry", || std::net::TcpStream::connect(&registry.host).is_ok());
        registry
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("certificate")).unwrap()
    }

    /// The name of an image in it.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }
}

/// Debian's Docker Engine with a socket and a data folder of its own.
pub(crate) struct Engine {
    running: Running,
    folder: TempDir,
}

impl Engine {
    /// The one that tests which run at the same time share.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Engine>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(engine) = shared.upgrade() {
            return engine;
        }
        let engine = Arc::new(Self::start());
        *shared = Arc::downgrade(&engine);
        engine
    }

    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Self { running: Self::process(folder.path()), folder };
        engine.wait();
        engine
    }

    fn process(folder: &Path) -> Running {
        let at = |name: &str| folder.join(name).display().to_string();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new("dockerd")
            .args(["--iptables=false", "--bridge=none"])
            .args(["--host", &format!("unix://{}", at("docker.sock"))])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("pid")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Running(child)
    }

    fn wait(&self) {
        wait("dockerd", || self.client(&["version"]).status.success());
    }

    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// Docker's own client, with the classic builder.
    pub(crate) fn client(&self, arguments: &[&str]) -> std::process::Output {
        Command::new("docker")
            .env("DOCKER_HOST", self.address())
            .env("DOCKER_BUILDKIT", "0")
            .env("DOCKER_CONFIG", self.folder.path())
            .args(arguments)
            .output()
            .unwrap()
    }
}

#[allow(dead_code, reason = "the tests of containers use it")]
impl Engine {
    /// One that may be killed.
    pub(crate) fn own() -> Self {
        Self::start()
    }

    /// Kills it; its containers may run on.
    pub(crate) fn kill(&mut self) {
        self.running.0.kill().unwrap();
        self.running.0.wait().unwrap();
    }

    /// Starts it again after that, and removes its containers and networks: their bridges would stay.
    pub(crate) fn clean_up(&mut self) {
        // Otherwise it takes the dead ones for living.
        for file in ["pid", "exec/containerd/containerd.pid"] {
            let _ = fs::remove_file(self.folder.path().join(file));
        }
        self.running = Self::process(self.folder.path());
        self.wait();
        let ids = self.client(&["ps", "--all", "--quiet"]);
        for id in String::from_utf8_lossy(&ids.stdout).lines() {
            self.client(&["rm", "--force", id]);
        }
        self.client(&["network", "prune", "--force"]);
    }

    /// What its API answers to a question.
    pub(crate) fn ask(&self, path: &str) -> String {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--unix-socket"])
            .arg(self.folder.path().join("docker.sock"))
            .arg(format!("http://engine{path}"))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Builds a folder with the engine's BuildKit, for which Docker's client wants a plug-in.
    /// Answers what was said when it failed.
    pub(crate) fn buildkit(&self, folder: &Path, tag: &str, args: &str) -> Result<(), String> {
        let archive = self.folder.path().join("context.tar");
        let packed = Command::new("tar")
            .args(["--owner=0", "--group=0", "-C"])
            .arg(folder)
            .arg("-cf")
            .arg(&archive)
            .arg(".")
            .status()
            .unwrap();
        assert!(packed.success());
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--unix-socket"])
            .arg(self.folder.path().join("docker.sock"))
            .args(["-H", "Content-Type: application/x-tar", "--data-binary"])
            .arg(format!("@{}", archive.display()))
            .args(["--url-query", &format!("t={tag}"), "--url-query", &format!("buildargs={args}")])
            .arg("http://engine/build?version=2")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains("Successfully tagged") {
            return Ok(());
        }
        Err(said.lines().filter(|line| line.contains("error")).collect())
    }
}

fn wait(what: &str, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ready() {
        assert!(Instant::now() < deadline, "{what} does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What `skopeo inspect` says of an image: all, its raw manifest, its configuration.
pub(crate) fn skopeo(image: &str, arguments: &[&str]) -> String {
    let output = Command::new("skopeo")
        .args(["inspect", "--tls-verify=false"])
        .args(arguments)
        .arg(format!("docker://{image}"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with files: path, mode, content. A path with `/` at its end is a folder, a content that
/// begins with `->` a link.
pub(crate) fn folder(files: &[(&str, u32, &str)]) -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    for (path, mode, content) in files {
        let to = folder.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if path.ends_with('/') {
            fs::create_dir_all(&to).unwrap();
        } else if let Some(target) = content.strip_prefix("->") {
            std::os::unix::fs::symlink(target, &to).unwrap();
            continue;
        } else {
            fs::write(&to, content).unwrap();
        }
        fs::set_permissions(&to, fs::Permissions::from_mode(*mode)).unwrap();
    }
    folder
}

pub(crate) fn busybox() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join("busybox")).find(|p| p.is_file()).unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}
