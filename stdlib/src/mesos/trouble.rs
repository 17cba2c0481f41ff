//! What the client says, as failures of a step.

use pipe_grammar::Code;

use crate::{
    client::mesos::{Error, Kind, lower},
    core::{Failure, MesosConnection},
};

/// A master that does not let us in.
pub(super) fn failure(error: &Error, connection: &MesosConnection) -> Failure {
    let refused = |what: &str| {
        Failure::infrastructure(Code::SERVER_ERROR, format!("{what}: {}", error.sentence()))
    };
    match error {
        Error::Unreachable(_) | Error::Lost(_) => {
            Failure::infrastructure(Code::UNREACHABLE_SERVER, error.sentence()).help(
                "several masters stand in `connect mesos(…)` with commas between them; any that \
                 answers will do",
            )
        }
        Error::Foreign(_) => Failure::infrastructure(Code::SERVER_ERROR, error.sentence())
            .help("is the URL of the connection complete? On DC/OS it ends with `/mesos`"),
        Error::Ended(message) => ended(message, connection),
        Error::Refused { kind, message, .. } => match kind {
            Kind::NotReady | Kind::NotSubscribed => {
                Failure::infrastructure(Code::UNREACHABLE_SERVER, "the Mesos master is not ready")
                    .help(error.sentence())
            }
            Kind::NotFound => refused("no Mesos master answers there")
                .help("is the URL of the connection complete? On DC/OS it ends with `/mesos`"),
            Kind::Unauthorized => refused("the Mesos master does not know us").help(
                "give `connect mesos(…)` a valid `token:` (DC/OS), or `username:` and `password:`",
            ),
            Kind::Forbidden => refused("the Mesos master does not let us do that"),
            Kind::Wrong if message.contains("principal") => {
                refused("the Mesos master knows us under another name")
                    .help("`username:` of `connect mesos(…)` must be the principal")
            }
            Kind::Wrong => refused("the Mesos master can't read what we say"),
        },
    }
}

/// The text of an `ERROR` event.
fn ended(message: &str, connection: &MesosConnection) -> Failure {
    let words = lower(message);
    let failure = Failure::infrastructure(
        Code::REQUEST_REFUSED,
        format!("the Mesos master refuses the framework: {words}"),
    );
    let role = &connection.role;
    if message.contains("role") && !message.contains("principal") {
        return failure.help(format!(
            "may `{role}` be used? `role:` of `mesos.task` or `connect mesos(…)` names another one"
        ));
    }
    if message.contains("Not authorized") || message.contains("not allowed") {
        return failure.help("ask the operator for the right to register frameworks");
    }
    failure
}

/// Why a framework that was there is over, for each of its tasks.
pub(super) fn gave_up(error: &Error) -> String {
    match error {
        Error::Ended(message) if message == "Framework has been removed" => {
            "the master has removed this run's framework".to_owned()
        }
        Error::Ended(message) if message == "Framework failed over" => {
            "somebody else has taken over this run's framework".to_owned()
        }
        error => error.sentence(),
    }
}
