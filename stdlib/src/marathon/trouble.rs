//! What the client says, as failures of a step.

use pipe_grammar::Code;

use super::definition::Definition;
use crate::{
    client::marathon::{Error, Kind, Refusal},
    core::{Failure, Problem},
};

/// A request that did not work.
pub(super) fn failure(error: &Error) -> Failure {
    match error {
        Error::Unreachable(_) | Error::Lost(_) => {
            Failure::infrastructure(Code::UNREACHABLE_SERVER, error.sentence())
        }
        Error::Foreign(_) => Failure::infrastructure(Code::SERVER_ERROR, error.sentence()).help(
            "is the URL of the connection complete? On DC/OS it ends with `/service/marathon`",
        ),
        Error::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Failure {
    let failure =
        |code, what: &str| Failure::infrastructure(code, format!("{what}: {}", refusal.sentence()));
    match refusal.kind {
        Kind::Unauthorized => failure(Code::SERVER_ERROR, "Marathon does not know us").help(
            "give `connect marathon(…)` a valid `token:` (DC/OS), or `username:` and `password:`",
        ),
        Kind::Forbidden => failure(Code::SERVER_ERROR, "Marathon does not let us do that"),
        Kind::TooManyDeployments => failure(Code::APP_LOCKED, "Marathon takes no deployment now"),
        Kind::NoLeader | Kind::Gateway => {
            failure(Code::UNREACHABLE_SERVER, "Marathon is not there")
        }
        _ => failure(Code::SERVER_ERROR, "Marathon answers with an error"),
    }
}

/// A definition that Marathon did not take.
pub(super) fn definition_refused(definition: &Definition, error: &Error) -> Failure {
    let Error::Refused(refusal) = error else { return failure(error) };
    if !matches!(refusal.kind, Kind::Validation | Kind::InvalidJson | Kind::BadRequest) {
        return failure(error);
    }
    let id = &definition.id;
    match refusal.details.as_slice() {
        [] => Failure::new(
            Code::APP_REFUSED,
            format!("Marathon refuses `{id}`: {}", refusal.sentence()),
        )
        .at_argument("definition"),
        [detail] => Failure::new(Code::APP_REFUSED, format!("Marathon refuses `{id}`"))
            .at(definition.spot(&detail.pointer))
            .label(said(&detail.pointer, &detail.message)),
        details => details.iter().fold(
            Failure::new(
                Code::APP_REFUSED,
                format!("Marathon refuses `{id}`, for {} reasons", details.len()),
            )
            .at_argument("definition"),
            |failure, detail| {
                failure.problem(Problem {
                    spot: definition.spot(&detail.pointer),
                    message: said(&detail.pointer, &detail.message),
                    label: String::new(),
                    help: Vec::new(),
                })
            },
        ),
    }
}

/// `/healthChecks/0/path: must not be empty`; Play's own words are translated.
fn said(pointer: &str, message: &str) -> String {
    let words = match message {
        "error.expected.jsstring" => "must be a text",
        "error.expected.jsnumber" => "must be a number",
        "error.expected.jsboolean" => "must be true or false",
        "error.expected.jsarray" => "must be a list",
        "error.expected.jsobject" => "must be an object",
        "error.path.missing" => "is missing",
        other => other.trim_end_matches('.'),
    };
    if pointer.is_empty() { words.to_owned() } else { format!("`{pointer}`: {words}") }
}
