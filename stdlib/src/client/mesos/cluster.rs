//! What a cluster has, and who holds it: `/state-summary` of the master.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{Amount, Attribute, Client, Domain, Error, Id, Offer};

/// A cluster at a moment.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Cluster {
    /// Its agents.
    #[serde(default, rename = "slaves")]
    pub agents: Vec<Agent>,
    /// The frameworks that are registered.
    #[serde(default)]
    pub frameworks: Vec<Framework>,
}

/// An agent.
#[derive(Clone, Debug, Deserialize)]
pub struct Agent {
    /// Mesos's id of it.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub hostname: String,
    /// What the operator says of it.
    #[serde(default)]
    attributes: Map<String, Json>,
    /// Region and zone.
    #[serde(default)]
    domain: Option<Domain>,
    /// All that it has.
    #[serde(default)]
    pub resources: Resources,
    /// What tasks have of it.
    #[serde(default)]
    pub used_resources: Resources,
    /// What is offered to somebody.
    #[serde(default)]
    pub offered_resources: Resources,
    /// Whether it can be reached.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether an operator has taken it out.
    #[serde(default)]
    pub deactivated: bool,
}

fn yes() -> bool {
    true
}

/// A framework.
#[derive(Clone, Debug, Deserialize)]
pub struct Framework {
    /// Mesos's id of it.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What its tasks have.
    #[serde(default)]
    pub used_resources: Resources,
    /// What it holds as offers.
    #[serde(default)]
    pub offered_resources: Resources,
}

/// How much of the common kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Resources {
    /// Processors.
    #[serde(default)]
    pub cpus: Amount,
    /// MiB.
    #[serde(default)]
    pub mem: Amount,
    /// MiB.
    #[serde(default)]
    pub disk: Amount,
    /// Whole ones.
    #[serde(default)]
    pub gpus: Amount,
}

impl Agent {
    /// The attributes as texts, by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, String)> {
        self.attributes.iter().map(|(name, value)| {
            let text = match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            (name.as_str(), text)
        })
    }

    /// What it is like, as an offer of it would say; without resources.
    #[must_use]
    pub fn offer(&self) -> Offer {
        Offer {
            id: Id::default(),
            agent_id: Id::new(self.id.as_str()),
            hostname: self.hostname.clone(),
            url: None,
            domain: self.domain.clone(),
            resources: Vec::new(),
            attributes: self.attributes.iter().map(|(n, v)| Attribute::summary(n, v)).collect(),
            unavailability: None,
        }
    }
}

impl Client {
    /// What the cluster has at the moment.
    ///
    /// # Errors
    ///
    /// No answer, or not a master's.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        let json = self.get("/state-summary").await?;
        serde_json::from_value(json).map_err(|_| {
            Error::Foreign(format!("what answers at `{}` is no Mesos master", self.leader()))
        })
    }
}
