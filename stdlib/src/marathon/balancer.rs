//! What the load balancer itself says: HAProxy's statistics, as marathon-lb serves them.
//!
//! `/haproxy?stats;csv` has a line for each server of each service (HAProxy's management guide,
//! section 9.1), `/_haproxy_getpids` the processes: after a reload the one before goes on until
//! its last connection ends.

use std::time::Duration;

use pipe_grammar::Code;
use reqwest::{Client, Url};
use tokio::time::Instant;

use super::{plan::span, progress::tasks, site::Site, withdraw::pause};
use crate::{
    client::{
        http::{self, Redirects},
        marathon::{App, Task},
    },
    core::{Arguments, Call, Failure},
};

/// For one answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Where a load balancer tells its statistics.
pub(super) struct LoadBalancer {
    url: Url,
    shown: String,
    client: Client,
}

/// A server of a service, as one load balancer sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Server {
    /// `node1_31000`, or with its address: `node1_10_0_0_1_31000`.
    name: String,
    /// `UP`, `MAINT`, `no check`.
    status: String,
    /// Connections that are open, and that wait.
    connections: u64,
}

/// What one load balancer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    servers: Vec<Server>,
    /// It is reloading: an older process still has connections.
    reloading: bool,
}

/// How far the traffic has moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Standing {
    /// New tasks that every load balancer sends to.
    serving: usize,
    /// New tasks.
    wanted: usize,
    /// Old tasks that some load balancer still sends to.
    taking: usize,
    /// Connections to old tasks.
    open: u64,
    /// Some load balancer is reloading.
    reloading: bool,
}

impl LoadBalancer {
    /// The argument `load_balancer`; with a local cluster, that has one of its own.
    pub(super) fn read(call: &Call<'_>, arguments: &Arguments) -> Result<Option<Self>, Failure> {
        let (url, shown) = match &call.connections.local {
            Some(local) => {
                let url = Url::parse(&local.marathon).map_err(Failure::internal)?;
                (url, local.marathon.clone())
            }
            None if arguments.value("load_balancer").is_null() => return Ok(None),
            None => http::url(arguments, "load_balancer")?,
        };
        let client = http::client(call.world, Redirects::None)?;
        Ok(Some(Self { url, shown: shown.trim_end_matches('/').to_owned(), client }))
    }

    /// Asks once, before anything depends on it.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub(super) async fn check(&self, call: &Call<'_>) -> Result<(), Failure> {
        call.unless_cancelled(self.look()).await?.map(drop).map_err(|why| {
            Failure::infrastructure(Code::UNREACHABLE_SERVER, format!("`{}` {why}", self.shown))
                .at_argument("load_balancer")
                .help("it is where marathon-lb tells its statistics: `http://HOST:9090`")
        })
    }

    /// Every load balancer behind the name, each with an address of its own.
    async fn addresses(&self) -> Vec<Url> {
        let (Some(host), Some(port)) = (self.url.host_str(), self.url.port_or_known_default())
        else {
            return vec![self.url.clone()];
        };
        // The certificate is for the name.
        if self.url.scheme() == "https" {
            return vec![self.url.clone()];
        }
        let found = tokio::net::lookup_host((host, port)).await;
        let mut all: Vec<Url> = found
            .into_iter()
            .flatten()
            .filter_map(|address| {
                let mut url = self.url.clone();
                url.set_ip_host(address.ip()).ok().map(|()| url)
            })
            .collect();
        all.sort();
        all.dedup();
        if all.is_empty() { vec![self.url.clone()] } else { all }
    }

    async fn look(&self) -> Result<Vec<Seen>, String> {
        let mut all = Vec::new();
        for url in self.addresses().await {
            let text = self.get(&url, "haproxy?stats;csv").await?;
            let servers = read(&text).ok_or("tells no statistics of HAProxy")?;
            // Other ways to run HAProxy do not have it.
            let processes = self.get(&url, "_haproxy_getpids").await.unwrap_or_default();
            all.push(Seen { servers, reloading: processes.split_whitespace().count() > 1 });
        }
        Ok(all)
    }

    async fn get(&self, url: &Url, path: &str) -> Result<String, String> {
        let base = url.as_str().trim_end_matches('/');
        let answer = self.client.get(format!("{base}/{path}")).timeout(ANSWER).send().await;
        let answer = answer.map_err(|error| format!("can't be reached: {}", http::why(&error)))?;
        if !answer.status().is_success() {
            return Err(format!("answers {}", answer.status().as_u16()));
        }
        answer.text().await.map_err(|error| format!("broke off: {}", http::why(&error)))
    }

    /// Waits until the new app has the traffic, `until` at most, and then until no connection to
    /// the old one is open, `drain` at most.
    ///
    /// # Errors
    ///
    /// The load balancer does not answer any more, or does not send to the new app.
    pub(super) async fn switch(
        &self,
        site: &Site<'_>,
        new: &str,
        old: Option<&str>,
        drain: Duration,
        until: Instant,
    ) -> Result<(), Failure> {
        let mut said = String::new();
        let mut silent: Option<Instant> = None;
        let mut drained_by: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let new_app = site.existing(new).await?;
            let old_tasks = match old {
                Some(old) => site.app(old).await?.map(|app| app.tasks).unwrap_or_default(),
                None => Vec::new(),
            };
            match site.call.unless_cancelled(self.look()).await? {
                Ok(seen) => {
                    silent = None;
                    let standing = Standing::of(&seen, &new_app.tasks, &old_tasks);
                    let line = standing.line();
                    if line != said {
                        site.say(&line);
                        said = line;
                    }
                    if standing.has_moved() {
                        if standing.is_drained() {
                            return Ok(());
                        }
                        if now >= *drained_by.get_or_insert(now + drain) {
                            site.say(standing.cut(drain));
                            return Ok(());
                        }
                    } else if now >= until {
                        return Err(self.does_not_send(new, &standing));
                    }
                }
                Err(why) => {
                    let since = *silent.get_or_insert(now);
                    if now >= until || now - since >= site.timing.silence {
                        let what = format!("`{}` {why}", self.shown);
                        return Err(Failure::infrastructure(Code::UNREACHABLE_SERVER, what));
                    }
                }
            }
            site.call.unless_cancelled(tokio::time::sleep(site.timing.poll)).await?;
        }
    }

    fn does_not_send(&self, new: &str, standing: &Standing) -> Failure {
        let what = format!(
            "`{}` does not send to `{new}`: it knows {} of {}",
            self.shown,
            standing.serving,
            tasks(standing.wanted, "")
        );
        Failure::infrastructure(Code::SERVER_ERROR, what)
            .help("does the load balancer serve the group in the label `HAPROXY_GROUP`?")
    }

    /// Waits until it sends nothing to an app any more; not longer than a load balancer takes
    /// that can't be asked.
    pub(super) async fn until_gone(&self, site: &Site<'_>, app: &App) {
        let until = Instant::now() + site.timing.balancer;
        while Instant::now() < until && !site.call.cancel.is_cancelled() {
            if let Ok(seen) = self.look().await
                && Standing::of(&seen, &[], &app.tasks).is_drained()
            {
                return;
            }
            pause(site, site.timing.poll).await;
        }
    }
}

/// The servers of all services in the statistics.
fn read(text: &str) -> Option<Vec<Server>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(',').collect();
    let at = |name: &str| names.iter().position(|found| *found == name);
    let (name, status) = (at("svname")?, at("status")?);
    let (sessions, queued) = (at("scur")?, at("qcur")?);
    // No text with a comma stands before these.
    let server = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |at: usize| cells.get(at).and_then(|cell| cell.parse().ok()).unwrap_or(0);
        Some(Server {
            name: (*cells.get(name)?).to_owned(),
            status: (*cells.get(status)?).to_owned(),
            connections: number(sessions) + number(queued),
        })
    };
    let all = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(server);
    Some(all.filter(|server| !matches!(&*server.name, "FRONTEND" | "BACKEND")).collect())
}

impl Server {
    /// Whether it is a port of a task.
    fn is_of(&self, task: &Task) -> bool {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        // Where the task's host is a name, marathon-lb writes its address too, or alone.
        let hosts = std::iter::once(&task.host).chain(&task.addresses);
        let hosts: Vec<String> = hosts.map(|host| host.chars().map(plain).collect()).collect();
        task.ports.iter().any(|port| {
            self.name.strip_suffix(&format!("_{port}")).is_some_and(|rest| {
                hosts.iter().any(|host| {
                    rest.strip_prefix(&**host)
                        .is_some_and(|more| more.is_empty() || more.starts_with('_'))
                })
            })
        })
    }

    fn takes_connections(&self) -> bool {
        self.status.starts_with("UP") || self.status == "no check"
    }
}

impl Standing {
    fn of(seen: &[Seen], new: &[Task], old: &[Task]) -> Self {
        let serves = |task: &&Task| {
            !seen.is_empty()
                && seen.iter().all(|one| {
                    one.servers
                        .iter()
                        .any(|server| server.is_of(task) && server.takes_connections())
                })
        };
        let of_old = |task: &Task| {
            let servers = seen.iter().flat_map(|one| &one.servers);
            servers.filter(|server| server.is_of(task)).cloned().collect::<Vec<_>>()
        };
        let old: Vec<Vec<Server>> = old.iter().map(of_old).collect();
        Self {
            serving: new.iter().filter(serves).count(),
            wanted: new.len(),
            taking: old.iter().filter(|task| task.iter().any(Server::takes_connections)).count(),
            open: old.iter().flatten().map(|server| server.connections).sum(),
            reloading: seen.iter().any(|one| one.reloading),
        }
    }

    /// Every new task gets traffic.
    fn has_moved(&self) -> bool {
        self.serving == self.wanted
    }

    /// No old task gets anything any more.
    fn is_drained(&self) -> bool {
        self.taking == 0 && self.open == 0 && !self.reloading
    }

    fn line(&self) -> String {
        let mut line = format!("{} of {} get traffic", self.serving, tasks(self.wanted, "new "));
        if self.taking > 0 {
            line.push_str(&format!(", {} still", tasks(self.taking, "old ")));
        }
        match self.open {
            0 if self.reloading => line.push_str("; the load balancer waits for old connections"),
            0 => {}
            1 => line.push_str("; 1 connection to old tasks is open"),
            open => line.push_str(&format!("; {open} connections to old tasks are open")),
        }
        line
    }

    /// What ends without being drained.
    fn cut(&self, drain: Duration) -> String {
        let still = match (self.taking, self.open) {
            (0, 0) => "the load balancer still has connections to old tasks".to_owned(),
            (0, open) => format!("{open} connections to old tasks are still open"),
            (taking, _) => format!("{} still get traffic", tasks(taking, "old ")),
        };
        format!("{still} after {}: they are cut", span(drain))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    const STATISTICS: &str = "\
# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,
web_10000,FRONTEND,,,3,4,4000,40,1,2,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,1,,,,0,
web_10000,10_0_0_1_31000,0,0,2,3,,20,1,2,,0,,0,0,0,0,MAINT,1,1,0,0,0,5,0,,1,3,1,,10,,2,0,,1,,,,0,
web_10000,node2_10_0_0_2_31001,1,1,0,1,,9,1,2,,0,,0,0,0,0,UP,1,1,0,0,0,5,0,,1,3,2,,10,,2,0,,1,,,,0,
web_10000,node3_31002,0,0,1,1,,9,1,2,,0,,0,0,0,0,no check,1,1,0,0,0,5,0,,1,3,3,,10,,2,0,,1,,,,0,
web_10000,BACKEND,0,0,3,4,400,40,1,2,0,0,,0,0,0,0,UP,1,1,0,,0,5,0,,1,3,0,,40,,1,0,,1,,,,0,
";

    fn all(tasks: serde_json::Value) -> Vec<Task> {
        App::read(&json!({ "id": "/a", "tasks": tasks })).unwrap().tasks
    }

    fn seen() -> Seen {
        Seen { servers: read(STATISTICS).unwrap(), reloading: false }
    }

    #[test]
    fn the_statistics_are_read_by_their_head() {
        let servers = read(STATISTICS).unwrap();
        assert_eq!(servers.len(), 3);
        assert_eq!((servers[0].connections, &*servers[0].status), (2, "MAINT"));
        assert_eq!(servers[1].connections, 1);
        for other in ["", "<html>", "# pxname,svname\n", "pxname,svname,qcur,scur,status\n"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_task_is_known_by_its_host_or_address_and_port() {
        let servers = read(STATISTICS).unwrap();
        let known = |host: &str, port: u16| {
            let task = all(json!([{ "id": "t", "host": host, "ports": [port] }])).remove(0);
            servers.iter().filter(|server| server.is_of(&task)).count()
        };
        assert_eq!((known("10.0.0.1", 31000), known("10.0.0.1", 1000)), (1, 0));
        assert_eq!((known("node2", 31001), known("node", 31001), known("node2", 31002)), (1, 0, 0));
        let named = all(json!([{ "id": "t", "host": "agent", "ports": [31000],
            "ipAddresses": [{ "ipAddress": "10.0.0.1" }] }]));
        assert!(servers[0].is_of(&named[0]));
    }

    #[test]
    fn it_has_moved_when_every_load_balancer_sends_to_every_new_task() {
        let new = all(json!([
            { "id": "b", "host": "node2", "ports": [31001] },
            { "id": "c", "host": "node3", "ports": [31002] },
        ]));
        let old = all(json!([{ "id": "a", "host": "10.0.0.1", "ports": [31000] }]));
        let standing = Standing::of(&[seen()], &new, &old);
        assert!(standing.has_moved() && !standing.is_drained());
        assert_eq!(
            standing.line(),
            "2 of 2 new tasks get traffic; 2 connections to old tasks are open"
        );
        let mut other = seen();
        other.servers.remove(1);
        assert!(!Standing::of(&[seen(), other], &new, &old).has_moved());
        assert!(!Standing::of(&[], &new, &old).has_moved());
        let mut idle = seen();
        idle.servers[0].connections = 0;
        assert!(Standing::of(&[idle.clone()], &new, &old).is_drained());
        idle.reloading = true;
        assert!(!Standing::of(&[idle], &new, &old).is_drained());
        // The other way round, nothing has moved and the old ones serve.
        let back = Standing::of(&[seen()], &old, &new);
        assert_eq!((back.serving, back.taking, back.is_drained()), (0, 2, false));
    }
}
