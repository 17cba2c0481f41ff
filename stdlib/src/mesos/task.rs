//! `mesos.task(…)`

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use pipe_grammar::Code;

use super::{Condition, Order, Timing, Want, start::start};
use crate::{
    client::mesos::{
        Amount, CommandInfo, ContainerInfo, DockerInfo, DockerNetwork, Id, Image, ImageName,
        KillPolicy, MesosInfo, NetworkInfo, TaskInfo, TimeSpan, Uri,
    },
    connect::wrong_role,
    core::{Arguments, Call, Failure, Holding, Runner, Session, Value, World, builtin},
};

builtin! {
    remote_runner mesos.task, task;
    "
    # Runs the commands of a stage as a task of a Mesos cluster.
    #
    # They share the task, with a copy of the workspace as its folder. Their output comes back as it is written; files
    # come back by `artifact.save` and `junit`. The task ends with the stage, also when the run is
    # cancelled or `pipe` itself is killed. The agents fetch `pipe` from the machine that it runs
    # on: `connect mesos(…, advertise: …)` says how they reach it when they can't find out.
    (
      # Processors.
      cpus: float = 1,
      # Memory.
      mem: size = 512MiB,
      # Disk.
      disk: size = 1GiB,
      # GPUs; whole ones.
      gpus: int = 0,
      # The image; without it the commands run on the agent's own file system.
      image: string?,
      # Who runs the image: Mesos itself, or the agent's Docker Engine (for `privileged`).
      containerizer: (\"mesos\" | \"docker\")?,
      # Attributes that the agent must have, `hostname`, `@region` and `@zone` too. A text is equal;
      # `!= a`, `in a, b`, `not in a, b`, `>= 8` compare otherwise.
      where: map<string> = {},
      # The role whose offers are taken; that of the connection unless it is given.
      role: string?,
      # As which user of the agent; the name of the user that runs `pipe` unless it is given.
      user: string?,
      # The network of the container: `host`, `bridge`, or the name of another one.
      network: string?,
      # With all rights on the agent.
      privileged: bool = false,
      # What the agent fetches into the folder of the task first; archives are unpacked.
      fetch: list<string> = [],
      # How long to wait for an agent.
      offer_within: duration = 15m,
    )
    "
    examples: [
        "mesos.task(cpus: 2, mem: 1GiB)",
        r#"mesos.task(image: "rust:1.95", where: { rack: "in r1, r2" }, offer_within: 5m)"#,
    ]
}

/// What a stage asks for.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) want: Arc<Want>,
    pub(super) role: Option<String>,
    pub(super) offer_within: Duration,
    pub(super) timing: Timing,
    container: Option<ContainerInfo>,
    image: Option<String>,
    user: Option<String>,
    fetch: Vec<String>,
}

fn task(_: &World, arguments: &Arguments) -> Result<Arc<dyn Runner>, Failure> {
    task_with(arguments, Timing::default())
}

/// The runner of `mesos.task`, as patient as a test wants it.
///
/// # Errors
///
/// Arguments that no task can have.
pub fn task_with(arguments: &Arguments, timing: Timing) -> Result<Arc<dyn Runner>, Failure> {
    let cpus: f64 = arguments.get("cpus")?;
    let gpus: i64 = arguments.get("gpus")?;
    // Mesos itself takes less, but gives no time to run then.
    if !(cpus.is_finite() && cpus >= 0.01) {
        return Err(wrong("cpus", "a task needs at least 0.01 cpus"));
    }
    let Ok(gpus) = u64::try_from(gpus) else {
        return Err(wrong("gpus", "a task has no less than 0 gpus"));
    };
    let size = |name: &'static str| match arguments.value(name) {
        Value::Size(bytes) => Ok(Want::mebibytes(*bytes)),
        _ => Err(Failure::internal(format_args!("`{name}` is no size"))),
    };
    let mem = size("mem")?;
    if mem < Amount::whole(32) {
        return Err(wrong("mem", "a task needs at least 32MiB of memory"));
    }
    let conditions: Vec<(String, String)> = arguments.get("where")?;
    let conditions = conditions.iter().map(|(name, written)| Condition::read(name, written));
    let want = Want {
        cpus: Amount::of(cpus),
        mem,
        disk: size("disk")?,
        gpus: Amount::whole(gpus),
        conditions: conditions.collect::<Result<_, _>>()?,
    };
    let role: Option<String> = arguments.get("role")?;
    if let Some(role) = &role
        && let Some(why) = wrong_role(role)
    {
        return Err(wrong("role", &format!("`{role}` is no role of Mesos: {why}")));
    }
    Ok(Arc::new(Task {
        want: Arc::new(want),
        role,
        offer_within: arguments.get("offer_within")?,
        timing,
        container: container(arguments)?,
        image: arguments.get("image")?,
        user: arguments.get("user")?,
        fetch: arguments.get("fetch")?,
    }))
}

fn wrong(argument: &'static str, what: &str) -> Failure {
    Failure::new(Code::WRONG_OPERANDS, what).at_argument(argument)
}

fn container(arguments: &Arguments) -> Result<Option<ContainerInfo>, Failure> {
    let image: Option<String> = arguments.get("image")?;
    let network: Option<String> = arguments.get("network")?;
    let chosen: Option<String> = arguments.get("containerizer")?;
    let privileged: bool = arguments.get("privileged")?;
    let docker = chosen.as_deref().map_or(privileged, |name| name == "docker");
    if privileged && !docker {
        return Err(wrong("privileged", "only the agent's Docker Engine gives a task all rights")
            .help("leave out `containerizer: \"mesos\"`"));
    }
    let network = network.as_deref().filter(|name| *name != "host");
    if network == Some("none") {
        return Err(wrong("network", "without a network a task can't fetch its commands")
            .help("`host`, `bridge`, or the name of a network"));
    }
    let named = |name: &str| vec![NetworkInfo { name: name.to_owned() }];
    if !docker {
        let network_infos = match network {
            Some("bridge") => {
                return Err(wrong("network", "`bridge` is a network of Docker")
                    .help("add `containerizer: \"docker\"`, or name a network of the agents"));
            }
            Some(name) => named(name),
            None => Vec::new(),
        };
        let mesos = image.map(|name| {
            // Another one may be behind this name today.
            let cached = !(name.ends_with(":latest") || tag(&name).is_none());
            MesosInfo { image: Image::Docker { docker: ImageName { name }, cached } }
        });
        let plain = mesos.is_none() && network_infos.is_empty();
        return Ok((!plain).then_some(ContainerInfo::Mesos { mesos, network_infos }));
    }
    let Some(image) = image else {
        return Err(wrong("containerizer", "the agent's Docker Engine runs images, and there is none")
            .help("add `image: \"…\"`"));
    };
    let (network, network_infos) = match network {
        None => (DockerNetwork::Host, Vec::new()),
        Some("bridge") => (DockerNetwork::Bridge, Vec::new()),
        Some(name) => (DockerNetwork::User, named(name)),
    };
    let docker = DockerInfo {
        force_pull_image: image.ends_with(":latest") || tag(&image).is_none(),
        image,
        network,
        privileged,
        parameters: Vec::new(),
    };
    Ok(Some(ContainerInfo::Docker { docker, network_infos }))
}

/// The tag or digest of an image, if it has one.
fn tag(image: &str) -> Option<&str> {
    let name = image.rsplit('/').next()?;
    name.split_once(['@', ':']).map(|(_, tag)| tag)
}

impl Task {
    /// What is ordered. Nothing in it is secret: everybody who may look at the cluster sees it.
    pub(super) fn order(&self, call: &Call<'_>, url: &str, token: &str) -> Order {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stage = if call.stage.is_empty() { "stage" } else { call.stage };
        let program = Uri {
            value: format!("{url}/{token}/pipe"),
            executable: true,
            extract: false,
            output_file: Some("pipe".to_owned()),
        };
        let more = self.fetch.iter().map(|uri| Uri {
            value: uri.clone(),
            executable: false,
            extract: true,
            output_file: None,
        });
        let command = CommandInfo {
            uris: std::iter::once(program).chain(more).collect(),
            shell: true,
            // An image has a working directory of its own.
            value: Some(format!("exec \"${{MESOS_SANDBOX:-.}}/pipe\" worker {url}/{token}")),
            arguments: Vec::new(),
            user: self.user.clone(),
        };
        let labels = [("pipe.run", call.run), ("pipe.stage", stage)];
        let task = TaskInfo {
            name: format!("pipe {stage}"),
            task_id: Id::new(format!("{stage}.{number}")),
            agent_id: Id::default(),
            resources: Vec::new(),
            command,
            container: self.container.clone(),
            kill_policy: KillPolicy { grace_period: TimeSpan(self.timing.grace) },
            max_completion_time: TimeSpan(self.timing.life),
            labels: labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect(),
        };
        Order { task, want: self.want.clone() }
    }
}

impl Runner for Task {
    fn shown(&self) -> String {
        match &self.image {
            Some(image) => format!("Mesos task of {image} with {}", self.want),
            None => format!("Mesos task with {}", self.want),
        }
    }

    fn start<'a>(&'a self, call: Call<'a>, workspace: &'a Path) -> Holding<'a, Arc<dyn Session>> {
        Box::pin(start(self, call, workspace))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn arguments(given: &[(&str, Value)]) -> Arguments {
        let mut all = Arguments::default();
        let empty = || Value::record(std::iter::empty::<(&str, Value)>());
        for (name, value) in [
            ("cpus", Value::Float(1.0)),
            ("mem", Value::Size(512 << 20)),
            ("disk", Value::Size(1 << 30)),
            ("gpus", Value::Int(0)),
            ("where", empty()),
            ("privileged", Value::Bool(false)),
            ("fetch", Value::list([])),
            ("offer_within", Value::Duration(Duration::from_secs(900))),
        ] {
            all.bind(name, value, false);
        }
        for (name, value) in given {
            all.bind(*name, value.clone(), true);
        }
        all
    }

    fn made(given: &[(&str, Value)]) -> serde_json::Value {
        serde_json::to_value(container(&arguments(given)).unwrap()).unwrap()
    }

    #[test]
    fn images_run_in_what_can_run_them() {
        assert_eq!(made(&[]), serde_json::Value::Null);
        assert_eq!(
            made(&[("image", "rust:1.95".into())]),
            serde_json::json!({ "type": "MESOS", "mesos": { "image": { "type": "DOCKER",
                "docker": { "name": "rust:1.95" }, "cached": true } } })
        );
        let latest = made(&[("image", "r.example.com:5000/rust".into())]);
        assert_eq!(latest["mesos"]["image"]["cached"], false);
        let whale = made(&[("image", "docker:27".into()), ("privileged", Value::Bool(true))]);
        assert_eq!(
            whale,
            serde_json::json!({ "type": "DOCKER", "docker": { "image": "docker:27",
                "network": "HOST", "privileged": true, "force_pull_image": false } })
        );
        let named = made(&[("network", "overlay".into())]);
        assert_eq!(named["network_infos"][0]["name"], "overlay");
    }

    #[test]
    fn what_no_task_can_have_is_told_before_one_is_asked_for() {
        let told = |name: &'static str, value: Value| {
            task_with(&arguments(&[(name, value)]), Timing::default()).err().unwrap().message
        };
        assert_eq!(told("cpus", Value::Float(0.0)), "a task needs at least 0.01 cpus");
        assert_eq!(told("mem", Value::Size(1)), "a task needs at least 32MiB of memory");
        assert_eq!(told("gpus", Value::Int(-1)), "a task has no less than 0 gpus");
        assert!(told("role", "a b".into()).starts_with("`a b` is no role of Mesos"));
        assert!(told("containerizer", "docker".into()).contains("there is none"));
        assert!(told("network", "none".into()).contains("can't fetch its commands"));
    }
}
