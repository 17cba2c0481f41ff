//! A build by the Docker Engine.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use pipe_grammar::Code;
use pipe_oci::{Format, Reference};

use super::{
    archive,
    context::Context,
    dockerfile::{keyword, offset},
    request::Request,
};
use crate::{
    client::{
        engine::{Build, Engine, Line},
        registry,
    },
    core::{Call, Failure, Spot, Stream},
};

/// As many of the last lines of a failed build are shown.
const SHOWN: usize = 20;

/// Builds an image, gives it its names, and answers its id.
pub(super) async fn build(
    call: &Call<'_>,
    engine: &Engine,
    context: Context,
    request: Request,
    tags: &[Reference],
) -> Result<String, Failure> {
    let context = Arc::new(context);
    let mut credentials = Vec::new();
    for host in hosts(&context.text) {
        let found = registry::credentials(&host, call.world, call.connections);
        credentials.push((host.clone(), call.unless_cancelled(found).await??));
    }
    let (dockerfile, pieces) = archive::stream(&context);
    let build = Build {
        dockerfile,
        tag: tags.first().map(Reference::familiar),
        args: request.args.into_iter().collect(),
        labels: request.labels.into_iter().collect(),
        target: request.target,
        platform: request.platforms.into_iter().next(),
        network: request.network,
        pull: request.pull,
        no_cache: request.no_cache,
        credentials,
    };
    let (mut step, mut last) = (0, VecDeque::new());
    let built = engine.build(&build, pieces, |line| match line {
        Line::Step(number, text) => {
            step = number;
            last.clear();
            call.report.say(&format!("{number} {text}"));
        }
        Line::Output(text) => {
            call.report.output(Stream::Stdout, &text);
            if last.len() == SHOWN {
                last.pop_front();
            }
            last.push_back(text);
        }
    });
    let built = call.unless_cancelled(built).await?;
    let id = built.map_err(|failure| blame(&context, failure, step, last.into()))?;
    for tag in tags.iter().skip(1) {
        call.unless_cancelled(engine.tag(&id, tag)).await??;
    }
    Ok(id)
}

/// What of a request the engine's classic builder can't do: the argument, and why.
pub(super) fn beyond(request: &Request) -> Option<(&'static str, &'static str)> {
    if request.platforms.len() > 1 {
        Some(("platforms", "the Docker Engine builds for one platform at a time"))
    } else if !request.secrets.is_empty() {
        Some(("secrets", "the Docker Engine's classic builder has no secrets for commands"))
    } else if !request.contexts.is_empty() {
        Some(("contexts", "the Docker Engine's builder knows no further contexts"))
    } else if request.format == Format::Oci {
        Some(("format", "the Docker Engine writes images in Docker's format alone"))
    } else {
        None
    }
}

/// The registries that a Dockerfile's base images come from, where that can be seen.
pub(super) fn hosts(text: &str) -> BTreeSet<String> {
    let Ok(dockerfile) = parse_dockerfile::parse(text) else { return BTreeSet::new() };
    dockerfile
        .stages()
        .filter(|stage| stage.from.image.value != "scratch")
        .filter_map(|stage| stage.from.image.value.parse::<Reference>().ok())
        .map(|reference| reference.host().to_owned())
        .collect()
}

/// Shows a failure of the user's in the Dockerfile.
fn blame(context: &Context, failure: Failure, step: usize, last: Vec<String>) -> Failure {
    if !matches!(failure.code, Code::BUILD_FAILED | Code::DOCKERFILE) {
        return failure;
    }
    let bytes = match failure.code {
        Code::DOCKERFILE => line_in(&failure.message).map(|line| line_of(&context.text, line)),
        _ => instruction(&context.text, step),
    };
    let said = failure.message.clone();
    let mut failure = failure;
    if failure.code == Code::BUILD_FAILED && step > 0 {
        failure.message = match status(&said) {
            Some(status) => format!("a command of the Dockerfile ended with status {status}"),
            None => said,
        };
    }
    let failure = failure.evidence("the last lines of its output", last);
    match bytes {
        Some(bytes) => failure.at(Spot::File { path: context.dockerfile.clone(), bytes }),
        None => failure,
    }
}

/// `The command '/bin/sh -c …' returned a non-zero code: 2`.
fn status(message: &str) -> Option<u32> {
    let (_, status) = message.rsplit_once("returned a non-zero code: ")?;
    status.trim().parse().ok()
}

/// `dockerfile parse error line 3: …`.
fn line_in(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("line ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok().filter(|line| *line > 0)
}

fn line_of(text: &str, line: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let length = text[start..].lines().next().map_or(0, str::len);
    start..start + length
}

/// The first word of the instruction with this number, from 1.
fn instruction(text: &str, number: usize) -> Option<std::ops::Range<usize>> {
    let dockerfile = parse_dockerfile::parse(text).ok()?;
    let place = keyword(dockerfile.instructions.get(number.checked_sub(1)?)?);
    let offset = offset(text);
    Some(place.start + offset..place.end + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_understood() {
        let said = "The command '/bin/sh -c exit 2' returned a non-zero code: 2";
        assert_eq!(status(said), Some(2));
        assert_eq!(line_in("dockerfile parse error line 3: unknown instruction: X"), Some(3));
        assert_eq!(line_in("no build stage in current context"), None);
        let text = "ARG A\nFROM scratch\nCOPY a b\n";
        assert_eq!(instruction(text, 3), Some(19..23));
        assert_eq!(instruction(text, 9), None);
        assert_eq!(&text[line_of(text, 2)], "FROM scratch");
    }

    #[test]
    fn the_hosts_of_base_images_are_found() {
        let text = "FROM scratch\nFROM alpine AS a\nFROM r.example.com/x:1\nFROM $X\n";
        let found: Vec<String> = hosts(text).into_iter().collect();
        assert_eq!(found, ["docker.io", "r.example.com"]);
    }
}
