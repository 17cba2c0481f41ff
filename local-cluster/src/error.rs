//! What went wrong, in words.

use std::{fmt, io, path::Path};

/// What went wrong with the local cluster: one line, lower case, without a full stop, names in
/// back-ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The machine did not do what `doing` says with the file at `path`.
    pub(crate) fn at(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self(format!("can't {doing} `{}`: {}", path.display(), pipe_oci::plain(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
