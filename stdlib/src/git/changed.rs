//! `git.changed(files)`

use std::path::Path;

use git2::{DiffOptions, Oid, Repository};
use pipe_grammar::Code;

use super::repository;
use crate::core::{Arguments, Failure, Glob, Value, World, builtin};

builtin! {
    fact git.changed, changed;
    "
    # Whether files differ from what they were.
    #
    # Since the last commit that the CI server built well (`GIT_PREVIOUS_SUCCESSFUL_COMMIT`), else
    # since the change left its target (`CHANGE_TARGET`), else since the commit before. What is not
    # committed yet counts too. True when that commit is not known, as in a shallow clone; the plan
    # shows which one it is.
    (
      # A file, a folder, a pattern, or a list of them; they need not exist.
      files: globs,
      # Another commit to compare with: a branch, a tag, a commit.
      since: string?,
    ) -> bool
    "
    examples: [
        r#"git.changed(["web/**", "package.json"])"#,
        r#"git.changed("charts", since: "origin/main")"#,
    ]
}

fn changed(world: &World, arguments: &Arguments) -> Result<Value, Failure> {
    let patterns: Vec<String> = arguments.get("files")?;
    let since: Option<String> = arguments.get("since")?;
    let wanted = patterns.iter().map(|pattern| wanted(world, pattern));
    let wanted: Vec<Glob> = wanted.collect::<Result<Vec<_>, _>>()?.concat();
    let repository = repository::open(world)?;
    let base = match base(world, &repository, since.as_deref())? {
        Base::Commit(id, what) => {
            world.note(format!("git.changed compares with {:.12}, {what}", id.to_string()));
            id
        }
        Base::Unknown(why) => {
            world.note(format!("git.changed holds for all files: {why}"));
            return Ok(true.into());
        }
    };
    differs(&repository, base, &wanted).map(Value::from).map_err(Failure::internal)
}

/// The patterns of what an argument means, from the top of the repository: the path itself and what
/// is below it.
fn wanted(world: &World, pattern: &str) -> Result<Vec<Glob>, Failure> {
    let bad = |why: String| {
        Failure::new(Code::BAD_PATH, format!("`{pattern}` is no pattern: {why}"))
            .at_argument("files")
    };
    let path = world.path(world.dir(), pattern).map_err(|f| f.at_argument("files"))?;
    let below = path.strip_prefix(world.repository()).map_err(|_| {
        let what = format!("`{pattern}` lies outside the repository");
        Failure::new(Code::BAD_PATH, what).at_argument("files")
    })?;
    let below = below.to_string_lossy();
    if below.is_empty() {
        return Ok(vec![Glob::new("**").map_err(bad)?]);
    }
    Ok(vec![Glob::new(&below).map_err(bad)?, Glob::new(&format!("{below}/**")).map_err(bad)?])
}

/// What is compared with.
enum Base {
    /// A commit, and what it is.
    Commit(Oid, String),
    /// None is known: why.
    Unknown(String),
}

fn base(world: &World, repository: &Repository, since: Option<&str>) -> Result<Base, Failure> {
    let head = repository::head(repository)?;
    let commit = |name: &str| {
        let object = repository.revparse_single(name).ok()?;
        Some(object.peel_to_commit().ok()?.id())
    };
    if let Some(name) = since {
        return Ok(match commit(name) {
            Some(id) => Base::Commit(id, format!("`{name}`")),
            None => Base::Unknown(format!("`{name}` is no commit of this clone")),
        });
    }
    if let Some(green) = repository::from_ci(world, &["GIT_PREVIOUS_SUCCESSFUL_COMMIT"]) {
        return Ok(match commit(&green) {
            Some(id) => Base::Commit(id, "the last one that the CI server built well".to_owned()),
            None => {
                let green: String = green.chars().take(12).collect();
                Base::Unknown(format!("{green}, built well last, is not in this clone"))
            }
        });
    }
    if let Some(target) = repository::from_ci(world, &["CHANGE_TARGET"]) {
        let tip = commit(&format!("refs/remotes/origin/{target}"))
            .or_else(|| commit(&format!("refs/heads/{target}")));
        let left = tip.and_then(|tip| repository.merge_base(head.id(), tip).ok());
        return Ok(match left {
            Some(id) => Base::Commit(id, format!("where the change left `{target}`")),
            None => Base::Unknown(format!("where the change left `{target}` is not in this clone")),
        });
    }
    Ok(match head.parent(0) {
        Ok(parent) => Base::Commit(parent.id(), "the commit before".to_owned()),
        Err(_) if head.parent_count() == 0 && !repository.is_shallow() => {
            Base::Unknown("there is no commit before".to_owned())
        }
        Err(_) => Base::Unknown("the commit before is not in this clone".to_owned()),
    })
}

/// Whether a file that is meant differs between a commit and what is checked out.
fn differs(repository: &Repository, base: Oid, wanted: &[Glob]) -> Result<bool, git2::Error> {
    let tree = repository.find_commit(base)?.tree()?;
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).update_index(false);
    let diff = repository.diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options))?;
    let means = |path: &Path| {
        let path = path.to_string_lossy();
        wanted.iter().any(|glob| glob.matches(&path))
    };
    Ok(diff.deltas().any(|delta| {
        let sides = [delta.old_file().path(), delta.new_file().path()];
        sides.into_iter().flatten().any(means)
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::repository::tests::{commit, repository};
    use crate::{core::Value, testing::Machine};

    fn changed(machine: &Machine, files: &[&str], since: Option<&str>) -> bool {
        let files = Value::list(files.iter().map(|path| Value::Path((*path).into())));
        let mut given = vec![("files", files)];
        given.extend(since.map(|since| ("since", since.into())));
        machine.fact("git.changed", &given) == Ok(Value::Bool(true))
    }

    #[test]
    fn since_the_commit_before() {
        let machine = repository();
        machine.write("web/a", "1").write("api/b", "1");
        commit(&machine, "one");
        // The first commit changes everything.
        assert!(changed(&machine, &["nothing"], None));
        machine.write("web/a", "2");
        commit(&machine, "two");
        assert!(changed(&machine, &["web/**"], None));
        assert!(changed(&machine, &["web"], None));
        assert!(changed(&machine, &["api/*", "**/a"], None));
        assert!(!changed(&machine, &["api"], None));
        assert!(!changed(&machine, &["we"], None));
        assert!(changed(&machine, &["."], None));
        assert!(machine.notes().iter().any(|note| note.ends_with("the commit before")));
        // What is not committed counts.
        machine.write("api/b", "2").write("new", "");
        assert!(changed(&machine, &["api"], None));
        assert!(changed(&machine, &["ne*"], None));
        std::fs::remove_file(machine.path("api/b")).unwrap();
        assert!(changed(&machine, &["api/b"], None));
    }

    #[test]
    fn since_what_the_server_or_the_call_says() {
        let machine = repository();
        machine.write("a", "1").write("b", "1").write("c", "1");
        let first = commit(&machine, "one");
        machine.write("a", "2");
        let second = commit(&machine, "two");
        machine.write("b", "2");
        commit(&machine, "three");
        assert!(!changed(&machine, &["a"], None));
        assert!(changed(&machine, &["a"], Some(&first)));
        assert!(!changed(&machine, &["a"], Some(&second)));
        assert!(!changed(&machine, &["c"], Some("HEAD~2")));
        assert!(changed(&machine, &["c"], Some("v1")));
        let machine = machine.with("GIT_PREVIOUS_SUCCESSFUL_COMMIT", &first);
        assert!(changed(&machine, &["a"], None));
        assert!(!changed(&machine, &["c"], None));
        let machine = machine.with("GIT_PREVIOUS_SUCCESSFUL_COMMIT", &"0".repeat(40));
        assert!(changed(&machine, &["c"], None));
        assert!(machine.notes().contains(
            &"git.changed holds for all files: 000000000000, built well last, is not in this clone"
                .to_owned()
        ));
    }

    #[test]
    fn since_a_change_left_its_target() {
        let machine = repository();
        machine.write("a", "1").write("b", "1");
        let first = commit(&machine, "one");
        let inner = git2::Repository::open(machine.folder.path()).unwrap();
        let id = git2::Oid::from_str(&first).unwrap();
        inner.reference("refs/remotes/origin/main", id, true, "").unwrap();
        for text in ["2", "3"] {
            machine.write("a", text);
            commit(&machine, text);
        }
        machine.write("c", "");
        commit(&machine, "c");
        let machine = machine.with("CHANGE_TARGET", "main");
        assert!(changed(&machine, &["a"], None));
        assert!(!changed(&machine, &["b"], None));
        let machine = machine.with("CHANGE_TARGET", "gone");
        assert!(changed(&machine, &["b"], None));
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let machine = repository();
        machine.write("a", "");
        commit(&machine, "one");
        let bad = |file: &str| {
            machine.fact("git.changed", &[("files", Value::Path(file.into()))]).unwrap_err().message
        };
        assert!(bad("[a").starts_with("`[a` is no pattern"));
        assert_eq!(bad("../x"), "`../x` leaves the repository");
        assert_eq!(bad("/etc"), "`/etc` lies outside the repository");
    }
}
