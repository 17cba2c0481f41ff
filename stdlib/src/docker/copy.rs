//! `docker.copy`.

use std::sync::Arc;

use pipe_grammar::{Code, diagnostic::count};
use pipe_oci::Platform;

use super::image::{Image, beside, sought};
use crate::{
    client::registry::Registry,
    core::{Arguments, Call, Failure, Intent, Outcome, builtin},
};

builtin! {
    step docker.copy, copy;
    "
    # Copies an image to another registry, or to another name in the same one.
    #
    # It goes by digest: what was tested is what is copied. Its layers do not come onto the disk of
    # this machine, and those that are there already are not sent.
    (
      # The image, by its name, with a tag or a digest.
      image: string,
      # Its new name: `:1.2` for another tag in the same repository.
      to: string,
      # Of an image for several platforms only these; without them all.
      platforms: list<string> = [],
    ) -> Image
    "
    examples: [
        r#"docker.copy("registry.example.com/team/demo:1", to: "ssk2/demo:1")"#,
        r#"docker.copy("ssk2/demo:1.2", to: ":stable", platforms: ["linux/amd64"])"#,
    ]
}

async fn copy(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (text, to): (String, String) = (arguments.get("image")?, arguments.get("to")?);
    let platforms: Vec<String> = arguments.get("platforms")?;
    let platforms = platforms.iter().map(|text| text.parse::<Platform>());
    let platforms = platforms.collect::<Result<Vec<_>, _>>().map_err(|e| {
        Failure::new(Code::INVALID_IMAGE, e.to_string()).at_argument("platforms")
    })?;
    let (from, image) = sought(&call, "image", &text).await?;
    let to = beside(&call, "to", &image, &to)?;
    let registry = if to.host() == from.host() {
        from.clone()
    } else {
        let registry = Registry::connect(to.host(), call.world, call.connections);
        Arc::new(call.unless_cancelled(registry).await??)
    };
    // From now on the digest counts, whatever happens to the tag.
    let found = call.unless_cancelled(from.head(&image)).await??;
    let found = found.ok_or_else(|| from.missing(&image).at_argument("image"))?;
    let there = call.unless_cancelled(registry.head_to_push(&to)).await??;
    if platforms.is_empty() && there.is_some_and(|there| there.digest == found.digest) {
        let digest = found.digest;
        call.report.say(&format!("{} is there already ({})", to.familiar(), digest.short()));
        return Ok(Image { tags: vec![to], digest: Some(digest), id: None }.value());
    }
    call.report.intend(Intent::Push { reference: to.familiar() })?;
    let said = |line: String| call.report.say(&format!("  layer {line}"));
    let pinned = image.at(found.digest);
    let copied = registry.copy(&from, &pinned, &platforms, &to, &said);
    let copied = call.unless_cancelled(copied).await??;
    call.report.say(&format!(
        "copied {} to {} ({}): {} sent, {} there already",
        image.familiar(),
        to.familiar(),
        copied.digest.short(),
        count("layer", copied.sent),
        copied.there
    ));
    Ok(Image { tags: vec![to], digest: Some(copied.digest), id: None }.value())
}
