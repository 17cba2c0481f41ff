//! How long each thing may take.

use std::time::Duration;

use crate::client::mesos::Pace;

/// How long each thing may take. Tests have another one.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Of the client.
    pub pace: Pace,
    /// How long a master is looked for when a stage begins.
    pub subscribe: Duration,
    /// So long Mesos keeps our tasks when we are gone, in case we come back.
    pub failover: Duration,
    /// So long a declined agent is not offered again.
    pub refuse: Duration,
    /// When it is first said why a task waits, and how often again.
    pub explain: Duration,
    /// How often it is said again.
    pub explain_again: Duration,
    /// After so long an agent that goes into maintenance within the task's life is better than none.
    pub maintenance: Duration,
    /// After so long without a word of a new task the master is asked for it.
    pub launch: Duration,
    /// The first pause between two questions for a task; each next one is twice as long.
    pub ask: Duration,
    /// The longest pause while there is no answer.
    pub longest_ask: Duration,
    /// How often all tasks are asked for.
    pub ask_all: Duration,
    /// So long a task that the master does not know any more may still show up.
    pub gone: Duration,
    /// So long the update that ends a task may come behind an answer that says so.
    pub rumour: Duration,
    /// So long a task may be out of sight.
    pub unreachable: Duration,
    /// How often a task is told to end.
    pub kill: Duration,
    /// Between TERM and KILL.
    pub grace: Duration,
    /// No task lives longer, whoever is there to end it.
    pub life: Duration,
    /// From running to the first call of the worker.
    pub hello: Duration,
    /// How long the worker may be silent while its task is said to run.
    pub silence: Duration,
    /// How long the orderly end of a task may take.
    pub end: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            pace: Pace::default(),
            subscribe: seconds(60),
            failover: seconds(120),
            refuse: seconds(5),
            explain: seconds(10),
            explain_again: seconds(60),
            maintenance: seconds(60),
            launch: seconds(30),
            ask: seconds(1),
            longest_ask: seconds(60),
            ask_all: seconds(10 * 60),
            gone: seconds(5),
            rumour: seconds(60),
            unreachable: seconds(15 * 60),
            kill: seconds(10),
            grace: seconds(10),
            life: seconds(24 * 60 * 60),
            hello: seconds(60),
            silence: seconds(120),
            end: seconds(15),
        }
    }
}
