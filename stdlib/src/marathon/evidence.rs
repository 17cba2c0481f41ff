//! What was seen of a version that does not work, gathered before the way back removes it.

use super::{
    explain::explained,
    follow::{Ended, Follow},
    progress,
    site::Site,
};
use crate::core::Failure;

/// Titles and lines for the failure.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    parts: Vec<(String, Vec<String>)>,
}

impl Evidence {
    /// Gathers it. Nothing here may fail, and nothing waits long.
    pub(super) async fn gather(site: &Site<'_>, follow: &Follow) -> Self {
        let mut parts = Vec::new();
        let ended = follow.ended().iter().rev().find(|ended| !ended.task.is_empty());
        if let Some(ended) = ended {
            parts.push((title(&ended.task, &ended.host), end(ended)));
        }
        // Of tasks that live, one that is not well says most.
        let ill = follow
            .tasks()
            .iter()
            .find(|task| follow.goal.checks > 0 && task.healthy(follow.goal.checks) != Some(true));
        if let Some(task) = ill.filter(|_| ended.is_none()) {
            let mut lines = vec![if task.running() {
                "runs, and is not healthy".to_owned()
            } else {
                format!("is still {}", task.state)
            }];
            lines.extend(checks(task));
            parts.push((title(&task.id, &task.host), lines));
        }
        let whose = ended
            .map(|ended| (&ended.task, agent(follow, ended)))
            .or_else(|| ill.map(|task| (&task.id, task.agent.clone())));
        if let Some((task, agent)) = whose
            && let Some(lines) = site.client.stderr_tail(task, &agent, &site.info).await
            && !lines.is_empty()
        {
            parts.push(("the last lines of its stderr".to_owned(), lines));
        }
        if let Some(queued) = follow.queued().filter(|queued| queued.count > 0) {
            parts.push(("what waits".to_owned(), vec![progress::queue(queued)]));
        }
        Self { parts }
    }

    /// Adds it to a failure.
    pub(super) fn add_to(self, failure: Failure) -> Failure {
        self.parts
            .into_iter()
            .fold(failure, |failure, (title, lines)| failure.evidence(title, lines))
    }
}

fn title(task: &str, host: &str) -> String {
    if host.is_empty() { format!("task {task}") } else { format!("task {task} on {host}") }
}

fn end(ended: &Ended) -> Vec<String> {
    let mut lines = Vec::new();
    if ended.cause == super::explain::Cause::Unhealthy {
        let why = if ended.message.is_empty() { "no reason given" } else { &ended.message };
        lines.push(format!("killed, because its health checks failed: {why}"));
    } else if ended.state.is_empty() {
        lines.push("is not there any more".to_owned());
    } else if ended.message.is_empty() {
        lines.push(ended.state.clone());
    } else {
        lines.push(format!("{}: {}", ended.state, explained(&ended.message)));
    }
    lines
}

fn checks(task: &crate::client::marathon::Task) -> Vec<String> {
    task.checks
        .iter()
        .filter(|check| !check.alive)
        .map(|check| {
            let cause = check.cause.as_deref().unwrap_or("no reason given");
            format!("its health check failed {} times in a row: {cause}", check.failures)
        })
        .collect()
}

/// Events do not name the agent by its id in every version; an answer about the task did.
fn agent(follow: &Follow, ended: &Ended) -> String {
    if !ended.agent.is_empty() {
        return ended.agent.clone();
    }
    follow
        .tasks()
        .iter()
        .find(|task| task.host == ended.host)
        .map(|task| task.agent.clone())
        .unwrap_or_default()
}
