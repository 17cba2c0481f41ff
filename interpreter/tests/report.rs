//! `pipe report` and `pipe run --junit`, by the binary.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use pipe_interpreter::{
    event::{EventKind, Outcome, SCHEMA, StepKind},
    run::{Journal, Piece},
};
use pipe_stdlib::core::Stream;
use rustix::process::{Pid, Signal, kill_process};

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipe"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}

fn pipe(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn folder(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Pipelinefile"), format!("edition 2026\n{pipeline}")).unwrap();
    folder
}

/// The cases of a report in short: `class name: what became of it`.
fn cases(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    cases
        .map(|case| {
            let of = |name| case.attribute(name).unwrap_or("");
            let inner = case.children().filter(roxmltree::Node::is_element);
            let inner: Vec<String> = inner
                .map(|node| {
                    let message = node.attribute("message").unwrap_or("");
                    format!("{} {message}", node.tag_name().name()).trim_end().to_owned()
                })
                .collect();
            format!("{} {}: {}", of("classname"), of("name"), inner.join(", "))
        })
        .collect()
}

#[test]
fn a_run_is_a_suite_a_stage_and_a_case_a_step() {
    let folder = folder(
        r#"
pipeline "shop" {}
stage build {
  retry 2 every 10ms {
    $ echo try >> tries; echo lost; test "$(wc -l < tries)" -gt 1
  }
  step "count" {
    $ wc -l < tries
    $ true
  }
}
stage check { may_fail $ false }
stage tests { junit("r.xml") }
stage maybe { skip "not today" }
stage deploy {
  step "reach out" { $ echo seen; exit 3 }
}
stage never { log("x") }
"#
        .replace("{ may_fail $ false }", "{\n may_fail $ false\n}")
        .replace("{ $ echo seen; exit 3 }", "{\n $ echo seen; exit 3\n}")
        .as_str(),
    );
    fs::write(
        folder.path().join("r.xml"),
        "<testsuite name='unit'><testcase name='a' classname='C'/><testcase name='b' classname='C'>\
         <failure message='1 is not 2'>there</failure></testcase></testsuite>",
    )
    .unwrap();
    let output = pipe(folder.path(), &["run", "--junit", "out/junit.xml"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let file = folder.path().join("out/junit.xml");
    let cases = cases(&file);
    let flaky = "echo try >> tries; echo lost; test \"$(wc -l < tries)\" -gt 1";
    let wanted = [
        format!("pipe.shop.build {flaky}: flakyFailure it failed, and was tried again"),
        "pipe.shop.build count: ".to_owned(),
        "pipe.shop.check false: failure stage `check` failed: `false` ended with status 1".to_owned(),
        "pipe.shop.tests junit(\"r.xml\"): ".to_owned(),
        "pipe.shop.maybe maybe: skipped not today".to_owned(),
        "pipe.shop.deploy reach out: failure stage `deploy` failed: `echo seen; exit 3` ended with \
         status 3, system-out"
            .to_owned(),
        "pipe.shop.never never: skipped the run ended before it".to_owned(),
        "C a: ".to_owned(),
        "C b: failure 1 is not 2".to_owned(),
    ];
    assert_eq!(cases, wanted);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("<stackTrace>lost\n</stackTrace>"), "{text}");
    assert!(text.contains("<system-out>seen\n</system-out>"), "{text}");

    // The same, from the records.
    let output = pipe(folder.path(), &["report", "--format", "junit", "-o", "-"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), text);

    // A run that does not begin leaves none that looks like its own.
    fs::write(folder.path().join("Pipelinefile"), "edition 2026\nstage a {\n  nonsense()\n}\n")
        .unwrap();
    let output = pipe(folder.path(), &["run", "--junit", "out/junit.xml"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(!file.exists());
}

#[test]
fn a_cancelled_run_leaves_a_whole_report() {
    let folder =
        folder("stage a {\n  $ echo here\n  $ touch begun; sleep 60\n}\nstage b { log(\"x\") }\n");
    let mut child = command(folder.path(), &["run", "--junit", "j.xml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while !folder.path().join("begun").exists() {
        assert!(Instant::now() < end, "the command does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let name = folder.path().file_name().unwrap().to_string_lossy().replace('.', "_");
    let wanted = [
        "a echo here: ",
        "a touch begun; sleep 60: skipped cancelled",
        "b b: skipped the run ended before it",
    ];
    assert_eq!(
        cases(&folder.path().join("j.xml")),
        wanted.map(|case| format!("pipe.{name}.{case}"))
    );
}

/// Writes the journal of a run.
struct Writer {
    journal: Journal,
    n: usize,
}

impl Writer {
    fn new(folder: &Path, pipeline: &str, stages: &[&str]) -> Self {
        let journal = Journal::create(folder, "r1").unwrap();
        let mut writer = Self { journal, n: 0 };
        writer.event(EventKind::RunStarted {
            schema: SCHEMA,
            run: "r1".into(),
            pipeline: pipeline.into(),
            file: "Pipelinefile".into(),
            version: "1".into(),
            params: [("who".to_owned(), pipeline.into())].into_iter().collect(),
            files: None,
            stages: stages.iter().map(|stage| (*stage).into()).collect(),
            local: false,
            picked: None,
            may_lack: Vec::new(),
        });
        writer
    }

    fn event(&mut self, kind: EventKind) {
        self.n += 1;
        let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let at = at + jiff::SignedDuration::from_millis(10 * i64::try_from(self.n).unwrap());
        self.journal.write(at.to_string(), kind).unwrap();
    }

    fn stage(&mut self, stage: &str, title: Option<&str>) {
        let (stage, title) = (stage.into(), title.map(str::to_owned));
        self.event(EventKind::StageStarted { stage, title, key: None });
    }

    fn step(&mut self, stage: &str, step: usize, text: &str) {
        self.event(EventKind::StepStarted {
            stage: stage.into(),
            step,
            within: None,
            path: format!("0@{step}"),
            kind: StepKind::Command,
            text: text.into(),
            line: 3,
        });
    }

    fn log(&mut self, stage: &str, step: usize, bytes: &[u8]) {
        let piece = Piece { stage, step, stream: Stream::Stdout, bytes, complete: true };
        self.journal.log(piece).unwrap();
    }

    fn finish(&mut self, stage: &str, steps: std::ops::RangeInclusive<usize>, outcome: Outcome) {
        for step in steps {
            let stage = stage.into();
            self.event(EventKind::StepFinished { stage, step, outcome, millis: 5, value: None });
        }
        let (outputs, hidden) = (serde_json::Map::default(), Vec::new());
        let stage = stage.into();
        self.event(EventKind::StageFinished { stage, outcome, millis: 9, outputs, hidden });
    }

    fn end(&mut self, outcome: Outcome, status: u8) {
        self.event(EventKind::RunFinished { outcome, status, millis: 20, files: None });
    }
}

const HOSTILE: &str =
    "</script></pre><img id=hacked src=x onerror=alert(1)>\u{1b}[31m<!--<script>'\"&\u{0}";

/// A run of which every text is hostile.
fn hostile(folder: &Path) {
    let mut writer = Writer::new(folder, HOSTILE, &["a"]);
    writer.stage("a", Some(HOSTILE));
    writer.step("a", 1, HOSTILE);
    let said = EventKind::Said { stage: "a".into(), step: Some(1), text: HOSTILE.into() };
    writer.event(said);
    writer.log("a", 1, HOSTILE.as_bytes());
    writer.log("a", 1, b"\xff\xfe needle \x1b]8;;http://x\x07link");
    writer.event(EventKind::Failure {
        stage: "a".into(),
        step: None,
        code: HOSTILE.into(),
        kind: "command".into(),
        message: HOSTILE.into(),
        drawn: HOSTILE.into(),
    });
    writer.finish("a", 1..=1, Outcome::Failed);
    writer.end(Outcome::Failed, 1);
}

fn report(folder: &Path) -> PathBuf {
    let output = pipe(folder, &["report"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown, ".pipe/runs/r1/report.html\n");
    folder.join(shown.trim())
}

#[test]
fn nothing_in_a_run_is_markup() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let page = fs::read_to_string(report(folder.path())).unwrap();
    assert!(!page.contains("<img"), "{page}");
    // The data, one chunk of a log, and our own.
    assert_eq!(page.matches("<script").count(), 3);
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains('\u{1b}') && !page.contains('\0'));
    let output = pipe(folder.path(), &["report", "--format", "junit", "-o", "-"]);
    roxmltree::Document::parse(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
}

/// The page after its script has run, at a size of the window. None without a browser.
fn browse(test: &str, page: &Path, size: &str) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .args(["--virtual-time-budget=10000", &format!("--window-size={size}")])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => {
            let all = std::env::var("PIPE_TEST_ALL").is_ok_and(|value| value == "1");
            assert!(!all, "{test} needs chromium");
            eprintln!("left out: {test}: needs chromium");
            None
        }
    }
}

#[test]
fn a_browser_shows_the_log_of_what_failed_first() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let page = report(folder.path());
    for size in ["1280,900", "390,800"] {
        let Some(dom) = browse("a_browser_shows", &page, size) else { return };
        // The script has put rows in the place of the table, and opened what failed with its log.
        assert!(dom.contains("class=\"row stage\""), "{dom}");
        assert!(dom.contains("needle link"), "{dom}");
        assert!(dom.contains("<span class=\"c1\">&lt;!--&lt;script&gt;'\"&amp;</span>"), "{dom}");
        assert!(!dom.contains("<img"), "{dom}");
    }
}

#[test]
fn a_thousand_steps_and_fifty_megabytes_are_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path(), "big", &["a", "b"]);
    let mut length = 0;
    for (stage, first) in [("a", 1), ("b", 501)] {
        writer.stage(stage, None);
        for step in first..first + 500 {
            writer.step(stage, step, &format!("$ make part-{step}"));
            for number in 0..100 {
                // Many lines in a piece: they are only to be there.
                let line = |row| {
                    format!("[{number:>4}/{step}] compile src/module_{row}.rs with flags -O2 ok")
                };
                let lines: Vec<String> = (0..10).map(line).collect();
                let lines = lines.join("\n");
                length += lines.len() + 1;
                writer.log(stage, step, lines.as_bytes());
            }
        }
        writer.finish(stage, first..=first + 499, Outcome::Success);
    }
    writer.end(Outcome::Success, 0);
    assert!(length > 50_000_000, "{length}");
    let started = Instant::now();
    let page = report(folder.path());
    let took = started.elapsed();
    let size = fs::metadata(&page).unwrap().len();
    eprintln!("{length} bytes of logs: a page of {size} bytes in {took:?}");
    // Without optimisation it is many times slower.
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 1 });
    assert!(took <= limit, "{took:?}");
    assert!(size < 20_000_000, "{size}");
    if let Some(dom) = browse("fifty megabytes", &page, "1280,900") {
        assert_eq!(dom.matches("class=\"row stage\"").count(), 2);
    }
}
