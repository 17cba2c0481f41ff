//! What Marathon, a proxy or the network says when a request does not work.
//!
//! Bodies as in `api/MarathonExceptionMapper.scala` (0.15 and later), go-marathon's `error.go`
//! (earlier ones) and `api/LeaderProxyFilter.scala` (502 of a standby); any status may carry HTML
//! of something in between.

use serde_json::Value as Json;

/// What kind of refusal an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 409: other deployments hold the app.
    Locked,
    /// 409: an app or group with this id is there.
    AlreadyExists,
    /// 404: no such app, deployment, version or task.
    NotFound,
    /// 422 and 400: the definition is not valid.
    Validation,
    /// 400 and 422: no JSON, or JSON of other types than Marathon reads.
    InvalidJson,
    /// 400 for another reason.
    BadRequest,
    /// 403: more deployments run than the server allows.
    TooManyDeployments,
    /// 401.
    Unauthorized,
    /// 403 for another reason.
    Forbidden,
    /// A standby knows no leader, or can't reach it: the request did not get to Marathon.
    NoLeader,
    /// 502, 503, 504, or a page of something between us and Marathon; whether the request got
    /// through is unknown.
    Gateway,
    /// 500 and whatever else Marathon answers.
    Server,
}

/// One of the mistakes that a refusal lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Where in the definition, RFC 6901; empty: the whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// An answer with a status of 300 and more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub kind: Kind,
    /// Marathon's own words, or nothing when it had none that a person can read.
    pub message: String,
    /// The single mistakes.
    pub details: Vec<Detail>,
    /// The deployments that hold the app.
    pub deployments: Vec<String>,
}

/// Why a request gave no answer that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Error {
    /// The request never arrived: no route, no listener, no name, no TLS.
    Unreachable(String),
    /// The request was sent and no answer came; it may have been carried out.
    Lost(String),
    /// The server answered, with a refusal.
    Refused(Box<Refusal>),
    /// The server answered with something that is not Marathon's.
    Foreign(String),
}

impl Error {
    /// The kind of refusal, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Refused(refusal) => Some(refusal.kind),
            _ => None,
        }
    }

    /// Whether a GET may be sent again: it will pass by itself.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Lost(_) => true,
            Self::Refused(refusal) => matches!(refusal.kind, Kind::NoLeader | Kind::Gateway),
            Self::Foreign(_) => false,
        }
    }

    /// Whether the request provably did not get to Marathon, so that a write may be sent again.
    #[must_use]
    pub fn never_arrived(&self) -> bool {
        matches!(self, Self::Unreachable(_)) || self.kind() == Some(Kind::NoLeader)
    }

    /// One line for people, lower case, without a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Unreachable(why) | Self::Lost(why) | Self::Foreign(why) => why.clone(),
            Self::Refused(refusal) => refusal.sentence(),
        }
    }
}

impl Refusal {
    /// Reads an answer. `body` is whatever came with the status.
    #[must_use]
    pub fn read(status: u16, body: &str) -> Self {
        let json: Option<Json> = serde_json::from_str(body).ok();
        let message = match &json {
            Some(Json::String(text)) => text.clone(),
            Some(json) => json["message"].as_str().unwrap_or_default().to_owned(),
            None => plain_words(body),
        };
        let json = json.filter(Json::is_object).unwrap_or(Json::Null);
        let details = details(&json);
        let deployments = ids(&json["deployments"]);
        let kind = kind(status, &message, &json, &deployments, &details);
        Self { status, kind, message, details, deployments }
    }

    /// One line for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let said = self.message.trim().trim_end_matches('.');
        match self.kind {
            Kind::Gateway => format!("nothing but an error page answers (HTTP {})", self.status),
            Kind::NoLeader => "Marathon has no leader at the moment".to_owned(),
            _ if said.is_empty() => format!("HTTP {} without a reason", self.status),
            _ => format!("{said} (HTTP {})", self.status),
        }
    }
}

fn kind(status: u16, message: &str, body: &Json, deployments: &[String], list: &[Detail]) -> Kind {
    let no_leader = ["Could not determine the current leader", "Connection to leader refused"]
        .iter()
        .any(|text| message.contains(text));
    match status {
        401 => Kind::Unauthorized,
        403 if message.contains("running deployments") => Kind::TooManyDeployments,
        403 => Kind::Forbidden,
        404 if message.starts_with("There is no leader") => Kind::NoLeader,
        404 => Kind::NotFound,
        409 if !deployments.is_empty() || message.contains("locked") => Kind::Locked,
        409 => Kind::AlreadyExists,
        400 | 422 if message.starts_with("Invalid JSON") => Kind::InvalidJson,
        422 => Kind::Validation,
        400 if list.is_empty() => Kind::BadRequest,
        400 => Kind::Validation,
        502 if no_leader => Kind::NoLeader,
        502..=504 => Kind::Gateway,
        500.. if body.is_null() => Kind::Gateway,
        _ => Kind::Server,
    }
}

/// `details` is a text, or a list of `{path, errors}` (1.0 and later) or `{attribute, error}`
/// (0.15; before, the list was called `errors`).
fn details(body: &Json) -> Vec<Detail> {
    if let Some(text) = body["details"].as_str() {
        return vec![Detail { pointer: String::new(), message: text.to_owned() }];
    }
    let list = body["details"].as_array().or_else(|| body["errors"].as_array());
    let one = |item: &Json| -> Vec<Detail> {
        if let Some(path) = item["path"].as_str() {
            let errors = item["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
            let pointer = pointer_of(path);
            return errors
                .iter()
                .filter_map(Json::as_str)
                .map(|message| Detail { pointer: pointer.clone(), message: message.to_owned() })
                .collect();
        }
        let pointer = item["attribute"].as_str().map(pointer_of).unwrap_or_default();
        let message = item["error"].as_str().or_else(|| item.as_str());
        message.map(|text| Detail { pointer, message: text.to_owned() }).into_iter().collect()
    };
    list.into_iter().flatten().flat_map(one).collect()
}

/// `/healthChecks(0)/path` and `healthChecks[0].path` as RFC 6901: `/healthChecks/0/path`.
fn pointer_of(path: &str) -> String {
    let slashes = path.starts_with('/');
    let mut pointer = String::new();
    for c in path.chars() {
        match c {
            '(' | '[' => pointer.push('/'),
            ')' | ']' => {}
            '.' if !slashes => pointer.push('/'),
            c => pointer.push(c),
        }
    }
    let pointer = pointer.trim_matches('/');
    if pointer.is_empty() { String::new() } else { format!("/{pointer}") }
}

/// The ids of a list of deployments: objects with an `id`, or the ids themselves.
fn ids(list: &Json) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|item| item["id"].as_str().or_else(|| item.as_str()).map(str::to_owned))
        .collect()
}

/// A body that is no JSON: its text if it is a short line of words, nothing if it is a page.
fn plain_words(body: &str) -> String {
    let text = body.trim();
    let page = text.starts_with('<') || text.contains("<html") || text.len() > 300;
    // The proxy of a standby wraps its one sentence in a page of its own.
    let known = ["Could not determine the current leader", "Connection to leader refused"];
    if let Some(sentence) = known.iter().find(|sentence| text.contains(**sentence)) {
        return (*sentence).to_owned();
    }
    if page { String::new() } else { text.lines().next().unwrap_or_default().to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_known_body_has_its_kind() {
        let vectors: Json =
            serde_json::from_str(include_str!("../../../tests/data/marathon/error-bodies.json"))
                .unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 20);
        for case in cases {
            let (name, status) = (&case["name"], case["status"].as_u64().unwrap());
            let body = match &case["body"] {
                Json::String(text) => text.clone(),
                json => json.to_string(),
            };
            if case["kind"] == "OK-empty" {
                assert!(status < 300, "{name}: no refusal at all");
                continue;
            }
            let refusal = Refusal::read(u16::try_from(status).unwrap(), &body);
            assert_eq!(format!("{:?}", refusal.kind), case["kind"].as_str().unwrap(), "{name}");
            assert!(!refusal.sentence().contains("<h"), "{name}: {}", refusal.sentence());
        }
    }

    #[test]
    fn details_point_into_the_definition_in_each_generation() {
        let read = |body: &str| Refusal::read(422, body).details;
        let new = read(
            r#"{"message":"Object is not valid","details":[{"path":"/healthChecks(0)/path","errors":["a","b"]},{"path":"/","errors":["c"]}]}"#,
        );
        let pointers: Vec<(&str, &str)> =
            new.iter().map(|d| (d.pointer.as_str(), d.message.as_str())).collect();
        assert_eq!(
            pointers,
            [("/healthChecks/0/path", "a"), ("/healthChecks/0/path", "b"), ("", "c")]
        );
        for body in [
            r#"{"message":"x","details":[{"attribute":"upgradeStrategy.minimumHealthCapacity","error":"is greater than 1"}]}"#,
            r#"{"message":"x","errors":[{"attribute":"upgradeStrategy.minimumHealthCapacity","error":"is greater than 1"}]}"#,
        ] {
            assert_eq!(read(body)[0].pointer, "/upgradeStrategy/minimumHealthCapacity");
        }
        let text = read(r#"{"message":"Invalid JSON","details":"Unexpected character"}"#);
        assert_eq!(
            (text[0].pointer.as_str(), text[0].message.as_str()),
            ("", "Unexpected character")
        );
        assert_eq!(read(r#"{"message":"x"}"#), []);
    }

    #[test]
    fn the_ids_of_a_lock_are_read() {
        let refusal = Refusal::read(
            409,
            r#"{"message":"App is locked","deployments":[{"id":"a"},{"id":"b"}]}"#,
        );
        assert_eq!(refusal.deployments, ["a", "b"]);
    }

    #[test]
    fn a_page_is_never_shown() {
        for status in [200, 302, 400, 401, 403, 404, 409, 422, 500, 502, 503, 504] {
            let said = Refusal::read(status, "<!DOCTYPE html><html><body>secret</body></html>");
            assert!(!said.sentence().contains("secret"), "{status}: {}", said.sentence());
        }
        let page =
            "<html><h2>HTTP ERROR 502</h2><p>Could not determine the current leader</p></html>";
        assert_eq!(Refusal::read(502, page).kind, Kind::NoLeader);
    }
}
