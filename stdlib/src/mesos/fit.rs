//! Whether what an agent offers is enough for a task, and which pieces the task gets.

use std::time::Duration;

use super::{Want, want};
use crate::client::mesos::{Amount, Id, Offer, Resource};

/// The offers of one agent in one round, less what tasks have been given of them.
#[derive(Debug)]
pub struct Pool {
    /// The first offer, which says what the agent is like.
    pub offer: Offer,
    /// All offers of the agent: they are taken together.
    pub offers: Vec<Id>,
    /// What is left and may be used; what is reserved for our role first, so that it is used
    /// first.
    left: Vec<Resource>,
    /// How much that is of each kind that tasks want.
    sums: [Amount; NAMES.len()],
}

/// The kinds of resources that tasks want.
const NAMES: [&str; 4] = ["cpus", "mem", "disk", "gpus"];

/// Something that an agent lacks for a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Too little of a resource.
    Amount {
        /// `cpus`, `mem`, `disk`, `gpus`.
        name: &'static str,
        /// What it offers.
        offered: Amount,
    },
    /// It is not like a condition says; which one, by its place in the list.
    Condition {
        /// The place in [`Want::conditions`].
        number: usize,
        /// What it has instead.
        instead: Option<String>,
    },
    /// It goes into maintenance too soon.
    Maintenance,
}

impl Pool {
    /// Puts the offers of each agent together, in the order in which they came.
    #[must_use]
    pub fn gather(offers: Vec<Offer>) -> Vec<Self> {
        let mut pools: Vec<Self> = Vec::with_capacity(offers.len());
        let mut places = std::collections::BTreeMap::<Id, usize>::new();
        for mut offer in offers {
            let resources = std::mem::take(&mut offer.resources);
            let plain = resources.into_iter().filter(Resource::is_plain);
            if let Some(pool) = places.get(&offer.agent_id).and_then(|&place| pools.get_mut(place))
            {
                pool.offers.push(offer.id);
                pool.left.extend(plain);
            } else {
                places.insert(offer.agent_id.clone(), pools.len());
                let left = plain.collect();
                let sums = [Amount::default(); NAMES.len()];
                pools.push(Self { offers: vec![offer.id.clone()], left, sums, offer });
            }
        }
        for pool in &mut pools {
            pool.left.sort_by_key(|resource| !resource.is_reserved());
            for (name, sum) in NAMES.iter().zip(&mut pool.sums) {
                *sum = pool.left.iter().filter(|r| r.name == *name).map(Resource::amount).sum();
            }
        }
        pools
    }

    /// How much is left of a resource.
    #[must_use]
    pub fn left(&self, name: &str) -> Amount {
        let sum = NAMES.iter().zip(&self.sums).find(|(found, _)| **found == name);
        sum.map_or(Amount::default(), |(_, sum)| *sum)
    }

    /// Whether a task fits.
    #[must_use]
    pub fn fits(&self, want: &Want) -> bool {
        want.amounts().all(|(name, amount)| self.left(name) >= amount)
            && want.conditions.iter().all(|condition| condition.holds(&self.offer))
    }

    /// The pieces for a task that fits. One need may be met by several pieces.
    #[must_use]
    pub fn take(&mut self, want: &Want) -> Vec<Resource> {
        let mut pieces = Vec::new();
        for (name, amount) in want.amounts() {
            let mut missing = amount;
            for resource in self.left.iter_mut().filter(|r| r.name == name) {
                let piece = resource.amount().min(missing);
                if piece.0 > 0 {
                    pieces.push(resource.piece(piece));
                    *resource = resource.piece(resource.amount().minus(piece));
                    missing = missing.minus(piece);
                }
            }
            if let Some((_, sum)) = NAMES.iter().zip(&mut self.sums).find(|(n, _)| **n == name) {
                *sum = sum.minus(amount.minus(missing));
            }
        }
        pieces
    }

    /// Everything that is missing for a task.
    #[must_use]
    pub fn lacks(&self, want: &Want) -> Vec<Lack> {
        let amounts = want.amounts().filter_map(|(name, amount)| {
            let offered = self.left(name);
            (offered < amount).then_some(Lack::Amount { name, offered })
        });
        let conditions = want.conditions.iter().enumerate().filter_map(|(number, condition)| {
            let instead = || condition.instead(&self.offer);
            (!condition.holds(&self.offer)).then(|| Lack::Condition { number, instead: instead() })
        });
        amounts.chain(conditions).collect()
    }

    /// Whether the agent goes into maintenance before a time, both since 1970.
    #[must_use]
    pub fn is_leaving(&self, now: Duration, until: Duration) -> bool {
        self.offer.unavailability.is_some_and(|unavailability| {
            let (start, end) = unavailability.window();
            start < until && end.is_none_or(|end| end > now)
        })
    }
}

impl Lack {
    /// For one agent: `900 MiB of memory`, `rack r2`, `no rack`.
    #[must_use]
    pub fn shown(&self, wanted: &Want) -> String {
        match self {
            Self::Amount { name, offered } => format!("only {}", want::shown(name, *offered)),
            Self::Condition { number, instead } => {
                let name = wanted.conditions.get(*number).map_or("", |c| c.name.as_str());
                match instead {
                    Some(instead) => format!("{name} is {instead}"),
                    None => format!("no {name}"),
                }
            }
            Self::Maintenance => "goes into maintenance".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::mesos::Condition;

    fn scalar(name: &str, value: f64, reserved: bool) -> Json {
        let mut json = json!({ "name": name, "type": "SCALAR", "scalar": { "value": value },
            "allocation_info": { "role": "ci" } });
        if reserved {
            json["reservations"] = json!([{ "type": "STATIC", "role": "ci" }]);
        }
        json
    }

    fn offer(id: &str, agent: &str, resources: &[Json]) -> Offer {
        serde_json::from_value(json!({ "id": { "value": id }, "agent_id": { "value": agent },
            "hostname": agent, "resources": resources }))
        .unwrap()
    }

    fn want(cpus: f64, mem: u64) -> Want {
        Want {
            cpus: Amount::of(cpus),
            mem: Amount::whole(mem),
            disk: Amount(0),
            gpus: Amount(0),
            conditions: Vec::new(),
        }
    }

    #[test]
    fn reserved_pieces_go_first_and_a_need_may_be_split() {
        let offers = vec![offer(
            "o",
            "a",
            &[
                scalar("cpus", 3.0, false),
                scalar("mem", 300.0, false),
                scalar("cpus", 0.5, true),
                scalar("mem", 256.0, true),
            ],
        )];
        let mut pool = Pool::gather(offers).remove(0);
        let wanted = want(1.0, 512);
        assert!(pool.fits(&wanted));
        let pieces = serde_json::to_value(pool.take(&wanted)).unwrap();
        assert_eq!(
            pieces,
            json!([
                scalar("cpus", 0.5, true),
                scalar("cpus", 0.5, false),
                scalar("mem", 256.0, true),
                scalar("mem", 256.0, false),
            ])
        );
        assert_eq!((pool.left("cpus"), pool.left("mem")), (Amount::of(2.5), Amount::whole(44)));
        assert_eq!(
            pool.lacks(&want(4.0, 45)),
            [
                Lack::Amount { name: "cpus", offered: Amount::of(2.5) },
                Lack::Amount { name: "mem", offered: Amount::whole(44) },
            ]
        );
    }

    #[test]
    fn ten_tenths_are_one() {
        let mut pool = Pool::gather(vec![offer("o", "a", &[scalar("cpus", 1.0, false)])]).remove(0);
        let tenth = want(0.1, 0);
        for _ in 0..10 {
            assert!(pool.fits(&tenth));
            assert_eq!(pool.take(&tenth).len(), 1);
        }
        assert!(!pool.fits(&tenth));
    }

    #[test]
    fn the_offers_of_an_agent_are_one_pool() {
        let pools = Pool::gather(vec![
            offer("o1", "a", &[scalar("cpus", 1.0, false)]),
            offer("o2", "b", &[scalar("cpus", 1.0, false)]),
            offer("o3", "a", &[scalar("cpus", 1.0, true)]),
        ]);
        assert_eq!(pools.len(), 2);
        assert_eq!(pools[0].offers, [Id::new("o1"), Id::new("o3")]);
        assert!(pools[0].fits(&want(2.0, 0)) && !pools[1].fits(&want(2.0, 0)));
    }

    #[test]
    fn what_is_not_plain_counts_for_nothing() {
        let mut revocable = scalar("cpus", 8.0, false);
        revocable["revocable"] = json!({});
        let pool = Pool::gather(vec![offer("o", "a", &[revocable, scalar("cpus", 1.0, false)])]);
        assert_eq!(pool[0].left("cpus"), Amount::whole(1));
    }

    #[test]
    fn an_agent_on_its_way_out_is_told_from_others() {
        let mut json = json!({ "id": { "value": "o" }, "agent_id": { "value": "a" } });
        json["unavailability"] = json!({ "start": { "nanoseconds": 100_000_000_000_u64 }, "duration": { "nanoseconds": 50_000_000_000_u64 } });
        let pool = Pool::gather(vec![serde_json::from_value(json).unwrap()]).remove(0);
        let leaving =
            |now, until| pool.is_leaving(Duration::from_secs(now), Duration::from_secs(until));
        assert!(leaving(50, 101) && leaving(120, 130));
        assert!(!leaving(50, 100) && !leaving(150, 200));
    }

    #[test]
    fn conditions_are_lacking_one_by_one() {
        let pool = Pool::gather(vec![offer("o", "a", &[])]).remove(0);
        let mut wanted = want(0.0, 0);
        wanted.conditions =
            vec![Condition::read("hostname", "a").unwrap(), Condition::read("rack", "r1").unwrap()];
        let lacks = pool.lacks(&wanted);
        assert_eq!(lacks, [Lack::Condition { number: 1, instead: None }]);
        assert_eq!(lacks[0].shown(&wanted), "no rack");
    }
}
