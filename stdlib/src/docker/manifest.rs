//! `docker.manifest`.

use std::{collections::BTreeMap, sync::Arc};

use pipe_grammar::Code;
use pipe_oci::{AnyManifest, Descriptor, Format, Index, Reference, media_type};

use super::image::{Image, sought, tag};
use crate::{
    client::registry::Registry,
    core::{Arguments, Call, Failure, Intent, Outcome, builtin},
};

builtin! {
    step docker.manifest, manifest;
    "
    # Joins images for several platforms under one name, in the registry.
    #
    # Whoever pulls it gets the one for their machine.
    (
      # The common name.
      tag: string,
      # The images; they are in a registry already, each for another platform.
      images: list<string>,
      # Facts in the manifest, which is OCI's then.
      annotations: map<string> = {},
    ) -> Image
    "
    examples: [
        r#"docker.manifest(tag: "ssk2/demo:1", images: ["ssk2/demo:1-amd64", "ssk2/demo:1-arm64"])"#,
    ]
}

async fn manifest(call: Call<'_>, arguments: Arguments) -> Outcome {
    let to = tag(&call, "tag", &arguments.get::<String>("tag")?)?;
    let images: Vec<String> = arguments.get("images")?;
    let annotations: Vec<(String, String)> = arguments.get("annotations")?;
    let annotations: BTreeMap<String, String> = annotations.into_iter().collect();
    if images.is_empty() {
        return Err(Failure::new(Code::INVALID_IMAGE, "there are no images to join")
            .at_argument("images"));
    }
    let registry = Registry::connect(to.host(), call.world, call.connections);
    let registry = Arc::new(call.unless_cancelled(registry).await??);
    let mut joined: Vec<(Descriptor, String)> = Vec::new();
    for text in &images {
        let (from, image) = sought(&call, "images", text).await?;
        for found in parts(&call, &from, &image).await? {
            let platform = found.platform.as_ref().map(ToString::to_string).unwrap_or_default();
            let same = |(other, _): &&(Descriptor, String)| other.platform == found.platform;
            if let Some((_, other)) = joined.iter().find(same) {
                let message = format!("`{other}` and `{text}` are both for `{platform}`");
                return Err(Failure::new(Code::INVALID_IMAGE, message)
                    .at_argument("images")
                    .help("each platform has one image under a name"));
            }
            let part = image.at(found.digest);
            if (part.host(), part.path()) != (to.host(), to.path()) {
                call.report.say(&format!("copying {} ({platform})", image.familiar()));
                let said = |line: String| call.report.say(&format!("  layer {line}"));
                let target = to.at(found.digest);
                let copied = registry.copy(&from, &part, &[], &target, &said);
                call.unless_cancelled(copied).await??;
            }
            call.report.say(&format!("{platform}: {}", found.digest.short()));
            joined.push((found, text.clone()));
        }
    }
    let manifests: Vec<Descriptor> = joined.into_iter().map(|(found, _)| found).collect();
    let is_docker = |m: &Descriptor| m.media_type == media_type::DOCKER_MANIFEST;
    let format = if annotations.is_empty() && manifests.iter().all(is_docker) {
        Format::Docker
    } else {
        Format::Oci
    };
    let index = Index::new(format, manifests, annotations);
    call.report.intend(Intent::Push { reference: to.familiar() })?;
    let digest = call.unless_cancelled(registry.put_index(&to, &index)).await??;
    call.report.say(&format!("pushed {} ({})", to.familiar(), digest.short()));
    Ok(Image { tags: vec![to], digest: Some(digest), id: None }.value())
}

/// The manifests under a reference, each with its platform.
async fn parts(
    call: &Call<'_>,
    registry: &Registry,
    image: &Reference,
) -> Result<Vec<Descriptor>, Failure> {
    let fetched = call.unless_cancelled(registry.manifest(image)).await??;
    let fetched = fetched.ok_or_else(|| registry.missing(image).at_argument("images"))?;
    match registry.parse(image, &fetched)? {
        AnyManifest::Index(index) => Ok(index.manifests),
        AnyManifest::Image(manifest) => {
            let config = call.unless_cancelled(registry.config(image, &manifest)).await??;
            let size = fetched.bytes.len() as u64;
            let mut found = Descriptor::new(fetched.media_type, size, fetched.digest);
            found.platform = Some(config.platform());
            Ok(vec![found])
        }
    }
}
