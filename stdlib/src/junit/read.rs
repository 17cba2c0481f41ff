//! JUnit's XML. No standard says what it is: this takes what Ant, Maven Surefire (with its `rerun`
//! and `flaky` elements, https://maven.apache.org/surefire/maven-surefire-plugin/), pytest, Go, Rust
//! and JavaScript tools write.

use std::path::Path;

use pipe_grammar::Code;
use roxmltree::{Document, Node, ParsingOptions};

use crate::core::{Failure, Spot, TestOutcome, TestResult};

/// So much is kept of what a tool says about a failed test.
const LONGEST_TEXT: usize = 8000;
/// So much of its first line.
const LONGEST_MESSAGE: usize = 300;

/// The tests in a report.
pub(super) fn results(text: &str, shown: &str, path: &Path) -> Result<Vec<TestResult>, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(bad(shown, "it is empty: did its tool end early?"));
    }
    // Tools put the control characters of a terminal into it, which XML does not allow.
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() && !matches!(c, '\t' | '\n' | '\r') { ' ' } else { c })
        .collect();
    // Without a document type there are no entities, and so none that blow up or read files.
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&clean, options).map_err(|error| {
        let at = error.pos();
        let line = usize::try_from(at.row).unwrap_or(1);
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let end = start + text[start..].lines().next().map_or(0, str::len);
        bad(shown, &format!("its line {line} is no XML"))
            .at(Spot::File { path: path.to_path_buf(), bytes: start..end })
    })?;
    let root = document.root_element();
    if !matches!(root.tag_name().name(), "testsuites" | "testsuite") {
        let what = format!("it holds `<{}>`, not `<testsuite>`", root.tag_name().name());
        return Err(bad(shown, &what));
    }
    let cases = root.descendants().filter(|node| node.has_tag_name("testcase"));
    Ok(cases.map(result).collect())
}

fn bad(shown: &str, why: &str) -> Failure {
    Failure::new(Code::INVALID_XML, format!("`{shown}` is no JUnit report: {why}"))
        .at_argument("files")
}

fn result(case: Node<'_, '_>) -> TestResult {
    let attribute = |name: &str| case.attribute(name).unwrap_or("").trim().to_owned();
    let suite = case.ancestors().find(|node| node.has_tag_name("testsuite"));
    let suite = suite.and_then(|suite| suite.attribute("name")).unwrap_or("").trim();
    let (outcome, about) = outcome(case);
    TestResult {
        suite: suite.to_owned(),
        class: [attribute("classname"), attribute("file")]
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        name: attribute("name"),
        seconds: seconds(&attribute("time")),
        outcome,
        message: about.map_or(String::new(), message),
        text: about
            .and_then(|about| about.text())
            .map_or(String::new(), |text| text.trim().chars().take(LONGEST_TEXT).collect()),
    }
}

/// What became of a test, and the element that tells.
fn outcome<'a, 'b>(case: Node<'a, 'b>) -> (TestOutcome, Option<Node<'a, 'b>>) {
    let find = |names: &[&str]| {
        case.children().find(|node| node.is_element() && names.contains(&node.tag_name().name()))
    };
    for (names, outcome) in [
        (&["failure", "error"][..], TestOutcome::Failed),
        (&["skipped", "disabled"], TestOutcome::Skipped),
        (&["flakyFailure", "flakyError"], TestOutcome::Flaky),
    ] {
        if let Some(about) = find(names) {
            return (outcome, Some(about));
        }
    }
    // Some write it as an attribute alone.
    match case.attribute("status").or(case.attribute("result")).unwrap_or("") {
        "failed" | "failure" | "error" => (TestOutcome::Failed, None),
        "skipped" | "disabled" | "notrun" | "ignored" => (TestOutcome::Skipped, None),
        _ => (TestOutcome::Passed, None),
    }
}

/// The attribute `message`, else the first line of the text.
fn message(about: Node<'_, '_>) -> String {
    let attribute = about.attribute("message").filter(|text| !text.trim().is_empty());
    let text = attribute.or(about.text()).unwrap_or("");
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    line.chars().take(LONGEST_MESSAGE).collect()
}

/// `1,234.56` of Surefire, `0.003`.
fn seconds(text: &str) -> Option<f64> {
    let number = text.replace(',', "").parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str) -> Vec<TestResult> {
        results(text, "x.xml", Path::new("/x.xml")).unwrap()
    }

    #[test]
    fn surefire() {
        let tests = read(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuite name="com.shop.CartTest" time="1,234.5" tests="4">
              <testcase name="adds" classname="com.shop.CartTest" time="0.011"/>
              <testcase name="pays" classname="com.shop.CartTest" time="1,200.5">
                <failure message="expected: &lt;1&gt;&#10;but was" type="AssertionError"><![CDATA[at CartTest
                at x]]></failure>
                <rerunFailure message="again"/>
                <system-out>hello</system-out>
              </testcase>
              <testcase name="sends" classname="com.shop.CartTest">
                <flakyFailure message="timeout" type="x"><stackTrace>at</stackTrace></flakyFailure>
              </testcase>
              <testcase name="later" classname="com.shop.CartTest"><skipped message="no db"/></testcase>
            </testsuite>"#,
        );
        let outcomes: Vec<TestOutcome> = tests.iter().map(|test| test.outcome).collect();
        use TestOutcome::{Failed, Flaky, Passed, Skipped};
        assert_eq!(outcomes, [Passed, Failed, Flaky, Skipped]);
        assert_eq!(tests[1].seconds, Some(1200.5));
        assert_eq!(tests[1].message, "expected: <1>");
        assert!(tests[1].text.starts_with("at CartTest"));
        assert_eq!(tests[2].message, "timeout");
        assert_eq!(tests[3].message, "no db");
        assert_eq!(tests[0].suite, "com.shop.CartTest");
    }

    #[test]
    fn nested_suites_and_other_tools() {
        let tests = read(
            "\u{feff}<testsuites><testsuite name='a'><testsuite name='b'><testcase name='x' file='f.js'>\
             <error>\n  boom\n at y</error></testcase></testsuite>\
             <testcase name='y' classname='m' status='disabled'/></testsuite></testsuites>",
        );
        assert_eq!((tests[0].suite.as_str(), tests[0].class.as_str()), ("b", "f.js"));
        assert_eq!(tests[0].message, "boom");
        assert_eq!(tests[1].outcome, TestOutcome::Skipped);
        assert_eq!(tests[1].seconds, None);
    }

    #[test]
    fn terminals_are_forgiven() {
        let tests = read("<testsuite><testcase name='\u{1b}[31mred'/></testsuite>");
        assert_eq!(tests[0].name, "[31mred");
    }

    #[test]
    fn what_is_none_is_told() {
        let bad = |text: &str| results(text, "x.xml", Path::new("/x.xml")).unwrap_err();
        assert_eq!(
            bad("").message,
            "`x.xml` is no JUnit report: it is empty: did its tool end early?"
        );
        assert_eq!(
            bad("<html/>").message,
            "`x.xml` is no JUnit report: it holds `<html>`, not `<testsuite>`"
        );
        let cut = bad("<testsuite>\n<testcase name='a'\n");
        assert!(cut.message.ends_with("is no XML"), "{}", cut.message);
        assert!(matches!(cut.spot, Spot::File { .. }));
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaa'>]><testsuite><testcase name='&a;'/></testsuite>";
        assert!(bad(bomb).message.ends_with("is no XML"));
        let deep = format!("<testsuite>{}", "<testsuite>".repeat(100_000));
        assert!(bad(&deep).message.ends_with("is no XML"));
    }
}
