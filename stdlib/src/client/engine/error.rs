//! An engine's errors in words.

use bollard::errors::Error;
use pipe_grammar::Code;

use super::Engine;
use crate::core::Failure;

/// Why an engine could not be asked.
pub(super) fn why(error: &Error) -> String {
    match error {
        Error::SocketNotFoundError(_) => "there is no such socket".to_owned(),
        Error::RequestTimeoutError => "it did not answer in time".to_owned(),
        Error::DockerResponseServerError { message, .. } => one_line(message),
        Error::DockerStreamError { error } => one_line(error),
        Error::CertPathError { path } | Error::CertParseError { path } => {
            format!("`{}` is no usable certificate", path.display())
        }
        other => deepest(other),
    }
}

/// The deepest cause.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        return pipe_oci::plain(error);
    }
    let text = cause.to_string();
    if text.contains("closed before message completed") || text.contains("connection closed") {
        return "the connection broke off".to_owned();
    }
    text
}

/// A message of the engine as one line.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}

impl Engine {
    /// An error that is not the user's: the engine broke off or failed inside.
    pub(super) fn broken(&self, error: &Error) -> Failure {
        let message = match error {
            Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. } => {
                format!("the Docker Engine at `{}` failed: {}", self.address, why(error))
            }
            _ => format!("the Docker Engine at `{}` is gone: {}", self.address, why(error)),
        };
        Failure::infrastructure(Code::NO_ENGINE, message)
            .help("look into its log: `journalctl -u docker`")
    }
}
