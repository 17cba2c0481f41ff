//! Stages as tasks of a Mesos cluster: the binary here, and the binary again as the worker there.

#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]
#[path = "../../stdlib/tests/mesos/cluster.rs"]
mod cluster;

use std::{os::unix::process::ExitStatusExt, sync::Arc, time::Duration};

use cluster::{Agent, Cluster, Executor, Fate, Launched, Script, one_agent};
use pipe_tests::{Answer, Place};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::runtime::Runtime;

/// Runs tasks as processes: TERM, then KILL for those who don't listen.
fn processes() -> Executor {
    Arc::new(|launched| Box::pin(process(launched)))
}

async fn process(launched: Launched) -> Result<i32, i32> {
    let log = |name: &str| std::fs::File::create(launched.sandbox.join(name)).expect("a file");
    let mut child = tokio::process::Command::new("/bin/sh")
        .args(["-c", &launched.command])
        .current_dir(&launched.sandbox)
        .env_clear()
        .envs(&launched.environment)
        .stdout(log("stdout"))
        .stderr(log("stderr"))
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let status = tokio::select! {
        status = child.wait() => status,
        () = launched.cancel.cancelled() => {
            let _ = group.map(|group| kill_process_group(group, Signal::TERM));
            match tokio::time::timeout(Duration::from_secs(8), child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
                    child.wait().await
                }
            }
        }
    };
    let status = status.expect("a status");
    status.code().ok_or_else(|| status.signal().unwrap_or(0))
}

/// A cluster, and a place whose Pipelinefile goes to it.
struct Site {
    runtime: Runtime,
    cluster: Cluster,
    place: Place,
}

impl Site {
    fn new(stages: &str) -> Self {
        Self::with(one_agent(), stages)
    }

    fn with(agents: Vec<Agent>, stages: &str) -> Self {
        Self::that(agents, stages, Box::new(|_| Fate::Runs))
    }

    fn that(agents: Vec<Agent>, stages: &str, script: Script) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let cluster = Cluster::start(agents, processes(), script);
        let cluster = runtime.block_on(cluster);
        let place = Place::new();
        place.write("Pipelinefile", &format!("connect mesos(\"{}\")\n{stages}", cluster.url));
        Self { runtime, cluster, place }
    }

    fn run(&mut self) -> Answer {
        self.place.pipe(&["run"]).answer()
    }

    /// Nothing is left of it.
    #[track_caller]
    fn is_clean(&self) {
        assert!(self.cluster.is_over(), "{:?}", self.cluster.order());
        assert_eq!(self.cluster.living(), [] as [&str; 0]);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = &self.runtime;
    }
}

#[test]
fn a_stage_runs_as_a_task() {
    let mut site = Site::new(
        r#"stage build using mesos.task(cpus: 1, mem: 256MiB) {
  $ cat here.txt > there.txt && mkdir -p out && echo built > out/app
  $ echo "in $PWD" && echo problem >&2 && cat there.txt
  let said = $(cat out/app)
  artifact.save("out", name: "app")
  log("it is #{said}")
}
"#,
    );
    site.place.write("here.txt", "from the workspace\n");
    let answer = site.run();
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    for text in ["from the workspace", "problem", "it is built", "kept 1 file as `app`"] {
        assert!(answer.stdout.contains(text), "`{text}` in {}", answer.stdout);
    }
    // What happens there stays there.
    assert!(!site.place.work().join("there.txt").exists());
    site.is_clean();
}

#[test]
fn a_command_that_fails_there_fails_the_stage_here() {
    let mut site = Site::new(
        "stage build using mesos.task() {\n  $ echo about to fail; exit 7\n  always $ echo and then\n}\n",
    );
    let answer = site.run();
    assert_eq!(answer.status, 1, "{}{}", answer.stdout, answer.stderr);
    for text in ["stage `build` failed: `echo about to fail; exit 7`", "status 7", "and then"] {
        assert!(answer.stdout.contains(text), "`{text}` in {}", answer.stdout);
    }
    site.is_clean();
}

#[test]
fn tests_there_make_the_run_unstable_here() {
    let mut site = Site::new(
        r#"stage test using mesos.task() {
  cd "sub" {
    $ printf '<testsuite><testcase name="one"><failure message="no"/></testcase></testsuite>' > r.xml
    junit("*.xml")
  }
}
"#,
    );
    site.place.write("sub/x", "");
    let answer = site.place.pipe(&["run", "--unstable-is-error"]).answer();
    assert_eq!(answer.status, 3, "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("1 test, 1 failed"), "{}", answer.stdout);
    site.is_clean();
}

#[test]
fn no_secret_stands_in_what_the_cluster_sees() {
    let mut site = Site::new(
        r#"secret token = env("TOKEN")
stage build using mesos.task() {
  $ printf %s #{token} | tr a-z A-Z
  sh("wc -c", stdin: token)
}
"#,
    );
    let answer = site.place.pipe(&["run"]).env("TOKEN", "sesame-open-now").answer();
    let shown = format!("{}{}", answer.stdout, answer.stderr);
    assert_eq!(answer.status, 0, "{shown}");
    assert!(shown.contains("SESAME-OPEN-NOW") && !shown.contains("sesame-open-now"), "{shown}");
    let accepted = format!("{:?}", site.cluster.calls("ACCEPT"));
    assert!(accepted.contains("pipe worker") || accepted.contains("worker http"), "{accepted}");
    assert!(!accepted.contains("sesame"), "{accepted}");
    // Nor in the folder of the task.
    for file in files(site.cluster.folder.path()) {
        let bytes = std::fs::read(&file).expect("a file");
        let found = bytes.windows(6).any(|six| six == b"sesame");
        assert!(!found || file.ends_with("latest/pipe"), "{}", file.display());
    }
    site.is_clean();
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn an_interrupt_ends_the_task_and_what_it_has_started() {
    let mut site = Site::new(
        "stage build using mesos.task() {\n  $ sleep 41414 & setsid sleep 41414 & sleep 41414\n  \
         on cancelled $ echo handled\n}\n",
    );
    let running = site.place.pipe(&["run"]).start();
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while super::signals::alive("sleep 41414") == 0 {
        assert!(std::time::Instant::now() < end, "nothing was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal(Signal::INT);
    let answer = running.answer();
    assert_eq!(answer.status, 130, "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("handled"), "{}", answer.stdout);
    assert_eq!(super::signals::alive("sleep 41414"), 0);
    site.is_clean();
}

#[test]
fn instances_share_a_framework_and_take_the_agents_in_turn() {
    let agents = vec![
        Agent { host: "127.0.0.1", cpus: 2.0, mem: 1024.0, rack: "r1" },
        Agent { host: "localhost", cpus: 1.0, mem: 1024.0, rack: "r2" },
    ];
    let mut site = Site::with(
        agents,
        "stage test for n in [1, 2, 3, 4] using mesos.task(cpus: 1, mem: 256MiB) {\n  $ echo \
         number #{n}; sleep 0.3\n}\n",
    );
    let answer = site.place.pipe(&["run", "--jobs", "8"]).answer();
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    for number in 1..=4 {
        assert!(answer.stdout.contains(&format!("number {number}")), "{}", answer.stdout);
    }
    assert_eq!(site.cluster.calls("SUBSCRIBE").len(), 1);
    site.is_clean();
}

#[test]
fn nobody_says_which_cluster() {
    let mut place = Place::new();
    place.write("Pipelinefile", "stage build using mesos.task() {\n  $ true\n}\n");
    let answer = place.pipe(&["plan"]).answer();
    assert_eq!(answer.status, 2, "{}{}", answer.stdout, answer.stderr);
    let shown = format!("{}{}", answer.stdout, answer.stderr);
    assert!(shown.contains("nothing says which Mesos cluster"), "{shown}");
}

/// The first task can't fetch what it needs.
fn once_in_vain() -> Script {
    Box::new(|number| match number {
        0 => Fate::Update(
            "TASK_FAILED",
            "CONTAINER_LAUNCH_FAILED",
            "Failed to launch container: Failed to fetch all URIs for container 'x': exited",
            true,
        ),
        _ => Fate::Runs,
    })
}

#[test]
fn what_the_cluster_breaks_is_no_failure_of_a_command() {
    let stage = "stage build using mesos.task() {\n  $ echo here\n}\n";
    let mut site = Site::that(one_agent(), stage, once_in_vain());
    let answer = site.run();
    assert_eq!(answer.status, 4, "{}{}", answer.stdout, answer.stderr);
    for text in ["task-failed", "the task could not fetch what it needs", "advertise:"] {
        assert!(answer.stdout.contains(text), "`{text}` in {}", answer.stdout);
    }
    site.is_clean();
    let again = "stage build using mesos.task()\n  retry 2\n{\n  $ echo here\n}\n";
    let mut site = Site::that(one_agent(), again, once_in_vain());
    let answer = site.run();
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    assert!(answer.stdout.contains("    here"), "{}", answer.stdout);
    site.is_clean();
}

#[test]
fn a_connection_has_a_name_and_its_agents_are_listed() {
    let mut site = Site::new("");
    let url = site.cluster.url.clone();
    site.place.write(
        "Pipelinefile",
        &format!(
            "connect mesos(\"{url}\") as big\nstage look {{\n  for agent in big.agents(where: {{ \
             rack: \"r1\" }}) {{\n    log(\"agent #{{agent.hostname}} has #{{agent.mem.bytes}}\")\n  \
             }}\n}}\nstage build using big.task() {{\n  $ echo here\n}}\n"
        ),
    );
    let answer = site.run();
    assert_eq!(answer.status, 0, "{}{}", answer.stdout, answer.stderr);
    for text in ["agent 127.0.0.1 has 4294967296", "    here"] {
        assert!(answer.stdout.contains(text), "`{text}` in {}", answer.stdout);
    }
    site.is_clean();
}

#[test]
fn when_pipe_is_killed_its_worker_ends_by_itself() {
    let site = &mut Site::new("stage build using mesos.task() {\n  $ sleep 43434\n}\n");
    let running = site.place.pipe(&["run"]).start();
    let begun = || super::signals::alive("sleep 43434") > 0;
    wait(Duration::from_secs(20), "nothing was started", begun);
    running.signal(Signal::KILL);
    let _ = running.answer();
    // Nobody listens where it calls.
    let gone = || super::signals::alive("sleep 43434") == 0;
    wait(Duration::from_secs(30), "it runs on", gone);
}

#[track_caller]
fn wait(time: Duration, what: &str, check: impl Fn() -> bool) {
    let end = std::time::Instant::now() + time;
    while !check() {
        assert!(std::time::Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
