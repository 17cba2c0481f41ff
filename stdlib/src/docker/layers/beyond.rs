//! What this builder can't do.

use parse_dockerfile::{Flag, Instruction, Source};

use super::{
    flags::is_name,
    plan::{Origin, Plan},
    wrong::{Wrong, spot},
};
use crate::{
    core::{Failure, Problem},
    docker::{context::Context, dockerfile::name, request::Request},
};

/// Why this builder can't do some of a stage's instructions.
pub(super) fn beyond(plan: &Plan<'_>, number: usize) -> Vec<Wrong> {
    let stage = &plan.stages[number];
    // The triggers of the stage below are carried out in this one.
    let triggers = match stage.from {
        Origin::Stage(lower) => plan.stages[lower].instructions.iter(),
        _ => [].iter(),
    };
    let triggers = triggers.filter_map(|instruction| match instruction {
        Instruction::Onbuild(onbuild) => Some(&*onbuild.instruction),
        _ => None,
    });
    triggers.chain(&stage.instructions).filter_map(why_not).collect()
}

/// Why this builder can't do an instruction; nothing if it can.
pub(super) fn why_not(instruction: &Instruction<'_>) -> Option<Wrong> {
    let flag = |flags: &[Flag<'_>], known: &[&str]| {
        let unknown = flags.iter().find(|f| !known.contains(&&*f.name.value))?;
        let text = format!("`{} --{}`", name(instruction), unknown.name.value);
        Some(Wrong::new(unknown.span(), format!("{text} is beyond this builder")))
    };
    match instruction {
        Instruction::Run(run) => {
            let message = "`RUN` runs a command in the image, which this builder can't";
            Some(Wrong::new(run.run.span.clone(), message))
        }
        Instruction::Copy(copy) => flag(&copy.options, &["from", "chown", "chmod", "link"]),
        Instruction::Add(add) => {
            let remote = add.src.iter().find_map(|source| match source {
                Source::Path(path) if is_remote(&path.value) => {
                    let message = "`ADD` of a URL is beyond this builder";
                    Some(Wrong::new(path.span.clone(), message))
                }
                _ => None,
            });
            remote.or_else(|| flag(&add.options, &["chown", "chmod", "link"]))
        }
        _ => None,
    }
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git@", "git://", "ssh://"]
        .iter()
        .any(|start| source.starts_with(start))
}

/// Whether an instruction gives files to a user or group by name, which the image knows.
pub(super) fn names_an_owner(instruction: &Instruction<'_>) -> bool {
    let flags = match instruction {
        Instruction::Copy(copy) => &copy.options[..],
        Instruction::Add(add) => &add.options[..],
        _ => return false,
    };
    flags.iter().any(|flag| {
        let value = flag.value.as_ref().map_or("", |value| &value.value);
        flag.name.value == "chown" && is_name(value)
    })
}

/// All that is beyond this builder, as one failure.
pub(super) fn refuse(
    context: &Context,
    offset: usize,
    request: &Request,
    beyond: Vec<Wrong>,
) -> Result<(), Failure> {
    let mut beyond = beyond.into_iter();
    let Some(first) = beyond.next() else { return Ok(()) };
    let mut failure = first
        .failure(context, offset)
        .label("this builder copies files and sets values, it runs nothing")
        .help(
            "start a Docker Engine, set `DOCKER_HOST` to one, or install `buildah`, and run again",
        );
    if let Some(forced) = request.forced {
        failure = failure.help(format!("the builder without a daemon was chosen {forced}"));
    }
    for wrong in beyond {
        failure = failure.problem(Problem {
            spot: spot(context, offset, wrong.place),
            message: wrong.message,
            label: String::new(),
            help: Vec::new(),
        });
    }
    Err(failure)
}
