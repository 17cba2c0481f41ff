//! A build without a daemon.

use std::{cell::RefCell, collections::BTreeMap};

use pipe_grammar::Code;
use pipe_oci::{Descriptor, Digest, Digests, Index, Manifest, Platform, Reference, Store};
use tokio::sync::mpsc::{self, UnboundedSender};

use super::{
    beyond, broken,
    gate::Gate,
    images::{self, Fetched},
    plan::{self, Image, Plan},
    stage::{self, Job, State},
    wrong::spot,
};
use crate::{
    core::{Call, Failure},
    docker::{
        context::Context,
        request::{Named, Request},
    },
};

/// An image in the store.
#[derive(Clone, Debug)]
pub(in crate::docker) struct Built {
    /// Its manifest, or the index of several.
    pub(in crate::docker) manifest: Descriptor,
    /// The digest of its configuration, as engines name images; of several platforms that of the
    /// index.
    pub(in crate::docker) id: Digest,
}

/// Whether this builder can build a Dockerfile, as far as the Dockerfile tells.
pub(in crate::docker) fn can(context: &Context, request: &Request) -> Result<(), Failure> {
    let first = platforms(request)?.into_iter().next().unwrap_or_else(Platform::host);
    plan::plan(context, request, &first).map(drop)
}

/// Builds an image into the store and gives it its names.
pub(in crate::docker) async fn build(
    call: &Call<'_>,
    store: &Store,
    context: Context,
    request: Request,
    tags: &[Reference],
) -> Result<Built, Failure> {
    let mtime = source_date(call)?;
    let folders = folders(call, &request)?;
    let platforms = platforms(&request)?;
    let mut images = BTreeMap::new();
    for platform in &platforms {
        let plan = plan::plan(&context, &request, platform)?;
        if let Some(syntax) = &plan.syntax {
            call.report
                .say(&format!("note: `# syntax={syntax}` is for engines; it is passed over"));
        }
        let blame = |failure: Failure, place| failure.at(spot(&context, plan.offset, place));
        let (fetched, wrongs) = images::fetch(call, store, &plan, &request, blame).await?;
        beyond::refuse(&context, plan.offset, &request, wrongs)?;
        images.extend(fetched);
    }
    // The work is done by a thread; its lines come back as they are written, and when nobody waits
    // for it any more it ends at the next piece.
    let (lines, mut written) = mpsc::unbounded_channel();
    let (store, tags) = (store.clone(), tags.to_vec());
    let work = call.blocking(move |stop| {
        let gate = Gate::new(stop.clone());
        let work = Work { store: &store, context, folders, request, images, mtime, gate, lines };
        let built = work.platforms(&platforms)?;
        work.gate.check().map_err(|_| Failure::cancelled())?;
        for tag in &tags {
            store.name(tag, &built.manifest).map_err(|e| broken(&e))?;
        }
        Ok(built)
    });
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => return Err(Failure::cancelled()),
            Some(line) = written.recv() => call.report.say(&line),
            built = &mut work => {
                while let Ok(line) = written.try_recv() {
                    call.report.say(&line);
                }
                return built;
            }
        }
    }
}

/// What a build works with.
struct Work<'a> {
    store: &'a Store,
    context: Context,
    folders: BTreeMap<String, Context>,
    request: Request,
    images: BTreeMap<Image, Fetched>,
    mtime: u64,
    gate: Gate,
    lines: UnboundedSender<String>,
}

impl Work<'_> {
    fn platforms(&self, platforms: &[Platform]) -> Result<Built, Failure> {
        let [one] = platforms else {
            let mut manifests = Vec::new();
            for platform in platforms {
                let _ = self.lines.send(format!("for {platform}"));
                let built = self.platform(platform)?;
                manifests.push(Descriptor { platform: Some(platform.clone()), ..built.manifest });
            }
            let index =
                Index::new(self.request.format, manifests, self.request.annotations.clone());
            let kind = self.request.format.index();
            let manifest = self.store.put_manifest(&index.to_bytes(), kind);
            let manifest = manifest.map_err(|e| broken(&e))?;
            let id = manifest.digest;
            return Ok(Built { manifest, id });
        };
        self.platform(one)
    }

    fn platform(&self, platform: &Platform) -> Result<Built, Failure> {
        let plan = plan::plan(&self.context, &self.request, platform)?;
        let seconds = i64::try_from(self.mtime).unwrap_or(0);
        let job = Job {
            store: self.store,
            context: &self.context,
            folders: &self.folders,
            request: &self.request,
            plan: &plan,
            images: &self.images,
            mtime: self.mtime,
            created: jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string(),
            gate: &self.gate,
            digests: RefCell::new(Digests::open(self.store, &self.context.root)),
            lines: self.lines.clone(),
        };
        let built = stages(&job, &plan)?;
        job.digests.into_inner().save(self.store).map_err(|e| broken(&e))?;
        Ok(built)
    }
}

/// Builds the needed stages in their order; the last one is the image.
fn stages<'a, 't>(job: &'a Job<'a, 't>, plan: &Plan<'_>) -> Result<Built, Failure> {
    let mut done: BTreeMap<usize, State<'a, 't>> = BTreeMap::new();
    for number in &plan.needed {
        let state = stage::run(job, *number, &done)?;
        done.insert(*number, state);
    }
    let target = done.into_values().next_back();
    finish(job, target.ok_or_else(|| Failure::internal("a Dockerfile without stages"))?)
}

fn finish(job: &Job<'_, '_>, mut state: State<'_, '_>) -> Result<Built, Failure> {
    for (name, value) in &job.request.labels {
        state.config.config.labels.insert(name.clone(), value.clone());
    }
    for name in state.unused() {
        job.say(format!("note: no `ARG` takes the build argument `{name}`"));
    }
    let format = job.request.format;
    state.config.created = Some(job.created.clone());
    let config = state.config.to_bytes();
    let (id, size) = job.store.put(&config[..]).map_err(|e| broken(&e))?;
    let config = Descriptor::new(format.config(), size, id);
    let mut manifest = Manifest::new(format, config, state.layers);
    manifest.annotations.clone_from(&job.request.annotations);
    let manifest =
        job.store.put_manifest(&manifest.to_bytes(), format.manifest()).map_err(|e| broken(&e))?;
    Ok(Built { manifest, id })
}

fn platforms(request: &Request) -> Result<Vec<Platform>, Failure> {
    if request.platforms.is_empty() {
        return Ok(vec![Platform::host()]);
    }
    let parsed = request.platforms.iter().map(|text| {
        text.parse().map_err(|e: pipe_oci::Error| Failure::new(Code::INVALID_IMAGE, e.to_string()))
    });
    parsed.collect()
}

fn folders(call: &Call<'_>, request: &Request) -> Result<BTreeMap<String, Context>, Failure> {
    let folders = request.contexts.iter().filter_map(|(name, named)| match named {
        Named::Folder(path) => Some((name, path)),
        _ => None,
    });
    let open = |(name, path): (&String, &std::path::PathBuf)| {
        let folder = Context::folder(call.world, path.clone());
        Ok((name.clone(), folder.map_err(|failure| failure.at_argument("contexts"))?))
    };
    folders.map(open).collect()
}

/// The time of everything in the image: what `SOURCE_DATE_EPOCH` says, else 1970.
fn source_date(call: &Call<'_>) -> Result<u64, Failure> {
    let Some(text) = call.world.variable("SOURCE_DATE_EPOCH") else { return Ok(0) };
    text.trim().parse().map_err(|_| {
        let message = format!("`SOURCE_DATE_EPOCH` is `{text}`, which is no number of seconds");
        Failure::new(Code::BAD_PARAM, message).help("seconds since 1970: `git log -1 --format=%ct`")
    })
}
