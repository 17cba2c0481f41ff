//! What the tasks of a run share at one cluster: a framework, and the server that their workers
//! call. It is there from the first task on until the last one has ended.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use pipe_grammar::Code;
use tokio::sync::OnceCell;

use super::{Framework, Timing, address::Address, link::Depot, trouble::failure};
use crate::{
    client::mesos::{Capability, Client, FrameworkInfo},
    core::{Call, Failure, MesosConnection, World},
};

/// What tasks share.
pub(super) struct Site {
    pub(super) client: Client,
    pub(super) framework: Framework,
    pub(super) depot: Arc<Depot>,
    /// Where workers call.
    pub(super) url: String,
}

/// A site that may be shared. The last one who lets go of it ends the framework.
pub(super) type Shared = Arc<OnceCell<Site>>;

/// Tasks with the same one share a site.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    run: String,
    connection: MesosConnection,
    role: String,
    gpus: bool,
}

static OPEN: Mutex<Vec<(Key, Weak<OnceCell<Site>>)>> = Mutex::new(Vec::new());

/// The site for a task of a call; opened when there is none yet.
pub(super) async fn open(
    call: &Call<'_>,
    connection: &MesosConnection,
    role: &str,
    gpus: bool,
    timing: &Timing,
) -> Result<Shared, Failure> {
    let key = Key {
        run: call.run.to_owned(),
        connection: connection.clone(),
        role: role.to_owned(),
        gpus,
    };
    let shared = shared(key);
    // Whoever comes first opens it; the others wait, and one of them goes on if it is cancelled.
    shared.get_or_try_init(|| begin(call, connection, role, gpus, timing)).await?;
    Ok(shared)
}

fn shared(key: Key) -> Shared {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, site)| site.strong_count() > 0);
    let found = open.iter().find(|(other, _)| *other == key).and_then(|(_, site)| site.upgrade());
    found.unwrap_or_else(|| {
        let site = Shared::default();
        open.push((key, Arc::downgrade(&site)));
        site
    })
}

async fn begin(
    call: &Call<'_>,
    connection: &MesosConnection,
    role: &str,
    gpus: bool,
    timing: &Timing,
) -> Result<Site, Failure> {
    let unreachable = |why: String| Failure::infrastructure(Code::UNREACHABLE_SERVER, why);
    let client = Client::new(connection, timing.pace).await.map_err(unreachable)?;
    let info = info(call, &client, role, gpus, timing);
    let wait = timing.subscribe.as_secs();
    let tell = |why: &str| {
        call.report.say(&format!("asks the Mesos masters for up to {wait} s: {why}"));
    };
    let framework = Framework::start(client.clone(), info, role, *timing, tell)
        .await
        .map_err(|error| failure(&error, connection))?;
    let address = Address::find(connection.advertise.as_deref(), &client.leader()).await?;
    let depot = depot(call.world, &address).await?;
    let url = address.url(depot.port);
    Ok(Site { client, framework, depot, url })
}

/// The server for workers. A port that is asked for is one for all: other roles and clusters share
/// it.
async fn depot(world: &World, address: &Address) -> Result<Arc<Depot>, Failure> {
    static FIXED: tokio::sync::Mutex<Vec<(u16, Weak<Depot>)>> =
        tokio::sync::Mutex::const_new(Vec::new());
    let mut fixed = FIXED.lock().await;
    fixed.retain(|(_, depot)| depot.strong_count() > 0);
    let found = fixed.iter().find(|(port, _)| address.port == Some(*port));
    if let Some(depot) = found.and_then(|(_, depot)| depot.upgrade()) {
        return Ok(depot);
    }
    let opened = Depot::open(program(world)?, address.port).await.map_err(|error| {
        let why = crate::client::transport::words(&error);
        let what = match address.port {
            Some(port) => format!("port {port}, which tasks are to call, can't be opened: {why}"),
            None => format!("no port can be opened for tasks to call: {why}"),
        };
        Failure::infrastructure(Code::UNREACHABLE_SERVER, what)
            .help("`connect mesos(…, advertise: \"HOST:PORT\")` names it")
    })?;
    let depot = Arc::new(opened);
    fixed.extend(address.port.map(|port| (port, Arc::downgrade(&depot))));
    Ok(depot)
}

/// Lets go of it; when nobody else has it, the framework is ended with all that it may still have.
pub(super) async fn release(shared: Shared) {
    if let Some(site) = Arc::into_inner(shared).and_then(OnceCell::into_inner) {
        site.framework.end().await;
    }
}

fn info(
    call: &Call<'_>,
    client: &Client,
    role: &str,
    gpus: bool,
    timing: &Timing,
) -> FrameworkInfo {
    let mut capabilities = vec![
        Capability::MultiRole,
        Capability::ReservationRefinement,
        Capability::PartitionAware,
        Capability::TaskKillingState,
    ];
    if gpus {
        capabilities.push(Capability::GpuResources);
    }
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let hostname = hostname.trim();
    FrameworkInfo {
        user: user(call.world),
        name: format!("pipe {}", call.run),
        id: None,
        failover_timeout: timing.failover.as_secs_f64(),
        checkpoint: true,
        roles: vec![role.to_owned()],
        hostname: (!hostname.is_empty()).then(|| hostname.to_owned()),
        principal: client.principal().map(str::to_owned),
        webui_url: None,
        capabilities,
        labels: [("pipe.run".to_owned(), call.run.to_owned())].into_iter().collect(),
    }
}

/// The user that runs `pipe`: agents run tasks as whoever has this name there. Mesos sets no
/// `USER` in its own tasks, so it may have to be looked up.
fn user(world: &World) -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| world.variable(name));
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let id = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| "root".to_owned())
}

/// The program that tasks run: this one, unless a person has one that fits the agents better.
fn program(world: &World) -> Result<PathBuf, Failure> {
    if let Some(path) = world.variable("PIPE_WORKER").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            let what = format!("`PIPE_WORKER` names `{}`, which is no file", path.display());
            return Err(Failure::new(Code::MISSING_FILE, what));
        }
        return Ok(path);
    }
    std::env::current_exe().map_err(|error| {
        let why = crate::client::transport::words(&error);
        let what = format!("`pipe` can't find its own program: {why}");
        Failure::infrastructure(Code::MISSING_FILE, what)
            .help("name it: `PIPE_WORKER=/path/to/pipe`")
    })
}
