//! `mesos.agents()`

use pipe_grammar::Code;

use super::{Condition, Timing, trouble::failure};
use crate::{
    client::mesos::{Agent, Client},
    core::{Arguments, Call, Failure, Outcome, Value, builtin},
};

builtin! {
    step mesos.agents, agents;
    "
    # The agents of the Mesos cluster that can be reached, by their names.
    (
      # Attributes that they must have, as of `mesos.task`.
      where: map<string> = {},
    ) -> list<Agent>
    "
    examples: ["mesos.agents()", r#"mesos.agents(where: { rack: "r1" })"#]
}

/// The types that the functions of this module name, in the language's own syntax.
pub(super) const TYPES: &[(&str, &str)] = &[(
    "Agent",
    "{ id: string, hostname: string, attributes: map<string>, cpus: float, mem: size }",
)];

async fn agents(call: Call<'_>, arguments: Arguments) -> Outcome {
    let written: Vec<(String, String)> = arguments.get("where")?;
    let conditions = written.iter().map(|(name, written)| Condition::read(name, written));
    let conditions: Vec<Condition> = conditions.collect::<Result<_, _>>()?;
    let connection = super::start::connection(&call)?;
    let client = Client::new(connection, Timing::default().pace)
        .await
        .map_err(|why| Failure::infrastructure(Code::UNREACHABLE_SERVER, why))?;
    let cluster = call.unless_cancelled(client.cluster()).await?;
    let cluster = cluster.map_err(|error| failure(&error, connection))?;
    let mut agents: Vec<Agent> = cluster.agents;
    agents.retain(|agent| {
        let offer = agent.offer();
        agent.active && !agent.deactivated && conditions.iter().all(|c| c.holds(&offer))
    });
    agents.sort_by(|a, b| (&a.hostname, &a.id).cmp(&(&b.hostname, &b.id)));
    Ok(Value::list(agents.iter().map(record)))
}

fn record(agent: &Agent) -> Value {
    let attributes = agent.attributes().map(|(name, text)| (name.to_owned(), Value::from(text)));
    let resources = &agent.resources;
    Value::record([
        ("id", Value::string(agent.id.as_str())),
        ("hostname", Value::string(agent.hostname.as_str())),
        ("attributes", Value::record(attributes)),
        ("cpus", Value::Float(resources.cpus.float())),
        ("mem", Value::Size(resources.mem.0.saturating_mul(1 << 20) / 1000)),
    ])
}
