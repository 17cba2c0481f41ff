//! XML as the readers of JUnit reports take it.

use std::fmt::Write as _;

use super::cases::{Case, End, Suite, Trouble};

/// The whole document.
pub(super) fn document(name: &str, millis: u64, suites: &[Suite]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    #[allow(clippy::cast_precision_loss)]
    let seconds = millis as f64 / 1000.0;
    let total = Counts::of(suites.iter().flat_map(|suite| &suite.cases));
    let name = attribute(name);
    let _ = writeln!(out, "<testsuites name=\"{name}\" time=\"{seconds:.3}\"{total}>");
    for suite in suites {
        write_suite(&mut out, suite);
    }
    out.push_str("</testsuites>\n");
    out
}

/// How many cases there are, and how many of each kind.
struct Counts([usize; 4]);

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        let mut counts = [0; 4];
        for case in cases {
            counts[0] += 1;
            match case.end {
                End::Passed => {}
                End::Failed(_) => counts[1] += 1,
                End::Error(_) => counts[2] += 1,
                End::Skipped(_) => counts[3] += 1,
            }
        }
        Self(counts)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [tests, failures, errors, skipped] = self.0;
        write!(
            f,
            " tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
        )
    }
}

fn write_suite(out: &mut String, suite: &Suite) {
    let _ = write!(out, "  <testsuite name=\"{}\"", attribute(&suite.name));
    if !suite.package.is_empty() {
        let _ = write!(out, " package=\"{}\"", attribute(&suite.package));
    }
    // Without fractions and zone, as the schema of JUnit's own reports wants it: UTC.
    if let Some(at) = suite.at.as_ref().and_then(|at| at.get(..19)) {
        let _ = write!(out, " timestamp=\"{}\"", attribute(at));
    }
    let counts = Counts::of(suite.cases.iter());
    let _ = writeln!(out, " time=\"{:.3}\"{counts}>", suite.seconds);
    for case in &suite.cases {
        write_case(out, case);
    }
    out.push_str("  </testsuite>\n");
}

fn write_case(out: &mut String, case: &Case) {
    let (class, name) = (attribute(&case.class), attribute(&case.name));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"");
    if let Some(seconds) = case.seconds {
        let _ = write!(out, " time=\"{seconds:.3}\"");
    }
    if matches!(case.end, End::Passed) && case.tries.is_empty() && case.output.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push_str(">\n");
    let again = match &case.end {
        End::Passed => "flakyFailure",
        End::Skipped(message) => {
            let _ = writeln!(out, "      <skipped message=\"{}\"/>", attribute(message));
            "rerunFailure"
        }
        End::Failed(trouble) => {
            write_trouble(out, "failure", trouble);
            "rerunFailure"
        }
        End::Error(trouble) => {
            write_trouble(out, "error", trouble);
            "rerunFailure"
        }
    };
    for trouble in &case.tries {
        let (kind, message) = (attribute(&trouble.kind), attribute(&trouble.message));
        let _ = write!(out, "      <{again} message=\"{message}\" type=\"{kind}\">");
        let _ = writeln!(out, "<stackTrace>{}</stackTrace></{again}>", text(&trouble.text));
    }
    if !case.output.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", text(&case.output));
    }
    out.push_str("    </testcase>\n");
}

fn write_trouble(out: &mut String, element: &str, trouble: &Trouble) {
    let (kind, message) = (attribute(&trouble.kind), attribute(&trouble.message));
    let body = text(&trouble.text);
    let _ =
        writeln!(out, "      <{element} message=\"{message}\" type=\"{kind}\">{body}</{element}>");
}

/// A value of an attribute: line ends are kept.
fn attribute(value: &str) -> String {
    escaped(value, true)
}

fn text(value: &str) -> String {
    escaped(value, false)
}

/// Without what XML 1.0 can't hold (section 2.2), and without the colours of a terminal.
fn escaped(value: &str, attribute: bool) -> String {
    let value = anstream::adapter::strip_str(value);
    let mut out = String::new();
    for c in value.flat_map(str::chars) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' | '\t' if attribute => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            // A reader takes it for a line end.
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn anything_can_be_held() {
        let nasty = "\u{1b}[31mred\u{1b}[0m \0\u{8}\u{fffe} ]]> <b a=\"&amp;\">\t'\r\nend";
        let trouble = Trouble { kind: nasty.into(), message: nasty.into(), text: nasty.into() };
        let case = Case { name: nasty.into(), end: End::Failed(trouble), ..Case::default() };
        let suite = Suite { name: nasty.into(), cases: vec![case], ..Suite::default() };
        let xml = document(nasty, 1234, &[suite]);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        let held = "red  ]]> <b a=\"&amp;\">\t'\r\nend";
        assert_eq!(failure.attribute("message"), Some(held));
        assert_eq!(failure.text(), Some(held));
        assert!(
            xml.contains("time=\"1.234\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"")
        );
    }
}
