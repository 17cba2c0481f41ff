//! `docker.tag`.

use pipe_grammar::Code;

use super::{
    image::{Image, beside, named},
    push::{Place, find},
};
use crate::core::{Arguments, Call, Failure, Intent, Outcome, builtin};

builtin! {
    step docker.tag, tag;
    "
    # Gives further names to an image of this machine.
    (
      # The image, by its name or id.
      image: string,
      # The names: `:1.2` for another tag in the same repository.
      as: texts,
    ) -> Image
    "
    examples: [
        r#"docker.tag("ssk2/demo:1", as: ":latest")"#,
        r#"docker.tag("demo:1", as: ["registry.example.com/demo:1", "registry.example.com/demo:latest"])"#,
    ]
}

async fn tag(call: Call<'_>, arguments: Arguments) -> Outcome {
    let image = named(&call, "image", &arguments.get::<String>("image")?)?;
    let names: Vec<String> = arguments.get("as")?;
    let names = names.iter().map(|text| beside(&call, "as", &image, text));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let place = find(&call, &image).await?;
    let mut tags = if image.digest().is_some() { Vec::new() } else { vec![image] };
    for name in names {
        call.report.intend(Intent::Image { reference: name.familiar() })?;
        match &place {
            Place::Engine(engine, found) => {
                call.unless_cancelled(engine.tag(&found.id, &name)).await??;
            }
            Place::Buildah(buildah, id) => {
                call.unless_cancelled(buildah.tag(id, &name)).await??;
            }
            Place::Store(store, manifest) => store
                .name(&name, manifest)
                .map_err(|e| Failure::new(Code::BAD_FILE, e.to_string()))?,
        }
        call.report.say(&format!("named {}", name.familiar()));
        tags.push(name);
    }
    Ok(Image { tags, digest: None, id: place.id() }.value())
}
