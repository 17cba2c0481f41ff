//! `docker.pull`.

use pipe_grammar::Code;
use pipe_oci::Platform;

use super::{containers::progress, image::{Image, sought}, local};
use crate::{
    client::{engine::Engine, registry::{self, Registry}},
    core::{Arguments, Call, Failure, Outcome, builtin},
};

builtin! {
    step docker.pull, pull;
    "
    # Pulls an image.
    #
    # It goes into the Docker Engine where one answers, else into the image store of this machine. What is here already is not fetched again.
    (
      # The image, by its name, with a tag or a digest.
      image: string,
      # For which platform, such as `linux/arm64`; without it this machine's.
      platform: string?,
    ) -> Image
    "
    examples: [
        r#"docker.pull("alpine:3.20")"#,
        r#"docker.pull("registry.example.com/base:1", platform: "linux/arm64")"#,
    ]
}

async fn pull(call: Call<'_>, arguments: Arguments) -> Outcome {
    let text: String = arguments.get("image")?;
    let platform: Option<String> = arguments.get("platform")?;
    let parsed = platform.as_deref().map(str::parse::<Platform>).transpose().map_err(|e| {
        Failure::new(Code::INVALID_IMAGE, e.to_string()).at_argument("platform")
    })?;
    let (registry, image) = sought(&call, "image", &text).await?;
    let there = call.unless_cancelled(registry.head(&image)).await??;
    let there = there.ok_or_else(|| registry.missing(&image).at_argument("image"))?;
    let engine = call.unless_cancelled(Engine::reach(call.world, call.connections)).await??;
    let id = match engine {
        Ok(engine) => {
            let credentials = registry::credentials(image.host(), call.world, call.connections);
            let credentials = call.unless_cancelled(credentials).await??;
            let said = progress(&call);
            let pulled = engine.pull(&image, platform.as_deref(), &credentials, said);
            let pulled = call.unless_cancelled(pulled).await??;
            pulled.map_err(|refused| refused.failure.at_argument("image"))?;
            // Of two images with the same name the later one counts.
            let store = local::store(call.world)?;
            if image.digest().is_none() {
                let forgotten = store.forget(&image);
                forgotten.map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))?;
            }
            let found = call.unless_cancelled(engine.inspect(&image.familiar())).await??;
            found.map(|found| found.id)
        }
        Err(_) => Some(into_store(&call, &registry, &image, parsed).await?),
    };
    call.report.say(&format!("pulled {} ({})", image.familiar(), there.digest.short()));
    let tags = vec![image];
    Ok(Image { tags, digest: Some(there.digest), id }.value())
}

async fn into_store(
    call: &Call<'_>,
    registry: &Registry,
    image: &pipe_oci::Reference,
    platform: Option<Platform>,
) -> Result<String, Failure> {
    let failed = |e: pipe_oci::Error| Failure::new(Code::BAD_FILE, e.to_string());
    let store = local::store(call.world)?;
    let platform = platform.unwrap_or_else(Platform::host);
    let pulled = call.unless_cancelled(registry.pull(&store, image, &platform)).await??;
    if image.digest().is_none() {
        store.name(image, &pulled).map_err(failed)?;
    }
    Ok(store.manifest(&pulled.digest).map_err(failed)?.config.digest.to_string())
}
