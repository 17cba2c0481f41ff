//! Who is served where: the labels, as marathon-lb reads them (`get_apps` in `marathon_lb.py`).

use std::collections::BTreeMap;

/// An app as the load balancer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Served {
    /// `/product/web`.
    pub(crate) id: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// How many tasks it should have.
    pub(crate) instances: usize,
    /// Whether its tasks have health checks.
    pub(crate) checked: bool,
    /// The service port of each of its ports.
    pub(crate) service_ports: Vec<u16>,
    /// Those that run.
    pub(crate) tasks: Vec<ServedTask>,
}

/// A task that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServedTask {
    /// Its id.
    pub(crate) id: String,
    /// The host port of each of the app's ports.
    pub(crate) ports: Vec<Option<u16>>,
    /// As far as its health checks can tell.
    pub(crate) healthy: bool,
}

/// What answers at one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Service {
    /// `product_web_10000`.
    pub(super) name: String,
    /// The host ports of the tasks, and whether each gets new connections.
    pub(super) servers: Vec<(u16, bool)>,
}

/// A task, and whether it gets new connections.
type Open = (ServedTask, bool);

/// One app, or two of one deployment group.
struct Merged<'a> {
    id: String,
    app: &'a Served,
    tasks: Vec<Open>,
}

/// Every service by the port that it answers at.
pub(super) fn table(apps: &[Served]) -> BTreeMap<u16, Service> {
    let mut services: BTreeMap<u16, Service> = BTreeMap::new();
    for Merged { id, app, tasks } in merged(apps) {
        for (n, service_port) in app.service_ports.iter().enumerate() {
            let label = |name: &str| app.labels.get(&format!("HAPROXY_{n}_{name}"));
            let group = label("GROUP").or_else(|| app.labels.get("HAPROXY_GROUP"));
            let disabled = label("ENABLED").is_some_and(|text| !text.eq_ignore_ascii_case("true"));
            let port = label("PORT").and_then(|port| port.parse().ok()).unwrap_or(*service_port);
            if group.is_none() || disabled || port == 0 {
                continue;
            }
            let server = |(task, open): &Open| {
                let port = task.ports.get(n).copied().flatten()?;
                task.healthy.then_some((port, *open))
            };
            let servers: Vec<(u16, bool)> = tasks.iter().filter_map(server).collect();
            // A task that has the port itself needs nobody before it.
            if servers.is_empty() || servers.iter().any(|(server, _)| *server == port) {
                continue;
            }
            let name = format!("{}_{port}", id.trim_start_matches('/').replace('/', "_"));
            services.entry(port).or_insert(Service { name, servers });
        }
    }
    services
}

/// Puts apps of one deployment group together. Of the older as many tasks are closed as the newer
/// has healthy ones.
fn merged(apps: &[Served]) -> Vec<Merged<'_>> {
    let mut all: Vec<Merged<'_>> = Vec::new();
    for app in apps {
        let tasks: Vec<Open> = app.tasks.iter().map(|task| (task.clone(), true)).collect();
        let Some(group) = app.labels.get("HAPROXY_DEPLOYMENT_GROUP") else {
            all.push(Merged { id: app.id.clone(), app, tasks });
            continue;
        };
        let id = format!("/{}", group.trim_start_matches('/'));
        let Some(other) = all.iter_mut().find(|other| other.id == id) else {
            all.push(Merged { id, app, tasks });
            continue;
        };
        let mut old = Merged { id, app, tasks };
        if started(other.app) < started(app) {
            std::mem::swap(&mut old, other);
        }
        *other = together(old, other);
    }
    all
}

fn together<'a>(old: Merged<'a>, new: &Merged<'a>) -> Merged<'a> {
    let Merged { id, app, mut tasks } = old;
    tasks.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    let healthy = match new.app.checked {
        true => new.tasks.iter().filter(|(task, _)| task.healthy).count(),
        false => new.app.instances,
    };
    let label = |name: &str| new.app.labels.get(&format!("HAPROXY_DEPLOYMENT_{name}"));
    // Only then it reads how many there are to be in the end.
    let target = label("NEW_INSTANCES").and_then(|_| label("TARGET_INSTANCES")?.parse().ok());
    let spare = (healthy + app.instances).saturating_sub(target.unwrap_or(1));
    for (_, open) in tasks.iter_mut().take(healthy.min(spare)) {
        *open = false;
    }
    tasks.extend(new.tasks.iter().cloned());
    Merged { id, app, tasks }
}

/// Times without a zone, in their order as texts.
fn started(app: &Served) -> &str {
    app.labels.get("HAPROXY_DEPLOYMENT_STARTED_AT").map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str, labels: &[(&str, &str)], first: u16, healthy: &[bool]) -> Served {
        let task = |(n, healthy): (u16, &bool)| ServedTask {
            id: format!("{id}.{n}"),
            ports: vec![Some(first + n)],
            healthy: *healthy,
        };
        Served {
            id: id.to_owned(),
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            instances: healthy.len(),
            checked: true,
            service_ports: vec![first / 10],
            tasks: (0..).zip(healthy).map(task).collect(),
        }
    }

    const SERVED: (&str, &str) = ("HAPROXY_GROUP", "external");
    const PAIR: (&str, &str) = ("HAPROXY_DEPLOYMENT_GROUP", "web");

    fn of(apps: &[Served]) -> Vec<(u16, Service)> {
        table(apps).into_iter().collect()
    }

    fn service(name: &str, servers: &[u16]) -> Service {
        let servers = servers.iter().map(|port| (*port, true)).collect();
        Service { name: name.to_owned(), servers }
    }

    #[test]
    fn an_app_of_a_group_answers_at_its_service_port() {
        let web = app("/product/web", &[SERVED], 31000, &[true, false, true]);
        let name = "product_web_3100";
        assert_eq!(of(&[web]), [(3100, service(name, &[31000, 31002]))]);
        assert_eq!(of(&[app("/quiet", &[], 31000, &[true])]), []);
        let off = app("/off", &[SERVED, ("HAPROXY_0_ENABLED", "false")], 31000, &[true]);
        assert_eq!(of(&[off]), []);
        let other =
            app("/web", &[("HAPROXY_0_GROUP", "x"), ("HAPROXY_0_PORT", "80")], 31000, &[true]);
        assert_eq!(of(&[other]), [(80, service("web_80", &[31000]))]);
        let own = app("/web", &[SERVED, ("HAPROXY_0_PORT", "31000")], 31000, &[true]);
        assert_eq!(of(&[own]), []);
    }

    #[test]
    fn as_many_old_tasks_are_closed_as_new_ones_are_healthy() {
        let old = app("/web-blue", &[SERVED, PAIR], 31000, &[true, true]);
        let at = ("HAPROXY_DEPLOYMENT_STARTED_AT", "2026-11-25T15:00:00");
        let labels = [SERVED, PAIR, at, ("HAPROXY_0_PORT", "3100")];
        for (healthy, closed) in [([false, false], 0), ([true, false], 1), ([true, true], 2)] {
            let new = app("/web-green", &labels, 31500, &healthy);
            // Whichever comes first in the list.
            for apps in [[old.clone(), new.clone()], [new, old.clone()]] {
                let found = of(&apps);
                assert_eq!(found.len(), 1, "{found:?}");
                let (port, Service { name, servers }) = &found[0];
                assert_eq!((*port, name.as_str()), (3100, "web_3100"));
                let open =
                    |wanted: u16| servers.iter().find(|(p, _)| *p == wanted).map(|(_, o)| *o);
                assert_eq!((open(31000), open(31001)), (Some(closed < 1), Some(closed < 2)));
                assert_eq!(open(31500), healthy[0].then_some(true));
            }
        }
    }

    #[test]
    fn an_app_without_a_group_of_its_own_has_no_part_in_the_traffic() {
        let old = app("/web", &[SERVED, PAIR], 31000, &[true]);
        let quiet = app("/web-green", &[], 31500, &[true]);
        assert_eq!(of(&[old, quiet]), [(3100, service("web_3100", &[31000]))]);
    }
}
