//! Stages as tasks of a Mesos cluster: the binary here, and the binary again as the worker there.

#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]
#[path = "../../stdlib/tests/mesos/cluster.rs"]
mod cluster;

use std::{os::unix::process::ExitStatusExt, sync::Arc, time::Duration};

use cluster::{Agent, Cluster, Executor, Fate, Launched, one_agent};
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
        let runtime = Runtime::new().expect("a runtime");
        let cluster = Cluster::start(agents, processes(), Box::new(|_| Fate::Runs));
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
