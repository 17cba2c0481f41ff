//! Traces of a run, sent to a stand-in for a collector.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    routing::any,
};
use serde_json::{Value as Json, json};

/// What a collector got: the path, the headers, the body.
type Seen = Arc<Mutex<Vec<(String, HeaderMap, Json)>>>;

/// Answers one request after the other with these, the last one again and again.
struct Answers {
    seen: Seen,
    answers: Mutex<Vec<(u16, Json)>>,
}

async fn collect(
    State(state): State<Arc<Answers>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let body = serde_json::from_str(&body).unwrap();
    state.seen.lock().unwrap().push((uri.path().to_owned(), headers, body));
    let mut answers = state.answers.lock().unwrap();
    let (status, body) = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

/// A collector on a port of this machine, until the runtime is dropped.
fn collector(answers: &[(u16, Json)]) -> (tokio::runtime::Runtime, String, Seen) {
    let seen = Seen::default();
    let state = Answers { seen: seen.clone(), answers: Mutex::new(answers.to_vec()) };
    let app = Router::new().fallback(any(collect)).with_state(Arc::new(state));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, app).await });
    (runtime, url, seen)
}

const PIPELINE: &str = r#"edition 2026
pipeline "shop" {}
stage build "Build it" {
  step "compile" {
    $ echo "${TRACEPARENT-}" > inner
  }
  $ echo "${TRACEPARENT-}" > outer
}
stage deploy {
  $ exit 3
}
"#;

fn run(folder: &Path, variables: &[(&str, &str)]) -> (Output, Duration) {
    fs::write(folder.join("Pipelinefile"), PIPELINE).unwrap();
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_pipe"))
        .arg("run")
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output, started.elapsed())
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn attributes(json: &Json) -> HashMap<&str, &str> {
    json["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let value = &one["value"];
            let value = value["stringValue"].as_str().or(value["intValue"].as_str()).unwrap();
            (one["key"].as_str().unwrap(), value)
        })
        .collect()
}

#[test]
fn stages_steps_and_commands_are_spans() {
    let folder = tempfile::tempdir().unwrap();
    let (_runtime, url, seen) = collector(&[(503, json!({})), (200, json!({}))]);
    let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (output, _) = run(
        folder.path(),
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("{url}/otel/")),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20b,x-tenant=7"),
            ("OTEL_SERVICE_NAME", "shop-ci"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=web,service.name=lost"),
            ("TRACEPARENT", given),
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(!stderr(&output).contains("traces"), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2, "sent again after 503");
    let (path, headers, body) = &seen[1];
    assert_eq!(path, "/otel/v1/traces");
    assert_eq!(headers["x-token"], "a b");
    assert_eq!(headers["x-tenant"], "7");
    assert_eq!(headers["content-type"], "application/json");
    let resource = attributes(&body["resourceSpans"][0]["resource"]);
    assert_eq!((resource["service.name"], resource["team"]), ("shop-ci", "web"));
    let scope = &body["resourceSpans"][0]["scopeSpans"][0];
    assert_eq!(scope["scope"]["name"], "pipe");
    let spans = scope["spans"].as_array().unwrap();
    let names: Vec<&str> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    let echo = |file| format!("echo \"${{TRACEPARENT-}}\" > {file}");
    let (inner, outer) = (echo("inner"), echo("outer"));
    assert_eq!(names, ["RUN shop", "build", "compile", &inner, &outer, "deploy", "exit 3"]);
    let id = |number: usize| spans[number]["spanId"].as_str().unwrap();
    let parents: Vec<&str> =
        spans.iter().map(|span| span["parentSpanId"].as_str().unwrap()).collect();
    assert_eq!(parents, ["b7ad6b7169203331", id(0), id(1), id(2), id(1), id(0), id(5)]);
    for span in spans {
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
        assert!(time("startTimeUnixNano") > 1_700_000_000_000_000_000);
    }
    // Commands were told their own span.
    for (file, number) in [("inner", 3), ("outer", 4)] {
        let told = fs::read_to_string(folder.path().join(file)).unwrap();
        assert_eq!(told.trim(), format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", id(number)));
    }
    let failed: Vec<bool> = spans.iter().map(|span| span["status"]["code"] == 2).collect();
    assert_eq!(failed, [true, false, false, false, false, true, true]);
    assert_eq!(attributes(&spans[0])["cicd.pipeline.result"], "failure");
    assert_eq!(attributes(&spans[0])["process.exit.code"], "1");
    assert_eq!(attributes(&spans[1])["cicd.pipeline.task.run.result"], "success");
    assert_eq!(attributes(&spans[6])["code.line.number"], "10");
    let event = &spans[5]["events"][0];
    assert_eq!(event["name"], "exception");
    assert_eq!(attributes(event)["exception.type"], "command-failed");
}

#[test]
fn a_collector_that_is_not_there_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://user:secret@127.0.0.1:{port}");
    let (output, _) = run(folder.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    let wanted = format!(
        "pipe: the traces of this run were not sent to `http://127.0.0.1:{port}/v1/traces`: \
         connection refused\n"
    );
    assert_eq!(said, wanted);
}

#[test]
fn a_collector_that_is_silent_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    // Takes connections, and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/t", listener.local_addr().unwrap());
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "400"),
    ];
    let (output, took) = run(folder.path(), &variables);
    assert_eq!(output.status.code(), Some(1));
    assert!(took < Duration::from_secs(20), "{took:?}");
    let wanted =
        format!("pipe: the traces of this run were not sent to `{url}`: no answer within 0.4 s\n");
    assert_eq!(stderr(&output), wanted);
}

#[test]
fn what_a_collector_refuses_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let partial = json!({ "partialSuccess": { "rejectedSpans": "2", "errorMessage": "too old" } });
    let (_runtime, url, _) = collector(&[(200, partial)]);
    let (output, _) = run(folder.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    assert!(stderr(&output).ends_with("it refused 2 spans: too old\n"), "{}", stderr(&output));
    let (_runtime, url, seen) = collector(&[(401, json!({}))]);
    let (output, _) = run(folder.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    assert!(stderr(&output).ends_with("it answered 401 Unauthorized\n"), "{}", stderr(&output));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn nothing_is_sent_or_changed_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (_runtime, url, seen) = collector(&[(200, json!({}))]);
    let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    // What started it is not recorded, so this is not either, and commands hear so.
    let (_, _) =
        run(folder.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("TRACEPARENT", given)]);
    assert_eq!(fs::read_to_string(folder.path().join("outer")).unwrap().trim(), given);
    let (_, _) = run(folder.path(), &[]);
    assert_eq!(fs::read_to_string(folder.path().join("outer")).unwrap().trim(), "");
    assert!(seen.lock().unwrap().is_empty());
}
