//! A process beside `pipe` that removes what a run has in an engine when `pipe` is gone, however it
//! went: of `kill -9` nobody else hears.
//!
//! It waits for the end of its standard input, whose other end only `pipe` holds. The containers of
//! stages do not need it: they wait for the end of a connection themselves (see
//! [`session`](super::session)). Services and one-off containers run what their images say, and
//! networks run nothing.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use super::{names::process, sweep};
use crate::{
    client::engine::Engine,
    core::{Connections, World},
};

/// So often an engine is asked that does not answer.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);

static PROGRAM: OnceLock<(PathBuf, Vec<String>)> = OnceLock::new();
/// The watchdogs of this process, by the address of the engine.
static RUNNING: Mutex<BTreeMap<String, Watchdog>> = Mutex::new(BTreeMap::new());

/// What a watchdog has to watch.
#[derive(Serialize, Deserialize)]
struct Order {
    /// The address of the engine.
    engine: String,
    /// The process, as labels name it.
    process: String,
}

/// One that runs, as long as this process does.
struct Watchdog {
    _process: Child,
    _input: ChildStdin,
}

/// Says which program calls [`watch`], with which arguments. Without it there is no watchdog, and
/// what is left by a killed run is removed by the next one.
pub fn watched_by(program: PathBuf, arguments: Vec<String>) {
    // The second call in a process says nothing new.
    let _ = PROGRAM.set((program, arguments));
}

/// Starts the watchdog for an engine if there is none. Where none can be started, what is left by a
/// killed run is removed by the next one.
pub(super) async fn start(world: &World, engine: &Engine) {
    let is_there =
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&engine.address);
    if !is_there && let Some(started) = spawn(world, engine).await {
        // Another stage may have started one meanwhile: then this one looks in vain at the end.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.entry(engine.address.clone()).or_insert(started);
    }
}

async fn spawn(world: &World, engine: &Engine) -> Option<Watchdog> {
    let (program, arguments) = PROGRAM.get()?;
    let order = Order { engine: engine.address.clone(), process: process().to_owned() };
    let kept = |name: &&String| name.starts_with("DOCKER_") || *name == "HOME";
    let environment = world.environment().iter().filter(|(name, _)| kept(name));
    let mut child = Command::new(program)
        .args(arguments)
        // Jenkins ends every process whose environment names the build.
        .env_clear()
        .envs(environment)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C at the terminal is not for it.
        .process_group(0)
        .spawn()
        .ok()?;
    let mut input = child.stdin.take()?;
    let text = serde_json::to_string(&order).ok()? + "\n";
    input.write_all(text.as_bytes()).await.ok()?;
    Some(Watchdog { _process: child, _input: input })
}

/// What the watchdog does: reads its order, waits for the end of its standard input, and removes
/// every container and network of the process.
pub async fn watch(world: World) {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = String::new();
    if input.read_line(&mut line).await.is_err() {
        return;
    }
    let Ok(order) = serde_json::from_str::<Order>(&line) else { return };
    let _ = input.read_to_end(&mut Vec::new()).await;
    let connections = Connections { engine: Some(order.engine.clone()), ..Connections::default() };
    for _ in 0..TRIES {
        if let Ok(Ok(engine)) = Engine::reach(&world, &connections).await
            && sweep::clear(&engine, |owner| owner.process == order.process).await.is_ok()
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
