//! What of a Dockerfile is to be done, and whether this builder can do it.

use std::{collections::BTreeSet, ops::Range};

use parse_dockerfile::{Dockerfile, Flag, Instruction};
use pipe_grammar::{Code, diagnostic::did_you_mean};
use pipe_oci::{Platform, Reference};

use super::{
    beyond::{self, beyond},
    wrong::Wrong,
};
use crate::{
    core::Failure,
    docker::{
        context::Context,
        dockerfile::{Scope, fields, offset, problems},
        request::{Named, Request},
    },
};

/// The stages of a Dockerfile, and those that the target needs.
pub(super) struct Plan<'a> {
    /// All of them.
    pub(super) stages: Vec<Stage<'a>>,
    /// The numbers of those that are needed, in the order of the file; the target is the last.
    pub(super) needed: Vec<usize>,
    /// Defaults of `ARG`s before the first `FROM`.
    pub(super) globals: Scope,
    /// The escape character of the file.
    pub(super) escape: char,
    /// What the file asks another frontend for: `# syntax=…`.
    pub(super) syntax: Option<String>,
    pub(super) offset: usize,
}

/// A stage.
pub(super) struct Stage<'a> {
    /// On what it builds.
    pub(super) from: Origin,
    /// Where the Dockerfile names that.
    pub(super) place: Range<usize>,
    /// What it runs on.
    pub(super) platform: Platform,
    /// Its instructions, without `FROM`.
    pub(super) instructions: Vec<Instruction<'a>>,
    /// Where each `COPY --from` takes its files, by the place of the flag.
    pub(super) copies: Vec<(Range<usize>, Origin)>,
}

/// Something that a stage builds on, or copies from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// Nothing.
    Scratch,
    /// Another stage.
    Stage(usize),
    /// An image.
    Image(Image),
    /// A folder that `contexts` names.
    Folder(String),
}

/// An image that is not built here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Image {
    /// Where it is.
    pub(super) source: Place,
    /// For which platform, as text.
    pub(super) platform: String,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In a registry, or here.
    Registry(Reference),
    /// In a folder with OCI's layout, under this tag.
    Layout(std::path::PathBuf, Option<String>),
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
    let syntax = dockerfile.parser_directives.syntax.as_ref().map(|s| s.value.value.to_owned());
    let failed = |wrong: Wrong| wrong.failure(context, offset);
    let globals = globals(&dockerfile, request, platform, escape).map_err(failed)?;
    let (stages, needed) =
        Reading { request, platform, globals: &globals }.stages(dockerfile).map_err(failed)?;
    let plan = Plan { stages, needed, globals, escape, syntax, offset };
    let beyond = plan.needed.iter().flat_map(|number| beyond(&plan, *number)).collect();
    beyond::refuse(context, offset, request, beyond)?;
    Ok(plan)
}

fn unreadable(context: &Context) -> Failure {
    let Some((bytes, message, help)) = problems(&context.text).into_iter().next() else {
        return Failure::internal("a Dockerfile is right and wrong at the same time");
    };
    let failure = Failure::new(Code::DOCKERFILE, message)
        .at(crate::core::Spot::File { path: context.dockerfile.clone(), bytes });
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

/// What the names of stages and images are read with.
struct Reading<'a> {
    request: &'a Request,
    platform: &'a Platform,
    globals: &'a Scope,
}

impl Reading<'_> {
    /// All stages, and the numbers of those that the target needs.
    fn stages<'a>(
        &self,
        dockerfile: Dockerfile<'a>,
    ) -> Result<(Vec<Stage<'a>>, Vec<usize>), Wrong> {
        let names: Vec<String> = dockerfile
            .stages()
            .map(|s| s.from.as_.as_ref().map_or(String::new(), |(_, n)| n.value.to_lowercase()))
            .collect();
        let last = dockerfile.stages().last().map_or(0..0, |s| s.from.from.span.clone());
        let target = self.target(&names, last)?;
        let mut stages: Vec<Stage<'a>> = Vec::new();
        let mut wrongs: Vec<(usize, Wrong)> = Vec::new();
        for instruction in dockerfile.instructions {
            match (instruction, stages.last_mut()) {
                (Instruction::From(from), _) => {
                    let place = from.image.span.clone();
                    let number = stages.len();
                    let read = self.from(&from, &names[..number], &stages);
                    let (from, platform) = read.unwrap_or_else(|wrong| {
                        // It matters only where the stage is needed.
                        wrongs.push((number, wrong));
                        (Origin::Scratch, self.platform.clone())
                    });
                    let (instructions, copies) = (Vec::new(), Vec::new());
                    stages.push(Stage { from, place, platform, instructions, copies });
                }
                (instruction, Some(_)) => {
                    let number = stages.len() - 1;
                    if let Instruction::Copy(copy) = &instruction
                        && let Some(flag) = copy.options.iter().find(|f| f.name.value == "from")
                    {
                        match self.copied(flag, &names[..number], number) {
                            Ok(origin) => stages[number].copies.push((flag.span(), origin)),
                            Err(wrong) => wrongs.push((number, wrong)),
                        }
                    }
                    stages[number].instructions.push(instruction);
                }
                // An `ARG` before the first stage.
                (_, None) => {}
            }
        }
        let mut needed = BTreeSet::new();
        let mut todo = vec![target];
        while let Some(number) = todo.pop() {
            if !needed.insert(number) {
                continue;
            }
            let stage = &stages[number];
            let origins = stage.copies.iter().map(|(_, origin)| origin).chain([&stage.from]);
            todo.extend(origins.filter_map(|origin| match origin {
                Origin::Stage(number) => Some(*number),
                _ => None,
            }));
        }
        match wrongs.into_iter().find(|(number, _)| needed.contains(number)) {
            Some((_, wrong)) => Err(wrong),
            None => Ok((stages, needed.into_iter().collect())),
        }
    }

    fn target(&self, names: &[String], last: Range<usize>) -> Result<usize, Wrong> {
        let Some(target) = &self.request.target else { return Ok(names.len() - 1) };
        let by_number = || target.parse().ok().filter(|n| *n < names.len());
        named(names, target).or_else(by_number).ok_or_else(|| {
            let wrong = Wrong::new(last, format!("no stage is called `{target}`"));
            match did_you_mean(target, names.iter().map(String::as_str)) {
                Some(help) => wrong.help(help),
                None => wrong,
            }
        })
    }

    fn from(
        &self,
        from: &parse_dockerfile::FromInstruction<'_>,
        names: &[String],
        stages: &[Stage<'_>],
    ) -> Result<(Origin, Platform), Wrong> {
        let place = from.image.span.clone();
        let word = |text: &str, place: &Range<usize>| {
            self.globals.word(text).map_err(|message| Wrong::new(place.clone(), message))
        };
        let image = word(&from.image.value, &place)?;
        if image.is_empty() {
            return Err(Wrong::new(place, format!("`{}` names no image", from.image.value))
                .help("only an `ARG` above the first `FROM` has a value here"));
        }
        let mut platform = None;
        for flag in &from.options {
            let wrong = |message: String| Wrong::new(flag.span(), message);
            if flag.name.value != "platform" {
                return Err(wrong(format!("`FROM` has no `--{}`", flag.name.value)));
            }
            let text = word(flag.value.as_ref().map_or("", |value| &value.value), &flag.span())?;
            platform = Some(text.parse().map_err(|e: pipe_oci::Error| wrong(e.to_string()))?);
        }
        let given = platform.clone().unwrap_or_else(|| self.platform.clone());
        let origin = match self.named_context(&image, &given) {
            Some(Origin::Folder(name)) => {
                return Err(Wrong::new(
                    place,
                    format!("the context `{name}` is a folder, no image"),
                )
                .help(format!("`FROM scratch` and `COPY --from={name} . /` make an image of it")));
            }
            Some(origin) => origin,
            None => match named(names, &image) {
                Some(lower) => {
                    let platform = platform.unwrap_or_else(|| stages[lower].platform.clone());
                    return Ok((Origin::Stage(lower), platform));
                }
                None if image == "scratch" => Origin::Scratch,
                None => self.image(&image, place, &given)?,
            },
        };
        Ok((origin, given))
    }

    /// `COPY --from=…`: a context, a stage above by its name or number, or an image.
    fn copied(&self, flag: &Flag<'_>, names: &[String], number: usize) -> Result<Origin, Wrong> {
        let platform = self.platform;
        let (place, text) = match &flag.value {
            Some(value) if !value.value.is_empty() => (value.span.clone(), &*value.value),
            _ => return Err(Wrong::new(flag.span(), "`--from` names nothing")),
        };
        if text.contains('$') {
            return Err(Wrong::new(place, "a variable has no value in `--from`").help(
                "make it a stage of its own: `ARG X` above `FROM $X AS name`, then `--from=name`",
            ));
        }
        if let Some(origin) = self.named_context(text, platform) {
            return Ok(origin);
        }
        if let Some(lower) = named(names, text) {
            return Ok(Origin::Stage(lower));
        }
        match text.parse::<usize>() {
            Ok(lower) if lower < number => Ok(Origin::Stage(lower)),
            Ok(lower) => Err(Wrong::new(place, format!("no stage above has the number {lower}"))
                .help("stages are counted from 0")),
            Err(_) => self.image(text, place, platform),
        }
    }

    fn named_context(&self, name: &str, platform: &Platform) -> Option<Origin> {
        let image = |source| Origin::Image(Image { source, platform: platform.to_string() });
        let named = self.request.contexts.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(match named.1 {
            Named::Folder(_) => Origin::Folder(named.0.clone()),
            Named::Image(reference) => image(Place::Registry(reference.clone())),
            Named::Layout(folder, tag) => image(Place::Layout(folder.clone(), tag.clone())),
        })
    }

    fn image(&self, text: &str, place: Range<usize>, platform: &Platform) -> Result<Origin, Wrong> {
        let reference: Reference = text.parse().map_err(|e: pipe_oci::ReferenceError| {
            let wrong = Wrong::new(place.clone(), e.message);
            match e.repaired {
                Some(repaired) => wrong.help(format!("write `{repaired}`")),
                None => wrong,
            }
        })?;
        let source = Place::Registry(reference.or_latest());
        Ok(Origin::Image(Image { source, platform: platform.to_string() }))
    }
}

/// The number of the last stage with a name.
fn named(names: &[String], wanted: &str) -> Option<usize> {
    names.iter().rposition(|n| !n.is_empty() && n.eq_ignore_ascii_case(wanted))
}
