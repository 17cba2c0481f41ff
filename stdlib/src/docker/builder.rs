//! Which builder builds.

use pipe_grammar::Code;

use crate::{
    client::engine::Engine,
    core::{Call, Failure},
};

/// A builder that is there.
pub(super) enum Builder {
    /// The Docker Engine.
    Engine(Engine),
    /// Our own; it was taken because of this, if anything forced it.
    Layers(Option<&'static str>),
}

/// What forces a builder: the argument, else `PIPE_BUILDER`; otherwise it is the engine where one
/// answers, else our own. The choice is said.
pub(super) async fn choose(call: &Call<'_>, argument: Option<&str>) -> Result<Builder, Failure> {
    let variable = call.world.variable("PIPE_BUILDER").filter(|name| !name.is_empty());
    let (name, forced) = match (argument, variable) {
        (Some(name), _) => (Some(name), "by `builder: \"layers\"`"),
        (None, name) => (name, "by `PIPE_BUILDER`"),
    };
    match name {
        None => match call.unless_cancelled(Engine::reach(call.world, call.connections)).await?? {
            Ok(engine) => Ok(with_engine(call, engine)),
            Err(none) => {
                if none.is_chosen || none.why.contains("permission") {
                    let (address, why) = (&none.address, &none.why);
                    call.report.say(&format!("no Docker Engine answers at {address}: {why}"));
                }
                Ok(without(call, None))
            }
        },
        Some("engine") => {
            let found = Engine::reach(call.world, call.connections);
            match call.unless_cancelled(found).await?? {
                Ok(engine) => Ok(with_engine(call, engine)),
                Err(none) => Err(none.failure()),
            }
        }
        Some("layers") => Ok(without(call, Some(forced))),
        Some(other) => {
            let message = format!("`PIPE_BUILDER` is `{other}`, which is no builder");
            Err(Failure::new(Code::BAD_PARAM, message).help("there are `engine` and `layers`"))
        }
    }
}

fn with_engine(call: &Call<'_>, engine: Engine) -> Builder {
    let Engine { version, address, .. } = &engine;
    call.report.say(&format!("building with the Docker Engine {version} at {address}"));
    Builder::Engine(engine)
}

fn without(call: &Call<'_>, forced: Option<&'static str>) -> Builder {
    call.report.say("building without a Docker daemon (layers)");
    Builder::Layers(forced)
}
