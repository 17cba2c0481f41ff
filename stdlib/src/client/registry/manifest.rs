//! Manifests in a registry.

use futures_util::StreamExt;
use pipe_grammar::Code;
use pipe_oci::{
    AnyManifest, Descriptor, Digest, ImageConfig, Index, Manifest, Reference, media_type,
};
use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE},
};

use super::{Registry, download, request::Errand};
use crate::core::Failure;

/// Registries themselves refuse bigger ones (4 MiB by the specification).
const MOST: usize = 8 << 20;

/// A manifest as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The very bytes.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
}

impl Registry {
    /// What the registry has under the tag or digest of a reference; nothing: no such image. Only
    /// its description travels.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, or refuses.
    pub async fn head(&self, reference: &Reference) -> Result<Option<Descriptor>, Failure> {
        self.look(Errand::pull(reference.path()), reference).await
    }

    /// The same as the first step of a push: with the rights, and the words of a refusal, of one.
    ///
    /// # Errors
    ///
    /// As [`Registry::head`].
    pub async fn head_to_push(&self, reference: &Reference) -> Result<Option<Descriptor>, Failure> {
        self.look(Errand::push(reference.path()), reference).await
    }

    async fn look(
        &self,
        errand: Errand<'_>,
        reference: &Reference,
    ) -> Result<Option<Descriptor>, Failure> {
        let answer = self.ask(errand, Method::HEAD, reference).await?;
        let Some(answer) = answer else { return Ok(None) };
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok());
        let digest = header("docker-content-digest").and_then(|text| text.parse().ok());
        let size = header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
        let kind = content_type(&answer);
        if let (Some(digest), Some(size)) = (digest, size) {
            return Ok(Some(Descriptor::new(kind, size, digest)));
        }
        // A registry may leave the headers out.
        let fetched = self.manifest(reference).await?;
        Ok(fetched.map(|f| Descriptor::new(f.media_type, f.bytes.len() as u64, f.digest)))
    }

    /// The manifest, or index, under the tag or digest of a reference; nothing: no such image.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, refuses, or sends other bytes than it announces.
    pub async fn manifest(&self, reference: &Reference) -> Result<Option<Fetched>, Failure> {
        let errand = Errand::pull(reference.path());
        let Some(mut answer) = self.ask(errand, Method::GET, reference).await? else {
            return Ok(None);
        };
        let announced = answer.headers().get("docker-content-digest");
        let announced = announced.and_then(|v| v.to_str().ok()).and_then(|text| text.parse().ok());
        let media_type = content_type(&answer);
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| self.broken(&e))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MOST {
                return Err(self.damaged(reference, "it has more than 8 MiB"));
            }
        }
        let digest = Digest::of(&bytes);
        if announced.or(reference.digest()).is_some_and(|wanted: Digest| wanted != digest)
            || reference.digest().is_some_and(|wanted| wanted != digest)
        {
            return Err(self.damaged(reference, "its bytes have another digest"));
        }
        // Some registries serve every manifest as plain JSON.
        let media_type = match AnyManifest::parse(&bytes, Some(&media_type)) {
            Ok(manifest) if !media_type::MANIFESTS.contains(&media_type.as_str()) => {
                manifest.media_type().to_owned()
            }
            _ => media_type,
        };
        Ok(Some(Fetched { bytes, media_type, digest }))
    }

    /// The configuration of an image.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, refuses, or sends something else.
    pub async fn config(
        &self,
        reference: &Reference,
        image: &Manifest,
    ) -> Result<ImageConfig, Failure> {
        let blob = &image.config;
        if blob.size > MOST as u64 {
            return Err(self.damaged(reference, "its configuration has more than 8 MiB"));
        }
        let path = reference.path().to_owned();
        let mut pieces = std::pin::pin!(download::read(self, path, blob.clone(), 0));
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        if Digest::of(&bytes) != blob.digest {
            return Err(self.other_bytes(blob));
        }
        ImageConfig::parse(&bytes).map_err(|e| self.damaged(reference, &e.to_string()))
    }

    /// Puts an index of images that the repository has under the tag of a reference.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, refuses, or has something else afterwards.
    pub async fn put_index(&self, reference: &Reference, index: &Index) -> Result<Digest, Failure> {
        let kind = AnyManifest::Index(index.clone()).media_type().to_owned();
        self.put_manifest(reference, &kind, &index.to_bytes()).await
    }

    /// Puts a manifest under the tag of a reference (`latest` without one) and makes sure that the
    /// registry has these very bytes there.
    ///
    /// # Errors
    ///
    /// When the registry does not answer, refuses, or has something else afterwards.
    pub(super) async fn put_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Digest, Failure> {
        let errand = Errand::push(reference.path());
        let url = self.url(reference.path(), &format!("manifests/{}", reference.target()));
        let answer = self
            .send(errand, &url, |client| {
                client.put(&url).header(CONTENT_TYPE, media_type).body(bytes.to_vec())
            })
            .await?;
        if !answer.status().is_success() {
            return Err(self.refusal(errand, answer).await);
        }
        let digest = Digest::of(bytes);
        match self.head_to_push(reference).await? {
            Some(there) if there.digest == digest => Ok(digest),
            there => {
                let has = there.map_or("nothing".to_owned(), |there| there.digest.short());
                let message = format!(
                    "`{}` has {has} under `{}` after the push of {}",
                    self.host,
                    reference.target(),
                    digest.short()
                );
                Err(Failure::infrastructure(Code::PUSH_FAILED, message)
                    .help("somebody else may push the same tag at the same time; run it again"))
            }
        }
    }

    async fn ask(
        &self,
        errand: Errand<'_>,
        method: Method,
        reference: &Reference,
    ) -> Result<Option<Response>, Failure> {
        let url = self.url(reference.path(), &format!("manifests/{}", reference.target()));
        let accept = media_type::MANIFESTS.join(", ");
        let answer = self
            .send(errand, &url, |client| {
                client.request(method.clone(), &url).header(ACCEPT, &accept)
            })
            .await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refusal(errand, answer).await),
        }
    }

    pub(super) fn damaged(&self, reference: &Reference, why: &str) -> Failure {
        let message = format!("`{}` sends a damaged `{}`: {why}", self.host, reference.familiar());
        Failure::infrastructure(Code::SERVER_ERROR, message)
    }
}

fn content_type(answer: &Response) -> String {
    let text = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_owned()
}
