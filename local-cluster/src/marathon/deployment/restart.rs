//! The arithmetic of a rolling restart (`core/deployment/impl/TaskReplaceActor.scala`). The
//! numbers are doubles because those of the JVM are: `100 * 0.07` is a bit more than 7.

/// How a restart goes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strategy {
    /// Old instances and new ones together, at any time.
    pub(crate) max_capacity: usize,
    /// Old instances that go at once.
    pub(crate) kill_immediately: usize,
}

/// What an upgrade has to keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// Instances of the new version.
    pub(crate) instances: usize,
    /// What share of them must be healthy all the time.
    pub(crate) minimum_health_capacity: f64,
    /// What share of them may run in addition.
    pub(crate) maximum_over_capacity: f64,
    /// Whether instances keep data, so that none may run in addition.
    pub(crate) resident: bool,
    /// Instances that run and are considered healthy, old or new.
    pub(crate) healthy: usize,
    /// All instances, old or new.
    pub(crate) current: usize,
}

impl Strategy {
    /// How to restart in a situation.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the counts of instances are small, and the JVM does the same"
    )]
    pub(crate) fn new(situation: Situation) -> Self {
        let Situation { instances, healthy, current, .. } = situation;
        let count = instances as f64;
        let min_healthy = (count * situation.minimum_health_capacity).ceil() as usize;
        let mut max_capacity = (count * (1.0 + situation.maximum_over_capacity)) as usize;
        let mut kill = healthy.saturating_sub(min_healthy);
        if min_healthy == max_capacity && max_capacity <= healthy {
            if situation.resident {
                kill = healthy - min_healthy + 1;
            } else {
                max_capacity += 1;
            }
        }
        if instances < current {
            kill = kill.max(current - instances);
        }
        Self { max_capacity, kill_immediately: kill }
    }
}

/// How many new instances may start now, with `old` ones left and `started` new ones there.
pub(crate) fn launches(instances: usize, max_capacity: usize, old: usize, started: usize) -> usize {
    instances.saturating_sub(started).min(max_capacity.saturating_sub(old + started))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        upstream: Vec<Row>,
        computed: Vec<Row>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        instances: usize,
        minimum_health_capacity: f64,
        maximum_over_capacity: f64,
        resident: bool,
        healthy_running: usize,
        current_total: usize,
        max_capacity: usize,
        kill_immediately: usize,
        ideal_trace: Option<Vec<(String, usize, usize, usize)>>,
    }

    fn situation(row: &Row) -> Situation {
        Situation {
            instances: row.instances,
            minimum_health_capacity: row.minimum_health_capacity,
            maximum_over_capacity: row.maximum_over_capacity,
            resident: row.resident,
            healthy: row.healthy_running,
            current: row.current_total,
        }
    }

    /// A restart in which everything succeeds and one new instance gets healthy at a time.
    fn trace(row: &Row) -> Vec<(String, usize, usize, usize)> {
        let Strategy { max_capacity, kill_immediately } = Strategy::new(situation(row));
        let (mut old, mut started, mut healthy) = (row.current_total, 0, 0);
        let mut rows = vec![("begin".to_owned(), old, started, healthy)];
        let killed = kill_immediately.min(old);
        let mut waiting = old - killed;
        started += launches(row.instances, max_capacity, old, started);
        rows.push(("after_initial_launch".into(), old, started, healthy));
        if killed > 0 {
            old -= killed;
            started += launches(row.instances, max_capacity, old, started);
            rows.push((format!("after_initial_kills_{killed}"), old, started, healthy));
        }
        while healthy != row.instances || old > 0 {
            if healthy >= started {
                rows.push(("STUCK".into(), old, started, healthy));
                break;
            }
            healthy += 1;
            if waiting > 0 {
                waiting -= 1;
                old -= 1;
                started += launches(row.instances, max_capacity, old, started);
            }
            rows.push(("healthy".into(), old, started, healthy));
        }
        rows
    }

    #[test]
    fn the_arithmetic_is_marathons() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../../tests/data/restart-strategy-vectors.json"))
                .unwrap();
        let mut traces = 0;
        assert!(vectors.upstream.len() > 10 && vectors.computed.len() > 600);
        for row in vectors.upstream.iter().chain(&vectors.computed) {
            let situation = situation(row);
            let expected =
                Strategy { max_capacity: row.max_capacity, kill_immediately: row.kill_immediately };
            assert_eq!(Strategy::new(situation), expected, "{situation:?}");
            if let Some(ideal) = &row.ideal_trace {
                assert_eq!(&trace(row), ideal, "{situation:?}");
                traces += 1;
            }
        }
        assert!(traces > 100);
    }
}
