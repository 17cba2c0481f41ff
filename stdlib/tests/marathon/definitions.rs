//! Definitions that people wrote, against the verdicts on them.

use std::{collections::BTreeMap, time::Instant};

use pipe_grammar::Severity;
use pipe_stdlib::marathon::{AppProblem, Known, app_problems};
use serde_json::Value as Json;

const APPS: &str = include_str!("../data/marathon/apps/apps.jsonl");
const VERDICTS: &str = include_str!("../data/marathon/apps/verdicts.tsv");

fn apps() -> Vec<Json> {
    APPS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn at(problems: &[AppProblem]) -> String {
    let sign = |problem: &AppProblem| if problem.severity == Severity::Error { 'E' } else { 'W' };
    let all = problems.iter().map(|problem| format!("{}{}", sign(problem), problem.pointer));
    all.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_verdict_is_kept() {
    let apps = apps();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in VERDICTS.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let [file, id, line, verdict, expected, reason, _doubt] = columns[..] else {
            panic!("{row}");
        };
        let app = &apps[line.parse::<usize>().unwrap() - 1];
        assert_eq!(app["id"], id, "{file}");
        let problems = app_problems(&Known::from(app), None);
        assert_eq!(at(&problems), expected, "{file} {id}: {problems:#?}");
        let errors = problems.iter().any(|problem| problem.severity == Severity::Error);
        let refuses = matches!(verdict, "refused" | "misspelt");
        assert_eq!(errors, refuses, "{file} {id}");
        assert_eq!(problems.is_empty(), verdict == "taken", "{file} {id}");
        assert!(!reason.is_empty(), "{file} {id}");
        *counts.entry(verdict).or_default() += 1;
    }
    let counts: Vec<(&str, usize)> = counts.into_iter().collect();
    assert_eq!(counts, [("misspelt", 8), ("refused", 39), ("taken", 484), ("with a warning", 64)]);
}

#[test]
fn groups_and_pods_are_told_from_apps() {
    let told = |json: Json| {
        let problems = app_problems(&Known::from(&json), None);
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    let group = serde_json::json!({ "id": "/g", "apps": [{ "id": "a" }] });
    assert_eq!(told(group), ["this is a group, not an app"]);
    let pod = serde_json::json!({ "id": "/p", "containers": [] });
    assert_eq!(told(pod), ["this is a pod, not an app"]);
    assert_eq!(told(serde_json::json!([])), ["an app definition is an object"]);
}

#[test]
fn each_change_of_a_real_definition_is_looked_at_without_a_crash() {
    // Each value in turn is replaced by one of another kind.
    let others = [
        Json::from("x"),
        Json::from(-1),
        Json::from(1.5),
        Json::Bool(true),
        Json::Array(vec![Json::Null]),
        serde_json::json!({ "": { "": [] } }),
    ];
    let start = Instant::now();
    let mut looked = 0;
    for app in apps().iter().step_by(7) {
        let mut pointers = Vec::new();
        collect(app, "", &mut pointers);
        for (number, pointer) in pointers.iter().enumerate() {
            let mut other = app.clone();
            *other.pointer_mut(pointer).unwrap() = others[number % others.len()].clone();
            for problem in app_problems(&Known::from(&other), None) {
                assert!(!problem.message.is_empty() && !problem.message.ends_with('.'));
                looked += 1;
            }
        }
    }
    assert!(looked > 500, "{looked}");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

fn collect(json: &Json, pointer: &str, found: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Json| {
        let here = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(here.clone());
        collect(value, &here, found);
    };
    match json {
        Json::Object(fields) => fields.iter().for_each(|(key, value)| inner(key, value)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| inner(&at.to_string(), item));
        }
        _ => {}
    }
}

#[test]
fn all_of_them_are_looked_at_in_no_time() {
    let texts: Vec<&str> = APPS.lines().collect();
    let start = Instant::now();
    let mut found = 0;
    for text in texts.iter().cycle().take(840) {
        let json: Json = serde_json::from_str(text).unwrap();
        found += app_problems(&Known::from(&json), None).len();
    }
    let took = start.elapsed();
    assert!(found > 100 && took.as_millis() < 2_000, "{found} in {took:?}");
}
