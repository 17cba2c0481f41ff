//! What a task needs.

use std::fmt::Write;

use super::Condition;
use crate::client::mesos::Amount;

/// What a task needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// Processors.
    pub cpus: Amount,
    /// MiB.
    pub mem: Amount,
    /// MiB.
    pub disk: Amount,
    /// Whole ones.
    pub gpus: Amount,
    /// What the agent has to be like.
    pub conditions: Vec<Condition>,
}

/// Bytes of a MiB, which Mesos calls a megabyte.
const MIB: u64 = 1 << 20;

impl Want {
    /// Bytes as MiB, three digits, never less.
    #[must_use]
    pub fn mebibytes(bytes: u64) -> Amount {
        let thousandths = u128::from(bytes) * 1000;
        Amount(u64::try_from(thousandths.div_ceil(u128::from(MIB))).unwrap_or(u64::MAX))
    }

    /// The resources by Mesos's name, those that are needed at all.
    pub fn amounts(&self) -> impl Iterator<Item = (&'static str, Amount)> {
        [("cpus", self.cpus), ("mem", self.mem), ("disk", self.disk), ("gpus", self.gpus)]
            .into_iter()
            .filter(|(_, amount)| amount.0 > 0)
    }
}

/// `2 cpus, 1 GiB of memory`.
impl std::fmt::Display for Want {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for (name, amount) in self.amounts() {
            let _ =
                write!(text, "{}{}", if text.is_empty() { "" } else { ", " }, shown(name, amount));
        }
        f.write_str(&text)
    }
}

/// An amount for people: `1.5 cpus`, `512 MiB of memory`.
pub(super) fn shown(name: &str, amount: Amount) -> String {
    match name {
        "mem" => format!("{} of memory", size(amount)),
        "disk" => format!("{} of disk", size(amount)),
        "cpus" if amount == Amount::whole(1) => "1 cpu".to_owned(),
        "gpus" if amount == Amount::whole(1) => "1 gpu".to_owned(),
        other => format!("{amount} {other}"),
    }
}

/// MiB for people: `512 MiB`, `1.5 GiB`.
pub(super) fn size(amount: Amount) -> String {
    let mib = amount.float();
    if mib < 1024.0 {
        // Less than a tenth says nothing.
        format!("{} MiB", (mib * 10.0).floor() / 10.0)
    } else {
        format!("{} GiB", (mib / 1024.0 * 10.0).floor() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_mebibytes_and_never_fewer() {
        assert_eq!(Want::mebibytes(512 << 20), Amount::whole(512));
        assert_eq!(Want::mebibytes(1), Amount(1));
        assert_eq!(Want::mebibytes((1 << 20) + 1), Amount(1001));
        assert_eq!(Want::mebibytes(u64::MAX), Amount(17_592_186_044_416_000));
    }

    #[test]
    fn amounts_are_shown_for_people() {
        let want = Want {
            cpus: Amount::of(1.5),
            mem: Amount::whole(1536),
            disk: Amount(0),
            gpus: Amount::whole(1),
            conditions: Vec::new(),
        };
        assert_eq!(want.to_string(), "1.5 cpus, 1.5 GiB of memory, 1 gpu");
    }
}
