//! Why a task waits: what was offered, and what each offer lacks.

use std::collections::BTreeMap;

use super::{Lack, Want, fit::Pool, want};
use crate::client::mesos::{Amount, Cluster, Id};

/// What agents have offered while a task waits.
#[derive(Debug, Default)]
pub struct Waiting {
    /// The last offer of each agent: its name, and what it lacks.
    agents: BTreeMap<Id, (String, Vec<Lack>)>,
}

/// So many agents are named.
const NAMED: usize = 3;

impl Waiting {
    /// Remembers an offer that did not fit.
    pub fn add(&mut self, pool: &Pool, lacks: Vec<Lack>) {
        let entry = (pool.offer.hostname.clone(), lacks);
        self.agents.insert(pool.offer.agent_id.clone(), entry);
    }

    /// Whether anything was offered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// The whole in one line: `3 agents offer something, none enough: …`.
    #[must_use]
    pub fn line(&self, wanted: &Want) -> String {
        if self.agents.is_empty() {
            return format!("no agent offers anything; needed: {wanted}");
        }
        let count = self.agents.len();
        let head = if count == 1 {
            "1 agent offers something, not enough".to_owned()
        } else {
            format!("{count} agents offer something, none enough")
        };
        format!("{head}: {}", self.reasons(wanted).join("; "))
    }

    /// For each thing that is lacking, how many agents lack it and what the best has.
    fn reasons(&self, wanted: &Want) -> Vec<String> {
        let all = || self.agents.values().flat_map(|(_, lacks)| lacks);
        let amounts = wanted.amounts().filter_map(|(name, needed)| {
            let few: Vec<Amount> = all()
                .filter_map(|lack| match lack {
                    Lack::Amount { name: found, offered } if *found == name => Some(*offered),
                    _ => None,
                })
                .collect();
            let best = few.iter().max()?;
            let (best, needed) = (want::shown(name, *best), want::shown(name, needed));
            Some(match few.len() {
                1 => format!("1 has only {best}, {needed} are needed"),
                n => format!("{n} have {}, at most {best}, {needed} are needed", too_few(name)),
            })
        });
        let conditions = wanted.conditions.iter().enumerate().filter_map(|(number, condition)| {
            let is =
                |lack: &&Lack| matches!(lack, Lack::Condition { number: n, .. } if *n == number);
            let count = all().filter(is).count();
            let mut others: Vec<String> = all().filter(is).map(|lack| lack.shown(wanted)).collect();
            others.sort();
            others.dedup();
            others.truncate(NAMED);
            let verb = if count == 1 { "is" } else { "are" };
            (count > 0).then(|| format!("{count} {verb} not `{condition}` ({})", others.join(", ")))
        });
        let leaving = all().filter(|lack| **lack == Lack::Maintenance).count();
        let leaving = (leaving > 0).then(|| format!("{leaving} on the way into maintenance"));
        amounts.chain(conditions).chain(leaving).collect()
    }

    /// The offers one by one, those that lack least first.
    #[must_use]
    pub fn lines(&self, wanted: &Want, most: usize) -> Vec<String> {
        let mut agents: Vec<&(String, Vec<Lack>)> = self.agents.values().collect();
        agents.sort_by_key(|(host, lacks)| (lacks.len(), host.clone()));
        let more = agents.len().saturating_sub(most);
        let shown = agents.into_iter().take(most).map(|(host, lacks)| {
            let lacks: Vec<String> = lacks.iter().map(|lack| lack.shown(wanted)).collect();
            format!("{host}: {}", lacks.join(", "))
        });
        let rest = (more > 0).then(|| format!("and {more} more"));
        shown.chain(rest).collect()
    }
}

fn too_few(name: &str) -> &'static str {
    match name {
        "mem" => "too little memory",
        "disk" => "too little disk",
        "gpus" => "too few gpus",
        _ => "too few cpus",
    }
}

/// What the cluster as a whole says about it, in lines for people.
#[must_use]
pub fn cluster_lines(cluster: &Cluster, wanted: &Want, own: &Id) -> Vec<String> {
    let agents: Vec<_> = cluster.agents.iter().filter(|a| a.active && !a.deactivated).collect();
    if agents.is_empty() {
        return vec!["no agent is registered at the master".to_owned()];
    }
    let big = |r: &crate::client::mesos::Resources| {
        r.cpus >= wanted.cpus
            && r.mem >= wanted.mem
            && r.disk >= wanted.disk
            && r.gpus >= wanted.gpus
    };
    let enough = agents.iter().filter(|agent| big(&agent.resources)).count();
    let sum = |of: fn(&crate::client::mesos::Agent) -> Amount| -> Amount {
        agents.iter().map(|agent| of(agent)).sum()
    };
    let (all, used) = (sum(|a| a.resources.cpus), sum(|a| a.used_resources.cpus));
    let (mem, used_mem) = (sum(|a| a.resources.mem), sum(|a| a.used_resources.mem));
    let mut lines = vec![format!(
        "the cluster has {} with {all} cpus and {}; tasks use {used} cpus and {}",
        if agents.len() == 1 { "1 agent".to_owned() } else { format!("{} agents", agents.len()) },
        want::size(mem),
        want::size(used_mem),
    )];
    if enough == 0 {
        lines.push(format!("no agent is big enough for {wanted}, even when it is idle"));
    }
    let mut holders: Vec<_> = cluster
        .frameworks
        .iter()
        .filter(|f| f.id != own.value && f.offered_resources.cpus.0 > 0)
        .collect();
    holders.sort_by_key(|f| std::cmp::Reverse(f.offered_resources.cpus));
    for framework in holders.into_iter().take(NAMED) {
        let held = framework.offered_resources;
        lines.push(format!(
            "framework `{}` holds offers of {} cpus and {}",
            framework.name,
            held.cpus,
            want::size(held.mem),
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::mesos::Condition;

    fn wanted() -> Want {
        Want {
            cpus: Amount::whole(2),
            mem: Amount::whole(1024),
            disk: Amount(0),
            gpus: Amount(0),
            conditions: vec![Condition::read("rack", "r1").unwrap()],
        }
    }

    fn waiting(offers: &[(&str, f64, f64, Option<&str>)]) -> Waiting {
        let mut waiting = Waiting::default();
        for (host, cpus, mem, rack) in offers {
            let mut offer = json!({ "id": { "value": "o" }, "agent_id": { "value": host },
                "hostname": host, "resources": [
                    { "name": "cpus", "type": "SCALAR", "scalar": { "value": cpus } },
                    { "name": "mem", "type": "SCALAR", "scalar": { "value": mem } }] });
            if let Some(rack) = rack {
                offer["attributes"] =
                    json!([{ "name": "rack", "type": "TEXT", "text": { "value": rack } }]);
            }
            let pool = Pool::gather(vec![serde_json::from_value(offer).unwrap()]).remove(0);
            let lacks = pool.lacks(&wanted());
            waiting.add(&pool, lacks);
        }
        waiting
    }

    #[test]
    fn each_thing_that_is_lacking_is_counted() {
        let three = waiting(&[
            ("n1", 1.5, 4096.0, Some("r1")),
            ("n2", 0.5, 900.0, Some("r2")),
            ("n3", 4.0, 4096.0, None),
        ]);
        insta::assert_snapshot!(three.line(&wanted()), @"3 agents offer something, none enough: 2 have too few cpus, at most 1.5 cpus, 2 cpus are needed; 1 has only 900 MiB of memory, 1 GiB of memory are needed; 2 are not `rack == r1` (no rack, rack is r2)");
        assert_eq!(three.lines(&wanted(), 2), ["n1: only 1.5 cpus", "n3: no rack", "and 1 more"]);
        assert_eq!(
            Waiting::default().line(&wanted()),
            "no agent offers anything; needed: 2 cpus, 1 GiB of memory"
        );
    }

    #[test]
    fn the_last_offer_of_an_agent_counts() {
        let again = waiting(&[("n1", 0.5, 4096.0, Some("r1")), ("n1", 1.0, 4096.0, Some("r1"))]);
        assert_eq!(
            again.line(&wanted()),
            "1 agent offers something, not enough: 1 has only 1 cpu, 2 cpus are needed"
        );
    }

    #[test]
    fn who_holds_the_cluster_is_told() {
        let cluster: Cluster = serde_json::from_value(json!({
            "slaves": [{ "id": "a", "hostname": "n1", "active": true,
                "resources": { "cpus": 4.0, "mem": 4096.0, "disk": 1.0, "gpus": 0.0 },
                "used_resources": { "cpus": 0.5, "mem": 64.0 } }],
            "frameworks": [
                { "id": "m", "name": "marathon", "offered_resources": { "cpus": 3.5, "mem": 4000.0 } },
                { "id": "own", "name": "pipe", "offered_resources": { "cpus": 1.0 } }],
        }))
        .unwrap();
        let lines = cluster_lines(&cluster, &wanted(), &Id::new("own"));
        assert_eq!(
            lines,
            [
                "the cluster has 1 agent with 4 cpus and 4 GiB; tasks use 0.5 cpus and 64 MiB",
                "framework `marathon` holds offers of 3.5 cpus and 3.9 GiB",
            ]
        );
        let big = Want { cpus: Amount::whole(8), ..wanted() };
        assert!(
            cluster_lines(&cluster, &big, &Id::new("own"))[1]
                .starts_with("no agent is big enough for 8 cpus")
        );
        let empty = cluster_lines(&Cluster::default(), &wanted(), &Id::new("own"));
        assert_eq!(empty, ["no agent is registered at the master"]);
    }
}
