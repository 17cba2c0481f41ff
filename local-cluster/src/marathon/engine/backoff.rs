//! How long an app that keeps failing waits for its next start
//! (`core/launchqueue/impl/RateLimiter.scala`).

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    marathon::app::{App, AppId, seconds},
    time::Timestamp,
};

/// The delays of all apps. A change of the configuration begins anew.
pub(crate) struct Backoff {
    second: Duration,
    delays: BTreeMap<(AppId, Timestamp), Delay>,
}

#[derive(Clone, Copy)]
struct Delay {
    since: Instant,
    length: Duration,
    longest: Duration,
}

fn key(app: &App) -> (AppId, Timestamp) {
    (app.id.clone(), app.version_info.last_config_change_at)
}

impl Backoff {
    /// No delay for any app. `second` is how long a second of a definition lasts.
    pub(crate) fn new(second: Duration) -> Self {
        Self { second, delays: BTreeMap::new() }
    }

    /// A task ended that should run: the next start is later than the last.
    pub(crate) fn raise(&mut self, app: &App, now: Instant) {
        let longest = seconds(app.max_launch_delay_seconds, self.second);
        let first = seconds(app.backoff_seconds, self.second).min(longest);
        let length = match self.delays.get(&key(app)) {
            Some(delay) => delay.length.mul_f64(app.backoff_factor.max(1.0)).min(longest),
            None => first,
        };
        self.delays.insert(key(app), Delay { since: now, length, longest });
    }

    /// A task starts: the delay counts from now.
    pub(crate) fn restart_clock(&mut self, app: &App, now: Instant) {
        if let Some(delay) = self.delays.get_mut(&key(app)) {
            delay.since = now;
        }
    }

    /// Forgets the delay of an app.
    pub(crate) fn reset(&mut self, app: &App) {
        self.delays.remove(&key(app));
    }

    /// When the next task may start, if that is not at once.
    pub(crate) fn until(&mut self, app: &App, now: Instant) -> Option<Instant> {
        self.delays.retain(|_, delay| now <= delay.since + delay.longest);
        let delay = self.delays.get(&key(app))?;
        Some(delay.since + delay.length).filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn app(value: &serde_json::Value) -> App {
        App::whole(value.as_object().unwrap(), None).unwrap()
    }

    #[test]
    fn each_failure_makes_the_delay_longer() {
        let app = app(&json!({
            "id": "/a", "cmd": "x y", "backoffFactor": 2, "maxLaunchDelaySeconds": 5,
        }));
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let now = Instant::now();
        assert_eq!(backoff.until(&app, now), None);
        for seconds in [1, 2, 4, 5, 5] {
            backoff.raise(&app, now);
            assert_eq!(backoff.until(&app, now), Some(now + Duration::from_secs(seconds)));
        }
        let later = now + Duration::from_secs(4);
        backoff.restart_clock(&app, later);
        assert_eq!(backoff.until(&app, later), Some(later + Duration::from_secs(5)));
        // Forgotten when the longest delay has passed.
        let last = later + Duration::from_secs(6);
        assert_eq!(backoff.until(&app, last), None);
        backoff.raise(&app, last);
        assert_eq!(backoff.until(&app, last), Some(last + Duration::from_secs(1)));
        backoff.reset(&app);
        assert_eq!(backoff.until(&app, last), None);
    }
}
