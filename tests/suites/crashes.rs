//! Every crash point: a run is killed behind each of its records in turn, and resumed. It ends as the
//! run that was not killed, and every effect happens once.

use std::{fs, path::Path};

use pipe_tests::{Answer, Place};

/// `pipe` in a place, with what the pipelines need.
fn pipe(place: &mut Place, arguments: &[&str], die_at: Option<usize>) -> Answer {
    let mut arguments = arguments.to_vec();
    if place.read("Pipelinefile").contains(" approve ") && arguments[0] != "show" {
        arguments.extend(["--approve", "b"]);
    }
    let mut pipe = place.pipe(&arguments).env("TOKEN", "hunter22-and-more");
    if let Some(record) = die_at {
        pipe = pipe.env("PIPE_TEST_DIE_AT", &record.to_string());
    }
    pipe.answer()
}

fn place(text: &str) -> Place {
    let place = Place::new();
    place.write("Pipelinefile", text);
    place
}

fn effects(place: &Place) -> String {
    fs::read_to_string(place.work().join("effects")).unwrap_or_default()
}

/// How many records the journal of the one run has.
fn records(place: &Place) -> usize {
    let runs = fs::read_dir(place.work().join(".pipe/runs")).expect("the runs");
    let run = runs.flatten().next().expect("a run");
    let text = fs::read_to_string(run.path().join("events.jsonl")).expect("a journal");
    text.lines().count()
}

/// What became of each stage.
fn ends(place: &mut Place) -> Vec<(String, String)> {
    let shown = pipe(place, &["show", "--format", "json"], None).stdout;
    let run: serde_json::Value = serde_json::from_str(&shown).expect("a run");
    let mut all: Vec<(String, String)> = run["stages"]
        .as_array()
        .expect("stages")
        .iter()
        .map(|stage| (stage["stage"].to_string(), stage["outcome"].to_string()))
        .collect();
    all.sort();
    all.push((run["outcome"].to_string(), run["status"].to_string()));
    all
}

/// Goes on until the run has ended. `pipe` dies before it starts what it has recorded: a step that
/// nobody can know of was not done.
fn go_on(place: &mut Place) -> Answer {
    let mut arguments = vec!["resume"];
    let answer = pipe(place, &arguments, None);
    if answer.status != 2 {
        return answer;
    }
    assert!(answer.stderr.contains("nobody can know"), "{}", answer.stderr);
    arguments.push("--assume-not-done");
    pipe(place, &arguments, None)
}

#[test]
fn resumed_from_every_point_it_ends_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crashes");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut points = 0;
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("a pipeline");
        let mut whole = place(&text);
        let answer = pipe(&mut whole, &["run"], None);
        assert_eq!(answer.status, 0, "{name}: {}{}", answer.stdout, answer.stderr);
        let (expected, ended) = (effects(&whole), ends(&mut whole));
        assert!(!expected.is_empty(), "{name} has effects");
        for record in 1..=records(&whole) {
            let mut place = place(&text);
            let killed = pipe(&mut place, &["run"], Some(record));
            assert_eq!(killed.status, 137, "{name} at {record}: {}", killed.stdout);
            let answer = go_on(&mut place);
            let shown = format!("{name} at {record}:\n{}{}", answer.stdout, answer.stderr);
            assert_eq!(answer.status, 0, "{shown}");
            assert_eq!(effects(&place), expected, "{shown}");
            assert_eq!(ends(&mut place), ended, "{shown}");
            points += 1;
        }
    }
    assert!(points > 300, "{points}");
}
