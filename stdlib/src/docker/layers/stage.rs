//! Carries out the instructions of a stage.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use parse_dockerfile::Instruction;
use pipe_oci::{
    Content, Descriptor, Digest, Digests, Entry, Format, History, ImageConfig, LayerWriter,
    Platform, Spool, Store, Tree,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    broken,
    copy::{Copying, no_folder},
    flags,
    gate::Gate,
    images::Fetched,
    onbuild,
    plan::{Image, Origin, Plan, Stage},
    source::Source,
    wrong::Wrong,
};
use crate::{
    client::registry::size,
    core::Failure,
    docker::{
        context::Context,
        dockerfile::{Scope, keyword, raw_text, text},
        request::Request,
    },
};

/// Set in every image that has no `PATH` of its own, by Docker and BuildKit alike.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What all instructions share.
pub(super) struct Job<'a, 't> {
    pub(super) store: &'a Store,
    pub(super) context: &'a Context,
    /// The folders that `contexts` names.
    pub(super) folders: &'a BTreeMap<String, Context>,
    pub(super) request: &'a Request,
    pub(super) plan: &'a Plan<'t>,
    /// The images that are built on or copied from.
    pub(super) images: &'a BTreeMap<Image, Fetched>,
    pub(super) mtime: u64,
    /// `mtime`, RFC 3339.
    pub(super) created: String,
    pub(super) gate: &'a Gate,
    pub(super) digests: RefCell<Digests>,
    pub(super) lines: UnboundedSender<String>,
}

impl Job<'_, '_> {
    pub(super) fn say(&self, line: impl Into<String>) {
        // Nobody listens only when the call is over.
        let _ = self.lines.send(line.into());
    }

    /// The digest of a content, of a file that has not changed without reading it.
    pub(super) fn digest(&self, content: &Content) -> Result<Digest, pipe_oci::Error> {
        self.digests.borrow_mut().of(content, |content| self.gate.digest(content))
    }
}

/// The image so far.
#[derive(Clone)]
pub(super) struct State<'a, 't> {
    pub(super) job: &'a Job<'a, 't>,
    pub(super) platform: Platform,
    pub(super) config: ImageConfig,
    /// What the layers hold, as far as somebody asks.
    pub(super) tree: Tree,
    pub(super) layers: Vec<Descriptor>,
    /// Whether this stage set `CMD`: an `ENTRYPOINT` takes that of the base away.
    pub(super) has_command: bool,
    /// Values of `ARG`s, and of `ENV`s that came after them.
    pub(super) args: BTreeMap<String, String>,
    /// The `ARG`s that were declared.
    pub(super) declared: Vec<String>,
    /// Its number in the file.
    number: usize,
    /// How many instructions were carried out.
    done: usize,
}

/// Why an instruction stops the build.
pub(super) enum Stop {
    /// The Dockerfile is wrong.
    Wrong(Wrong),
    /// The machine failed, or a file of the context is missing; the place of the instruction is
    /// known to the caller.
    Failed(Failure),
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

impl Stop {
    pub(super) fn failure(self, job: &Job<'_, '_>) -> Failure {
        match self {
            Self::Wrong(wrong) => wrong.failure(job.context, job.plan.offset),
            Self::Failed(failure) => failure,
        }
    }
}

/// Carries out a stage. `done`: the stages before it.
pub(super) fn run<'a, 't>(
    job: &'a Job<'a, 't>,
    number: usize,
    done: &BTreeMap<usize, State<'a, 't>>,
) -> Result<State<'a, 't>, Failure> {
    let stage = &job.plan.stages[number];
    let mut state = State::from(job, number, stage, done).map_err(|stop| stop.failure(job))?;
    if state.config.config.variable("PATH").is_none() {
        state.config.config.set_variable("PATH", PATH);
    }
    for trigger in std::mem::take(&mut state.config.config.on_build) {
        job.say(format!("ONBUILD {trigger}"));
        onbuild::run(&mut state, stage, &trigger).map_err(|stop| stop.failure(job))?;
    }
    let count = stage.instructions.len();
    for (at, instruction) in stage.instructions.iter().enumerate() {
        let text = text(&job.context.text, keyword(instruction).start, job.plan.escape);
        job.say(match job.plan.needed.len() {
            1 => format!("{}/{count} {text}", at + 1),
            _ => format!("stage {number} {}/{count} {text}", at + 1),
        });
        state.instruction(instruction, &text, done).map_err(|stop| stop.failure(job))?;
    }
    Ok(state)
}

impl<'a, 't> State<'a, 't> {
    fn from(
        job: &'a Job<'a, 't>,
        number: usize,
        stage: &Stage<'_>,
        done: &BTreeMap<usize, Self>,
    ) -> Result<Self, Stop> {
        let mut state = match &stage.from {
            Origin::Stage(lower) => done
                .get(lower)
                .cloned()
                .ok_or_else(|| Stop::Failed(Failure::internal("a stage is built out of order")))?,
            Origin::Image(image) => Self::on(job, stage, image)?,
            Origin::Scratch | Origin::Folder(_) => Self::new(job, stage, Tree::default()),
        };
        state.has_command = false;
        state.number = number;
        state.done = 0;
        Ok(state)
    }

    pub(super) fn new(job: &'a Job<'a, 't>, stage: &Stage<'_>, tree: Tree) -> Self {
        Self {
            job,
            platform: stage.platform.clone(),
            config: ImageConfig::scratch(&stage.platform),
            tree,
            layers: Vec::new(),
            has_command: false,
            args: BTreeMap::new(),
            declared: Vec::new(),
            number: 0,
            done: 0,
        }
    }

    /// What variables mean now.
    pub(super) fn scope(&self) -> Scope {
        let mut variables = self.args.clone();
        for variable in &self.config.config.env {
            if let Some((name, value)) = variable.split_once('=') {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        Scope { variables, escape: self.job.plan.escape }
    }

    /// Carries out one instruction; `text` is how it is written.
    pub(super) fn instruction(
        &mut self,
        instruction: &Instruction<'_>,
        text: &str,
        done: &BTreeMap<usize, State<'a, 't>>,
    ) -> Result<(), Stop> {
        self.job.gate.check().map_err(|_| Stop::Failed(Failure::cancelled()))?;
        self.done += 1;
        let context = Source::Folder(self.job.context);
        let added = match instruction {
            Instruction::Arg(arg) => {
                self.declare(&arg.arguments.value)
                    .map_err(|message| Wrong::new(arg.arguments.span.clone(), message))?;
                Tree::default()
            }
            Instruction::Copy(copy) => {
                let copying = Copying {
                    keyword: copy.copy.span.clone(),
                    flags: &copy.options,
                    sources: &copy.src,
                    destination: &copy.dest,
                    unpacks: false,
                };
                match copy.options.iter().find(|flag| flag.name.value == "from") {
                    Some(flag) => self.copy_from(&copying, &flag.span(), done)?,
                    None => self.copy(&copying, context, "the build context")?,
                }
            }
            Instruction::Add(add) => {
                let copying = Copying {
                    keyword: add.add.span.clone(),
                    flags: &add.options,
                    sources: &add.src,
                    destination: &add.dest,
                    unpacks: true,
                };
                self.copy(&copying, context, "the build context")?
            }
            Instruction::Workdir(workdir) => self.workdir(workdir)?,
            Instruction::Onbuild(onbuild) => {
                let start = keyword(&onbuild.instruction).start;
                let trigger = raw_text(&self.job.context.text, start, self.job.plan.escape);
                self.config.config.on_build.push(trigger);
                Tree::default()
            }
            other => {
                self.set(other)?;
                Tree::default()
            }
        };
        let is_empty = added.is_empty();
        if !is_empty {
            self.layer(added)?;
        }
        self.config.history.push(History {
            created: Some(self.job.created.clone()),
            created_by: Some(text.to_owned()),
            comment: Some("pipe".to_owned()),
            empty_layer: is_empty,
            ..History::default()
        });
        Ok(())
    }

    /// `COPY --from`. `flag` is its place.
    fn copy_from(
        &mut self,
        copying: &Copying<'_, '_>,
        flag: &std::ops::Range<usize>,
        done: &BTreeMap<usize, State<'a, 't>>,
    ) -> Result<Tree, Stop> {
        let job = self.job;
        let copies = &job.plan.stages[self.number].copies;
        let origin = copies.iter().find(|(place, _)| place == flag).map(|(_, origin)| origin);
        let internal = || Stop::Failed(Failure::internal("nobody knows where `COPY` copies from"));
        match origin.ok_or_else(internal)? {
            Origin::Stage(number) => {
                let lower = done.get(number).ok_or_else(internal)?;
                self.copy(copying, Source::Tree(&lower.tree), &format!("the stage {number}"))
            }
            Origin::Image(image) => {
                let stage = &job.plan.stages[self.number];
                let of = Self::on(job, stage, image)?;
                self.copy(copying, Source::Tree(&of.tree), &format!("the image `{image}`"))
            }
            Origin::Folder(name) => {
                let folder = job.folders.get(name).ok_or_else(internal)?;
                self.copy(copying, Source::Folder(folder), &format!("the context `{name}`"))
            }
            Origin::Scratch => Err(internal()),
        }
    }

    /// Makes `WORKDIR` where it is missing.
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
        let path = self.tree.resolve(&path)?;
        if self.tree.get(&path).is_some_and(|entry| !entry.is_folder()) {
            return Err(no_folder(place, &path).into());
        }
        let mut added = Tree::default();
        let attributes = flags::owned(&self.config.config.user, &self.tree);
        let above = path.ancestors().filter(|p| !p.as_os_str().is_empty());
        for folder in above.filter(|folder| self.tree.get(folder).is_none()) {
            added.insert(folder, Entry::folder(attributes));
        }
        Ok(added)
    }

    /// A path of an instruction, from the working folder on, without `.` and `..`, and without the
    /// leading `/`.
    pub(super) fn absolute(&self, text: &str) -> PathBuf {
        let whole = Path::new("/").join(&self.config.config.working_dir).join(text);
        let mut clean = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::ParentDir => _ = clean.pop(),
                _ => {}
            }
        }
        clean
    }

    /// Writes a layer, or takes one that was made of the same before.
    fn layer(&mut self, added: Tree) -> Result<(), Stop> {
        let Job { store, gate, mtime, .. } = *self.job;
        let key = added.key(mtime, |content| self.job.digest(content))?;
        let fresh = self.job.request.no_cache;
        let (layer, how) = match store.layer(&key).filter(|_| !fresh) {
            Some(layer) => (layer, "as before"),
            None => {
                let spool = Spool::of(&added, || self.spool())?;
                let slot = self.slot();
                let earlier = store.last(&slot).filter(|_| !fresh);
                let out = gate.pass(store.create()?);
                let mut writer = LayerWriter::after(out, mtime, earlier);
                writer.tree(&added, &spool)?;
                let (layer, pieces, out) = writer.finish_with_pieces()?;
                store.keep(out.into_inner(), &layer.digest)?;
                store.remember(&key, &layer)?;
                store.remember_last(&slot, &layer, &pieces)?;
                (layer, "new")
            }
        };
        self.job.say(format!("  layer {}, {}, {how}", layer.digest.short(), size(layer.size)));
        self.layers.push(Descriptor::new(self.format().layer(), layer.size, layer.digest));
        self.config.rootfs.diff_ids.push(layer.diff_id);
        self.tree.append(added);
        Ok(())
    }

    pub(super) fn format(&self) -> Format {
        self.job.request.format
    }

    /// A file for what is unpacked; it is gone with the last who has it open.
    fn spool(&self) -> Result<std::fs::File, pipe_oci::Error> {
        tempfile::tempfile_in(self.job.store.root().join("new"))
            .map_err(|e| pipe_oci::Error::io("can't make a file in the image store", &e))
    }

    /// What stands for an instruction from one build to the next, whatever it copies.
    fn slot(&self) -> Digest {
        let file = self.job.context.dockerfile.display();
        let root = self.job.context.root.display();
        let (stage, done) = (self.number, self.done);
        Digest::of(format!("{root}\n{file}\n{stage}\n{done}\n{}", self.platform).as_bytes())
    }
}

/// A manifest's layer file, as the contents of its files name it.
pub(super) fn archive(store: &Store, digest: &Digest) -> Arc<Path> {
    store.path(digest).into()
}
