//! The files that patterns mean.
//!
//! Wildcards find files and folders, hidden ones too, in the order of their names. They do not look
//! into folders through symbolic links, nor into `.git` unless the pattern spells it out. `.pipe`,
//! where runs are recorded, is never part of anything.

use std::{
    fs::{self, FileType},
    path::{Path, PathBuf},
};

use pipe_grammar::Code;

use super::{Failure, Glob, World};

/// The folder beside a Pipelinefile where runs are recorded.
const RECORDS: &str = ".pipe";

/// A file or folder that a pattern means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// As the pattern would write it.
    pub written: String,
    /// Below the part of the pattern that has no wildcards. Of a pattern without any: its own name;
    /// empty for a folder, whose content is meant then.
    pub below: String,
    /// Whether it is named as such, without wildcards: then a symbolic link means what it points to.
    pub named: bool,
}

/// A file, a symbolic link or an empty folder below something found.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is, absolute.
    pub path: PathBuf,
    /// Its path below the folder that is meant, with `/`.
    pub below: String,
    /// What it is.
    pub kind: FileType,
}

/// Everything that the patterns mean and that exists, each once, in the order of the paths.
///
/// # Errors
///
/// When a pattern can't be read or leaves the repository, or a folder can't be read.
pub fn find(world: &World, dir: &Path, patterns: &[String]) -> Result<Vec<Found>, Failure> {
    let mut all = Vec::new();
    for pattern in patterns {
        all.extend(of_pattern(world, dir, pattern)?);
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(all)
}

/// The same for files that must be there.
///
/// # Errors
///
/// As of [`find`], and when a pattern means nothing.
pub fn find_some(
    world: &World,
    dir: &Path,
    patterns: &[String],
    argument: &'static str,
) -> Result<Vec<Found>, Failure> {
    let mut all = Vec::new();
    for pattern in patterns {
        let found = of_pattern(world, dir, pattern).map_err(|f| f.at_argument(argument))?;
        if found.is_empty() {
            let message = if is_pattern(pattern) {
                format!("nothing matches `{pattern}`")
            } else {
                format!("`{pattern}` does not exist")
            };
            let start = world.display(dir);
            let start = if start.is_empty() {
                "that of the Pipelinefile".into()
            } else {
                format!("`{start}`")
            };
            return Err(Failure::new(Code::MISSING_FILE, message)
                .at_argument(argument)
                .help(format!("paths start in the folder {start}",)));
        }
        all.extend(found);
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.dedup_by(|a, b| a.path == b.path);
    Ok(all)
}

/// What is below something found, in the order of the paths: the file itself, or all files, links
/// and empty folders in the folder.
///
/// # Errors
///
/// When a folder can't be read, or a name is no UTF-8.
pub fn entries(found: &Found) -> Result<Vec<Entry>, Failure> {
    let mut all = Vec::new();
    let kind =
        if found.named { fs::metadata(&found.path) } else { fs::symlink_metadata(&found.path) };
    // A link that points nowhere is still a link.
    let kind = kind.or_else(|_| fs::symlink_metadata(&found.path));
    let kind = kind.map_err(|error| unreadable(&found.written, &error))?.file_type();
    let mut open = vec![Entry { path: found.path.clone(), below: found.below.clone(), kind }];
    while let Some(entry) = open.pop() {
        if !entry.kind.is_dir() {
            all.push(entry);
            continue;
        }
        let children = children(&entry.path, &entry.below)?;
        if children.is_empty() && !entry.below.is_empty() {
            all.push(entry);
            continue;
        }
        for (name, path, kind) in children {
            if name != ".git" && name != RECORDS {
                open.push(Entry { path, below: joined(&entry.below, &name), kind });
            }
        }
    }
    all.sort_by(|a, b| a.below.cmp(&b.below));
    Ok(all)
}

/// Whether a path has a wildcard.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{', '\\'])
}

fn of_pattern(world: &World, dir: &Path, pattern: &str) -> Result<Vec<Found>, Failure> {
    if !is_pattern(pattern) {
        let path = world.path(dir, pattern)?;
        if path.starts_with(world.root().join(RECORDS)) {
            let what =
                format!("`{pattern}` holds the records of `pipe`, and is never part of anything");
            return Err(Failure::new(Code::BAD_PATH, what));
        }
        let Ok(kind) = fs::symlink_metadata(&path) else { return Ok(Vec::new()) };
        let folder = kind.is_dir() || kind.is_symlink() && path.is_dir();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let below = if folder { String::new() } else { name.unwrap_or_default() };
        return Ok(vec![Found { path, written: pattern.to_owned(), below, named: true }]);
    }
    let first = pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(0);
    let (base, rest) = pattern.split_at(pattern[..first].rfind('/').map_or(0, |slash| slash + 1));
    // `/*` starts at the root, `*` here.
    let folder = world.path(dir, if base.is_empty() { "." } else { base })?;
    let (rest, folders_only) = match rest.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let glob = Glob::new(rest)
        .map_err(|why| Failure::new(Code::BAD_PATH, format!("`{pattern}` is no pattern: {why}")))?;
    let mut all = Vec::new();
    let mut open = vec![(folder, String::new())];
    while let Some((folder, below)) = open.pop() {
        let below_top = folder.strip_prefix(world.repository()).unwrap_or(&folder);
        let records = below_top.components().any(|part| part.as_os_str() == RECORDS);
        if records || !folder.is_dir() {
            continue;
        }
        for (name, path, kind) in children(&folder, &below)? {
            let below = joined(&below, &name);
            let hidden = name == ".git" && !pattern.contains(".git");
            if hidden || name == RECORDS {
                continue;
            }
            if kind.is_dir() && glob.begins(&format!("{below}/")) {
                open.push((path.clone(), below.clone()));
            }
            if glob.matches(&below) && (!folders_only || kind.is_dir()) {
                all.push(Found { path, written: format!("{base}{below}"), below, named: false });
            }
        }
    }
    all.sort_by(|a, b| a.below.cmp(&b.below));
    Ok(all)
}

/// The entries of a folder: name, path and kind.
fn children(folder: &Path, shown: &str) -> Result<Vec<(String, PathBuf, FileType)>, Failure> {
    let shown = if shown.is_empty() { folder.display().to_string() } else { shown.to_owned() };
    let failed = |error: std::io::Error| unreadable(&shown, &error);
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| {
            let name = name.to_string_lossy().into_owned();
            Failure::new(Code::BAD_PATH, format!("the name `{name}` in `{shown}` is no UTF-8 text"))
        })?;
        all.push((name, entry.path(), entry.file_type().map_err(failed)?));
    }
    Ok(all)
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

pub(crate) fn unreadable(shown: &str, error: &std::io::Error) -> Failure {
    let why = pipe_oci::plain(error);
    Failure::new(Code::BAD_FILE, format!("`{shown}` can't be read: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for file in files {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file).unwrap();
            }
            Self(folder)
        }

        fn find(&self, patterns: &[&str]) -> Result<Vec<Found>, Failure> {
            let root = self.0.path().to_path_buf();
            let world = World::new(root.clone(), root.clone(), Default::default());
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            find(&world, &root, &patterns)
        }

        fn written(&self, patterns: &[&str]) -> Vec<String> {
            self.find(patterns).unwrap().into_iter().map(|found| found.written).collect()
        }
    }

    #[test]
    fn patterns_find_in_order() {
        let tree =
            Tree::new(&["b.rs", "a.rs", "src/x.rs", "src/deep/y.rs", ".hidden.rs", "src/z.c"]);
        assert_eq!(tree.written(&["*.rs"]), [".hidden.rs", "a.rs", "b.rs"]);
        assert_eq!(tree.written(&["src/**/*.rs"]), ["src/deep/y.rs", "src/x.rs"]);
        assert_eq!(tree.written(&["src/*"]), ["src/deep", "src/x.rs", "src/z.c"]);
        assert_eq!(tree.written(&["src/*/"]), ["src/deep"]);
        assert_eq!(tree.written(&["{a,b}.rs", "a.*"]), ["a.rs", "b.rs"]);
        assert_eq!(tree.written(&["src/deep/../x.rs"]), ["src/deep/../x.rs"]);
        assert!(tree.written(&["nothing", "no/*"]).is_empty());
    }

    #[test]
    fn records_and_git_are_left_out() {
        let tree = Tree::new(&[".pipe/runs/1/x", ".git/config", "a"]);
        assert_eq!(tree.written(&["**"]), ["a"]);
        assert_eq!(tree.written(&["*"]), ["a"]);
        assert_eq!(tree.written(&[".git/*"]), [".git/config"]);
        assert!(tree.written(&[".pipe/**", ".pi*/**"]).is_empty());
        assert!(tree.find(&[".pipe/runs"]).is_err());
        let whole = &tree.find(&["."]).unwrap()[0];
        let below: Vec<String> = entries(whole).unwrap().into_iter().map(|e| e.below).collect();
        assert_eq!(below, ["a"]);
    }

    #[test]
    fn links_are_found_and_not_followed() {
        let tree = Tree::new(&["a/x"]);
        std::os::unix::fs::symlink("..", tree.0.path().join("a/up")).unwrap();
        assert_eq!(tree.written(&["**"]), ["a", "a/up", "a/x"]);
        let found = &tree.find(&["a"]).unwrap()[0];
        let below: Vec<String> = entries(found).unwrap().into_iter().map(|e| e.below).collect();
        assert_eq!(below, ["up", "x"]);
        // A link that is named is meant.
        let below: Vec<String> = entries(&tree.find(&["a/up"]).unwrap()[0])
            .unwrap()
            .into_iter()
            .map(|e| e.below)
            .collect();
        assert_eq!(below, ["a/up", "a/x"]);
    }

    #[test]
    fn what_leaves_the_repository_is_refused() {
        let tree = Tree::new(&["a"]);
        assert!(tree.find(&["../*"]).is_err());
        assert!(tree.find(&["[a"]).is_err());
        let pattern = tree.0.path().join("*").display().to_string();
        assert_eq!(tree.written(&[&pattern]).len(), 1);
    }
}
