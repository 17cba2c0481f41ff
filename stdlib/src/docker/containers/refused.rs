//! Why an engine does not make or start a container, in words.

use pipe_grammar::Code;

use super::volumes::HOME;
use crate::{
    client::engine::{Engine, NewContainer, Refusal, Source},
    core::Failure,
};

/// A container that could not be made or started.
pub(super) fn not_made(engine: &Engine, new: &NewContainer, refusal: &Refusal) -> Failure {
    let image = &new.image;
    let says = |words: &[&str]| refusal.says(words);
    let failed = |message: String| Failure::new(Code::CONTAINER_FAILED, message);
    let is_missing = says(&["executable file not found"])
        || says(&["exec:", "no such file or directory"])
        || says(&["stat", "no such file or directory", "starting container process"]);
    let failure = if is_missing && new.stdin {
        no_shell(image)
    } else if is_missing {
        no_program(image, &program(new, &refusal.text))
    } else if says(&["no command specified"]) {
        let what = format!("the image `{image}` says no command, and neither does the call");
        failed(what).at_argument("command").help("write `command: [\"…\"]`")
    } else if says(&["permission denied", "starting container process"]) {
        let program = program(new, &refusal.text);
        failed(format!("`{program}` of the image `{image}` may not be run: is it executable?"))
            .at_argument("image")
    } else if says(&["exec format error"]) {
        failed(format!("the programs of the image `{image}` are for another processor"))
            .at_argument("platform")
    } else if let Some(path) = missing_source(refusal) {
        no_source(engine, new, &path)
    } else if says(&["network", "not found"]) {
        failed(format!("there is no network `{}`", new.network)).at_argument("network").help(
            "`docker network ls` shows those that there are; without `network:` the stage has one \
             of its own",
        )
    } else if says(&["unable to find user"]) || says(&["no matching entries in passwd"]) {
        let user = new.user.as_deref().unwrap_or_default();
        failed(format!("the image `{image}` knows no user `{user}`"))
            .at_argument("user")
            .help("write the number: `user: \"1000:1000\"`")
    } else if says(&["emory limit"]) {
        failed("so little memory can't be given to a container".to_owned()).at_argument("mem")
    } else if says(&["CPUs"]) {
        failed("the Docker Engine has fewer processors".to_owned()).at_argument("cpus")
    } else if says(&["No such image"]) {
        failed(format!("the image `{image}` was removed from the Docker Engine meanwhile"))
            .at_argument("image")
    } else if says(&["no space left"]) {
        let what = "the disk of the Docker Engine is full".to_owned();
        Failure::infrastructure(Code::NO_ENGINE, what).help(
            "make room: `docker system df` shows what takes it, `docker image prune` frees some",
        )
    } else {
        let what = format!("the Docker Engine could not start a container of `{image}`");
        Failure::infrastructure(Code::NO_ENGINE, what)
    };
    failure.evidence("what the Docker Engine says", vec![refusal.text.clone()])
}

/// The program that is not there, as the engine's init says when it starts it: it has begun by then.
pub(in crate::docker) fn missing_program(lines: &[String]) -> Option<&str> {
    let line = lines.iter().find(|line| line.starts_with("[FATAL tini"))?;
    let (_, rest) = line.split_once("exec ")?;
    rest.split_once(" failed: No such file").map(|(program, _)| program)
}

/// An image without the program that it shall run.
pub(in crate::docker) fn no_program(image: &str, program: &str) -> Failure {
    let what = format!("the image `{image}` has no program `{program}`");
    Failure::new(Code::CONTAINER_FAILED, what).at_argument("command")
}

/// An image without a shell, which the commands of a stage need.
pub(super) fn no_shell(image: &str) -> Failure {
    let what = format!("the image `{image}` has no shell (`sh`)");
    Failure::new(Code::CONTAINER_FAILED, what).at_argument("image").help(
        "commands of a stage need one: choose an image with a shell, or run its own program with \
         `docker.run`",
    )
}

/// The network of a stage could not be made.
pub(super) fn no_network(engine: &Engine, refusal: &Refusal) -> Failure {
    if refusal.says(&["address pool"]) {
        let what = "the Docker Engine has no addresses left for a network".to_owned();
        return Failure::infrastructure(Code::NO_ENGINE, what)
            .help("`docker network prune` removes networks that nobody uses")
            .help("`default-address-pools` in the engine's `daemon.json` gives it more")
            .evidence("what the Docker Engine says", vec![refusal.text.clone()]);
    }
    engine.failed_inside(&refusal.text)
}

/// The program that is not there: the engine names it in quotes.
fn program(new: &NewContainer, text: &str) -> String {
    let quoted =
        text.split('"').find(|part| !part.is_empty() && !part.contains(char::is_whitespace));
    let given = new.entrypoint.as_ref().or(new.command.as_ref()).and_then(|words| words.first());
    given.cloned().or_else(|| quoted.map(str::to_owned)).unwrap_or_default()
}

/// `bind source path does not exist: /x`.
fn missing_source(refusal: &Refusal) -> Option<String> {
    let (_, path) = refusal.text.split_once("bind source path does not exist: ")?;
    Some(path.trim().to_owned())
}

fn no_source(engine: &Engine, new: &NewContainer, path: &str) -> Failure {
    let is_workspace = new.mounts.iter().any(|mount| {
        matches!(&mount.source, Source::Path(source) if source.display().to_string() == path)
            && mount.target == path
            && mount.target != HOME
    });
    if is_workspace && std::path::Path::new(path).exists() {
        let what = format!(
            "the Docker Engine at `{}` does not see the workspace `{path}`",
            engine.address
        );
        return Failure::new(Code::CONTAINER_FAILED, what).help(
            "it runs on another machine or outside of this container: give it the same folder \
             under the same path",
        );
    }
    Failure::new(Code::MISSING_FILE, format!("`{path}` is not there to be mounted"))
        .at_argument("volumes")
}
