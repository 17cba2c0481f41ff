//! The recorded streams of a real master, whole and cut, twice and late: always the same verdicts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use pipe_stdlib::{
    client::mesos::{
        Amount, Call, CommandInfo, Decoder, Event, Id, KillPolicy, Labels, State, Status, TaskInfo,
        TimeSpan,
    },
    mesos::{Effect, Note, Now, Order, Scheduler, Timing, Want},
};

/// The streams of each scenario, in their order.
fn scenarios() -> BTreeMap<String, Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mesos");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "recordio"));
    files.sort();
    let mut all = BTreeMap::<String, Vec<Vec<u8>>>::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (scenario, _) = name.split_once('.').unwrap();
        all.entry(scenario.to_owned()).or_default().push(fs::read(&file).unwrap());
    }
    all
}

fn events(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<Event> {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece.as_ref(), |record| events.extend(Event::read(record))).unwrap();
    }
    events
}

fn whole(bytes: &[u8]) -> Vec<Event> {
    events([bytes].iter())
}

/// The tasks of a scenario: those that an executor has spoken of, or that were refused. The others
/// were asked for by an operator who knew that there are none.
fn tasks(streams: &[Vec<Event>]) -> BTreeSet<String> {
    let updates = streams.iter().flatten().filter_map(|event| match event {
        Event::Update(status) => Some(status),
        _ => None,
    });
    let ours = |status: &Status| {
        let refused = matches!(status.state, State::TaskError | State::TaskDropped);
        status.uuid.is_some() || refused
    };
    updates.filter(|status| ours(status)).map(|status| status.task_id.value.clone()).collect()
}

fn order(name: &str) -> Order {
    let want = Want {
        cpus: Amount(1),
        mem: Amount(1),
        disk: Amount(0),
        gpus: Amount(0),
        conditions: Vec::new(),
    };
    let task = TaskInfo {
        name: name.to_owned(),
        task_id: Id::new(name),
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

/// What has become of the tasks, and what was acknowledged.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdicts {
    /// By task: its end in words, and how often it was told that it can't be seen.
    ends: BTreeMap<String, Vec<String>>,
    acknowledged: Vec<String>,
}

/// Plays streams to a scheduler, each event so often and so long behind the one before.
fn play(streams: &[Vec<Event>], times: usize, pause: Duration) -> Verdicts {
    let mut scheduler = Scheduler::new("*", Timing::default());
    let mut now = Now { elapsed: Duration::ZERO, clock: Duration::from_secs(1_800_000_000) };
    let mut names = BTreeMap::new();
    for task in tasks(streams) {
        names.insert(scheduler.submit(order(&task), now), task);
    }
    let mut verdicts = Verdicts::default();
    let take = |effects: Vec<Effect>, verdicts: &mut Verdicts| {
        for effect in effects {
            match effect {
                Effect::Send(Call::Acknowledge { acknowledge }) => {
                    verdicts.acknowledged.push(acknowledge.uuid);
                }
                Effect::Send(_) => {}
                Effect::Tell(ticket, note) => {
                    let lines = verdicts.ends.entry(names[&ticket].clone()).or_default();
                    match note {
                        Note::Ended(end) => {
                            lines.push(format!("{:?}: {}", end.fate.kind, end.fate.sentence));
                        }
                        Note::OutOfSight(_) => lines.push("out of sight".to_owned()),
                        Note::BackInSight => lines.push("in sight".to_owned()),
                        Note::Again(why) => lines.push(format!("again: {why}")),
                        _ => {}
                    }
                }
            }
        }
    };
    for stream in streams {
        for event in stream {
            for _ in 0..times {
                now.elapsed += pause;
                now.clock += pause;
                let mut effects = scheduler.event(event.clone(), now);
                effects.extend(scheduler.tick(now));
                effects.extend(scheduler.settle());
                take(effects, &mut verdicts);
            }
        }
        scheduler.lost();
    }
    verdicts
}

const SOON: Duration = Duration::from_millis(10);

#[test]
fn every_recording_has_its_verdicts() {
    let mut table = String::new();
    for (name, streams) in scenarios() {
        let streams: Vec<_> = streams.iter().map(|stream| whole(stream)).collect();
        let verdicts = play(&streams, 1, SOON);
        // Exactly what has a `uuid` is acknowledged, as often as it came.
        let own: Vec<String> = streams
            .iter()
            .flatten()
            .filter_map(|event| match event {
                Event::Update(status) => status.uuid.clone(),
                _ => None,
            })
            .collect();
        assert_eq!(verdicts.acknowledged, own, "{name}");
        for (task, lines) in verdicts.ends {
            writeln!(table, "{name} {task}").unwrap();
            for line in lines {
                writeln!(table, "  {line}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// The three with the most kinds of events, cut at every byte.
#[test]
fn cut_at_every_byte_they_are_the_same() {
    let all = scenarios();
    for name in ["23-agent-restart", "32-agent-unreachable", "18-launch-group"] {
        for bytes in &all[name] {
            let wanted = format!("{:?}", whole(bytes));
            for cut in 1..bytes.len() {
                let (before, behind) = bytes.split_at(cut);
                let found = events([before, behind].iter());
                assert_eq!(format!("{found:?}"), wanted, "{name} cut at {cut}");
            }
            let found = events(bytes.chunks(1));
            assert_eq!(format!("{found:?}"), wanted, "{name} byte by byte");
        }
    }
}

/// The stream breaks behind every record, and the rest comes with a new subscription.
#[test]
fn broken_at_every_record_they_end_the_same() {
    let subscribed =
        || Event::Subscribed { framework: Id::new("f"), heartbeat: None, version: None };
    for (name, streams) in scenarios() {
        let streams: Vec<_> = streams.iter().map(|stream| whole(stream)).collect();
        let wanted = play(&streams, 1, SOON);
        for (number, stream) in streams.iter().enumerate() {
            for cut in 1..stream.len() {
                let mut broken = streams[..number].to_vec();
                broken.push(stream[..cut].to_vec());
                let mut rest = vec![subscribed()];
                rest.extend_from_slice(&stream[cut..]);
                broken.push(rest);
                broken.extend_from_slice(&streams[number + 1..]);
                assert_eq!(play(&broken, 1, SOON), wanted, "{name} broken at {number}/{cut}");
            }
        }
    }
}

#[test]
fn told_twice_or_late_they_end_the_same() {
    for (name, streams) in scenarios() {
        let streams: Vec<_> = streams.iter().map(|stream| whole(stream)).collect();
        let wanted = play(&streams, 1, SOON);
        let twice = play(&streams, 2, SOON);
        assert_eq!(twice.ends, wanted.ends, "{name} twice");
        assert_eq!(twice.acknowledged.len(), wanted.acknowledged.len() * 2, "{name} twice");
        assert_eq!(play(&streams, 1, Duration::from_secs(2)).ends, wanted.ends, "{name} late");
    }
}
