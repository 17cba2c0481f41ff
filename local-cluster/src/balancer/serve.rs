//! Connections to the tasks, in turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

use super::table::{Served, Service, table};
use crate::log;

/// After an error of `accept`, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// The services that answer.
#[derive(Clone, Default)]
pub(crate) struct Balancer(Arc<Mutex<Inside>>);

#[derive(Default)]
pub(super) struct Inside {
    pub(super) services: BTreeMap<u16, Live>,
    /// Connections of servers that are not among them any more.
    left: Vec<Arc<AtomicUsize>>,
}

impl Inside {
    /// Whether servers that are gone still have connections: of HAProxy, the process before the
    /// last reload would go on until they end.
    pub(super) fn has_left_connections(&mut self) -> bool {
        self.left.retain(|connections| connections.load(Ordering::Relaxed) > 0);
        !self.left.is_empty()
    }

    /// Serves these at a port, from now on.
    fn change(&mut self, port: u16, Service { name, servers }: Service) {
        let Some(live) = self.services.get_mut(&port) else { return };
        let new: Vec<Server> = servers.into_iter().map(|server| live.server(server)).collect();
        let gone = live.servers.iter().filter(|old| new.iter().all(|new| new.port != old.port));
        self.left.extend(gone.map(|server| server.connections.clone()));
        (live.name, live.servers) = (name, new);
    }

    fn close(&mut self, keep: impl Fn(u16) -> bool) {
        for (_, live) in self.services.extract_if(.., |port, _| !keep(*port)) {
            self.left.extend(live.servers.iter().map(|server| server.connections.clone()));
        }
    }
}

/// A service that answers.
pub(super) struct Live {
    pub(super) name: String,
    pub(super) servers: Vec<Server>,
    next: usize,
    listener: AbortHandle,
}

/// A port of a task.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    /// Whether it gets new connections.
    pub(super) open: bool,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// How many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Counts a connection as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Balancer {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves what the engine says, until it says nothing any more.
    pub(crate) async fn run(self, mut apps: watch::Receiver<Vec<Served>>) {
        let mut refused = BTreeSet::new();
        loop {
            let services = table(&apps.borrow_and_update());
            self.follow(services, &mut refused).await;
            if apps.changed().await.is_err() {
                self.lock().close(|_| false);
                return;
            }
        }
    }

    /// Opens, closes and changes. `refused`: ports that could not be had, and it was said.
    async fn follow(&self, services: BTreeMap<u16, Service>, refused: &mut BTreeSet<u16>) {
        self.lock().close(|port| services.contains_key(&port));
        refused.retain(|port| services.contains_key(port));
        for (port, service) in services {
            if self.lock().services.contains_key(&port) {
                self.lock().change(port, service);
                continue;
            }
            let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(listener) => listener,
                Err(error) => {
                    if refused.insert(port) {
                        let (name, why) = (service.name, pipe_oci::plain(&error));
                        log::line(format_args!("`{name}` can't answer at port {port}: {why}"));
                    }
                    continue;
                }
            };
            refused.remove(&port);
            let listener = tokio::spawn(accept(self.clone(), port, listener)).abort_handle();
            let live = Live { name: String::new(), servers: Vec::new(), next: 0, listener };
            let mut inside = self.lock();
            inside.services.insert(port, live);
            inside.change(port, service);
        }
    }

    /// Those that take a new connection, in the order in which they are tried.
    fn turn(&self, port: u16) -> Vec<Server> {
        let mut all = self.lock();
        let Some(live) = all.services.get_mut(&port) else { return Vec::new() };
        let mut open: Vec<Server> = live.servers.iter().filter(|s| s.open).cloned().collect();
        if !open.is_empty() {
            let first = live.next % open.len();
            open.rotate_left(first);
            live.next = live.next.wrapping_add(1);
        }
        open
    }
}

impl Live {
    /// A server, which keeps its connections.
    fn server(&self, (port, open): (u16, bool)) -> Server {
        let known = self.servers.iter().find(|server| server.port == port);
        let connections = known.map(|server| server.connections.clone()).unwrap_or_default();
        Server { port, open, connections }
    }
}

async fn accept(balancer: Balancer, port: u16, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(tokio::spawn(connect(balancer.turn(port), client))),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Connects to the first that takes it.
async fn connect(servers: Vec<Server>, mut client: TcpStream) {
    for server in servers {
        let _counted = Counted::new(&server.connections);
        if let Ok(mut task) = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).await {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut task).await;
            return;
        }
    }
    // Nobody is there: the other end shall see that as a refusal, not as an empty answer.
    let _ = rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO));
}
