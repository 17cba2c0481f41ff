//! Carries out the instructions.

use std::{collections::BTreeMap, path::Path};

use parse_dockerfile::Instruction;
use pipe_oci::{
    Attributes, Descriptor, Entry, Format, History, ImageConfig, Layer, LayerWriter, Listing,
    Manifest, Platform, Spool, Store, Tree,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Built, broken,
    gate::Gate,
    plan::{Plan, Wrong, platform_args},
};
use crate::{
    client::registry::size,
    core::Failure,
    docker::{
        context::Context,
        dockerfile::{Scope, fields, joined, keyword},
        request::Request,
    },
};

/// Set in every image that has no `PATH` of its own, by Docker and BuildKit alike.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// `ARG`s that need no declaration.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// What all instructions share.
pub(super) struct Job<'a> {
    pub(super) store: &'a Store,
    pub(super) context: &'a Context,
    pub(super) request: &'a Request,
    pub(super) platform: &'a Platform,
    pub(super) mtime: u64,
    pub(super) gate: &'a Gate,
    pub(super) lines: UnboundedSender<String>,
}

/// The image so far.
pub(super) struct State<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) config: ImageConfig,
    pub(super) listing: Tree,
    /// The context; read when the first `COPY` needs it.
    pub(super) files: Option<Tree>,
    /// Whether this stage set `CMD`: an `ENTRYPOINT` takes that of the base away.
    pub(super) has_command: bool,
    args: BTreeMap<String, String>,
    used: Vec<String>,
    escape: char,
    layers: Vec<Descriptor>,
    /// The time of everything in it, RFC 3339.
    created: String,
}

/// Builds the image of a plan; its manifest is in the store afterwards.
pub(super) fn run(
    job: &Job<'_>,
    plan: &Plan<'_>,
    base: Option<&Descriptor>,
) -> Result<Built, Failure> {
    let seconds = i64::try_from(job.mtime).unwrap_or(0);
    let created = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string();
    let mut state = State {
        job,
        config: ImageConfig::scratch(job.platform),
        listing: Tree::default(),
        files: None,
        has_command: false,
        args: BTreeMap::new(),
        used: Vec::new(),
        escape: plan.escape,
        layers: Vec::new(),
        created,
    };
    if let Some(base) = base {
        state.start_from(base)?;
    }
    if state.config.config.variable("PATH").is_none() {
        state.config.config.set_variable("PATH", PATH);
    }
    let count: usize = plan.stages.iter().map(Vec::len).sum();
    let mut number = 0;
    for stage in &plan.stages {
        state.args.clear();
        state.has_command = false;
        for instruction in stage {
            number += 1;
            let text = state.text(instruction);
            state.say(format!("{number}/{count} {text}"));
            state
                .instruction(instruction, &plan.globals, &text)
                .map_err(|stop| stop.failure(plan, job.context))?;
        }
    }
    state.finish()
}

/// Why an instruction stops the build.
pub(super) enum Stop {
    /// The Dockerfile is wrong.
    Wrong(Wrong),
    /// The machine failed, or a file of the context is missing; the place of the instruction is
    /// known to the caller.
    Failed(Failure),
}

impl Stop {
    fn failure(self, plan: &Plan<'_>, context: &Context) -> Failure {
        match self {
            Self::Wrong(wrong) => plan.wrong(context, wrong),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl From<pipe_oci::Error> for Stop {
    fn from(error: pipe_oci::Error) -> Self {
        Self::Failed(broken(&error))
    }
}

impl State<'_> {
    fn say(&self, line: String) {
        // Nobody listens only when the call is over.
        let _ = self.job.lines.send(line);
    }

    /// An instruction on one line.
    fn text(&self, instruction: &Instruction<'_>) -> String {
        let text = self.job.context.text.trim_start_matches('\u{feff}');
        let rest = &text[keyword(instruction).start..];
        let mut lines = Vec::new();
        for line in rest.lines() {
            lines.push(line);
            let is_comment = line.trim_start().starts_with('#') && lines.len() > 1;
            if !is_comment && !line.trim_end().ends_with(self.escape) {
                break;
            }
        }
        let text = joined(&lines.join("\n"), self.escape);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn start_from(&mut self, base: &Descriptor) -> Result<(), Failure> {
        let store = self.job.store;
        let manifest = store.manifest(&base.digest).map_err(|e| broken(&e))?;
        self.config = store.config(&manifest).map_err(|e| broken(&e))?;
        if !self.config.config.on_build.is_empty() {
            return Err(Failure::new(
                pipe_grammar::Code::DOCKERFILE,
                "the base image has `ONBUILD` instructions, which need a Docker Engine",
            )
            .help("start a Docker Engine, or set `DOCKER_HOST` to one, and run again"));
        }
        for layer in &manifest.layers {
            self.job.gate.check().map_err(|_| Failure::cancelled())?;
            let blob = store.blob(&layer.digest).map_err(|e| broken(&e))?;
            let (listing, _) = Listing::read(self.job.gate.pass(blob)).map_err(|e| broken(&e))?;
            let archive = store.path(&layer.digest).into();
            listing.apply(&mut self.listing, &archive).map_err(|e| broken(&e))?;
            self.layers.push(Descriptor {
                media_type: Format::Docker.layer().to_owned(),
                ..layer.clone()
            });
        }
        // They say what the base ran on; the image is another one.
        for field in ["container", "container_config", "docker_version", "id", "parent"] {
            self.config.other.shift_remove(field);
        }
        Ok(())
    }

    /// What variables mean now: `ENV` wins over `ARG`.
    pub(super) fn scope(&self) -> Scope {
        let mut variables = self.args.clone();
        for variable in &self.config.config.env {
            if let Some((name, value)) = variable.split_once('=') {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        Scope { variables, escape: self.escape }
    }

    fn instruction(
        &mut self,
        instruction: &Instruction<'_>,
        globals: &Scope,
        text: &str,
    ) -> Result<(), Stop> {
        self.job.gate.check().map_err(|_| Stop::Failed(Failure::cancelled()))?;
        let tree = match instruction {
            Instruction::Arg(arg) => {
                self.arg(&arg.arguments.value, globals)
                    .map_err(|message| Wrong::new(arg.arguments.span.clone(), message))?;
                Tree::default()
            }
            Instruction::Copy(copy) => {
                self.copy(&copy.copy.span, &copy.options, &copy.src, &copy.dest, false)?
            }
            Instruction::Add(add) => {
                self.copy(&add.add.span, &add.options, &add.src, &add.dest, true)?
            }
            Instruction::Workdir(workdir) => self.workdir(workdir)?,
            other => {
                self.set(other)?;
                Tree::default()
            }
        };
        let layer = self.layer(&tree)?;
        self.config.history.push(History {
            created: Some(self.created.clone()),
            created_by: Some(text.to_owned()),
            comment: Some("pipe".to_owned()),
            empty_layer: layer.is_none(),
            ..History::default()
        });
        Ok(())
    }

    /// Makes `WORKDIR` where it is missing, as root's.
    fn workdir(
        &mut self,
        workdir: &parse_dockerfile::WorkdirInstruction<'_>,
    ) -> Result<Tree, Stop> {
        let place = workdir.arguments.span.clone();
        let text = self
            .scope()
            .word(&workdir.arguments.value)
            .map_err(|message| Wrong::new(place.clone(), message))?;
        if text.is_empty() {
            return Err(Wrong::new(place, "`WORKDIR` names no folder").into());
        }
        let path = self.absolute(&text);
        self.config.config.working_dir = super::shown(&path);
        let mut tree = Tree::default();
        let path = self.listing.resolve(&path)?;
        if self.listing.get(&path).is_some_and(|entry| !entry.is_folder()) {
            let message = format!("`{}` is a file, no folder", super::shown(&path));
            return Err(Wrong::new(place, message).into());
        }
        self.insert_parents(&mut tree, &path.join("x"), Attributes::FOLDER);
        Ok(tree)
    }

    /// A path of an instruction, from the working folder on, without `.` and `..`, and without the
    /// leading `/`.
    pub(super) fn absolute(&self, text: &str) -> std::path::PathBuf {
        let whole = Path::new("/").join(&self.config.config.working_dir).join(text);
        let mut clean = std::path::PathBuf::new();
        for part in whole.components() {
            match part {
                std::path::Component::Normal(name) => clean.push(name),
                std::path::Component::ParentDir => _ = clean.pop(),
                _ => {}
            }
        }
        clean
    }

    /// Puts the folders above a path into a tree where the image has none.
    pub(super) fn insert_parents(&self, tree: &mut Tree, path: &Path, attributes: Attributes) {
        let above = path.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
        for folder in above {
            if self.listing.get(folder).is_none() && tree.get(folder).is_none() {
                tree.insert(folder, Entry::folder(attributes));
            }
        }
    }

    /// Writes a layer, or takes one that was made of the same before.
    fn layer(&mut self, tree: &Tree) -> Result<Option<Layer>, Stop> {
        if tree.is_empty() {
            return Ok(None);
        }
        let Job { store, gate, mtime, .. } = *self.job;
        let key = tree.key(mtime, |content| gate.digest(content))?;
        let (layer, how) = match store.layer(&key).filter(|_| !self.job.request.no_cache) {
            Some(layer) => (layer, "as before"),
            None => {
                let mut writer = LayerWriter::new(gate.pass(store.create()?), mtime);
                writer.tree(tree, &Spool::default())?;
                let (layer, out) = writer.finish()?;
                store.keep(out.into_inner(), &layer.digest)?;
                store.remember(&key, &layer)?;
                (layer, "new")
            }
        };
        self.say(format!("  layer {}, {}, {how}", layer.digest.short(), size(layer.size)));
        self.listing.append(tree.clone());
        self.layers.push(Descriptor::new(Format::Docker.layer(), layer.size, layer.digest));
        self.config.rootfs.diff_ids.push(layer.diff_id);
        Ok(Some(layer))
    }

    /// `ARG name`, `ARG name=default`: declares what the call, the top of the file or the default
    /// gives.
    fn arg(&mut self, text: &str, globals: &Scope) -> Result<(), String> {
        for field in fields(text, self.escape) {
            let (name, default) = match field.split_once('=') {
                Some((name, default)) => (name, Some(self.scope().word(default)?)),
                None => (field.as_str(), None),
            };
            self.used.push(name.to_owned());
            let given = self.job.request.args.get(name).cloned();
            let of_platform = || {
                let mut args = platform_args(self.job.platform).into_iter();
                args.find(|(arg, _)| *arg == name).map(|(_, value)| value)
            };
            let global = globals.variables.get(name).cloned();
            if let Some(value) = given.or(default).or(global).or_else(of_platform) {
                self.args.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Built, Failure> {
        let job = self.job;
        for (name, value) in &job.request.labels {
            self.config.config.labels.insert(name.clone(), value.clone());
        }
        for name in job.request.args.keys() {
            let is_known = self.used.contains(name)
                || PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
                || job.context.text.contains(&format!("ARG {name}"));
            if !is_known {
                self.say(format!("note: no `ARG` takes the build argument `{name}`"));
            }
        }
        self.config.created = Some(self.created.clone());
        let config = self.config.to_bytes();
        let (id, size) = job.store.put(&config[..]).map_err(|e| broken(&e))?;
        let config = Descriptor::new(Format::Docker.config(), size, id);
        let manifest = Manifest::new(Format::Docker, config, self.layers);
        let manifest = job
            .store
            .put_manifest(&manifest.to_bytes(), Format::Docker.manifest())
            .map_err(|e| broken(&e))?;
        Ok(Built { manifest, id })
    }
}
