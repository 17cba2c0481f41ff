//! Waiting for other deployments: Marathon changes an app only when no deployment holds it.

use std::time::Duration;

use pipe_grammar::Code;
use tokio::time::Instant;

use super::{plan::span, site::Site};
use crate::core::Failure;

/// How long others were waited for, over all tries of a change.
pub(super) struct Lock {
    within: Duration,
    since: Option<Instant>,
}

impl Lock {
    pub(super) fn new(within: Duration) -> Self {
        Self { within, since: None }
    }

    /// Whether there was something to wait for.
    pub(super) fn waited(&self) -> bool {
        self.since.is_some()
    }

    /// Waits until the deployments `by` that hold the app are over; without ids, those that touch
    /// it.
    ///
    /// # Errors
    ///
    /// They take too long, or nobody answers.
    pub(super) async fn wait(
        &mut self,
        site: &Site<'_>,
        id: &str,
        by: &[String],
    ) -> Result<(), Failure> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let mut told = false;
        loop {
            let all = site.ask(site.client.deployments()).await?;
            let names: Vec<String> = all
                .iter()
                .filter(|d| by.contains(&d.id) || (by.is_empty() && d.apps.iter().any(|a| a == id)))
                .map(|d| format!("{} of {}", d.id, d.apps.join(", ")))
                .collect();
            if since.elapsed() >= self.within {
                let within = span(self.within);
                return Err(Failure::infrastructure(
                    Code::APP_LOCKED,
                    format!("`{id}` is held by another deployment for longer than {within}"),
                )
                .help(
                    "wait longer, or cancel the other one: `marathon.deploy(…, force: true)` does \
                     that",
                )
                .evidence("what holds it", names));
            }
            if names.is_empty() {
                // It may be gone from the list a moment before it lets go of the app.
                site.call.unless_cancelled(tokio::time::sleep(site.timing.poll)).await?;
                return Ok(());
            }
            if !std::mem::replace(&mut told, true) {
                site.say(format!("waiting for deployment {}", names.join(" and ")));
            }
            site.call.unless_cancelled(tokio::time::sleep(site.timing.poll)).await?;
        }
    }
}
