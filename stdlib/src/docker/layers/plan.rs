//! What of a Dockerfile is to be done, and whether this builder can do it.

use std::ops::Range;

use parse_dockerfile::{Dockerfile, Flag, Instruction, Source};
use pipe_grammar::{Code, diagnostic::did_you_mean};
use pipe_oci::{Platform, Reference};

use crate::{
    core::{Failure, Problem, Spot},
    docker::{
        context::Context,
        dockerfile::{Scope, fields, keyword, name, offset, problems},
        request::Request,
    },
};

/// The stages that lead to the target, lowest first.
pub(super) struct Plan<'a> {
    /// On what the lowest one builds.
    pub(super) base: Base,
    /// The stages' instructions.
    pub(super) stages: Vec<Vec<Instruction<'a>>>,
    /// Defaults of `ARG`s before the first `FROM`.
    pub(super) globals: Scope,
    /// The escape character of the file.
    pub(super) escape: char,
    offset: usize,
}

/// On what an image builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing.
    Scratch,
    /// An image.
    Image {
        /// Its name.
        reference: Reference,
        /// Where the Dockerfile names it.
        place: Range<usize>,
    },
}

/// A mistake at a place of the Dockerfile, as the parser counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) place: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    pub(super) fn new(place: Range<usize>, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Plan<'_> {
    /// A failure of the machine that came of an instruction.
    pub(super) fn blame(
        &self,
        context: &Context,
        failure: Failure,
        place: Range<usize>,
    ) -> Failure {
        failure.at(spot(context, self.offset, place))
    }

    /// A mistake in the Dockerfile.
    pub(super) fn wrong(&self, context: &Context, wrong: Wrong) -> Failure {
        failed(context, self.offset, wrong)
    }
}

fn spot(context: &Context, offset: usize, place: Range<usize>) -> Spot {
    let bytes = place.start + offset..place.end + offset;
    Spot::File { path: context.dockerfile.clone(), bytes }
}

fn failed(context: &Context, offset: usize, wrong: Wrong) -> Failure {
    let failure =
        Failure::new(Code::DOCKERFILE, wrong.message).at(spot(context, offset, wrong.place));
    match wrong.help {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// Reads the Dockerfile of a context, finds the stages that the target needs, and refuses what this
/// builder can't do in them.
pub(super) fn plan<'a>(
    context: &'a Context,
    request: &Request,
    platform: &Platform,
) -> Result<Plan<'a>, Failure> {
    let offset = offset(&context.text);
    let Ok(dockerfile) = parse_dockerfile::parse(&context.text) else {
        return Err(unreadable(context));
    };
    let escape = dockerfile.parser_directives.escape.as_ref().map_or('\\', |e| e.value.value);
    let globals = globals(&dockerfile, request, platform, escape)
        .map_err(|wrong| failed(context, offset, wrong))?;
    let (base, numbers) =
        chain(&dockerfile, request, &globals).map_err(|wrong| failed(context, offset, wrong))?;
    let beyond: Vec<Wrong> = {
        let stages: Vec<_> = dockerfile.stages().collect();
        let all = numbers.iter().flat_map(|number| stages[*number].instructions);
        all.filter_map(beyond).collect()
    };
    refuse(context, offset, request, beyond)?;
    let stages = take(dockerfile, &numbers);
    Ok(Plan { base, stages, globals, escape, offset })
}

/// The instructions of these stages, without their `FROM`.
fn take<'a>(dockerfile: Dockerfile<'a>, numbers: &[usize]) -> Vec<Vec<Instruction<'a>>> {
    let mut all: Vec<Vec<Instruction<'a>>> = Vec::new();
    for instruction in dockerfile.instructions {
        match (instruction, all.last_mut()) {
            (Instruction::From(_), _) => all.push(Vec::new()),
            (instruction, Some(stage)) => stage.push(instruction),
            // An `ARG` before the first stage.
            (_, None) => {}
        }
    }
    numbers.iter().filter_map(|number| all.get_mut(*number).map(std::mem::take)).collect()
}

fn unreadable(context: &Context) -> Failure {
    let Some((bytes, message, help)) = problems(&context.text).into_iter().next() else {
        return Failure::internal("a Dockerfile is right and wrong at the same time");
    };
    let failure = Failure::new(Code::DOCKERFILE, message)
        .at(Spot::File { path: context.dockerfile.clone(), bytes });
    if help.is_empty() { failure } else { failure.help(help) }
}

/// What `FROM` lines may use: the `ARG`s above the first one, and the platform.
fn globals(
    dockerfile: &Dockerfile<'_>,
    request: &Request,
    platform: &Platform,
    escape: char,
) -> Result<Scope, Wrong> {
    let mut scope = Scope { escape, ..Scope::default() };
    for (name, value) in platform_args(platform) {
        scope.variables.insert(name.to_owned(), value);
    }
    for arg in dockerfile.global_args() {
        for field in fields(&arg.arguments.value, escape) {
            let (name, default) = match field.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (field.as_str(), None),
            };
            let value = match (request.args.get(name), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => scope
                    .word(default)
                    .map_err(|message| Wrong::new(arg.arguments.span.clone(), message))?,
                (None, None) => continue,
            };
            scope.variables.insert(name.to_owned(), value);
        }
    }
    Ok(scope)
}

/// The `ARG`s that [BuildKit](https://docs.docker.com/build/building/variables/#multi-platform-build-arguments)
/// knows by itself.
pub(super) fn platform_args(platform: &Platform) -> Vec<(&'static str, String)> {
    let host = Platform::host();
    let variant = |p: &Platform| p.variant.clone().unwrap_or_default();
    vec![
        ("TARGETPLATFORM", platform.to_string()),
        ("TARGETOS", platform.os.clone()),
        ("TARGETARCH", platform.architecture.clone()),
        ("TARGETVARIANT", variant(platform)),
        ("BUILDPLATFORM", host.to_string()),
        ("BUILDOS", host.os.clone()),
        ("BUILDARCH", host.architecture.clone()),
        ("BUILDVARIANT", variant(&host)),
    ]
}

/// The numbers of the stages that lead to the target, lowest first, and their base.
fn chain(
    dockerfile: &Dockerfile<'_>,
    request: &Request,
    globals: &Scope,
) -> Result<(Base, Vec<usize>), Wrong> {
    let stages: Vec<_> = dockerfile.stages().collect();
    let names: Vec<String> = stages
        .iter()
        .map(|s| s.from.as_.as_ref().map_or(String::new(), |(_, n)| n.value.to_lowercase()))
        .collect();
    let named = |wanted: &str, below: usize| {
        names[..below].iter().rposition(|n| !n.is_empty() && n.eq_ignore_ascii_case(wanted))
    };
    let mut number = match &request.target {
        None => stages.len() - 1,
        Some(target) => {
            let by_number = || target.parse().ok().filter(|n| *n < stages.len());
            named(target, stages.len()).or_else(by_number).ok_or_else(|| {
                let last = stages.last().map_or(0..0, |s| s.from.from.span.clone());
                let wrong = Wrong::new(last, format!("no stage is called `{target}`"));
                match did_you_mean(target, names.iter().map(String::as_str)) {
                    Some(help) => wrong.help(help),
                    None => wrong,
                }
            })?
        }
    };
    let mut numbers = vec![number];
    loop {
        let from = stages[number].from;
        let place = from.image.span.clone();
        let image = globals
            .word(&from.image.value)
            .map_err(|message| Wrong::new(place.clone(), message))?;
        if image.is_empty() {
            return Err(Wrong::new(place, format!("`{}` names no image", from.image.value))
                .help("only an `ARG` above the first `FROM` has a value here"));
        }
        if let Some(lower) = named(&image, number) {
            number = lower;
            numbers.insert(0, number);
            continue;
        }
        let base = if image == "scratch" {
            Base::Scratch
        } else {
            let reference = image.parse().map_err(|e: pipe_oci::ReferenceError| {
                let wrong = Wrong::new(place.clone(), e.message);
                match e.repaired {
                    Some(repaired) => wrong.help(format!("write `{repaired}`")),
                    None => wrong,
                }
            })?;
            Base::Image { reference, place }
        };
        return Ok((base, numbers));
    }
}

/// Why this builder can't do an instruction; nothing if it can.
fn beyond(instruction: &Instruction<'_>) -> Option<Wrong> {
    let flag = |flags: &[Flag<'_>], known: &[&str]| {
        let unknown = flags.iter().find(|f| !known.contains(&&*f.name.value))?;
        let text = format!("`{} --{}`", name(instruction), unknown.name.value);
        Some(Wrong::new(unknown.span(), format!("{text} needs a Docker Engine")))
    };
    let text = |sources: &[Source<'_>]| {
        sources.iter().find_map(|source| match source {
            Source::HereDoc(text) => Some(Wrong::new(
                keyword(instruction).start..text.span.start,
                format!("`{}` of a here-document needs a Docker Engine", name(instruction)),
            )),
            _ => None,
        })
    };
    match instruction {
        Instruction::Run(run) => {
            let message = "`RUN` runs a command in the image, which needs a Docker Engine";
            Some(Wrong::new(run.run.span.clone(), message))
        }
        Instruction::Onbuild(onbuild) => {
            Some(Wrong::new(onbuild.onbuild.span.clone(), "`ONBUILD` needs a Docker Engine"))
        }
        Instruction::Copy(copy) => {
            flag(&copy.options, &["chown", "chmod", "link"]).or_else(|| text(&copy.src))
        }
        Instruction::Add(add) => {
            let remote = add.src.iter().find_map(|source| match source {
                Source::Path(path) if is_remote(&path.value) => {
                    Some(Wrong::new(path.span.clone(), "`ADD` of a URL needs a Docker Engine"))
                }
                _ => None,
            });
            remote
                .or_else(|| flag(&add.options, &["chown", "chmod", "link"]))
                .or_else(|| text(&add.src))
        }
        _ => None,
    }
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git@", "git://", "ssh://"]
        .iter()
        .any(|start| source.starts_with(start))
}

/// All that is beyond this builder, as one failure.
fn refuse(
    context: &Context,
    offset: usize,
    request: &Request,
    beyond: Vec<Wrong>,
) -> Result<(), Failure> {
    let mut beyond = beyond.into_iter();
    let Some(first) = beyond.next() else { return Ok(()) };
    let mut failure = failed(context, offset, first)
        .label("this builder copies files and sets values, it runs nothing")
        .help("start a Docker Engine, or set `DOCKER_HOST` to one, and run again");
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
