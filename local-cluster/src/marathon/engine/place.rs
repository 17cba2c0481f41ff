//! Whether a task fits on this machine: what Marathon finds by matching Mesos's offers. There is
//! one agent, so the constraints on hosts can be met by one host at most.

use std::{collections::BTreeMap, net::TcpListener};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Engine, HOST};
use crate::{Capacity, marathon::app::App, time::Timestamp};

/// The host ports that tasks get.
const PORTS: std::ops::RangeInclusive<u16> = 31000..=32000;

/// Why a task can't be placed, in the order of Marathon's funnel (`/v2/queue`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    UnfulfilledRole,
    UnfulfilledConstraint,
    InsufficientCpus,
    InsufficientMemory,
    InsufficientGpus,
    InsufficientPorts,
}

/// All reasons that clients know, in order.
const FUNNEL: [(&str, Option<Reason>); 10] = [
    ("UnfulfilledRole", Some(Reason::UnfulfilledRole)),
    ("UnfulfilledConstraint", Some(Reason::UnfulfilledConstraint)),
    ("NoCorrespondingReservationFound", None),
    ("AgentMaintenance", None),
    ("InsufficientCpus", Some(Reason::InsufficientCpus)),
    ("InsufficientMemory", Some(Reason::InsufficientMemory)),
    ("InsufficientDisk", None),
    ("InsufficientGpus", Some(Reason::InsufficientGpus)),
    ("InsufficientPorts", Some(Reason::InsufficientPorts)),
    ("DeclinedScarceResources", None),
];

/// Instances of an app that wait for their tasks.
pub(super) struct Shortage {
    pub(super) since: Timestamp,
    /// How often the machine was looked at, and how often in vain for which reason.
    looked: u64,
    declined: BTreeMap<Reason, u64>,
    last: Option<(Timestamp, Reason)>,
    pub(super) until: Option<Instant>,
}

impl Shortage {
    pub(super) fn new() -> Self {
        Self {
            since: Timestamp::now(),
            looked: 0,
            declined: BTreeMap::new(),
            last: None,
            until: None,
        }
    }

    /// The machine was looked at in vain.
    pub(super) fn decline(&mut self, reason: Reason) {
        self.looked += 1;
        *self.declined.entry(reason).or_default() += 1;
        self.last = Some((Timestamp::now(), reason));
    }

    /// `processedOffersSummary` of the queue.
    pub(super) fn to_json(&self) -> Value {
        let funnel = |looked: u64, declined: &dyn Fn(Reason) -> u64| {
            let mut left = looked;
            let row = |(name, reason): &(&str, Option<Reason>)| {
                let (processed, dropped) = (left, reason.map_or(0, declined));
                left -= dropped.min(left);
                json!({ "reason": name, "declined": dropped, "processed": processed })
            };
            FUNNEL.iter().map(row).collect::<Vec<_>>()
        };
        let last = self.last.map(|(_, reason)| reason);
        let mut json = json!({
            "processedOffersCount": self.looked,
            "unusedOffersCount": self.looked,
            "rejectSummaryLastOffers":
                funnel(u64::from(last.is_some()), &|reason| u64::from(last == Some(reason))),
            "rejectSummaryLaunchAttempt":
                funnel(self.looked, &|reason| self.declined.get(&reason).copied().unwrap_or(0)),
        });
        if let Some((at, _)) = self.last {
            json["lastUnusedOfferAt"] = json!(at);
        }
        json
    }

    /// `lastUnusedOffers` of the queue.
    pub(super) fn last_offers(&self, agent: &str) -> Value {
        let offer = self.last.map(|(at, reason)| {
            json!({
                "offer": { "id": agent, "agentId": agent, "hostname": HOST, "resources": [], "attributes": [] },
                "reason": [format!("{reason:?}")],
                "timestamp": at,
            })
        });
        offer.into_iter().collect()
    }
}

impl Engine {
    /// The host ports for a task of an app, or why there is no place for it.
    pub(super) fn place(&self, app: &App) -> Result<Vec<Option<u16>>, Reason> {
        if app.accepted_resource_roles.as_ref().is_some_and(|r| !r.iter().any(|r| r == "*")) {
            return Err(Reason::UnfulfilledRole);
        }
        let running = self.of(&app.id).filter(|instance| instance.task.is_some()).count();
        if !app.constraints.iter().all(|constraint| is_met(constraint, running)) {
            return Err(Reason::UnfulfilledConstraint);
        }
        if let Some(Capacity { cpus, mem }) = self.agent.capacity() {
            let used = |what: fn(&App) -> f64| -> f64 {
                let tasks = self.instances.iter().filter(|instance| instance.task.is_some());
                tasks.map(|instance| what(&instance.app)).sum()
            };
            if used(|app| app.cpus) + app.cpus > cpus {
                return Err(Reason::InsufficientCpus);
            }
            if used(|app| app.mem) + app.mem > mem {
                return Err(Reason::InsufficientMemory);
            }
        }
        if app.gpus > 0 {
            return Err(Reason::InsufficientGpus);
        }
        self.choose_ports(app)
    }

    fn choose_ports(&self, app: &App) -> Result<Vec<Option<u16>>, Reason> {
        let wanted: Vec<Option<u16>> = if app.is_bridged() {
            app.mappings().iter().map(|mapping| mapping.host_port).collect()
        } else {
            let fixed = |port: u16| if app.require_ports { port } else { 0 };
            app.port_definitions.iter().map(|definition| Some(fixed(definition.port))).collect()
        };
        let tasks = self.instances.iter().filter_map(|instance| instance.task.as_ref());
        let mut taken: Vec<u16> =
            tasks.flat_map(|task| task.host_ports().collect::<Vec<_>>()).collect();
        // Not the port that a task has just given back: what kept a connection to it must not
        // meet another app.
        let span = PORTS.end() - PORTS.start() + 1;
        let first = u16::try_from(self.launched.wrapping_mul(17) % u64::from(span)).unwrap_or(0);
        let mut chosen = Vec::with_capacity(wanted.len());
        for port in wanted {
            let port = match port {
                None => None,
                Some(0) => {
                    let offset = self.agent.port_offset();
                    let mut candidates =
                        (0..span).map(|n| PORTS.start() + (first + offset + n) % span);
                    let free = candidates.find(|port| !taken.contains(port) && is_free(*port));
                    Some(free.ok_or(Reason::InsufficientPorts)?)
                }
                Some(port) if !taken.contains(&port) && is_free(port) => Some(port),
                Some(_) => return Err(Reason::InsufficientPorts),
            };
            taken.extend(port);
            chosen.push(port);
        }
        Ok(chosen)
    }
}

/// Whether nobody on this machine listens on a port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((HOST, port)).is_ok()
}

/// Whether one more task on this host keeps a constraint. The host has no attributes but its name.
fn is_met(constraint: &[String], running: usize) -> bool {
    let field = constraint.first().map_or("", String::as_str);
    let operator = constraint.get(1).map(|operator| operator.to_ascii_uppercase());
    let value = constraint.get(2).map(String::as_str);
    let operator = operator.as_deref().unwrap_or_default();
    if !matches!(field, "hostname" | "@hostname") {
        return operator == "UNLIKE";
    }
    // Regular expressions are compared as texts, but for the one that takes all.
    let like = value.is_some_and(|value| value == HOST || matches!(value, ".*" | ".+"));
    match operator {
        "UNIQUE" => running == 0,
        "MAX_PER" => {
            value.and_then(|value| value.parse().ok()).is_some_and(|max: usize| running < max)
        }
        "CLUSTER" => value.is_none_or(|value| value.is_empty() || value == HOST),
        "IS" => value == Some(HOST),
        "LIKE" => like,
        "UNLIKE" => !like,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_meets_what_one_host_can() {
        let met = |parts: &[&str], running| {
            is_met(&parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(), running)
        };
        assert!(met(&["hostname", "UNIQUE"], 0) && !met(&["hostname", "UNIQUE"], 1));
        assert!(met(&["hostname", "MAX_PER", "2"], 1) && !met(&["hostname", "MAX_PER", "2"], 2));
        assert!(met(&["hostname", "GROUP_BY"], 5) && met(&["hostname", "CLUSTER"], 5));
        assert!(!met(&["hostname", "CLUSTER", "node7"], 0));
        assert!(!met(&["rack", "LIKE", "b.*"], 0) && met(&["rack", "UNLIKE", "b.*"], 0));
    }

    #[test]
    fn the_funnel_shows_where_it_narrows() {
        let mut shortage = Shortage::new();
        shortage.decline(Reason::UnfulfilledConstraint);
        shortage.decline(Reason::InsufficientPorts);
        let json = shortage.to_json();
        let row = |index: usize| json["rejectSummaryLaunchAttempt"][index].clone();
        assert_eq!(
            row(1),
            json!({ "reason": "UnfulfilledConstraint", "declined": 1, "processed": 2 })
        );
        assert_eq!(row(8), json!({ "reason": "InsufficientPorts", "declined": 1, "processed": 1 }));
        assert_eq!(row(9)["processed"], 0);
        assert_eq!(json["rejectSummaryLastOffers"][8]["declined"], 1);
    }
}
