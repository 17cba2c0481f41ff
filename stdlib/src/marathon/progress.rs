//! How it stands, in one line.

use super::{
    explain::Cause,
    follow::{Counts, Follow},
};
use crate::client::marathon::Queued;

/// `2 of 3 new tasks healthy, 1 not checked yet (grace 30 s); 3 old tasks still serve`.
pub(super) fn line(follow: &Follow) -> String {
    let goal = &follow.goal;
    let counts = follow.counts();
    let new = if goal.new_tasks { "new " } else { "" };
    let mut parts = vec![if goal.instances == 0 {
        let left = counts.others + counts.healthy + counts.unhealthy + counts.unknown;
        let left = left + counts.starting + counts.ending + counts.unreachable;
        format!("{} still to end", tasks(left, ""))
    } else if goal.checks > 0 {
        format!(
            "{} of {} healthy{}",
            counts.healthy,
            tasks(goal.instances, new),
            details(&counts, follow)
        )
    } else {
        let run = counts.healthy + counts.unhealthy + counts.unknown;
        format!("{run} of {} running{}", tasks(goal.instances, new), not_running(&counts))
    }];
    parts.extend(ends(follow));
    if let Some(queued) = follow.queued().filter(|queued| queued.count > 0) {
        parts.push(queue(queued));
    }
    for (name, status) in follow.not_ready() {
        parts.push(match status {
            Some(status) => format!("readiness check `{name}` answers {status}"),
            None => format!("readiness check `{name}` has not answered"),
        });
    }
    let elsewhere =
        follow.doing().iter().filter(|action| !action.ends_with(&format!(" {}", goal.app)));
    parts.extend(elsewhere.map(|action| format!("first comes {action}")));
    if goal.instances > 0 && counts.others > 0 {
        let one = counts.others == 1;
        parts.push(if goal.new_tasks {
            let verb = if one { "serves" } else { "serve" };
            format!("{} still {verb}", tasks(counts.others, "old "))
        } else {
            let verb = if one { "has" } else { "have" };
            format!("{} {verb} still to end", tasks(counts.others, "other "))
        });
    }
    parts.join("; ")
}

fn details(counts: &Counts, follow: &Follow) -> String {
    let mut text = String::new();
    if counts.unknown > 0 {
        let grace = follow.goal.grace.as_secs();
        text.push_str(&format!(", {} not checked yet (grace {grace} s)", counts.unknown));
    }
    if counts.unhealthy > 0 {
        text.push_str(&format!(", {} unhealthy", counts.unhealthy));
    }
    text + &not_running(counts)
}

fn not_running(counts: &Counts) -> String {
    [
        (counts.starting, "starting"),
        (counts.ending, "ending"),
        (counts.unreachable, "on an agent that is not heard of"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!(", {count} {what}"))
    .collect()
}

/// `crashed 2 times`.
fn ends(follow: &Follow) -> Option<String> {
    let (cause, count) = follow.usual_cause()?;
    Some(times(cause, count))
}

/// `crashed 3 times`.
pub(super) fn times(cause: Cause, count: usize) -> String {
    match count {
        1 => format!("{} once", cause.verb()),
        2 => format!("{} twice", cause.verb()),
        _ => format!("{} {count} times", cause.verb()),
    }
}

/// Why nothing starts.
pub(super) fn queue(queued: &Queued) -> String {
    let waiting = tasks(queued.count, "");
    let verb = if queued.count == 1 { "waits" } else { "wait" };
    if queued.delay.is_some() {
        return format!("{waiting} {verb} for the next try, put off after failures");
    }
    let seen = queued.rejected.iter().map(|(_, _, processed)| *processed).max().unwrap_or(0);
    let reasons: Vec<String> = queued
        .rejected
        .iter()
        .filter(|(_, declined, _)| *declined > 0)
        .map(|(reason, declined, _)| format!("{declined} {}", words(reason)))
        .collect();
    if reasons.is_empty() {
        return format!("{waiting} {verb} for an agent with room");
    }
    let agents = if seen == 1 { "1 agent".to_owned() } else { format!("{seen} agents") };
    format!("{waiting} {verb} for an agent with room ({agents} looked at: {})", reasons.join(", "))
}

fn words(reason: &str) -> &str {
    match reason {
        "UnfulfilledRole" => "of another role",
        "UnfulfilledConstraint" => "refused by a constraint",
        "NoCorrespondingReservationFound" => "without the reservation",
        "AgentMaintenance" => "in maintenance",
        "InsufficientCpus" => "too few cpus",
        "InsufficientMemory" => "too little memory",
        "InsufficientDisk" => "too little disk",
        "InsufficientGpus" => "too few gpus",
        "InsufficientPorts" => "without the ports",
        "DeclinedScarceResources" => "kept for apps that need gpus",
        other => other,
    }
}

/// `1 new task`, `3 tasks`.
pub(super) fn tasks(count: impl TryInto<u64>, what: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {what}task"),
        count => format!("{count} {what}tasks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_put_in_words() {
        let rejected = vec![
            ("UnfulfilledConstraint".to_owned(), 1, 3),
            ("InsufficientCpus".to_owned(), 0, 2),
            ("InsufficientMemory".to_owned(), 2, 2),
        ];
        let queued = Queued { app: "/a".to_owned(), count: 2, delay: None, rejected };
        assert_eq!(
            queue(&queued),
            "2 tasks wait for an agent with room (3 agents looked at: 1 refused by a constraint, 2 too little memory)"
        );
        let put_off = Queued { count: 1, delay: Some(37), ..queued.clone() };
        assert_eq!(queue(&put_off), "1 task waits for the next try, put off after failures");
        let unknown = Queued { rejected: Vec::new(), ..queued };
        assert_eq!(queue(&unknown), "2 tasks wait for an agent with room");
    }

    #[test]
    fn numbers_are_spelt_as_people_say_them() {
        assert_eq!(times(Cause::Crash, 1), "crashed once");
        assert_eq!(times(Cause::Image, 3), "could not pull its image 3 times");
        assert_eq!(
            (tasks(1_u64, "new "), tasks(0_u64, "")),
            ("1 new task".into(), "0 tasks".into())
        );
    }
}
