//! `junit(files)`: results of tests, as most tools write them.

mod read;

use pipe_grammar::{Code, diagnostic::count};

use crate::core::{
    Arguments, Call, Failure, Outcome, TestOutcome, TestResult, Value, builtin, entries, find,
    text_of_file,
};

builtin! {
    step junit, junit;
    "
    # Adds the results of tests to the report of the run.
    #
    # As JUnit's XML, which most test tools write. Failed tests make the stage unstable and do not
    # fail it: a test tool that should fail the stage does so by its own status. A test that passed
    # when it was run again counts as passed.
    (
      # The files, a folder, a pattern, or a list of them.
      files: globs,
      # Whether there may be no file, or no test in them.
      allow_empty: bool = false,
    ) -> { tests: int, failed: int, skipped: int }
    "
    examples: [r#"junit("target/surefire-reports/*.xml")"#]
}

/// Tools write their output into it; more can't be worth reading.
const LONGEST: u64 = 256 << 20;
/// So many failed tests are named in the log.
const NAMED: usize = 10;

async fn junit(call: Call<'_>, arguments: Arguments) -> Outcome {
    let patterns: Vec<String> = arguments.get("files")?;
    let allow_empty: bool = arguments.get("allow_empty")?;
    let brought = call.bring(&patterns).await?;
    let found =
        find(&brought.world, &brought.dir, &patterns).map_err(|f| f.at_argument("files"))?;
    let results = call
        .blocking(move |stop| {
            let mut results: Vec<TestResult> = Vec::new();
            for found in &found {
                let whole_folder = found.path.is_dir();
                for entry in entries(found).map_err(|failure| failure.at_argument("files"))? {
                    // Tools put text files beside their reports.
                    let is_report = !whole_folder || entry.below.ends_with(".xml");
                    if entry.kind.is_dir() || !is_report {
                        continue;
                    }
                    if stop.is_cancelled() {
                        return Err(Failure::cancelled());
                    }
                    let shown = if whole_folder { &entry.below } else { &found.written };
                    let text = text_of_file(&entry.path, shown, "files", LONGEST)?;
                    results.extend(read::results(&text, shown, &entry.path)?);
                }
            }
            Ok(results)
        })
        .await?;
    if results.is_empty() && !allow_empty {
        let what = format!("no result of a test is in `{}`", patterns.join("`, `"));
        return Err(Failure::new(Code::MISSING_FILE, what)
            .at_argument("files")
            .help("did the tests run? if that is fine: `allow_empty: true`"));
    }
    let failed: Vec<&TestResult> =
        results.iter().filter(|test| test.outcome == TestOutcome::Failed).collect();
    let skipped = results.iter().filter(|test| test.outcome == TestOutcome::Skipped).count();
    tell(&call, &results, &failed, skipped);
    let number = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let answer = Value::record([
        ("tests", number(results.len())),
        ("failed", number(failed.len())),
        ("skipped", number(skipped)),
    ]);
    call.report.tests(results);
    Ok(answer)
}

fn tell(call: &Call<'_>, results: &[TestResult], failed: &[&TestResult], skipped: usize) {
    for test in failed.iter().take(NAMED) {
        let place = if test.class.is_empty() { &test.suite } else { &test.class };
        let why = if test.message.is_empty() { "" } else { ": " };
        call.report.say(&format!("failed: {place} {}{why}{}", test.name, test.message));
    }
    if failed.len() > NAMED {
        call.report.say(&format!("and {} more", failed.len() - NAMED));
    }
    let flaky = results.iter().filter(|test| test.outcome == TestOutcome::Flaky).count();
    let mut summary = format!("{}, {} failed", count("test", results.len()), failed.len());
    for (number, what) in [(skipped, "skipped"), (flaky, "flaky")] {
        if number > 0 {
            summary.push_str(&format!(", {number} {what}"));
        }
    }
    if failed.is_empty() {
        call.report.say(&summary);
    } else {
        call.report.unstable(&summary);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn junit(machine: &Machine, files: &str, allow_empty: bool) -> Outcome {
        let given =
            [("files", Value::Path(files.into())), ("allow_empty", Value::Bool(allow_empty))];
        machine.step("junit", &given).await
    }

    fn answer(tests: i64, failed: i64, skipped: i64) -> Outcome {
        Ok(Value::record([
            ("tests", Value::Int(tests)),
            ("failed", Value::Int(failed)),
            ("skipped", Value::Int(skipped)),
        ]))
    }

    #[tokio::test]
    async fn failed_tests_make_the_stage_unstable() {
        let machine = Machine::new();
        machine.write(
            "r/a.xml",
            "<testsuite name='s'><testcase name='one' classname='C'/></testsuite>",
        );
        machine.write(
            "r/b.xml",
            "<testsuite name='t'><testcase name='two'><failure message='1 is not 2'/></testcase>\
             <testcase name='three'><skipped/></testcase></testsuite>",
        );
        machine.write("r/out.txt", "no report");
        assert_eq!(junit(&machine, "r/*.xml", false).await, answer(3, 1, 1));
        assert_eq!(machine.said.lines(), ["failed: t two: 1 is not 2"]);
        assert_eq!(machine.said.unstable(), ["3 tests, 1 failed, 1 skipped"]);
        assert_eq!(machine.said.tests().len(), 3);
        assert_eq!(junit(&machine, "r", false).await, answer(3, 1, 1));
    }

    #[tokio::test]
    async fn passed_tests_do_not() {
        let machine = Machine::new();
        machine.write("a.xml", "<testsuite><testcase name='one'/></testsuite>");
        assert_eq!(junit(&machine, "a.xml", false).await, answer(1, 0, 0));
        assert_eq!(machine.said.lines(), ["1 test, 0 failed"]);
        assert!(machine.said.unstable().is_empty());
    }

    #[tokio::test]
    async fn nothing_is_an_error_unless_it_may_be() {
        let machine = Machine::new();
        let failure = junit(&machine, "r/*.xml", false).await.unwrap_err();
        assert_eq!(failure.message, "no result of a test is in `r/*.xml`");
        assert_eq!(junit(&machine, "r/*.xml", true).await, answer(0, 0, 0));
        machine.write("r/a.xml", "<testsuites/>");
        assert!(junit(&machine, "r/*.xml", false).await.is_err());
        assert_eq!(junit(&machine, "r/*.xml", true).await, answer(0, 0, 0));
    }
}
