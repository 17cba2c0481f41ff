//! What an engine does not want to do.

use bollard::errors::Error;
use pipe_grammar::Code;

use super::{Engine, error::one_line};
use crate::core::Failure;

/// An engine that is there, and says no. Whoever asked knows what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of its answer: 404, 409, 500.
    pub status: u16,
    /// Its words, one line.
    pub text: String,
}

impl Refusal {
    /// Whether its words contain all of these.
    #[must_use]
    pub fn says(&self, words: &[&str]) -> bool {
        words.iter().all(|word| self.text.contains(word))
    }
}

impl Engine {
    /// An answer, or the engine's no.
    pub(super) fn answer<T>(
        &self,
        answer: Result<T, Error>,
    ) -> Result<Result<T, Refusal>, Failure> {
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(Error::DockerResponseServerError { status_code, message }) => {
                Ok(Err(Refusal { status: status_code, text: one_line(&message) }))
            }
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// The engine can't do what it should, for a reason of its own.
    pub fn failed_inside(&self, text: &str) -> Failure {
        let message = format!("the Docker Engine at `{}` failed: {text}", self.address);
        Failure::infrastructure(Code::NO_ENGINE, message)
            .help("look into its log: `journalctl -u docker`")
    }
}
