//! A text that is never shown.

use std::{fmt, sync::Arc};

/// A secret. It has no `Display`, its `Debug` says nothing, and it can't be serialised: the only
/// way to its text is [`Secret::reveal`], so every place that hands it out can be found.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Arc<str>,
}

impl Secret {
    /// Makes a text a secret.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into() }
    }

    /// The text. Call it only where the text goes to the one party that must have it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
