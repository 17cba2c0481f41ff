//! What Marathon answers when it does not do what it was asked: the status and the JSON body of
//! `api/MarathonExceptionMapper.scala`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::app::AppId;

/// A refusal: an HTTP status and a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: Value,
}

/// One complaint about one place of a definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    /// The place, such as `/healthChecks(0)/path`; `/` is the definition as a whole.
    path: String,
    /// The complaint.
    error: String,
}

/// All complaints about a definition.
pub(crate) type Details = Vec<Detail>;

impl Detail {
    /// A complaint about the place `path`.
    pub(crate) fn new(path: impl Into<String>, error: impl Into<String>) -> Self {
        Self { path: path.into(), error: error.into() }
    }
}

impl Refusal {
    /// A message alone.
    pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, body: json!({ "message": message.into() }) }
    }

    /// The definition breaks rules.
    pub(crate) fn not_valid(details: &Details) -> Self {
        Self::with_details("Object is not valid", details)
    }

    /// The definition has fields of wrong types.
    pub(crate) fn wrong_types(details: &Details) -> Self {
        Self::with_details("Invalid JSON", details)
    }

    fn with_details(message: &str, details: &Details) -> Self {
        let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
        for Detail { path, error } in details {
            match grouped.iter_mut().find(|(known, _)| known == path) {
                Some((_, errors)) => errors.push(error),
                None => grouped.push((path, vec![error])),
            }
        }
        let details: Vec<Value> = grouped
            .into_iter()
            .map(|(path, errors)| json!({ "path": path, "errors": errors }))
            .collect();
        let body = json!({ "message": message, "details": details });
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, body }
    }

    /// One rule about the definition as a whole is broken.
    pub(crate) fn rule(error: &str) -> Self {
        Self::not_valid(&vec![Detail::new("/", error)])
    }

    /// The body is no JSON. Here, and only here, `details` is a text.
    pub(crate) fn not_json(text: &str) -> Self {
        let body = json!({ "message": "Invalid JSON", "details": text });
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// There is no body.
    pub(crate) fn no_body() -> Self {
        Self::message(StatusCode::BAD_REQUEST, "Please specify data in JSON format")
    }

    /// The old forms of a definition contradict themselves: Marathon does not map that to a
    /// status of its own.
    pub(crate) fn normalisation(message: impl Into<String>) -> Self {
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// No such app.
    pub(crate) fn no_app(id: &AppId) -> Self {
        Self::message(StatusCode::NOT_FOUND, format!("App '{id}' does not exist"))
    }

    /// No such task.
    pub(crate) fn no_task(id: &str) -> Self {
        Self::message(StatusCode::NOT_FOUND, format!("Task '{id}' does not exist"))
    }

    /// No such deployment, or not any more.
    pub(crate) fn no_deployment(id: &str) -> Self {
        Self::message(StatusCode::NOT_FOUND, format!("DeploymentPlan {id} does not exist"))
    }

    /// The app is there already.
    pub(crate) fn exists(id: &AppId) -> Self {
        Self::message(StatusCode::CONFLICT, format!("An app with id [{id}] already exists."))
    }

    /// Deployments hold the app. The place holder in the text is Marathon's.
    pub(crate) fn locked(deployments: &[String]) -> Self {
        let ids: Vec<Value> = deployments.iter().map(|id| json!({ "id": id })).collect();
        let body = json!({
            "message": "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
            "deployments": ids,
        });
        Self { status: StatusCode::CONFLICT, body }
    }

    /// No such path. (Up to 1.6 a 404 with the path.)
    pub(crate) fn no_uri() -> Self {
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, "URI not found")
    }

    /// A known path, but not this method: the words of the status, as for all that Jersey throws.
    pub(crate) fn no_method() -> Self {
        Self::message(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Those of the vectors that this server makes itself.
    #[test]
    fn bodies_are_those_that_clients_know() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/data/error-bodies.json")).unwrap();
        let case = |name: &str| {
            let cases = vectors["cases"].as_array().unwrap();
            let case = cases.iter().find(|case| case["name"] == name).unwrap();
            (u16::try_from(case["status"].as_u64().unwrap()).unwrap(), case["body"].clone())
        };
        let app = AppId::absolute("/a");
        let ours = |refusal: Refusal| (refusal.status.as_u16(), refusal.body);
        let locked = Refusal::locked(&["97c136bf-5a28-4821-9d94-480d9fbb01c8".into()]);
        assert_eq!(ours(locked), case("locked by deployment"));
        assert_eq!(ours(Refusal::exists(&app)), case("app exists (POST)"));
        assert_eq!(ours(Refusal::no_app(&app)), case("app missing"));
        let deployment = "867ed450-f6a8-4d33-9b0e-e11c5513990b";
        assert_eq!(ours(Refusal::no_deployment(deployment)), case("deployment missing"));
        assert_eq!(ours(Refusal::no_task("x")), case("task missing"));
        assert_eq!(ours(Refusal::no_body()), case("no body"));
        let details = vec![
            Detail::new("/container/docker/image", "must not be empty"),
            Detail::new(
                "/healthChecks(0)",
                "Health check port indices must address an element of the ports array or container port mappings.",
            ),
        ];
        assert_eq!(ours(Refusal::not_valid(&details)), case("validation, 1.0+"));
        let details = vec![Detail::new("/id", "error.expected.jsstring")];
        assert_eq!(ours(Refusal::wrong_types(&details)), case("wrong type, 1.5+"));
        let version = "The 'version' field may only be combined with the 'id' field.";
        assert_eq!(ours(Refusal::rule(version)), case("version together with other fields"));
    }

    #[test]
    fn complaints_about_one_place_stand_together() {
        let details = vec![Detail::new("/a", "1"), Detail::new("/b", "2"), Detail::new("/a", "3")];
        let body = Refusal::not_valid(&details).body;
        assert_eq!(
            body["details"],
            json!([{"path": "/a", "errors": ["1", "3"]}, {"path": "/b", "errors": ["2"]}])
        );
    }
}
