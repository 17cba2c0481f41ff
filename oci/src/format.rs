//! The two families of formats.

use crate::media_type;

/// In which of the two families of formats an image is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Docker's version 2, schema 2: the only one that the Mesos containerizer pulls.
    #[default]
    Docker,
    /// OCI's.
    Oci,
}

impl Format {
    /// The media type of its manifest.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Docker => media_type::DOCKER_MANIFEST,
            Self::Oci => media_type::OCI_MANIFEST,
        }
    }

    /// The media type of an index of several images.
    #[must_use]
    pub fn index(self) -> &'static str {
        match self {
            Self::Docker => media_type::DOCKER_INDEX,
            Self::Oci => media_type::OCI_INDEX,
        }
    }

    /// The media type of its configuration.
    #[must_use]
    pub fn config(self) -> &'static str {
        match self {
            Self::Docker => media_type::DOCKER_CONFIG,
            Self::Oci => media_type::OCI_CONFIG,
        }
    }

    /// The media type of its layers in gzip.
    #[must_use]
    pub fn layer(self) -> &'static str {
        match self {
            Self::Docker => media_type::DOCKER_LAYER,
            Self::Oci => media_type::OCI_LAYER,
        }
    }
}
