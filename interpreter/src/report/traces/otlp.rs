//! Spans as OTLP's JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>. Ids are
//! hexadecimal, numbers of 64 bits are strings.

use pipe_stdlib::core::World;
use serde_json::{Value as Json, json};

use super::spans::Span;
use crate::trace::Trace;

/// So many spans go into one request.
const BATCH: usize = 512;
/// `SPAN_KIND_INTERNAL`
const INTERNAL: u8 = 1;
/// `STATUS_CODE_ERROR`
const ERROR: u8 = 2;

/// The bodies of the requests.
pub(super) fn batches(world: &World, trace: &Trace, spans: &[Span]) -> Vec<Json> {
    let resource = json!({ "attributes": resource(world) });
    let scope = json!({ "name": "pipe", "version": env!("CARGO_PKG_VERSION") });
    spans
        .chunks(BATCH)
        .map(|spans| {
            let spans: Vec<Json> = spans.iter().map(|one| span(trace, one)).collect();
            json!({ "resourceSpans": [{
                "resource": resource,
                "scopeSpans": [{ "scope": scope, "spans": spans }],
            }] })
        })
        .collect()
}

/// Who sends: `OTEL_RESOURCE_ATTRIBUTES`, with `OTEL_SERVICE_NAME` before it.
fn resource(world: &World) -> Vec<Json> {
    let variable = |name: &str| world.variable(name).unwrap_or("").trim().to_owned();
    let mut found = pairs(&variable("OTEL_RESOURCE_ATTRIBUTES"));
    let service = variable("OTEL_SERVICE_NAME");
    if !service.is_empty() {
        found.retain(|(name, _)| name != "service.name");
        found.push(("service.name".to_owned(), service));
    } else if !found.iter().any(|(name, _)| name == "service.name") {
        found.push(("service.name".to_owned(), "pipe".to_owned()));
    }
    found.iter().map(|(name, value)| attribute(name, &json!(value))).collect()
}

/// `a=1,b=2` of the environment, percent-decoded, as W3C Baggage writes it.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty()).then(|| (decoded(name), decoded(value)))
    };
    text.split(',').filter_map(pair).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.filter(|_| *first == b'%');
        let byte = byte.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn span(trace: &Trace, span: &Span) -> Json {
    let attributes: Vec<Json> =
        span.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let failures: Vec<Json> = span
        .failures
        .iter()
        .map(|(at, code, message)| {
            json!({
                "timeUnixNano": at.to_string(),
                "name": "exception",
                "attributes": [
                    attribute("exception.type", &json!(code)),
                    attribute("exception.message", &json!(message)),
                ],
            })
        })
        .collect();
    let mut json = json!({
        "traceId": trace.id,
        "spanId": span.id,
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": span.start.to_string(),
        "endTimeUnixNano": span.end.to_string(),
        "attributes": attributes,
        "events": failures,
    });
    if let Some(parent) = &span.parent {
        json["parentSpanId"] = json!(parent);
    }
    json["status"] = match &span.error {
        Some(message) => json!({ "code": ERROR, "message": message }),
        None => json!({}),
    };
    json
}

fn attribute(name: &str, value: &Json) -> Json {
    let value = match value {
        Json::Number(number) => json!({ "intValue": number.to_string() }),
        Json::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    };
    json!({ "key": name, "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let pairs = pairs(" authorization=Basic%20a%3D, x = 1%,=2,nothing,é=%C3%A9");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(pairs, [pair("authorization", "Basic a="), pair("x", "1%"), pair("é", "é")]);
    }
}
