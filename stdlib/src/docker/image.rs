//! `Image`: what the functions of the module answer.

use std::sync::Arc;

use pipe_grammar::Code;
use pipe_oci::{Digest, Reference, ReferenceError};

use crate::{
    client::registry::Registry,
    core::{Call, Failure, Value},
};

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
    let reference = exactly(argument, text)?;
    let Some(local) = &call.connections.local else { return Ok(reference) };
    exactly(argument, &local.image(&reference.familiar()))
}

/// The name of an image as it stands in an argument, whatever the local cluster calls it.
pub(super) fn exactly(argument: &'static str, text: &str) -> Result<Reference, Failure> {
    let reference: Reference = text.parse().map_err(|error: ReferenceError| {
        let failure = Failure::new(Code::INVALID_IMAGE, error.message).at_argument(argument);
        match error.repaired {
            Some(repaired) => failure.help(format!("write `{repaired}`")),
            None => failure,
        }
    })?;
    Ok(reference.or_latest())
}

/// An image in a registry, and the registry. With `--local` it is the local cluster's, unless that
/// has no such image.
pub(super) async fn sought(
    call: &Call<'_>,
    argument: &'static str,
    text: &str,
) -> Result<(Arc<Registry>, Reference), Failure> {
    let mut image = named(call, argument, text)?;
    if call.connections.local.is_some() {
        let registry = connect(call, image.host()).await?;
        if call.unless_cancelled(registry.head(&image)).await??.is_some() {
            return Ok((registry, image));
        }
        image = exactly(argument, text)?;
    }
    Ok((connect(call, image.host()).await?, image))
}

async fn connect(call: &Call<'_>, host: &str) -> Result<Arc<Registry>, Failure> {
    let registry = Registry::connect(host, call.world, call.connections);
    Ok(Arc::new(call.unless_cancelled(registry).await??))
}

/// A name that is given to an image: `:1.2` is a tag beside the image's own.
pub(super) fn beside(
    call: &Call<'_>,
    argument: &'static str,
    image: &Reference,
    text: &str,
) -> Result<Reference, Failure> {
    match text.strip_prefix(':') {
        None => tag(call, argument, text),
        Some(name) => {
            // The repository is the local cluster's already where that counts.
            let text = format!("{}:{name}", image.repository());
            exactly(argument, &text)
        }
    }
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
