//! The state of the files that git tracks, for whoever must know whether they have changed.

use std::{fmt::Write, path::Path};

use git2::{ObjectType, Oid, Repository, StatusOptions, Tree};
use sha1::{Digest, Sha1};

use super::repository;
use crate::core::World;

/// A sum of the files that git tracks, as they are now: the same for the same files, whatever was
/// committed. `except` is left out: a file of the world's root. None outside a repository, and in
/// one without a commit.
#[must_use]
pub fn state(world: &World, except: &str) -> Option<String> {
    let repository = repository::open(world).ok()?;
    let folder = repository.workdir()?.canonicalize().ok()?;
    let root = world.root().canonicalize().ok()?;
    let except = root.strip_prefix(&folder).ok()?.join(except);
    let mut sum = Sha1::new();
    let tree = repository.head().ok()?.peel_to_tree().ok()?;
    add(&repository, &tree, &except, &mut sum);
    let mut options = StatusOptions::new();
    // The index is not refreshed: `check` and `plan` change no file.
    options.include_untracked(false).include_ignored(false).update_index(false);
    let statuses = repository.statuses(Some(&mut options)).ok()?;
    let mut changed: Vec<String> = statuses
        .iter()
        .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
        .filter(|path| Path::new(path) != except)
        .collect();
    changed.sort();
    for path in changed {
        sum.update(&path);
        // A file that was removed has no content.
        let content = Oid::hash_file(ObjectType::Blob, folder.join(&path));
        sum.update(content.map(|id| id.to_string()).unwrap_or_default());
    }
    let mut text = String::new();
    for byte in sum.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Some(text)
}

/// Adds the entries of a tree, without the file that is left out: only the folders on the way to it
/// are looked into.
fn add(repository: &Repository, tree: &Tree<'_>, except: &Path, sum: &mut Sha1) {
    let mut parts = except.iter();
    let first = parts.next();
    let rest = parts.as_path();
    for entry in tree {
        let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let is_on_the_way = first.is_some_and(|first| *first == *name);
        if !is_on_the_way {
            sum.update(format!("{name} {:o} {}\n", entry.filemode(), entry.id()));
            continue;
        }
        if let Ok(below) = repository.find_tree(entry.id()) {
            sum.update(format!("{name}/\n"));
            add(repository, &below, rest, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{collections::BTreeMap, fs, process::Command};

    use super::*;

    #[test]
    fn the_same_for_the_same_files() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", "user.name=T", "-c", "user.email=t@example.com"]);
            command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder.path());
            let done = command.args(arguments).current_dir(folder.path()).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let sub = folder.path().join("sub");
        let now = || {
            let world = World::new(sub.clone(), folder.path().to_owned(), BTreeMap::new());
            state(&world, "Pipelinefile")
        };
        write("sub/Pipelinefile", "one");
        write("sub/a", "a");
        write("b", "b");
        git(&["init", "-q", "."]);
        assert_eq!(now(), None);
        git(&["add", "-A"]);
        git(&["commit", "-q", "-m", "first"]);
        let first = now();
        assert!(first.is_some());
        write("sub/Pipelinefile", "two");
        write("untracked", "is not ours");
        assert_eq!(now(), first);
        git(&["commit", "-q", "-a", "-m", "the Pipelinefile"]);
        assert_eq!(now(), first);
        write("sub/a", "other");
        let second = now();
        assert_ne!(second, first);
        write("sub/a", "a");
        assert_eq!(now(), first);
        fs::remove_file(folder.path().join("b")).unwrap();
        assert!(now() != first && now() != second);
    }
}
