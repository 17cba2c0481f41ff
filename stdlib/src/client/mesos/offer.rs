//! Offers: what an agent has left for our role.
//!
//! Source: `include/mesos/v1/mesos.proto`, `Offer`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Amount, Resource};

/// The wrapper of every id.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    /// The id itself.
    pub value: String,
}

impl Id {
    /// Wraps an id.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into() }
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.value)
    }
}

/// What one agent has left for one role.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// Mesos's id of it.
    pub id: Id,
    /// The agent.
    pub agent_id: Id,
    /// The agent's name.
    #[serde(default)]
    pub hostname: String,
    /// Where the agent answers.
    #[serde(default)]
    pub url: Option<Url>,
    /// Region and zone.
    #[serde(default)]
    pub domain: Option<Domain>,
    /// What there is.
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// What the operator says of the agent.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// When the agent goes into maintenance.
    #[serde(default)]
    pub unavailability: Option<Unavailability>,
}

/// Where an agent answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Url {
    /// `http`, also where it should be `https`.
    #[serde(default)]
    pub scheme: String,
    /// Host and port.
    pub address: Address,
}

/// Host and port.
#[derive(Clone, Debug, Deserialize)]
pub struct Address {
    /// A name, if there is one.
    #[serde(default)]
    pub hostname: Option<String>,
    /// An address.
    #[serde(default)]
    pub ip: Option<String>,
    /// A port.
    pub port: u16,
}

impl Url {
    /// `http://10.0.0.5:5051`.
    #[must_use]
    pub fn base(&self) -> Option<String> {
        let host = self.address.hostname.as_deref().or(self.address.ip.as_deref())?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let scheme = if self.scheme == "https" { "https" } else { "http" };
        Some(format!("{scheme}://{host}:{}", self.address.port))
    }
}

/// Region and zone.
#[derive(Clone, Debug, Deserialize)]
pub struct Domain {
    #[serde(default)]
    fault_domain: Option<FaultDomain>,
}

#[derive(Clone, Debug, Deserialize)]
struct FaultDomain {
    #[serde(default)]
    region: Option<Name>,
    #[serde(default)]
    zone: Option<Name>,
}

#[derive(Clone, Debug, Deserialize)]
struct Name {
    name: String,
}

/// What the operator says of an agent.
#[derive(Clone, Debug, Deserialize)]
pub struct Attribute {
    /// Its name; several may have the same.
    pub name: String,
    #[serde(default)]
    text: Option<Text>,
    #[serde(default)]
    scalar: Option<super::resource::Scalar>,
    #[serde(default)]
    ranges: Option<Ranges>,
    #[serde(default)]
    set: Option<Set>,
}

#[derive(Clone, Debug, Deserialize)]
struct Text {
    value: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Ranges {
    #[serde(default)]
    range: Vec<Range>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Range {
    begin: u64,
    end: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Set {
    #[serde(default)]
    item: Vec<String>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// A number.
    Number(Amount),
    /// Whole numbers from one to another, both included.
    Ranges(Vec<(u64, u64)>),
    /// Several texts.
    Set(Vec<String>),
}

impl Attribute {
    /// As summaries write it: a number, `[1-2, 5-7]`, `{a, b}`, or a text.
    pub(super) fn summary(name: &str, value: &serde_json::Value) -> Self {
        let mut attribute =
            Self { name: name.to_owned(), text: None, scalar: None, ranges: None, set: None };
        let text = value.as_str().unwrap_or_default();
        let inside = |open: char, close: char| text.strip_prefix(open)?.strip_suffix(close);
        let items = |inside: &str| -> Vec<String> {
            inside.split(',').map(|item| item.trim().to_owned()).collect()
        };
        let range = |item: &String| {
            let (begin, end) = item.split_once('-')?;
            Some(Range { begin: begin.parse().ok()?, end: end.parse().ok()? })
        };
        if let Some(number) = value.as_f64() {
            attribute.scalar = Some(super::resource::Scalar { value: Amount::of(number) });
        } else if let Some(range) =
            inside('[', ']').and_then(|inside| items(inside).iter().map(range).collect())
        {
            attribute.ranges = Some(Ranges { range });
        } else if let Some(inside) = inside('{', '}') {
            attribute.set = Some(Set { item: items(inside) });
        } else {
            attribute.text = Some(Text { value: text.to_owned() });
        }
        attribute
    }

    /// What it says.
    #[must_use]
    pub fn value(&self) -> AttributeValue {
        if let Some(scalar) = self.scalar {
            AttributeValue::Number(scalar.value)
        } else if let Some(ranges) = &self.ranges {
            AttributeValue::Ranges(ranges.range.iter().map(|r| (r.begin, r.end)).collect())
        } else if let Some(set) = &self.set {
            AttributeValue::Set(set.item.clone())
        } else {
            AttributeValue::Text(self.text.as_ref().map(|t| t.value.clone()).unwrap_or_default())
        }
    }
}

impl std::fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Ranges(ranges) => {
                let shown: Vec<String> = ranges.iter().map(|(a, b)| format!("{a}-{b}")).collect();
                f.write_str(&shown.join(","))
            }
            Self::Set(items) => f.write_str(&items.join(",")),
        }
    }
}

/// When an agent goes into maintenance.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Unavailability {
    start: Nanoseconds,
    #[serde(default)]
    duration: Option<Nanoseconds>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Nanoseconds {
    nanoseconds: i64,
}

impl Unavailability {
    /// From when to when, since 1970; without an end for ever.
    #[must_use]
    pub fn window(&self) -> (Duration, Option<Duration>) {
        let of = |n: Nanoseconds| Duration::from_nanos(u64::try_from(n.nanoseconds).unwrap_or(0));
        let start = of(self.start);
        (start, self.duration.map(|duration| start + of(duration)))
    }
}

impl Offer {
    /// How much of a resource it has for us, reserved or not.
    #[must_use]
    pub fn amount(&self, name: &str) -> Amount {
        let usable = self.resources.iter().filter(|r| r.name == name && r.is_plain());
        usable.map(Resource::amount).sum()
    }

    /// The region of the agent.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        Some(self.domain.as_ref()?.fault_domain.as_ref()?.region.as_ref()?.name.as_str())
    }

    /// The zone of the agent.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        Some(self.domain.as_ref()?.fault_domain.as_ref()?.zone.as_ref()?.name.as_str())
    }
}
