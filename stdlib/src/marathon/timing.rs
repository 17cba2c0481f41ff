//! How often and how long a deployment is looked after.

use std::time::Duration;

use crate::client::marathon::Pace;

/// Every pause and every patience in one place; tests make them short.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between two looks at the app and the list of deployments.
    pub poll: Duration,
    /// A line at least so often, also when nothing changes.
    pub reminder: Duration,
    /// How long a server may be silent while a deployment is followed.
    pub silence: Duration,
    /// After a lost answer: how long it is looked whether the change was made.
    pub look: Duration,
    /// The least that a deployment may take when nobody says how long.
    pub within: Duration,
    /// How long an app without health checks has to run before it counts as working.
    pub settle: Duration,
    /// How long the way back is watched after a cancellation.
    pub hurry: Duration,
    /// How long a load balancer takes to follow a change, where it can't be asked; marathon-lb
    /// reloads every 10 s at most.
    pub balancer: Duration,
    /// The client's.
    pub pace: Pace,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            reminder: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            look: Duration::from_secs(10),
            within: Duration::from_secs(600),
            settle: Duration::from_secs(10),
            hurry: Duration::from_secs(20),
            balancer: Duration::from_secs(15),
            pace: Pace::default(),
        }
    }
}
