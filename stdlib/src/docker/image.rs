//! `Image`: what the functions of the module answer.

use pipe_grammar::Code;
use pipe_oci::{Digest, Reference, ReferenceError};

use crate::core::{Call, Failure, Value};

/// The declaration.
pub(super) const TYPE: &str =
    "{ reference: string, repository: string, digest: string?, id: string?, tags: list<string> }";

/// An image with its names.
pub(super) struct Image {
    /// Its names; the first one is the one it is called by.
    pub(super) tags: Vec<Reference>,
    /// Under which digest a registry has it.
    pub(super) digest: Option<Digest>,
    /// The digest of its configuration, or an engine's id.
    pub(super) id: Option<String>,
}

impl Image {
    /// As a value: `reference` is `repository@digest` once a registry has it, else the first tag,
    /// else the id.
    pub(super) fn value(&self) -> Value {
        let first = self.tags.first();
        let reference = match (first, self.digest) {
            (Some(tag), Some(digest)) => tag.at(digest).familiar(),
            (Some(tag), None) => tag.familiar(),
            (None, _) => self.id.clone().unwrap_or_default(),
        };
        Value::record([
            ("reference", Value::from(reference)),
            ("repository", Value::from(first.map(Reference::repository).unwrap_or_default())),
            ("digest", Value::from(self.digest.map(|digest| digest.to_string()))),
            ("id", Value::from(self.id.clone())),
            ("tags", Value::strings(self.tags.iter().map(Reference::familiar))),
        ])
    }
}

/// Why a text is no name of an image, and the text repaired where that needs no guess.
#[must_use]
pub fn problem(text: &str) -> Option<(String, Option<String>)> {
    text.parse::<Reference>().err().map(|error| (error.message, error.repaired))
}

/// The name of an image as it stands in an argument, `latest` where it has no tag. With `--local`
/// it is the local cluster's name for it.
pub(super) fn named(
    call: &Call<'_>,
    argument: &'static str,
    text: &str,
) -> Result<Reference, Failure> {
    let wrong = |error: ReferenceError| {
        let failure = Failure::new(Code::INVALID_IMAGE, error.message).at_argument(argument);
        match error.repaired {
            Some(repaired) => failure.help(format!("write `{repaired}`")),
            None => failure,
        }
    };
    let reference: Reference = text.parse().map_err(wrong)?;
    let reference = reference.or_latest();
    let Some(local) = &call.connections.local else { return Ok(reference) };
    local.image(&reference.familiar()).parse().map_err(wrong)
}

/// The same for a name that is given to an image: it can't be a digest.
pub(super) fn tag(
    call: &Call<'_>,
    argument: &'static str,
    text: &str,
) -> Result<Reference, Failure> {
    let reference = named(call, argument, text)?;
    if reference.digest().is_some() {
        let message = format!("`{text}` is a digest; an image is named by a tag");
        return Err(Failure::new(Code::INVALID_IMAGE, message)
            .at_argument(argument)
            .help(format!("write `{}:1.0`", reference.repository())));
    }
    Ok(reference)
}
