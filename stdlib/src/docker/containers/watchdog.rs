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
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
};

use super::sweep;
use crate::{
    client::engine::Engine,
    core::{Connections, World},
};

/// So often an engine is asked that does not answer.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);

static PROGRAM: OnceLock<(PathBuf, Vec<String>)> = OnceLock::new();
static RUNNING: Mutex<BTreeMap<Order, Weak<Watchdog>>> = Mutex::new(BTreeMap::new());

/// What a watchdog has to watch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Order {
    /// The address of the engine.
    engine: String,
    /// The run.
    run: String,
}

/// One that runs; it ends when the last holder lets go, after it has looked once more.
pub(super) struct Watchdog {
    _process: Child,
    _input: ChildStdin,
}

/// Says which program calls [`watch`], with which arguments. Without it there is no watchdog, and
/// what is left by a killed run is removed by the next one.
pub fn watched_by(program: PathBuf, arguments: Vec<String>) {
    // The second call in a process says nothing new.
    let _ = PROGRAM.set((program, arguments));
}

/// The watchdog of a run in an engine, started if there is none.
pub(super) async fn start(world: &World, engine: &Engine, run: &str) -> Option<Arc<Watchdog>> {
    let (program, arguments) = PROGRAM.get()?;
    let order = Order { engine: engine.address.clone(), run: run.to_owned() };
    let running = || RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = running().get(&order).and_then(Weak::upgrade) {
        return Some(found);
    }
    let kept = |name: &&String| name.starts_with("DOCKER_") || *name == "HOME";
    let environment = world.environment().iter().filter(|(name, _)| kept(name));
    let mut process = Command::new(program)
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
    let mut input = process.stdin.take()?;
    let text = serde_json::to_string(&order).ok()? + "\n";
    input.write_all(text.as_bytes()).await.ok()?;
    let started = Arc::new(Watchdog { _process: process, _input: input });
    // Another stage may have started one meanwhile; either watches the whole run.
    running().insert(order, Arc::downgrade(&started));
    Some(started)
}

/// What the watchdog does: reads its order, waits for the end of its standard input, and removes
/// every container and network of the run.
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
            && sweep::clear(&engine, |owner| owner.run == order.run).await.is_ok()
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
