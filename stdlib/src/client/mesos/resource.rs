//! Resources: how much of what, and for whom it is reserved.
//!
//! Source: `include/mesos/v1/mesos.proto`, `Resource`. Fields that only pass through keep the form
//! in which they came, so that a piece of an offer is given back exactly as it was offered.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// An amount in thousandths: Mesos keeps three decimal digits, and floats don't add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

impl Amount {
    /// Of a whole number.
    #[must_use]
    pub const fn whole(number: u64) -> Self {
        Self(number * 1000)
    }

    /// Of a float, rounded to three digits; nothing for what is no amount.
    #[must_use]
    pub fn of(number: f64) -> Self {
        let thousandths = (number * 1000.0).round();
        // Saturates, and makes 0 of NaN and what is negative.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        Self(thousandths as u64)
    }

    /// As a float.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 thousandths")]
    pub fn float(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// What is left; never less than nothing.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::default(), |mut sum, item| {
            sum += item;
            sum
        })
    }
}

/// `1.5`, `512`.
impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.float())
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.float())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::of)
    }
}

/// A number in its wrapper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scalar {
    /// The number.
    pub value: Amount,
}

/// One entry of an offer, or a piece of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// `cpus`, `mem` (MiB), `disk` (MiB), `gpus`, `ports`.
    pub name: String,
    /// `SCALAR`, `RANGES`, `SET`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How much, of a scalar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scalar: Option<Scalar>,
    /// The role that it is reserved for, before reservations could be refined; `*`: nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// To which role this offer gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_info: Option<Json>,
    /// A dynamic reservation, in the old form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<Json>,
    /// For whom it is reserved, the innermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<Json>,
    /// Which disk, and what lies on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Json>,
    /// It may be taken away again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocable: Option<Json>,
    /// Several may have it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Json>,
    /// It comes from outside the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<Json>,
}

impl Resource {
    /// How much; nothing for ranges and sets.
    #[must_use]
    pub fn amount(&self) -> Amount {
        self.scalar.map(|scalar| scalar.value).unwrap_or_default()
    }

    /// Whether it is kept for a role.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        !self.reservations.is_empty()
            || self.reservation.is_some()
            || self.role.as_deref().is_some_and(|role| role != "*")
    }

    /// Whether a task may simply use it: it stays for the task's life, nobody else has it, and no
    /// one's data lies on it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let scratch = self.disk.as_ref().is_none_or(|disk| {
            let kind = disk["source"]["type"].as_str();
            disk["persistence"].is_null() && matches!(kind, None | Some("PATH"))
        });
        self.revocable.is_none() && self.shared.is_none() && self.provider_id.is_none() && scratch
    }

    /// A piece of it.
    #[must_use]
    pub fn piece(&self, amount: Amount) -> Self {
        Self { scalar: Some(Scalar { value: amount }), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_add_up() {
        let tenth = Amount::of(0.1);
        assert_eq!((0..10).map(|_| tenth).sum::<Amount>(), Amount::whole(1));
        assert_eq!(Amount::of(3.9).minus(Amount::of(0.2)), Amount::of(3.7));
        assert_eq!(Amount::of(f64::NAN), Amount(0));
        assert_eq!(Amount::of(-1.0), Amount(0));
        assert_eq!(Amount::of(2.25).to_string(), "2.25");
        assert_eq!(serde_json::to_string(&Amount::of(0.1)).unwrap(), "0.1");
    }

    #[test]
    fn a_piece_keeps_everything_but_its_size() {
        let offered = json!({
            "name": "disk", "type": "SCALAR", "scalar": { "value": 8192.0 },
            "allocation_info": { "role": "ci" },
            "reservations": [{ "type": "STATIC", "role": "ci" }],
            "disk": { "source": { "type": "PATH", "path": { "root": "/mnt/a" } } },
        });
        let resource: Resource = serde_json::from_value(offered.clone()).unwrap();
        assert!(resource.is_reserved() && resource.is_plain());
        let mut wanted = offered;
        wanted["scalar"]["value"] = json!(100.5);
        let piece = serde_json::to_value(resource.piece(Amount::of(100.5))).unwrap();
        assert_eq!(piece, wanted);
    }

    #[test]
    fn what_is_not_ours_to_use_is_not_plain() {
        let plain = |more: Json| {
            let mut json = json!({ "name": "disk", "type": "SCALAR", "scalar": { "value": 1 } });
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Resource>(json).unwrap().is_plain()
        };
        assert!(plain(json!({ "role": "*" })));
        assert!(!plain(json!({ "revocable": {} })));
        assert!(!plain(json!({ "shared": {} })));
        assert!(!plain(json!({ "provider_id": { "value": "p" } })));
        assert!(!plain(json!({ "disk": { "source": { "type": "MOUNT" } } })));
        assert!(!plain(json!({ "disk": { "persistence": { "id": "data" } } })));
    }
}
