//! The calls of a scheduler.
//!
//! Source: `include/mesos/v1/scheduler/scheduler.proto`, `Call`. The master ignores fields that it
//! does not know, so a misspelt one would never be told: everything is typed.

use serde::Serialize;

use super::{Id, TaskInfo};

/// A call, without the id of the framework that makes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Call {
    /// Opens the stream.
    Subscribe {
        /// As whom.
        subscribe: Subscribe,
    },
    /// Takes offers.
    Accept {
        /// Which, and for what.
        accept: Accept,
    },
    /// Gives offers back.
    Decline {
        /// Which, and for how long.
        decline: Decline,
    },
    /// Wants no offers.
    Suppress {
        /// For which roles.
        suppress: Roles,
    },
    /// Wants offers again, also those that it has declined.
    Revive {
        /// For which roles.
        revive: Roles,
    },
    /// Has taken note of an update.
    Acknowledge {
        /// Of which.
        acknowledge: Acknowledge,
    },
    /// Asks for the state of tasks.
    Reconcile {
        /// Of which; of all when there are none.
        reconcile: Reconcile,
    },
    /// Ends a task.
    Kill {
        /// Which, and how.
        kill: Kill,
    },
    /// Ends all tasks and the framework. Its id is burnt then.
    Teardown,
}

/// A call as it is sent.
#[derive(Serialize)]
pub(super) struct Envelope<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) framework_id: Option<&'a Id>,
    #[serde(flatten)]
    pub(super) call: &'a Call,
}

/// As whom we subscribe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subscribe {
    /// Who we are.
    pub framework_info: FrameworkInfo,
    /// The roles for which no offers are wanted yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppressed_roles: Vec<String>,
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrameworkInfo {
    /// As which user of the agent tasks run, unless they say.
    pub user: String,
    /// For people.
    pub name: String,
    /// When we come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// So many seconds our tasks live on without us.
    pub failover_timeout: f64,
    /// Tasks outlive a restart of their agent.
    pub checkpoint: bool,
    /// The roles whose offers we take.
    pub roles: Vec<String>,
    /// The machine that we run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// As whom we log in. It must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Where people see more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webui_url: Option<String>,
    /// What we understand.
    pub capabilities: Vec<Capability>,
    /// For people and tools.
    pub labels: Labels,
}

/// Something that a framework understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Capability {
    /// `roles` instead of `role`.
    MultiRole,
    /// Reservations of reservations.
    ReservationRefinement,
    /// Precise states instead of `TASK_LOST`.
    PartitionAware,
    /// `TASK_KILLING`.
    TaskKillingState,
    /// Offers of agents with GPUs.
    GpuResources,
}

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Labels {
    /// One each.
    pub labels: Vec<Label>,
}

/// A name and a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
}

impl FromIterator<(String, String)> for Labels {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let labels = pairs.into_iter().map(|(key, value)| Label { key, value }).collect();
        Self { labels }
    }
}

/// Takes offers of one agent and role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accept {
    /// The offers.
    pub offer_ids: Vec<Id>,
    /// What to do with them.
    pub operations: Vec<Operation>,
    /// For how long what is left is not wanted.
    pub filters: Filters,
}

/// Something to do with offers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    /// Starts tasks.
    Launch {
        /// Which.
        launch: Launch,
    },
}

/// Starts tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Launch {
    /// Which.
    pub task_infos: Vec<TaskInfo>,
}

/// Gives offers back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decline {
    /// Which.
    pub offer_ids: Vec<Id>,
    /// For how long.
    pub filters: Filters,
}

/// For how long the same is not to be offered again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Filters {
    /// Seconds; 5 when nothing is said.
    pub refuse_seconds: f64,
}

/// Some roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Roles {
    /// Their names.
    pub roles: Vec<String>,
}

/// Has taken note of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acknowledge {
    /// The agent that sent it.
    pub agent_id: Id,
    /// The task.
    pub task_id: Id,
    /// As it came.
    pub uuid: String,
}

/// Asks for the state of tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconcile {
    /// Which.
    pub tasks: Vec<TaskOfAgent>,
}

/// A task and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskOfAgent {
    /// The task.
    pub task_id: Id,
    /// Its agent; without it the answer is slow and vague.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Id>,
}

/// Ends a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kill {
    /// Which.
    pub task_id: Id,
    /// Where it is; a wrong one is ignored without a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Id>,
    /// How long it may take; a later kill may only shorten it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_policy: Option<super::KillPolicy>,
}
