//! `COPY` and `ADD`.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use parse_dockerfile::{Flag, Source as Written, UnescapedString};
use pipe_grammar::diagnostic::did_you_mean;
use pipe_oci::{Attributes, Content, Entry, Node};

use super::{
    flags::Change,
    landing::{From, Landing},
    shown,
    source::Source,
    stage::{State, Stop},
    unpack,
    wrong::Wrong,
};
use crate::{
    core::Failure,
    docker::{
        dockerfile::{Scope, here_name},
        glob::Glob,
    },
};

/// The parts of a `COPY` or `ADD`.
pub(super) struct Copying<'i, 'a> {
    /// The place of the keyword.
    pub(super) keyword: Range<usize>,
    pub(super) flags: &'i [Flag<'a>],
    pub(super) sources: &'i [Written<'a>],
    pub(super) destination: &'i UnescapedString<'a>,
    /// Whether archives are unpacked: `ADD`.
    pub(super) unpacks: bool,
}

/// A source.
struct Found {
    /// Where it is, links followed; nothing for a here-document.
    path: PathBuf,
    /// What it is called at the destination.
    name: PathBuf,
    place: Range<usize>,
    entry: Entry,
}

impl State<'_, '_> {
    /// What the image gets by a `COPY` or `ADD`.
    pub(super) fn copy(
        &mut self,
        copying: &Copying<'_, '_>,
        source: Source<'_>,
        what: &str,
    ) -> Result<pipe_oci::Tree, Stop> {
        let scope = self.scope();
        let change = Change::read(copying.flags, &scope, &self.tree)?;
        let found = self.find(copying, &scope, source, what)?;
        let (target, is_folder) = self.target(copying.destination, &scope, found.len())?;
        let mut landing = Landing::new(&self.tree, change.parent());
        for (number, found) in found.into_iter().enumerate() {
            self.job.gate.check().map_err(|_| Stop::Failed(Failure::cancelled()))?;
            let from = From { number, name: &found.name, place: found.place.clone() };
            if found.entry.is_folder() {
                // The destination is a folder of its own; it takes nothing of the source's mode.
                landing.folder(&target, &from)?;
                let mut stop = None;
                let walked = source.walk(&found.path, &mut |path, entry| {
                    let to = target.join(path.strip_prefix(&found.path).unwrap_or(path));
                    let entry = Entry { attributes: change.apply(entry.attributes), ..entry };
                    landing.put(&to, entry, &from).map_err(|error| {
                        stop = Some(error);
                        Failure::cancelled()
                    })
                });
                match stop {
                    Some(stop) => return Err(stop),
                    None => walked.map_err(Stop::Failed)?,
                }
                continue;
            }
            if copying.unpacks
                && let Node::File { content: content @ Content::Disk { path, .. }, .. } =
                    &found.entry.node
                && let Some(listing) = unpack::listing(self.job, content)?
            {
                landing.folder(&target, &from)?;
                listing.unpack(path, |path, entry| {
                    unpack::put(&mut landing, &target, path, entry, &from)
                })?;
                continue;
            }
            let to = match found.name.file_name() {
                Some(name) if is_folder => target.join(name),
                _ => target.clone(),
            };
            let attributes = change.apply(found.entry.attributes);
            landing.put(&to, Entry { attributes, ..found.entry }, &from)?;
        }
        Ok(landing.added)
    }

    /// The sources, patterns replaced by what they match.
    fn find(
        &self,
        copying: &Copying<'_, '_>,
        scope: &Scope,
        source: Source<'_>,
        what: &str,
    ) -> Result<Vec<Found>, Stop> {
        let mut all = Vec::new();
        let mut here_docs = 0;
        for written in copying.sources {
            let written = match written {
                Written::Path(written) => written,
                Written::HereDoc(doc) => {
                    let place = copying.keyword.clone();
                    let text = if doc.expand {
                        scope.raw(&doc.value).map_err(|m| Wrong::new(place.clone(), m))?
                    } else {
                        doc.value.to_string()
                    };
                    let name = here_name(&self.job.context.text, place.start, here_docs);
                    here_docs += 1;
                    let content = Content::Bytes(text.into_bytes().into());
                    let entry = Entry::new(Node::file(content), Attributes::root(0o644));
                    all.push(Found { path: PathBuf::new(), name: name.into(), place, entry });
                    continue;
                }
                // The parser may learn another one.
                _ => continue,
            };
            let place = written.span.clone();
            let wrong = |message: String| Wrong::new(place.clone(), message);
            let text = scope.word(&written.value).map_err(wrong)?;
            let name = inside(&text).ok_or_else(|| {
                wrong(format!("`{text}` leaves {what}"))
                    .help("only files below the context's folder can be copied; name a higher folder as the context")
            })?;
            if !Glob::is_pattern(&text) {
                let path = source.resolve(&name).map_err(|failure| wrong(failure.message))?;
                let Some(entry) = source.look(&path).map_err(Stop::Failed)? else {
                    return Err(self.missing(&name, source, what, place).into());
                };
                all.push(Found { path, name, place, entry });
                continue;
            }
            let found = source.matches(&name).map_err(Stop::Failed)?;
            let found =
                found.ok_or_else(|| wrong(format!("`{text}` is no pattern: a `[` needs a `]`")))?;
            let before = all.len();
            for name in found {
                let path = source.resolve(&name).map_err(Stop::Failed)?;
                if let Some(entry) = source.look(&path).map_err(Stop::Failed)? {
                    all.push(Found { path, name, place: place.clone(), entry });
                }
            }
            if all.len() == before {
                return Err(wrong(format!("nothing in {what} matches `{text}`")).into());
            }
        }
        Ok(all)
    }

    /// Where the sources go, and whether that is a folder that they go into.
    fn target(
        &self,
        destination: &UnescapedString<'_>,
        scope: &Scope,
        sources: usize,
    ) -> Result<(PathBuf, bool), Stop> {
        let place = destination.span.clone();
        let text =
            scope.word(&destination.value).map_err(|message| Wrong::new(place.clone(), message))?;
        if text.is_empty() {
            return Err(Wrong::new(place, "the destination is empty").into());
        }
        let target = self.tree.resolve(&self.absolute(&text))?;
        let is_folder = text.ends_with('/')
            || matches!(text.as_str(), "." | "..")
            || text.ends_with("/.")
            || target.as_os_str().is_empty()
            || self.tree.get(&target).is_some_and(Entry::is_folder);
        if sources > 1 && !is_folder {
            let message = format!("several sources go to `{text}`, which is no folder");
            return Err(Wrong::new(place, message)
                .help(format!("a folder ends with a slash: `{text}/`"))
                .into());
        }
        Ok((target, is_folder))
    }

    fn missing(&self, name: &Path, source: Source<'_>, what: &str, place: Range<usize>) -> Wrong {
        let wrong = Wrong::new(place, format!("`{}` is not in {what}", name.display()));
        if let Source::Folder(context) = source {
            let mut above = name.ancestors().filter(|p| !p.as_os_str().is_empty());
            if above.any(|p| context.is_ignored(p)) && context.root.join(name).exists() {
                return wrong.help("`.dockerignore` leaves it out");
            }
        }
        let folder = name.parent().unwrap_or(Path::new(""));
        let names = source.names(folder).unwrap_or_default();
        let beside: Vec<String> =
            names.iter().map(|name| folder.join(name).display().to_string()).collect();
        match did_you_mean(&name.display().to_string(), beside.iter().map(String::as_str)) {
            Some(help) => wrong.help(help),
            None if matches!(source, Source::Folder(_)) => {
                wrong.help("sources are paths below the context's folder")
            }
            None => wrong,
        }
    }
}

/// A source's path from the root on; nothing when it leaves it. A leading `/` is the root.
fn inside(text: &str) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if !clean.pop() {
                    return None;
                }
            }
            part => clean.push(part),
        }
    }
    Some(clean)
}

/// A folder of the image that is none.
pub(super) fn no_folder(place: Range<usize>, path: &Path) -> Wrong {
    Wrong::new(place, format!("`{}` is a file, no folder", shown(path)))
}
