//! The cluster's process.

use std::{fs::File, net::Ipv4Addr, path::PathBuf, time::Duration};

use axum::{Router, middleware::from_fn};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    agent::{Agent, Capacity},
    error::Error,
    files,
    guard::{Guarded, Peer, local_only},
    log,
    marathon::{
        api::{self, Api},
        engine::{self, Engine, Handle, State},
    },
    registry::{self, Store},
    running::Address,
    settings::{Settings, absolute},
};

/// Runs a cluster in this process until it gets SIGTERM or SIGINT; then ends all tasks, which come
/// back with the next start. Tasks also end when this process is killed: then at once.
///
/// # Errors
///
/// When the folder belongs to a cluster that runs or can't be used, or no port is free.
pub async fn serve(settings: Settings) -> Result<(), Error> {
    let folder = absolute(&settings.folder);
    let settings = Settings { folder: folder.clone(), ..settings };
    files::make_folder(&folder).map_err(|error| Error::at("make", &folder, &error))?;
    let _held = hold(&settings)?;
    let mut ends = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
        .map(|kind| signal(kind).map_err(|error| Error::new(format!("can't wait for signals: {error}"))));

    let before = Address::read(&settings);
    let port = |address: Option<&str>| address?.rsplit_once(':')?.1.parse::<u16>().ok();
    let marathon = listen(port(before.as_ref().map(|a| a.marathon.as_str()))).await?;
    let registry = listen(port(before.as_ref().map(|a| a.registry.as_str()))).await?;
    let registry_address = format!("127.0.0.1:{}", registry.1);

    let kept = folder.join("registry");
    let store = Store::open_in(&kept).map_err(|error| Error::at("use", &kept, &error))?;
    let capacity = settings.capacity.map(|(cpus, mem)| Capacity { cpus, mem });
    let agent = Agent::new(
        &folder,
        own_program()?,
        settings.task_arguments.clone(),
        store.clone(),
        registry_address.clone(),
        capacity,
    )?;
    let file = folder.join("state.json");
    let state = State::read(&file)?;
    let (handle, jobs) = Handle::new();
    let engine = Engine::new(state, file, settings.second, agent, handle.clone());
    let id = engine.id().to_owned();
    let stop = CancellationToken::new();
    let mut engine = tokio::spawn(engine::run(engine, jobs, stop.clone()));

    let api = Api { engine: handle, tasks: settings.tasks_folder(), port: marathon.1 };
    let closing = CancellationToken::new();
    let mut servers = [
        answer(marathon.0, api::router(api), closing.clone()),
        answer(registry.0, registry::router(store), closing.clone()),
    ];
    let pid = std::process::id();
    let address = Address {
        pid,
        started: crate::agent::started(pid).unwrap_or_default(),
        id,
        marathon: format!("http://127.0.0.1:{}", marathon.1),
        registry: registry_address,
    };
    address.write(&settings)?;
    log::line(format_args!(
        "the local cluster runs: Marathon at {}, registry at {}",
        address.marathon, address.registry
    ));

    let [terminate, interrupt, hangup] = &mut ends;
    tokio::select! {
        () = arrives(terminate) => {}
        () = arrives(interrupt) => {}
        () = arrives(hangup) => {}
        ended = &mut engine => {
            // Only a mistake of the cluster itself ends it so; tasks end with the process.
            let why = ended.err().map_or_else(String::new, |error| format!(": {error}"));
            return Err(Error::new(format!("the local cluster broke down{why}")));
        }
    }
    log::line(format_args!("the local cluster ends"));
    stop.cancel();
    let _ = engine.await;
    closing.cancel();
    for server in &mut servers {
        // Answers that are under way have this long.
        if tokio::time::timeout(Duration::from_secs(1), &mut *server).await.is_err() {
            server.abort();
        }
    }
    Ok(())
}

async fn arrives(signal: &mut Result<tokio::signal::unix::Signal, Error>) {
    match signal {
        Ok(signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Takes the folder for this process; the kernel gives it back when the process ends.
fn hold(settings: &Settings) -> Result<File, Error> {
    let file = settings.lock_file();
    let lock = File::create(&file).map_err(|error| Error::at("write", &file, &error))?;
    lock.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => Error::new(format!(
            "a local cluster runs already in `{}`",
            settings.folder.display()
        )),
        std::fs::TryLockError::Error(error) => Error::at("lock", &file, &error),
    })?;
    Ok(lock)
}

/// A listener at the loop-back address, preferably at the port that it had.
async fn listen(preferred: Option<u16>) -> Result<(TcpListener, u16), Error> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match preferred {
        Some(port) => match bind(port).await {
            Ok(listener) => Ok(listener),
            Err(_) => bind(0).await,
        },
        None => bind(0).await,
    };
    let listener = listener.and_then(|listener| {
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    });
    listener.map_err(|error| Error::new(format!("can't listen on a port: {}", pipe_oci::plain(&error))))
}

fn answer(
    listener: TcpListener,
    router: Router,
    closing: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let service = router.layer(from_fn(local_only)).into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move {
        let served = axum::serve(Guarded(listener), service)
            .with_graceful_shutdown(closing.cancelled_owned());
        if let Err(error) = served.await {
            log::line(format_args!("a port is not served any more: {error}"));
        }
    })
}

/// The file of this program, which tasks are started with.
fn own_program() -> Result<PathBuf, Error> {
    std::env::current_exe()
        .map_err(|error| Error::new(format!("can't find the file of this program: {}", pipe_oci::plain(&error))))
}
