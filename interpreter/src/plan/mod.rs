//! What a run will do: inputs bound, facts evaluated, what can be decided decided.
//!
//! Planning starts no process, opens no connection and changes no file.

mod connections;
mod decide;
mod facts;
mod key;
mod needs;
mod params;
mod show;
mod steps;

use std::sync::Arc;

use indexmap::IndexMap;
use pipe_grammar::{Diagnostic, tree::Text};
use pipe_stdlib::core::{Connections, LocalCluster, Value, World};

pub use decide::Decision;
pub use facts::Facts;
pub use key::{key, sum};
pub(crate) use needs::mentioned;
pub use show::show;
pub use steps::{Step, shown_command};

use crate::{eval::Stop, program::Program};

/// What a person gives beside the file.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `name=value` of the command line.
    pub params: Vec<(String, String)>,
    /// `--params FILE`: its name and what is in it.
    pub params_file: Option<(String, String)>,
    /// `--local`: the cluster of this machine, or that one would be started.
    pub local: Option<LocalCluster>,
    /// `--may-lack NAME`: secrets and variables whose lack only fails the stage that reads them.
    pub may_lack: Vec<String>,
    /// The id of the run.
    pub run: String,
    /// What the journal of a run that goes on says: its inputs, and when it began.
    pub recorded: Option<Recorded>,
}

/// What was given when a run began.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The values of the parameters.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// When the run began, RFC 3339.
    pub started: String,
}

/// A run that can begin.
pub struct Plan {
    /// The file.
    pub program: Arc<Program>,
    /// The machine.
    pub world: Arc<World>,
    /// What is known before the run.
    pub facts: Arc<Facts>,
    /// The inputs, by name.
    pub params: IndexMap<Text, Value>,
    /// The stages, in order.
    pub stages: Vec<StagePlan>,
    /// Where built-ins go, and as whom.
    pub connections: Connections,
    /// The shell that runs commands.
    pub shell: crate::run::Shell,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// What a stage will do.
#[derive(Clone, Debug)]
pub struct StagePlan {
    /// Its name.
    pub name: Text,
    /// Its title where it has one that is known.
    pub title: Option<String>,
    /// Whether it runs.
    pub decision: Decision,
    /// Its statements, as far as they are known.
    pub steps: Vec<Step>,
    /// The secrets that it needs.
    pub secrets: Vec<Text>,
}

/// Makes the plan of a file without errors.
///
/// # Errors
///
/// Everything that keeps the run from beginning.
pub fn plan(
    program: Arc<Program>,
    world: Arc<World>,
    inputs: &Inputs,
) -> Result<Plan, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut facts = Facts::new(program.clone(), world.clone(), inputs);
    params::bind(&mut facts, inputs, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let (params, facts) = (facts.params.clone(), Arc::new(facts));
    facts.requirements(&mut problems);
    let decisions = decide::decide(&facts, &mut problems);
    let names = facts.stage_names();
    let mut stages: Vec<StagePlan> = Vec::new();
    for (number, (name, decision)) in names.iter().zip(decisions).enumerate() {
        let runs = !matches!(decision, Decision::Skip(_));
        let secrets = if runs {
            needs::check(&facts, &format!("stage {name}"), inputs, &mut problems)
        } else {
            Vec::new()
        };
        let steps = if runs { steps::steps(&facts, number) } else { Vec::new() };
        let title = facts.title(number);
        stages.push(StagePlan { name: name.clone(), title, decision, steps, secrets });
    }
    let connections = connections::bind(&facts, &stages, inputs, &mut problems);
    let shell = crate::run::Shell::find(&world);
    problems.sort_by_key(|p: &Diagnostic| p.span().map(|span| span.start));
    problems.dedup();
    if problems.is_empty() {
        let warnings = Vec::new();
        return Ok(Plan { program, world, facts, params, stages, connections, shell, warnings });
    }
    Err(problems)
}

/// What keeps a value from being known: a message, or nothing when it is only known later.
pub(crate) fn problem(stop: Stop) -> Option<Diagnostic> {
    match stop {
        Stop::Failed(failed) => Some(failed.diagnostic),
        _ => None,
    }
}
