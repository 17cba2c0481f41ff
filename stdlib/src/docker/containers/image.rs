//! The image of a container: in the engine, or pulled.

use std::time::Duration;

use pipe_grammar::diagnostic::count;
use pipe_oci::Reference;
use tokio::time::Instant;

use super::super::image::{exactly, named};
use crate::{
    client::{
        engine::{Engine, Manner, Pulling},
        registry,
    },
    core::{Call, Failure},
};

/// A pull says no oftener how far it is.
const PACE: Duration = Duration::from_secs(5);

/// Finds the image of a call, and answers its name for the engine and what it says. A missing one
/// is pulled; with `always` the registry is asked in any case.
///
/// With `--local` an image of the local cluster goes before the one with the name that is written.
pub(in crate::docker) async fn get(
    call: &Call<'_>,
    engine: &Engine,
    image: &str,
    platform: Option<&str>,
    always: bool,
) -> Result<(String, Manner), Failure> {
    if let Some(manner) = by_id(call, engine, image).await? {
        return Ok((image.to_owned(), manner));
    }
    let written = exactly("image", image)?;
    let mut names = vec![named(call, "image", image)?];
    if names[0] != written {
        names.push(written);
    }
    let fits = |manner: &Manner| platform.is_none_or(|wanted| wanted.starts_with(&manner.platform));
    if !always {
        for name in &names {
            let name = name.familiar();
            match call.unless_cancelled(engine.manner(&name)).await?? {
                Some(manner) if fits(&manner) => return Ok((name, manner)),
                _ => {}
            }
        }
    }
    let mut missing = None;
    for name in &names {
        match pull(call, engine, name, platform).await? {
            Ok(manner) => return Ok((name.familiar(), manner)),
            // The last one is what the user wrote.
            Err(failure) => missing = Some(failure),
        }
    }
    Err(missing.unwrap_or_else(|| Failure::internal("an image without a name")))
}

/// An image without a name is called by its id.
async fn by_id(call: &Call<'_>, engine: &Engine, image: &str) -> Result<Option<Manner>, Failure> {
    let digits = image.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return call.unless_cancelled(engine.manner(image)).await?;
    }
    Ok(None)
}

/// Pulls an image; the inner failure says that the registry has none.
async fn pull(
    call: &Call<'_>,
    engine: &Engine,
    name: &Reference,
    platform: Option<&str>,
) -> Result<Result<Manner, Failure>, Failure> {
    let credentials = registry::credentials(name.host(), call.world, call.connections);
    let credentials = call.unless_cancelled(credentials).await??;
    let shown = name.familiar();
    call.report.say(&format!("pulling {shown}"));
    let pulled = engine.pull(name, platform, &credentials, progress(call));
    match call.unless_cancelled(pulled).await?? {
        Ok(()) => {}
        Err(refused) if refused.is_missing => return Ok(Err(at_image(refused.failure))),
        Err(refused) => return Err(at_image(refused.failure)),
    }
    let manner = call.unless_cancelled(engine.manner(&shown)).await??;
    let manner = manner.ok_or_else(|| {
        engine.failed_inside(&format!("`{shown}` is not there though it was pulled"))
    })?;
    let id = manner.id.get(..19).unwrap_or(&manner.id);
    call.report.say(&format!("pulled {shown} ({id})"));
    Ok(Ok(manner))
}

/// Says how far a pull is, now and then.
pub(in crate::docker) fn progress<'a>(call: &'a Call<'_>) -> impl FnMut(Pulling) + 'a {
    let mut next = Instant::now() + PACE;
    move |pulling| {
        if Instant::now() >= next {
            next = Instant::now() + PACE;
            call.report.say(&format!("  {} of {}", pulling.done, count("layer", pulling.layers)));
        }
    }
}

fn at_image(failure: Failure) -> Failure {
    failure.at_argument("image")
}
