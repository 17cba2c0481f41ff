//! Many tasks over many agents.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pipe_stdlib::{
    client::mesos::{Amount, Call, CommandInfo, Event, Id, KillPolicy, Labels, TaskInfo, TimeSpan},
    mesos::{Condition, Effect, Now, Order, Scheduler, Timing, Want},
};
use serde_json::json;

fn order(number: usize) -> Order {
    // Some are picky, and no two groups want the same.
    let conditions = match number % 4 {
        // Some want what nobody has.
        0 if number % 40 < 16 => vec![Condition::read("rack", "none").unwrap()],
        0 => vec![Condition::read("rack", &format!("r{}", number % 5 * 10)).unwrap()],
        _ => Vec::new(),
    };
    let want = Want {
        cpus: Amount::of(1.0 + (number % 7) as f64 / 10.0),
        mem: Amount::whole(256 + (number % 13) as u64),
        disk: Amount(0),
        gpus: Amount(0),
        conditions,
    };
    let task = TaskInfo {
        name: format!("t{number}"),
        task_id: Id::new(format!("t{number}")),
        agent_id: Id::default(),
        resources: Vec::new(),
        command: CommandInfo::default(),
        container: None,
        kill_policy: KillPolicy { grace_period: TimeSpan(Duration::from_secs(3)) },
        max_completion_time: TimeSpan(Duration::from_secs(60)),
        labels: Labels::default(),
    };
    Order { task, want: Arc::new(want) }
}

fn offers() -> Event {
    let offers: Vec<_> = (0..5000)
        .map(|number| {
            let scalar = |name: &str, value: f64| {
                json!({ "name": name, "type": "SCALAR", "scalar": { "value": value },
                    "allocation_info": { "role": "*" } })
            };
            json!({ "id": { "value": format!("o{number}") },
                "agent_id": { "value": format!("a{number}") }, "hostname": format!("n{number}"),
                "attributes": [{ "name": "rack", "type": "TEXT",
                    "text": { "value": format!("r{}", number % 50) } }],
                // Most are nearly full.
                "resources": [scalar("cpus", if number % 10 == 0 { 4.0 } else { 0.4 }),
                    scalar("mem", 2048.0)] })
        })
        .collect();
    let text = json!({ "type": "OFFERS", "offers": { "offers": offers } }).to_string();
    Event::read(text.as_bytes()).unwrap()
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_thousand_tasks_over_five_thousand_agents() {
    let mut scheduler = Scheduler::new("*", Timing::default());
    let now = Now { elapsed: Duration::from_secs(1), clock: Duration::from_secs(1_800_000_000) };
    let subscribed = Event::Subscribed { framework: Id::new("f"), heartbeat: None, version: None };
    scheduler.event(subscribed, now);
    for number in 0..1000 {
        scheduler.submit(order(number), now);
    }
    let event = offers();
    let started = Instant::now();
    let effects = scheduler.event(event, now);
    let took = started.elapsed();
    let (mut launched, mut answered) = (0, 0);
    for effect in effects {
        match effect {
            Effect::Send(Call::Accept { accept }) => {
                answered += accept.offer_ids.len();
                launched += serde_json::to_string(&accept).unwrap().matches("\"task_id\"").count();
            }
            Effect::Send(Call::Decline { decline }) => answered += decline.offer_ids.len(),
            _ => {}
        }
    }
    println!(
        "1000 tasks over 5000 offers, {launched} fit: {took:?}, at most {} KiB of memory",
        peak()
    );
    // The others want what nobody has.
    assert_eq!((launched, answered), (900, 5000));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(peak() < 200 << 10, "{} KiB", peak());
}
