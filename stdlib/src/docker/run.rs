//! `docker.run`: a container that runs to its end.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use futures_util::StreamExt;
use pipe_grammar::Code;

use super::{
    containers::{
        HOME, Lines, Place, Started, environment, home, image, missing_program, no_program, user,
        volumes, workspace,
    },
    service::how,
};
use crate::{
    client::engine::{NewContainer, Seen, Source},
    core::{Arguments, Call, Failure, Outcome, Stream, Value, builtin},
};

builtin! {
    once docker.run, run;
    "
    # Runs a container to its end, and removes it.
    #
    # For tools that come as images: scanners, migrations, generators. The repository is there under
    # the same path as here. Its output is shown as it comes.
    (
      # The image; pulled if the engine lacks it.
      image: string,
      # Instead of the command of the image: its arguments, where it has an entrypoint.
      command: list<string>?,
      # Instead of the entrypoint of the image; `[]` leaves it out.
      entrypoint: list<string>?,
      # Its environment. Secrets too: whoever may use the Docker Engine can read them while it runs.
      env: environment = {},
      # What else is mounted, as for `docker.container`.
      volumes: list<string> = [],
      # Whether the repository is there.
      workspace: bool = true,
      # The folder it starts in.
      dir: path = \".\",
      # A network of the engine, `host` or `none`; without it that of the stage, in which services are
      # known by their names.
      network: string?,
      # Who it runs as, a name or `UID:GID`; without it the user of `pipe` where the repository is
      # there, so that the files that it writes are the user's; else whom the image says.
      user: string?,
      # Such as `linux/arm64`; without it that of the image.
      platform: string?,
      # All rights on the engine's machine.
      privileged: bool = false,
      # Whether a status that is not 0 fails the stage.
      check: bool = true,
    ) -> { status: int, duration: duration }
    "
    examples: [
        r#"docker.run("hadolint/hadolint", command: ["hadolint", "Dockerfile"])"#,
        r#"docker.run("liquibase", command: ["update"], env: { DB: "db" }, workspace: false)"#,
    ]
}

/// So many lines are shown when it fails.
const SHOWN: usize = 15;
/// How long it may take to end by itself when it is told to, in seconds.
const GRACE: i32 = 5;

/// Tells the containers of a stage apart.
static NUMBER: AtomicUsize = AtomicUsize::new(1);

async fn run(call: Call<'_>, a: Arguments) -> Outcome {
    let written: String = a.get("image")?;
    let place = Place::find(&call).await?;
    let platform: Option<String> = a.get("platform")?;
    let (image, _) = image(&call, &place.engine, &written, platform.as_deref(), false).await?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut new = NewContainer {
        image,
        platform,
        command: a.get("command")?,
        entrypoint: a.get("entrypoint")?,
        environment: environment(&a),
        user: a.get("user")?,
        network: call.unless_cancelled(network(&call, &a, &place)).await??,
        mounts: volumes(call.world, call.dir, &a.get::<Vec<String>>("volumes")?)?,
        privileged: a.get("privileged")?,
        unchecked: true,
        ..place.container(&format!("run-{number}"))
    };
    if new.entrypoint.as_ref().is_some_and(Vec::is_empty) {
        // The engine's way to say none.
        new.entrypoint = Some(vec![String::new()]);
    }
    if a.get("workspace")? {
        let dir = call.world.path(call.dir, &a.get::<String>("dir")?);
        let dir = dir.map_err(|failure| failure.at_argument("dir"))?;
        new.mounts.push(workspace(call.world, call.dir));
        new.dir = Some(dir.display().to_string());
        if new.user.is_none() {
            new.user = Some(call.unless_cancelled(user(&place.engine)).await??);
            if new.user.as_deref() != Some("0:0") {
                new.mounts.push(home(Source::Memory));
                new.environment.insert(0, format!("HOME={HOME}"));
            }
        }
    } else if a.is_given("dir") {
        new.dir = Some(a.get("dir")?);
    }
    let begun = Instant::now();
    let started = place.start(&new).await?.ok_or_else(|| {
        place.engine.failed_inside(&format!("there is a container `{}` already", new.name))
    })?;
    let ended = follow(&call, &place, started).await?;
    let status = ended.seen.status;
    if status == 127
        && let Some(program) = missing_program(&ended.last)
    {
        return Err(no_program(&written, program));
    }
    if status != 0 && a.get("check")? {
        let what = format!("the container of `{written}` ended: {}", how(&ended.seen));
        return Err(Failure::new(Code::CONTAINER_FAILED, what)
            .evidence("its last lines", ended.last));
    }
    Ok(Value::record([
        ("status", Value::Int(status)),
        ("duration", Value::Duration(begun.elapsed())),
    ]))
}

/// A container that has ended.
struct Ended {
    seen: Seen,
    last: Vec<String>,
}

/// Shows its output until it ends; when the call is cancelled, ends it.
async fn follow(call: &Call<'_>, place: &Place, started: Started) -> Result<Ended, Failure> {
    let Started { id, guard, attached } = started;
    let mut lines = Lines::default();
    let mut last = std::collections::VecDeque::new();
    let mut show = |stream: Stream, line: &[u8], _: bool| {
        let line = String::from_utf8_lossy(line);
        call.report.output(stream, &line);
        if last.len() == SHOWN {
            last.pop_front();
        }
        last.push_back(line.into_owned());
    };
    let mut output = attached.output;
    let mut stopping = false;
    let stop = async {
        call.cancel.cancelled().await;
        place.engine.stop(&id, GRACE).await
    };
    tokio::pin!(stop);
    let broken = loop {
        tokio::select! {
            chunk = output.next() => match chunk {
                Some(Ok((stream, chunk))) => lines.add(stream, &chunk, &mut show),
                Some(Err(failure)) => break Some(failure),
                None => break None,
            },
            stopped = &mut stop, if !stopping => {
                stopping = true;
                if let Err(failure) = stopped {
                    break Some(failure);
                }
            }
        }
    };
    lines.end(&mut show);
    let seen = match broken {
        Some(failure) => Err(failure),
        // It may have closed its output and go on.
        None => match call.unless_cancelled(place.engine.wait(&id)).await {
            Ok(waited) => match waited {
                Ok(()) => place.engine.look(&id).await,
                Err(failure) => Err(failure),
            },
            Err(cancelled) => {
                if !stopping {
                    place.engine.stop(&id, GRACE).await?;
                }
                Err(cancelled)
            }
        },
    };
    let removed = guard.end().await;
    let seen = seen?;
    removed?;
    let gone = || Failure::infrastructure(Code::CONTAINER_FAILED, "somebody removed the container");
    Ok(Ended { seen: seen.ok_or_else(gone)?, last: last.into() })
}

/// The network it is in: as given, else that of the stage where there is one.
async fn network(call: &Call<'_>, a: &Arguments, place: &Place) -> Result<String, Failure> {
    if let Some(network) = a.get::<Option<String>>("network")? {
        return Ok(network);
    }
    if let Some(network) = call.session.and_then(|session| session.network()) {
        return Ok(network.to_owned());
    }
    if place.has_network().await? { place.network().await } else { Ok("default".to_owned()) }
}
