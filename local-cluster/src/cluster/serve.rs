//! The cluster's process.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::{Router, middleware};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use super::{folder, lock, ports};
use crate::{
    Running, Settings,
    agent::Agent,
    balancer::Balancer,
    error::Error,
    guard::{Guarded, Peer, local_only},
    log,
    marathon::{
        api::{Api, router},
        engine::{Engine, Handle, State, run},
    },
    registry,
};

/// What stands before the file of a task on this program's command line.
const TASK: [&str; 2] = ["cluster", "task"];
/// After the end of all tasks, answers that are on their way may take this long.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Runs a cluster until SIGTERM, SIGINT or SIGHUP, then ends its tasks. Its apps are kept: the next cluster
/// in the same folder starts them again. This program must call [`task_main`](crate::task_main)
/// for `cluster task SPEC`: every task is a process of it.
///
/// # Errors
///
/// When one runs in the folder already, or the folder or the ports can't be used.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let given = &settings.folder;
    folder::make(given)?;
    let folder = &given.canonicalize().map_err(|error| Error::at("read", given, &error))?;
    let _lock = lock::try_take(folder, lock::RUNS).await?.ok_or_else(|| {
        Error::new(format!("a local cluster runs in `{}` already", folder.display()))
    })?;
    let stop = CancellationToken::new();
    let mut signals = signals()?;
    let (marathon, registry) = ports::bind(&folder.join("ports.json")).await?;
    let [at_marathon, at_registry] = [address(&marathon)?, address(&registry)?];
    let store = registry::Store::open(&folder.join("registry"))?;
    store.sweep();
    registry::sweep_images(&store, &folder.join("images"));
    let file = folder.join("state.json");
    let state = State::read(&file)?;
    let agent = Agent::new(
        folder,
        // Also when another version of this program took its place meanwhile.
        PathBuf::from("/proc/self/exe"),
        TASK.map(str::to_owned).to_vec(),
        store.clone(),
        at_registry.to_string(),
        settings.capacity,
    )?;
    let (handle, jobs) = Handle::new();
    let engine = Engine::new(state, file, settings.second, agent, handle.clone());
    let balancer = Balancer::default();
    let (told, apps) = tokio::sync::watch::channel(Vec::new());
    let mut engine = tokio::spawn(run(engine, jobs, told, stop.clone()));
    // It ends with the engine.
    tokio::spawn(balancer.clone().run(apps));
    let api = Api { engine: handle, tasks: settings.tasks(), port: at_marathon.port() };
    let closed = CancellationToken::new();
    let servers =
        [(marathon, router(api).merge(balancer.router())), (registry, registry::router(store))]
            .map(|(listener, router)| answer(listener, router, closed.clone()));
    let running = Running::this(format!("http://{at_marathon}"), at_registry.to_string());
    running.announce(folder)?;
    log::line(format_args!("Marathon at {}, registry at {}", running.marathon, running.registry));
    let ended = tokio::select! {
        () = signals.arrive() => {
            log::line(format_args!("the cluster is being stopped"));
            stop.cancel();
            (&mut engine).await
        }
        ended = &mut engine => ended,
    };
    Running::withdraw(folder);
    closed.cancel();
    for server in servers {
        let abort = server.abort_handle();
        if tokio::time::timeout(LAST_ANSWERS, server).await.is_err() {
            abort.abort();
        }
    }
    log::line(format_args!("the cluster has ended"));
    ended.map_err(|_| Error::new("the local cluster failed; its log says at what"))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Error> {
    listener.local_addr().map_err(|error| Error::new(pipe_oci::plain(&error)))
}

/// What ends the cluster.
struct Signals([Signal; 3]);

fn signals() -> Result<Signals, Error> {
    let listen = |kind| signal(kind).map_err(|error| Error::new(pipe_oci::plain(&error)));
    let [terminate, interrupt, hang_up] =
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(listen);
    Ok(Signals([terminate?, interrupt?, hang_up?]))
}

impl Signals {
    async fn arrive(&mut self) {
        let [terminate, interrupt, hang_up] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}

fn answer(
    listener: TcpListener,
    router: Router,
    closed: CancellationToken,
) -> tokio::task::JoinHandle<std::io::Result<()>> {
    let router = router.layer(middleware::from_fn(local_only));
    let service = router.into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(Guarded(listener), service);
    let server = server.with_graceful_shutdown(async move { closed.cancelled().await });
    tokio::spawn(server.into_future())
}
