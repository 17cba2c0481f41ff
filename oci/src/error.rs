//! What went wrong, in words.

use std::{fmt, io, path::Path};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong: one line, lower case, without a full stop, names in back-ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    kind: io::ErrorKind,
}

impl Error {
    /// Data that are not what they should be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: io::ErrorKind::InvalidData }
    }

    /// The machine did not do what `doing` says (`read`, `write`) with the file at `path`.
    pub fn at(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::io(format_args!("can't {doing} `{}`", path.display()), error)
    }

    /// The machine failed; `what` says at what.
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        Self { message: format!("{what}: {}", plain(error)), kind: error.kind() }
    }

    /// What kind of failure: `InvalidData` when data are wrong, otherwise what the machine said
    /// (`NotFound`, `StorageFull`, `PermissionDenied`, …).
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::new(error.kind, error)
    }
}

/// The text of an error of the machine without its number: `no space left on device`.
#[must_use]
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(at)) => &text[..at],
        _ => text.as_str(),
    };
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_machine_reads_as_words() {
        let error = io::Error::from_raw_os_error(28);
        assert_eq!(plain(&error), "no space left on device");
        let error = Error::at("read", Path::new("a/b"), &io::Error::from_raw_os_error(2));
        assert_eq!(error.to_string(), "can't read `a/b`: no such file or directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(plain(&io::Error::other("`x` changed")), "`x` changed");
    }
}
