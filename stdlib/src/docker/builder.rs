//! Which builder builds.

use pipe_grammar::Code;

use super::{context::Context, layers, request::Request, with_buildah, with_engine};
use crate::{
    client::{buildah::Buildah, engine::Engine},
    core::{Call, Failure},
};

/// A builder that is there.
pub(super) enum Builder {
    /// The Docker Engine.
    Engine(Engine),
    /// Buildah.
    Buildah(Buildah),
    /// Our own; it was taken because of this, if anything forced it.
    Layers(Option<&'static str>),
}

/// What forces a builder: the argument, else `PIPE_BUILDER`. Otherwise it is the engine where one
/// answers, else our own where that is enough, else buildah where it is installed; of these the
/// first that can do what is asked for. The choice is said.
pub(super) async fn choose(
    call: &Call<'_>,
    argument: Option<&str>,
    context: &Context,
    request: &Request,
) -> Result<Builder, Failure> {
    let variable = call.world.variable("PIPE_BUILDER").filter(|name| !name.is_empty());
    let (name, forced) = match (argument, variable) {
        (Some(name), _) => (Some(name), "by `builder: \"layers\"`"),
        (None, name) => (name, "by `PIPE_BUILDER`"),
    };
    match name {
        None => best(call, context, request).await,
        Some("engine") => {
            can(with_engine::beyond(request))?;
            let found = Engine::reach(call.world, call.connections);
            match call.unless_cancelled(found).await?? {
                Ok(engine) => Ok(with_engine(call, engine)),
                Err(none) => Err(none.failure()),
            }
        }
        Some("buildah") => {
            can(with_buildah::beyond(request))?;
            let missing = || {
                Failure::infrastructure(Code::NO_ENGINE, "`buildah` is not installed")
                    .help("install the package `buildah`, or leave the choice to `pipe`")
            };
            Buildah::find(call.world).map(|found| with_buildah(call, found)).ok_or_else(missing)
        }
        Some("layers") => Ok(without(call, Some(forced))),
        Some(other) => {
            let message = format!("`PIPE_BUILDER` is `{other}`, which is no builder");
            Err(Failure::new(Code::BAD_PARAM, message)
                .help("there are `engine`, `buildah` and `layers`"))
        }
    }
}

async fn best(call: &Call<'_>, context: &Context, request: &Request) -> Result<Builder, Failure> {
    let mut engines = None;
    match call.unless_cancelled(Engine::reach(call.world, call.connections)).await?? {
        Ok(engine) => {
            engines = with_engine::beyond(request);
            match engines {
                None => return Ok(with_engine(call, engine)),
                Some((_, why)) => call.report.say(&format!("not with the Docker Engine: {why}")),
            }
        }
        Err(none) => {
            if none.is_chosen || none.why.contains("permission") {
                let (address, why) = (&none.address, &none.why);
                call.report.say(&format!("no Docker Engine answers at {address}: {why}"));
            }
        }
    }
    let Err(beyond) = layers::can(context, request) else { return Ok(without(call, None)) };
    match Buildah::find(call.world) {
        Some(buildah) if with_buildah::beyond(request).is_none() => Ok(with_buildah(call, buildah)),
        _ => can(engines).and(Err(beyond)),
    }
}

/// Refuses what a builder that was named can't do.
fn can(beyond: Option<(&'static str, &'static str)>) -> Result<(), Failure> {
    let Some((argument, why)) = beyond else { return Ok(()) };
    let can = match argument {
        "secrets" => "`builder: \"buildah\"` can, where buildah is installed",
        _ => "`builder: \"layers\"` can, where the Dockerfile runs no command",
    };
    Err(Failure::new(Code::BAD_PARAM, why).at_argument(argument).help(can))
}

fn with_engine(call: &Call<'_>, engine: Engine) -> Builder {
    let Engine { version, address, .. } = &engine;
    call.report.say(&format!("building with the Docker Engine {version} at {address}"));
    Builder::Engine(engine)
}

fn with_buildah(call: &Call<'_>, buildah: Buildah) -> Builder {
    call.report.say("building with buildah");
    Builder::Buildah(buildah)
}

fn without(call: &Call<'_>, forced: Option<&'static str>) -> Builder {
    call.report.say("building without a Docker daemon (layers)");
    Builder::Layers(forced)
}
