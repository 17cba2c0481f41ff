//! What an image consists of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, Format, Platform, Result, media_type};

/// A blob by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it holds.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
    /// Where else it can be fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// In an index: what the image runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// A blob.
    pub fn new(media_type: impl Into<String>, size: u64, digest: Digest) -> Self {
        Self {
            media_type: media_type.into(),
            size,
            digest,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            platform: None,
        }
    }
}

/// The manifest of one image for one platform: its configuration and its layers, lowest first.
///
/// A manifest is named by the digest of its very bytes; those that came from elsewhere are kept
/// beside it, never written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Its own media type; OCI manifests may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    #[serde(deserialize_with = "crate::config::or_null")]
    pub layers: Vec<Descriptor>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// A manifest in one of the two formats.
    #[must_use]
    pub fn new(format: Format, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(format.manifest().to_owned()),
            config,
            layers,
            annotations: BTreeMap::new(),
        }
    }

    /// Its bytes; the same for the same content.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::config::bytes(self)
    }

    /// All its blobs, the configuration last, as they are pushed.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers.iter().chain([&self.config])
    }
}

/// Manifests of one image for several platforms: OCI's index, Docker's manifest list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Its own media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// An index in one of the two formats.
    #[must_use]
    pub fn new(
        format: Format,
        manifests: Vec<Descriptor>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let media_type = Some(format.index().to_owned());
        Self { schema_version: 2, media_type, manifests, annotations }
    }

    /// Its bytes; the same for the same content.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::config::bytes(self)
    }

    /// The manifest for a platform.
    #[must_use]
    pub fn select(&self, platform: &Platform) -> Option<&Descriptor> {
        self.manifests.iter().find(|m| m.platform.as_ref().is_some_and(|p| p.satisfies(platform)))
    }
}

/// What stands under a tag: one image, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyManifest {
    /// One image.
    Image(Manifest),
    /// Several, one for each platform.
    Index(Index),
}

impl AnyManifest {
    /// Reads a manifest. `content_type` is what the server said; it decides where the manifest
    /// itself does not say what it is.
    ///
    /// # Errors
    ///
    /// When the bytes are none, or one of a kind that is not in use any more (schema 1).
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            schema_version: Option<u32>,
            media_type: Option<String>,
            manifests: Option<serde::de::IgnoredAny>,
        }
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|_| Error::invalid("the manifest is not valid JSON"))?;
        if head.schema_version != Some(2) {
            return Err(Error::invalid(
                "the manifest is of schema 1, which registries gave up: push the image anew",
            ));
        }
        let content_type = content_type.and_then(|t| t.split(';').next()).map(str::trim);
        let kind = head.media_type.as_deref().or(content_type).unwrap_or_default();
        let index = match kind {
            media_type::DOCKER_INDEX | media_type::OCI_INDEX => true,
            media_type::DOCKER_MANIFEST | media_type::OCI_MANIFEST => false,
            _ => head.manifests.is_some(),
        };
        let broken = |error: serde_json::Error| {
            Error::invalid(format!("the manifest can't be read: {error}"))
        };
        if index {
            serde_json::from_slice(bytes).map(Self::Index).map_err(broken)
        } else {
            serde_json::from_slice(bytes).map(Self::Image).map_err(broken)
        }
    }

    /// Its media type, also where the manifest leaves it out.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Image(m) => m.media_type.as_deref().unwrap_or(media_type::OCI_MANIFEST),
            Self::Index(i) => i.media_type.as_deref().unwrap_or(media_type::OCI_INDEX),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_manifest_has_the_bytes_that_docker_writes() {
        let config = Descriptor::new(media_type::DOCKER_CONFIG, 2, Digest::of(b"{}"));
        let manifest = Manifest::new(Format::Docker, config, Vec::new());
        let text = String::from_utf8(manifest.to_bytes()).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"{}","size":2,"digest":"{}"}},"layers":[]}}"#,
                media_type::DOCKER_MANIFEST,
                media_type::DOCKER_CONFIG,
                Digest::of(b"{}")
            )
        );
        let read = AnyManifest::parse(text.as_bytes(), None).unwrap();
        assert_eq!(read, AnyManifest::Image(manifest));
    }

    #[test]
    fn an_index_gives_the_manifest_of_a_platform() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[
                {{"mediaType":"m","size":1,"digest":"{digest}","platform":{{"architecture":"arm64","os":"linux","variant":"v8"}}}},
                {{"mediaType":"n","size":1,"digest":"{digest}","platform":{{"architecture":"amd64","os":"linux","os.version":"1"}}}}]}}"#
        );
        let AnyManifest::Index(index) = AnyManifest::parse(text.as_bytes(), None).unwrap() else {
            panic!("an index");
        };
        let select =
            |text: &str| index.select(&text.parse().unwrap()).map(|d| d.media_type.clone());
        assert_eq!(select("linux/amd64").as_deref(), Some("n"));
        assert_eq!(select("linux/arm64").as_deref(), Some("m"));
        assert_eq!(select("linux/s390x"), None);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let message =
            |text: &str| AnyManifest::parse(text.as_bytes(), None).unwrap_err().to_string();
        assert_eq!(message("<html>"), "the manifest is not valid JSON");
        assert!(message(r#"{"schemaVersion":1}"#).contains("schema 1"));
        assert!(message(r#"{"schemaVersion":2}"#).contains("can't be read"));
    }
}
