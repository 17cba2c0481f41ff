//! `pipe check --format sarif`: what SARIF 2.1.0 requires of a log, and what its readers need.

use std::process::Command;

use serde_json::Value;

const FILE: &str = r#"let name = "ü"

stage push {
  docker.push("ü #{nam}")
  docker.push("demo:1", alsso: "x")
  log(name)
}

stage push {
  marathon.deploy("marathon.json")
}
"#;

/// The log about a file, and the exit status.
fn check(text: &str, options: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("Pipelinefile"), text).expect("a file");
    std::fs::write(folder.path().join("marathon.json"), "{ \"id\": \"/web\",, }").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_pipe"))
        .current_dir(&folder)
        .args(["check", "--format", "sarif"])
        .args(options)
        .output()
        .expect("the binary");
    (serde_json::from_slice(&output.stdout).expect("JSON"), output.status.code())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A location as section 3.28 to 3.30 of the standard has it.
fn is_location(location: &Value) {
    let place = &location["physicalLocation"];
    let uri = text(&place["artifactLocation"]["uri"]);
    assert!(!uri.is_empty() && uri.is_ascii() && !uri.contains([' ', '\\']), "{uri}");
    let region = &place["region"];
    let number = |name: &str| region[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    let (start, end) =
        ((number("startLine"), number("startColumn")), (number("endLine"), number("endColumn")));
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
}

#[test]
fn a_log_has_what_the_standard_requires() {
    let (log, status) = check(FILE, &[]);
    assert_eq!(status, Some(2));
    assert_eq!(log["version"], "2.1.0");
    assert!(text(&log["$schema"]).ends_with("sarif-2.1.0.json"));
    let [run] = log["runs"].as_array().expect("runs").as_slice() else { panic!("one run") };
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "pipe");
    assert_eq!(driver["semanticVersion"], env!("CARGO_PKG_VERSION"));
    let rules = driver["rules"].as_array().expect("rules");
    let mut ids: Vec<&str> = rules.iter().map(|rule| text(&rule["id"])).collect();
    for rule in rules {
        assert!(text(&rule["shortDescription"]["text"]).ends_with('.'));
        assert!(text(&rule["help"]["text"]).len() > 50, "the page of {}", rule["id"]);
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 4, "{results:#?}");
    for result in results {
        let index =
            usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert!(["error", "warning", "note"].contains(&text(&result["level"])));
        assert!(!text(&result["message"]["text"]).is_empty());
        let locations = result["locations"].as_array().expect("locations");
        assert_eq!(locations.len(), 1);
        locations.iter().for_each(is_location);
        let related = result["relatedLocations"].as_array();
        related.into_iter().flatten().for_each(is_location);
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each rule once");
}

#[test]
fn places_count_characters_and_name_files_beside_it() {
    let (log, _) = check(FILE, &[]);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let of = |code: &str| results.iter().find(|r| r["ruleId"] == code).expect("a result");
    let region = &of("unknown-name")["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&4.into(), &20.into()));
    let json = of("invalid-json");
    let uri = |location: &Value| location["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(uri(&json["locations"][0]), "marathon.json");
    assert_eq!(uri(&json["relatedLocations"][0]), "Pipelinefile");
    let twice = of("duplicate-name");
    assert_eq!(twice["relatedLocations"][0]["message"]["text"], "the first one");
}

#[test]
fn a_good_file_gives_a_log_without_results() {
    let (log, status) = check("stage a {\n  $ make\n}\n", &["--deny-warnings"]);
    assert_eq!(status, Some(0));
    assert_eq!(log["runs"][0]["results"], Value::Array(Vec::new()));
}
