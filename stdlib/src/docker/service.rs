//! `docker.service`: a container beside the stage, up until its block ends.

use std::{sync::Arc, time::Duration};

use pipe_grammar::Code;
use tokio::time::Instant;

use super::{
    containers::{
        Check, Guard, Log, Place, Probe, environment, image, missing_program, no_program, plain,
        secrets, volumes,
    },
    image::exactly,
};
use crate::{
    client::engine::{Engine, Manner, NewContainer, Seen},
    core::{
        Arguments, Call, Failure, FailureKind, Held, HeldType, Holding, Running, Value, builtin,
    },
};

builtin! {
    held docker.service, service;
    "
    # Starts a container beside the stage, such as a database, ready to be used.
    #
    # It is removed when its block ends, whatever ends it. `host` and `port` are those that the
    # commands of the stage reach: on this machine an address of its own, in a container the name of
    # the service. Containers of the same stage know each other by their names. What it writes is kept
    # with the run, and its last lines are shown when it does not become ready.
    (
      # The image; pulled if the engine lacks it.
      image: string,
      # What it is called in the stage; without it as the image: `postgres`.
      name: string?,
      # Instead of the command of the image.
      command: list<string>?,
      # Its environment. Secrets too: whoever may use the Docker Engine can read them there.
      env: environment = {},
      # Its port, inside; without it the only one that the image exposes.
      port: int?,
      # A command in it that ends with 0, or `http://:PORT/path`; without it the health check of the
      # image, else that something listens on the port.
      ready: string?,
      # What is mounted, as for `docker.container`.
      volumes: list<string> = [],
      # All rights on the engine's machine: for Docker in Docker.
      privileged: bool = false,
      # Memory at most.
      mem: size?,
      # How long it may take to be ready.
      within: duration = 2m,
    ) -> Service
    "
    examples: [
        r#"docker.service("redis:7")"#,
        r#"docker.service("postgres:16", env: { POSTGRES_PASSWORD: "test" }, ready: "pg_isready")"#,
    ]
}

/// What it answers.
pub(super) static TYPE: HeldType = HeldType {
    name: "Service",
    fields: "{ id: string, name: string, host: string, port: int }",
    methods: &[],
};

/// Between two questions whether it is ready.
const PAUSE: Duration = Duration::from_millis(100);

struct Service {
    id: String,
    image: String,
    name: String,
    host: String,
    port: u16,
    engine: Engine,
    guard: Guard,
    log: Log,
}

async fn service(call: Call<'_>, a: Arguments) -> Result<Arc<dyn Held>, Failure> {
    let written: String = a.get("image")?;
    let within: Duration = a.get("within")?;
    let place = Place::find(&call).await?;
    let (image, manner) = image(&call, &place.engine, &written, None, false).await?;
    let port = port(&a, &written, &manner)?;
    let check = Check::read(a.get::<Option<String>>("ready")?.as_deref(), &manner, port)?;
    let name = name(&a, &written)?;

    // Where the commands of the stage are: on this machine, or in a network.
    let inside = call.session.and_then(|session| session.network());
    let (network, is_beside) = match inside {
        Some("none") => return Err(unreachable_there()),
        Some("host") | None => (call.unless_cancelled(place.network()).await??, false),
        Some(network) => (network.to_owned(), true),
    };
    let (bind, address) = place.address();
    let mut ports: Vec<u16> = check.port().into_iter().collect();
    if !is_beside {
        ports.push(port);
    }
    ports.dedup();
    let new = NewContainer {
        image,
        command: a.get("command")?,
        environment: environment(&a),
        mounts: volumes(call.world, call.dir, &a.get::<Vec<String>>("volumes")?)?,
        network,
        aliases: vec![name.clone()],
        published: (!ports.is_empty()).then_some((bind, ports)),
        privileged: a.get("privileged")?,
        memory: a.get("mem")?,
        unchecked: check != Check::Health,
        ..place.container(&name)
    };
    let started = place.start(&new).await?.ok_or_else(|| {
        let what = format!("a service `{name}` is up in this stage already");
        Failure::new(Code::DUPLICATE_NAME, what)
            .at_argument("name")
            .help(format!("give one of them another name: `name: \"{name}-2\"`"))
    })?;
    let log = Log::follow(&call, &name, started.attached.output, secrets(&a))?;
    let mut service = Service {
        id: started.id,
        image: written,
        host: if is_beside { name.clone() } else { address.clone() },
        port,
        name,
        engine: place.engine.clone(),
        guard: started.guard,
        log,
    };
    let up = service.wait(&call, &check, &address, within).await;
    match up {
        Ok(seen) if !is_beside => {
            let outside = seen.ports.iter().find(|(inside, _)| *inside == port);
            match outside {
                Some((_, outside)) => service.port = *outside,
                None => {
                    service.guard.end().await?;
                    return Err(service.engine.failed_inside(&format!(
                        "the port {port} of `{}` is not reachable",
                        service.name
                    )));
                }
            }
        }
        Ok(_) => {}
        Err(failure) => {
            service.guard.end().await?;
            return Err(failure);
        }
    }
    let Service { name, host, port, .. } = &service;
    call.report.say(&format!("`{name}` is ready at {host}:{port}"));
    Ok(Arc::new(service))
}

impl Service {
    /// Waits until it is ready; what the engine knows of it then.
    async fn wait(
        &self,
        call: &Call<'_>,
        check: &Check,
        host: &str,
        within: Duration,
    ) -> Result<Seen, Failure> {
        let end = Instant::now().checked_add(within);
        let probe = Probe { engine: &self.engine, container: &self.id, check, host };
        loop {
            let asked = async {
                let Some(seen) = self.engine.look(&self.id).await? else {
                    return Ok(Asked::Ended(Seen::default()));
                };
                if !seen.is_running {
                    return Ok(Asked::Ended(seen));
                }
                Ok::<_, Failure>(match probe.ask(&seen).await? {
                    None => Asked::Ready(seen),
                    Some(why) => Asked::NotYet(why),
                })
            };
            let why = match call.unless_cancelled(asked).await?? {
                Asked::Ready(seen) => return Ok(seen),
                Asked::Ended(seen) => return Err(self.ended(&seen).await),
                Asked::NotYet(why) => why,
            };
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(self.late(check, within, why));
            }
            call.unless_cancelled(tokio::time::sleep(PAUSE)).await?;
        }
    }

    async fn ended(&self, seen: &Seen) -> Failure {
        self.log.complete().await;
        if let Some(program) = missing_program(&self.log.last()) {
            return no_program(&self.image, program);
        }
        let name = &self.name;
        let what = format!("the service `{name}` ended before it was ready: {}", how(seen));
        self.with_log(Failure::new(Code::CONTAINER_FAILED, what))
    }

    fn late(&self, check: &Check, within: Duration, why: Vec<String>) -> Failure {
        let name = &self.name;
        let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let time = pipe_grammar::duration_text(millis);
        let what = format!("the service `{name}` was not ready within {time}");
        let failure = Failure::new(Code::TIMED_OUT, what)
            .kind(FailureKind::Timeout)
            .label(format!("ready is when {}", check.shown()))
            .help("is it slow? give it more time: `within: …`")
            .evidence("what the last check saw", why);
        self.with_log(failure)
    }

    fn with_log(&self, failure: Failure) -> Failure {
        let last = self.log.last();
        if last.is_empty() {
            return failure.help(format!("`{}` has written nothing", self.name));
        }
        failure.evidence(format!("the last lines of `{}`", self.name), last)
    }
}

enum Asked {
    Ready(Seen),
    Ended(Seen),
    NotYet(Vec<String>),
}

/// `its memory was used up`, `status 1`.
pub(super) fn how(seen: &Seen) -> String {
    match (seen.out_of_memory, seen.status) {
        (true, _) => "its memory was used up (`mem:` gives it more)".to_owned(),
        (false, 137) => "status 137, killed, or the machine was out of memory".to_owned(),
        (false, 127) => "status 127, a command was not found".to_owned(),
        (false, 126) => "status 126, a command may not be run".to_owned(),
        (false, status) => format!("status {status}"),
    }
}

impl Held for Service {
    fn fields(&self) -> Value {
        Value::record([
            ("id", Value::from(self.id.clone())),
            ("name", Value::from(self.name.clone())),
            ("host", Value::from(self.host.clone())),
            ("port", Value::Int(self.port.into())),
        ])
    }

    fn call<'a>(&'a self, _: Call<'a>, method: &'a str, _: Arguments) -> Running<'a> {
        Box::pin(async move { Err(Failure::internal(format_args!("a service has no `{method}`"))) })
    }

    fn undo<'a>(&'a self, call: Call<'a>) -> Holding<'a, ()> {
        Box::pin(async move {
            let name = &self.name;
            match self.engine.look(&self.id).await? {
                Some(seen) if seen.is_running => {}
                Some(seen) => {
                    call.report.say(&format!("`{name}` had ended by itself: {}", how(&seen)));
                }
                None => call.report.say(&format!("`{name}` was gone already")),
            }
            self.guard.end().await?;
            self.log.complete().await;
            if !self.log.last().is_empty() {
                let path = call.world.display(&self.log.path);
                call.report.say(&format!("what `{name}` has written: {path}"));
            }
            Ok(())
        })
    }
}

/// The port in the container that the stage wants to reach.
fn port(a: &Arguments, image: &str, manner: &Manner) -> Result<u16, Failure> {
    let bad = |message: String| Failure::new(Code::EVALUATION, message).at_argument("port");
    if let Some(port) = a.get::<Option<i64>>("port")? {
        return u16::try_from(port)
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| bad(format!("{port} is no port: they are 1 to 65535")));
    }
    match manner.ports[..] {
        [port] => Ok(port),
        [] => Err(bad(format!("the image `{image}` exposes no port"))
            .help("say where the service listens: `port: 8080`")),
        [first, ..] => {
            let all: Vec<String> = manner.ports.iter().map(u16::to_string).collect();
            Err(bad(format!("the image `{image}` exposes several ports: {}", all.join(", ")))
                .help(format!("say which one is meant: `port: {first}`")))
        }
    }
}

/// What it is called in its network: `name:`, else the last part of the image's path.
fn name(a: &Arguments, image: &str) -> Result<String, Failure> {
    if let Some(name) = a.get::<Option<String>>("name")? {
        let fits = plain(&name);
        if fits == name && !name.is_empty() {
            return Ok(name);
        }
        let what = format!("`{name}` is no name in a network");
        let failure = Failure::new(Code::EVALUATION, what).at_argument("name");
        let repaired = if fits.is_empty() { "db".to_owned() } else { fits };
        return Err(failure.help(format!("write `name: \"{repaired}\"`")));
    }
    let reference = exactly("image", image)?;
    let last = reference.path().rsplit('/').next().unwrap_or_default().to_owned();
    Ok(plain(&last))
}

fn unreachable_there() -> Failure {
    Failure::new(Code::CONTAINER_FAILED, "the container of this stage has no network (`none`)")
        .help("a service could not be reached from it: leave out `network:` of the stage")
}
