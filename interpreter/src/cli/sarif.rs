//! Messages as SARIF 2.1.0, the form that Jenkins' Warnings plugin, code hosts and editors read:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use pipe_grammar::{Code, Diagnostic, Severity, Sources, Span};
use serde_json::{Value, json};

use super::pages;

/// The log of one run of the checker, as one JSON object.
pub(super) fn log(problems: &[Diagnostic], sources: &Sources) -> Value {
    let mut codes: Vec<Code> = Vec::new();
    let results: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let known = codes.iter().position(|code| *code == problem.code);
            let index = known.unwrap_or_else(|| {
                codes.push(problem.code);
                codes.len() - 1
            });
            result(problem, index, sources)
        })
        .collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pipe",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            // As our columns count, not UTF-16.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What a code means: the page that `pipe explain` shows.
fn rule(code: Code) -> Value {
    let page = pages::page(code);
    // Viewers show the title of a rule themselves.
    let page = page.split_once("\n\n").map_or(page, |(_, rest)| rest).trim_end();
    json!({
        "id": code.name(),
        "shortDescription": { "text": pages::about(code) },
        "help": { "text": page, "markdown": page },
    })
}

fn result(problem: &Diagnostic, rule: usize, sources: &Sources) -> Value {
    let mut text = problem.message.clone();
    for line in &problem.help {
        text.push('\n');
        text.push_str(line);
    }
    let mut result = json!({
        "ruleId": problem.code.name(),
        "ruleIndex": rule,
        "level": level(problem.severity),
        "message": { "text": text },
    });
    let (first, others) = match problem.labels.split_first() {
        Some((first, others)) => (Some(first), others),
        None => (None, &[][..]),
    };
    if let Some(first) = first {
        result["locations"] = json!([location(first.span, &first.text, sources)]);
    }
    let labels = others.iter().map(|label| location(label.span, &label.text, sources));
    let related = problem
        .related
        .iter()
        .filter_map(|other| Some(location(other.span()?, &other.message, sources)));
    let related: Vec<Value> = labels.chain(related).collect();
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Lines and columns count from 1; the end column is the first behind the place.
fn location(span: Span, message: &str, sources: &Sources) -> Value {
    let source = sources.get(span.source);
    let (start, end) = (source.position(span.start), source.position(span.end));
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&source.name) },
            "region": {
                "startLine": start.0,
                "startColumn": start.1,
                "endLine": end.0,
                "endColumn": end.1,
            },
        },
    });
    if !message.is_empty() {
        location["message"] = json!({ "text": message });
    }
    location
}

/// A path as a reference of RFC 3986: relative as it is named, absolute with `file://`.
fn uri(path: &str) -> String {
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("./ci/Pipelinefile"), "ci/Pipelinefile");
        assert_eq!(uri("mü ll#1"), "m%C3%BC%20ll%231");
        assert_eq!(uri("/srv/x"), "file:///srv/x");
    }
}
