//! `COPY`, and `ADD` of what needs no unpacking.

use std::{
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

use parse_dockerfile::{Flag, Source, UnescapedString};
use pipe_grammar::diagnostic::did_you_mean;
use pipe_oci::{Attributes, Content, Entry, Node, Tree};

use super::{
    plan::Wrong,
    shown,
    stage::{State, Stop},
};
use crate::docker::{dockerfile::Scope, glob::Glob};

/// What `--chown` and `--chmod` say.
#[derive(Clone, Copy, Default)]
struct Change {
    owner: Option<(u32, u32)>,
    mode: Option<u32>,
}

impl Change {
    fn apply(self, attributes: Attributes) -> Attributes {
        let (uid, gid) = self.owner.unwrap_or((0, 0));
        Attributes { mode: self.mode.unwrap_or(attributes.mode), uid, gid }
    }

    /// Of a folder on the way to the destination.
    fn parent(self) -> Attributes {
        Self { mode: None, ..self }.apply(Attributes::FOLDER)
    }
}

/// A source: its path in the context, as it was found and as it is named.
struct Found {
    /// With its links followed.
    path: PathBuf,
    /// What it is called at the destination.
    name: PathBuf,
    place: Range<usize>,
}

impl State<'_> {
    /// What the image gets by a `COPY`.
    pub(super) fn copy(
        &mut self,
        keyword: &Range<usize>,
        options: &[Flag<'_>],
        sources: &[Source<'_>],
        destination: &UnescapedString<'_>,
        unpacks: bool,
    ) -> Result<Tree, Stop> {
        let scope = self.scope();
        let change = change(options, &scope)?;
        let files = match self.files.take() {
            Some(files) => files,
            None => self.job.context.tree().map_err(Stop::Failed)?,
        };
        let found = self.find(sources, &scope, &files)?;
        let tree = self.place(keyword, &found, destination, &scope, &files, change, unpacks)?;
        self.files = Some(files);
        Ok(tree)
    }

    /// The sources in the context, patterns replaced by what they match.
    fn find(
        &self,
        sources: &[Source<'_>],
        scope: &Scope,
        files: &Tree,
    ) -> Result<Vec<Found>, Stop> {
        let mut all = Vec::new();
        for source in sources {
            let Source::Path(written) = source else { continue };
            let place = written.span.clone();
            let wrong = |message: String| Wrong::new(place.clone(), message);
            let text = scope.word(&written.value).map_err(wrong)?;
            let name = inside(&text).ok_or_else(|| {
                wrong(format!("`{text}` leaves the build context"))
                    .help("only files below the context's folder can be copied; name a higher folder as the context")
            })?;
            let resolve = |name: &Path| files.resolve(name).map_err(|e| wrong(e.to_string()));
            if !Glob::is_pattern(&text) {
                let path = resolve(&name)?;
                if !path.as_os_str().is_empty() && files.get(&path).is_none() {
                    return Err(self.missing(&name, files, place).into());
                }
                all.push(Found { path, name, place });
                continue;
            }
            let pattern = Glob::parse(&name.to_string_lossy(), false)
                .ok_or_else(|| wrong(format!("`{text}` is no pattern: a `[` needs a `]`")))?;
            let before = all.len();
            for (path, _) in files.iter().filter(|(p, _)| pattern.matches(&p.to_string_lossy())) {
                let found = resolve(path)?;
                if files.get(&found).is_some() {
                    all.push(Found { path: found, name: path.to_path_buf(), place: place.clone() });
                }
            }
            if all.len() == before {
                return Err(wrong(format!("nothing in the build context matches `{text}`")).into());
            }
        }
        Ok(all)
    }

    /// Puts the sources where they belong.
    #[expect(clippy::too_many_arguments, reason = "the parts of one instruction")]
    fn place(
        &self,
        keyword: &Range<usize>,
        found: &[Found],
        destination: &UnescapedString<'_>,
        scope: &Scope,
        files: &Tree,
        change: Change,
        unpacks: bool,
    ) -> Result<Tree, Stop> {
        let place = destination.span.clone();
        let text =
            scope.word(&destination.value).map_err(|message| Wrong::new(place.clone(), message))?;
        if text.is_empty() {
            return Err(Wrong::new(place, "the destination is empty").into());
        }
        let target = self.listing.resolve(&self.absolute(&text))?;
        let is_folder = text.ends_with('/')
            || matches!(text.as_str(), "." | "..")
            || text.ends_with("/.")
            || target.as_os_str().is_empty()
            || self.listing.get(&target).is_some_and(Entry::is_folder);
        if found.len() > 1 && !is_folder {
            return Err(Wrong::new(
                place,
                format!("several sources go to `{text}`, which is no folder"),
            )
            .help(format!("a folder ends with a slash: `{text}/`"))
            .into());
        }
        let mut tree = Tree::default();
        for source in found {
            // The context's own folder has no entry.
            let entry = files.get(&source.path);
            let node = entry.map_or(&Node::Folder, |entry| &entry.node);
            if let Node::Folder = node {
                // The destination is a folder of its own; it takes nothing of the source's mode.
                let folder = Entry::folder(change.parent());
                self.put(&mut tree, &target, &folder, Change { mode: None, ..change }, source)?;
                for (path, entry) in files.iter() {
                    let Ok(rest) = path.strip_prefix(&source.path) else { continue };
                    if rest.as_os_str().is_empty() {
                        continue;
                    }
                    self.put(&mut tree, &target.join(rest), entry, change, source)?;
                }
                continue;
            }
            let Some(entry) = entry else { continue };
            if unpacks && is_archive(&entry.node)? {
                return Err(Wrong::new(
                    source.place.clone(),
                    "`ADD` unpacks this archive, which needs a Docker Engine",
                )
                .help("start a Docker Engine, or copy it as it is with `COPY`")
                .into());
            }
            let to = match source.name.file_name() {
                Some(name) if is_folder => target.join(name),
                _ => target.clone(),
            };
            self.put(&mut tree, &to, entry, change, source)?;
        }
        if tree.is_empty() && found.is_empty() {
            return Err(Wrong::new(keyword.clone(), "nothing is copied").into());
        }
        Ok(tree)
    }

    /// Puts one entry at a path of the image, with the folders above it.
    fn put(
        &self,
        tree: &mut Tree,
        to: &Path,
        entry: &Entry,
        change: Change,
        source: &Found,
    ) -> Result<(), Stop> {
        // A link of the image on the way is followed, but not one at the end.
        let folder = self.listing.resolve(to.parent().unwrap_or(Path::new("")))?;
        let mut path = folder.join(to.file_name().unwrap_or_default());
        let mut there = self.listing.get(&path);
        if entry.node == Node::Folder && there.is_some_and(|t| matches!(t.node, Node::Symlink(_))) {
            path = self.listing.resolve(&path)?;
            there = self.listing.get(&path);
        }
        let is_folder = entry.node == Node::Folder;
        match (there.map(|there| &there.node), is_folder) {
            // It stays as it is; what is below it is added.
            (Some(Node::Folder), true) => return Ok(()),
            (None, true) if path.as_os_str().is_empty() => return Ok(()),
            (Some(Node::Folder), false) => {
                let message = format!(
                    "the file `{}` can't replace the folder `{}`",
                    source.name.display(),
                    shown(&path)
                );
                return Err(Wrong::new(source.place.clone(), message).into());
            }
            (Some(Node::File { .. } | Node::Special(_)), true) => {
                let message = format!(
                    "the folder `{}` can't replace the file `{}`",
                    source.name.display(),
                    shown(&path)
                );
                return Err(Wrong::new(source.place.clone(), message).into());
            }
            _ => {}
        }
        self.insert_parents(tree, &path, change.parent());
        let attributes = change.apply(entry.attributes);
        // What an earlier source of the same instruction put there keeps its place as a folder.
        if !(is_folder && tree.get(&path).is_some_and(|old| old.node == Node::Folder)) {
            tree.insert(path, Entry { attributes, ..entry.clone() });
        }
        Ok(())
    }

    fn missing(&self, name: &Path, files: &Tree, place: Range<usize>) -> Wrong {
        let context = self.job.context;
        let wrong = Wrong::new(place, format!("`{}` is not in the build context", name.display()));
        let mut above = name.ancestors().filter(|p| !p.as_os_str().is_empty());
        if above.any(|p| context.is_ignored(p)) && context.root.join(name).exists() {
            return wrong.help("`.dockerignore` leaves it out");
        }
        let folder = name.parent().unwrap_or(Path::new(""));
        let beside: Vec<String> = files
            .iter()
            .filter(|(path, _)| path.parent() == Some(folder))
            .map(|(path, _)| path.display().to_string())
            .collect();
        match did_you_mean(&name.display().to_string(), beside.iter().map(String::as_str)) {
            Some(help) => wrong.help(help),
            None => wrong.help("sources are paths below the context's folder"),
        }
    }
}

/// A source's path from the context on; nothing when it leaves it. A leading `/` is the context.
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

fn change(options: &[Flag<'_>], scope: &Scope) -> Result<Change, Wrong> {
    let mut change = Change::default();
    for option in options {
        let name = &*option.name.value;
        let wrong = |message: String| Wrong::new(option.span(), message);
        let value = option.value.as_ref().map_or("", |value| &*value.value);
        let value = scope.word(value).map_err(wrong)?;
        match name {
            "chown" => {
                change.owner = Some(owner(&value).map_err(|m| {
                    wrong(m).help("names are looked up in the image, which needs a Docker Engine")
                })?)
            }
            "chmod" => {
                let mode = u32::from_str_radix(&value, 8).ok().filter(|mode| *mode <= 0o7777);
                change.mode = Some(mode.ok_or_else(|| {
                    wrong(format!("`{value}` is no mode")).help("write it in octal: `--chmod=0755`")
                })?);
            }
            // `--link` changes how layers are cached, not what they hold.
            _ => {}
        }
    }
    Ok(change)
}

/// `1000`, `1000:50`; `root` is 0.
fn owner(text: &str) -> Result<(u32, u32), String> {
    let number = |text: &str| match text {
        "root" => Ok(0),
        text => text.parse().map_err(|_| format!("`{text}` is not the number of a user or group")),
    };
    match text.split_once(':') {
        Some((user, group)) => Ok((number(user)?, number(group)?)),
        None => number(text).map(|user| (user, user)),
    }
}

/// Whether `ADD` unpacks a file: a tar archive, as it is or compressed with gzip, bzip2 or xz.
fn is_archive(node: &Node) -> Result<bool, Stop> {
    let Node::File { content: content @ Content::Disk { path, .. }, .. } = node else {
        return Ok(false);
    };
    let mut head = Vec::new();
    content
        .open()?
        .take(512)
        .read_to_end(&mut head)
        .map_err(|e| pipe_oci::Error::at("read", path, &e))?;
    let magic: [&[u8]; 3] = [&[0x1f, 0x8b, 0x08], b"BZh", &[0xfd, b'7', b'z', b'X', b'Z', 0]];
    let is_tar = head.get(257..262).is_some_and(|magic| magic == b"ustar");
    Ok(is_tar || magic.iter().any(|magic| head.starts_with(magic)))
}
