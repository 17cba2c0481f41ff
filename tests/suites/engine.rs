//! The main job with a real Docker Engine and a real registry.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pipe_tests::{Place, have, left_out};
use rustix::process::Signal;

/// A process that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // dockerd takes its containerd down with it only when it is told, not when it is killed.
        let pid = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if self.0.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn soon(what: &str, mut test: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !test() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port()
}

fn engine(home: &Path) -> (Server, String) {
    let socket = home.join("docker.sock");
    let child = Command::new("dockerd")
        .arg(format!("--host=unix://{}", socket.display()))
        .arg(format!("--data-root={}", home.join("data").display()))
        .arg(format!("--exec-root={}", home.join("exec").display()))
        .arg(format!("--pidfile={}", home.join("docker.pid").display()))
        .args(["--iptables=false", "--bridge=none", "--storage-driver=vfs"])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(home.join("dockerd.log")).expect("a file"))
        .spawn()
        .expect("dockerd starts");
    let server = Server(child);
    soon("dockerd answers", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
    (server, format!("unix://{}", socket.display()))
}

fn registry(home: &Path) -> (Server, String) {
    let port = free_port();
    let config = home.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\nhttp: {{ addr: 127.0.0.1:{port} }}\n",
        home.join("registry").display()
    );
    std::fs::File::create(&config).and_then(|mut f| f.write_all(text.as_bytes())).expect("a file");
    let child = Command::new("docker-registry")
        .args(["serve", &config.display().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("docker-registry starts");
    let server = Server(child);
    soon("the registry answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, format!("127.0.0.1:{port}"))
}

fn skopeo(image: &str, arguments: &[&str]) -> serde_json::Value {
    let output = Command::new("skopeo")
        .args(["inspect", "--tls-verify=false"])
        .args(arguments)
        .arg(format!("docker://{image}"))
        .output()
        .expect("skopeo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn can_run(test: &str) -> bool {
    for tool in ["dockerd", "docker-registry", "skopeo", "docker"] {
        if !have(tool) {
            left_out(test, tool);
            return false;
        }
    }
    if !rustix::process::geteuid().is_root() {
        left_out(test, "root");
        return false;
    }
    true
}

const FILE: &str = r##"
param registry: string

let image = "#{registry}/team/demo:#{git.short_commit}"

connect docker(registry, insecure: true)

stage build {
  docker.build(".", tag: image)
}

stage push {
  output pushed = docker.push(image)
  log("pushed as #{pushed.reference}")
}
"##;

const DOCKERFILE: &str = "FROM scratch\nCOPY hello.txt /data/hello.txt\nENV GREETING=hello\nWORKDIR /data\nCMD [\"/hello\"]\n";

#[test]
fn built_by_the_engine_and_without_it_pushed_and_agreed_upon() {
    if !can_run("built_by_the_engine_and_without_it_pushed_and_agreed_upon") {
        return;
    }
    let mut place = Place::new();
    let (_engine, docker_host) = engine(&place.home());
    let (_registry, registry) = registry(&place.home());
    place.write("Pipelinefile", FILE);
    place.write("Dockerfile", DOCKERFILE);
    place.write("hello.txt", "hello\n");
    place.commit();
    let input = format!("registry={registry}");
    let mut configs = Vec::new();
    for (builder, said) in [("engine", "Docker Engine"), ("layers", "without a Docker daemon")] {
        let answer = place
            .pipe(&["run", &input])
            .env("DOCKER_HOST", &docker_host)
            .env("PIPE_BUILDER", builder)
            .answer();
        assert_eq!(answer.status, 0, "{}\n{}", answer.stdout, answer.stderr);
        assert!(answer.stdout.contains(said), "{}", answer.stdout);
        let words = answer.stdout.split_whitespace();
        let pushed = words
            .into_iter()
            .find(|word| word.contains("/team/demo@sha256:"))
            .expect("the digest is said");
        let found = skopeo(pushed, &[]);
        assert!(pushed.ends_with(found["Digest"].as_str().expect("a digest")));
        let raw = skopeo(pushed, &["--raw"]);
        assert_eq!(raw["mediaType"], "application/vnd.docker.distribution.manifest.v2+json");
        let config = skopeo(pushed, &["--config"]);
        configs.push((
            config["config"]["Env"].clone(),
            config["config"]["Cmd"].clone(),
            config["config"]["WorkingDir"].clone(),
            config["architecture"].clone(),
        ));

        // Again: the registry has it.
        let again = place
            .pipe(&["run", &input])
            .env("DOCKER_HOST", &docker_host)
            .env("PIPE_BUILDER", builder)
            .answer();
        assert_eq!(again.status, 0, "{}", again.stdout);
        assert!(again.stdout.contains("is there already"), "{}", again.stdout);
    }
    // What the image says of itself is the same whoever built it (the engine adds PATH).
    let greeting = |env: &serde_json::Value| {
        env.as_array().is_some_and(|all| all.iter().any(|v| v == "GREETING=hello"))
    };
    assert!(greeting(&configs[0].0) && greeting(&configs[1].0), "{configs:?}");
    assert_eq!(configs[0].1, configs[1].1);
    assert_eq!(configs[0].2, configs[1].2);
    assert_eq!(configs[0].3, configs[1].3);
}

#[test]
fn interrupted_while_the_engine_builds_no_container_stays() {
    if !can_run("interrupted_while_the_engine_builds_no_container_stays") || !have("busybox") {
        return;
    }
    let mut place = Place::new();
    let (_engine, docker_host) = engine(&place.home());
    place.write(
        "Pipelinefile",
        "stage build {\n  docker.build(\".\", tag: \"demo:1\", builder: \"engine\")\n}\n",
    );
    place.write(
        "Dockerfile",
        "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sleep\", \"600\"]\n",
    );
    std::fs::copy("/bin/busybox", place.work().join("busybox")).expect("busybox is static");
    let docker = |arguments: &[&str]| {
        let output = Command::new("docker")
            .args(["--host", &docker_host])
            .args(arguments)
            .output()
            .expect("docker runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let running = place.pipe(&["run"]).env("DOCKER_HOST", &docker_host).start();
    soon("the build runs", || !docker(&["ps", "--quiet"]).is_empty());
    running.signal(Signal::INT);
    let answer = running.answer();
    assert_eq!(answer.status, 130, "{}\n{}", answer.stdout, answer.stderr);
    soon("no container is left", || docker(&["ps", "--all", "--quiet"]).is_empty());
}

/// Gives an engine an image with a shell and the rest of busybox: `box:1`.
fn with_box(place: &Place, docker: &dyn Fn(&[&str]) -> String) {
    let folder = place.home().join("box");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy("/bin/busybox", folder.join("busybox")).expect("busybox is static");
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\n\
        RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";
    std::fs::write(folder.join("Dockerfile"), dockerfile).expect("a file");
    docker(&["build", "--quiet", "--tag", "box:1", &folder.display().to_string()]);
}

fn client(docker_host: &str) -> impl Fn(&[&str]) -> String {
    let docker_host = docker_host.to_owned();
    move |arguments: &[&str]| {
        let output = Command::new("docker")
            .args(["--host", &docker_host])
            .args(arguments)
            .env("DOCKER_BUILDKIT", "0")
            .output()
            .expect("docker runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

/// What an engine has of runs: containers and networks.
fn left(docker: &dyn Fn(&[&str]) -> String) -> String {
    let containers = docker(&["ps", "--all", "--quiet", "--filter", "label=pipe.run"]);
    let networks = docker(&["network", "ls", "--quiet", "--filter", "label=pipe.run"]);
    format!("{containers}{networks}")
}

const CONTAINERS: &str = r##"
secret password = env("PASSWORD")

fn server() -> list<string> {
  return ["sh", "-c", "mkdir /www; echo served > /www/x; exec httpd -f -p 80 -h /www"]
}

stage inside
  using docker.container("box:1")
  env { PASSWORD: password }
{
  let web = docker.service("box:1", name: "web", command: server(), port: 80)
  $ wget -qO- http://#{web.host}:#{web.port}/x > inside.txt
  $ echo "$(pwd) ${#PASSWORD}"
  output lines = $(wc -l < inside.txt)
}

stage beside {
  let web = docker.service("box:1", name: "web", command: server(), port: 80)
  docker.run("box:1", command: ["wget", "-qO", "beside.txt", "http://web/x"])
  $ cmp inside.txt beside.txt
}
"##;

#[test]
fn stages_run_in_containers_with_services_beside_them() {
    let test = "stages_run_in_containers_with_services_beside_them";
    if !can_run(test) || !have("busybox") {
        return;
    }
    let mut place = Place::new();
    let (_engine, docker_host) = engine(&place.home());
    let docker = client(&docker_host);
    with_box(&place, &docker);
    place.write("Pipelinefile", CONTAINERS);
    place.commit();
    let answer = place
        .pipe(&["run"])
        .env("DOCKER_HOST", &docker_host)
        .env("PASSWORD", "do-not-show")
        .answer();
    assert_eq!(answer.status, 0, "{}\n{}", answer.stdout, answer.stderr);
    let folder = place.work().display().to_string();
    assert!(answer.stdout.contains(&format!("{folder} 11\n")), "{}", answer.stdout);
    assert!(answer.stdout.contains("`web` is ready at web:80"), "{}", answer.stdout);
    assert!(answer.stdout.contains("`web` is ready at 127.0.0.1:"), "{}", answer.stdout);
    assert_eq!(place.read("beside.txt"), "served\n");
    assert_eq!(left(&docker), "");
}

const WAITING: &str = r##"
stage inside
  using docker.container("box:1")
{
  parallel {
    $ touch inside; sleep 600
    docker.run("box:1", command: ["sh", "-c", "touch run; trap '' TERM; sleep 600"])
    step "beside" {
      let web = docker.service("box:1", name: "web", command: ["httpd", "-f", "-p", "80"], port: 80)
      $ echo #{web.host} > service; sleep 600
    }
  }
}
"##;

/// How long an engine has something of a run after a signal.
fn gone_after(signal: Signal) -> Duration {
    let mut place = Place::new();
    let (_engine, docker_host) = engine(&place.home());
    let docker = client(&docker_host);
    with_box(&place, &docker);
    place.write("Pipelinefile", WAITING);
    place.commit();
    let running = place.pipe(&["run", "--jobs", "4"]).env("DOCKER_HOST", &docker_host).start();
    let work = place.work();
    soon("all of it runs", || {
        ["inside", "run", "service"].iter().all(|file| work.join(file).exists())
    });
    let begun = Instant::now();
    running.signal(signal);
    soon("nothing is left", || left(&docker).is_empty());
    let took = begun.elapsed();
    let answer = running.answer();
    if signal == Signal::INT {
        assert_eq!(answer.status, 130, "{}\n{}", answer.stdout, answer.stderr);
    }
    took
}

#[test]
fn a_killed_run_leaves_no_container() {
    if !can_run("a_killed_run_leaves_no_container") || !have("busybox") {
        return;
    }
    let took = gone_after(Signal::KILL);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn an_interrupted_run_leaves_no_container() {
    if !can_run("an_interrupted_run_leaves_no_container") || !have("busybox") {
        return;
    }
    let took = gone_after(Signal::INT);
    assert!(took < Duration::from_secs(15), "{took:?}");
}
