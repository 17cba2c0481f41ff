//! What an engine knows of an image.

use std::collections::BTreeMap;

use bollard::errors::Error;
use pipe_oci::{Digest, Reference};

use super::Engine;
use crate::core::Failure;

/// An image that an engine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The digest of its configuration.
    pub id: String,
    /// Under which digests registries have it.
    pub digests: Vec<Reference>,
    /// What it runs on.
    pub platform: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// How many bytes its files have.
    pub size: u64,
    /// When it was tagged here last; none: it was pulled, or loaded.
    pub tagged: Option<jiff::Timestamp>,
}

impl Inspected {
    /// Its digests in one repository.
    pub fn digests_in<'a>(
        &'a self,
        repository: &'a Reference,
    ) -> impl Iterator<Item = Digest> + 'a {
        let same = |r: &&Reference| r.host() == repository.host() && r.path() == repository.path();
        self.digests.iter().filter(same).filter_map(Reference::digest)
    }
}

impl Engine {
    /// An image by its name or id; none: the engine has no such image.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn inspect(&self, image: &str) -> Result<Option<Inspected>, Failure> {
        let found = match self.docker.inspect_image(image).await {
            Ok(found) => found,
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => return Ok(None),
            Err(error) => return Err(self.broken(&error)),
        };
        let tagged = found.metadata.and_then(|metadata| metadata.last_tag_time);
        let digests = found.repo_digests.unwrap_or_default();
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        let variant = found.variant.filter(|variant| !variant.is_empty());
        let parts = [found.os, found.architecture, variant];
        Ok(Some(Inspected {
            platform: parts.into_iter().flatten().collect::<Vec<_>>().join("/"),
            labels: labels.into_iter().collect(),
            size: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            id: found.id.unwrap_or_default(),
            digests: digests.iter().filter_map(|text| text.parse().ok()).collect(),
            // An image without a tag has the year 1 there.
            tagged: tagged
                .and_then(|text| text.to_string().parse::<jiff::Timestamp>().ok())
                .filter(|time| *time > jiff::Timestamp::UNIX_EPOCH),
        }))
    }
}
