//! `file.copy(from, to)`

use std::{fs, path::PathBuf};

use tokio_util::sync::CancellationToken;

use crate::core::{
    Arguments, Call, Entry, Failure, Found, Outcome, Value, builtin, copy as copy_file, entries,
    find_some, link, make_folder, unreadable, written,
};

builtin! {
    step file.copy, copy;
    "
    # Copies files, with their modes.
    #
    # Of a folder its content is copied. What wildcards find keeps its path below the part without
    # them: `dist/**/*.js` to `out` makes `out/a/b.js` of `dist/a/b.js`. One file that is named gets
    # the name `to`, unless that is a folder or ends with `/`. Symbolic links stay links, except one
    # that is named. Existing files are replaced. `.git` and `.pipe` are left out.
    (
      # A file, a folder, a pattern, or a list of them.
      from: globs,
      # Where they go.
      to: path,
    )
    "
    examples: [
        r#"file.copy("config/production.json", to: "dist/config.json")"#,
        r#"file.copy(["README.md", "docs/**/*.html"], to: "dist/")"#,
    ]
}

async fn copy(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (from, shown): (Vec<String>, String) = (arguments.get("from")?, arguments.get("to")?);
    let to = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("to"))?;
    let found = find_some(call.world, call.dir, &from, "from")?;
    let into = shown.ends_with('/') || to.is_dir() || from.len() > 1;
    call.blocking(move |stop| all(&found, to, into, &shown, stop)).await?;
    Ok(Value::Null)
}

fn all(
    found: &[Found],
    to: PathBuf,
    into: bool,
    shown: &str,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    for found in found {
        for entry in entries(found).map_err(|failure| failure.at_argument("from"))? {
            if stop.is_cancelled() {
                return Err(Failure::cancelled());
            }
            // A folder may be copied into itself; what it holds of an earlier time is no part of it.
            if entry.path.starts_with(&to) && entry.path != found.path {
                continue;
            }
            let renamed = found.named && entry.path == found.path && !into && !entry.kind.is_dir();
            let target = if renamed { to.clone() } else { to.join(&entry.below) };
            if target != entry.path {
                one(&entry, &target, shown)?;
            }
        }
    }
    Ok(())
}

fn one(entry: &Entry, target: &std::path::Path, shown: &str) -> Result<(), Failure> {
    let unread = |error: &std::io::Error| unreadable(&entry.below, error).at_argument("from");
    if entry.kind.is_dir() {
        return written(make_folder(target), shown, "to");
    }
    if entry.kind.is_symlink() {
        let points = fs::read_link(&entry.path).map_err(|error| unread(&error))?;
        return written(link(&points, target), shown, "to");
    }
    // Whether the one or the other failed can't be told from the error.
    fs::File::open(&entry.path).map_err(|error| unread(&error))?;
    written(copy_file(&entry.path, target), shown, "to")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, os::unix::fs::PermissionsExt};

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn copy(machine: &Machine, from: &[&str], to: &str) -> Outcome {
        let from = Value::list(from.iter().map(|path| Value::Path((*path).into())));
        machine.step("file.copy", &[("from", from), ("to", to.into())]).await
    }

    #[tokio::test]
    async fn a_file_gets_a_name_or_a_folder() {
        let machine = Machine::new();
        machine.write("a", "one");
        fs::set_permissions(machine.path("a"), fs::Permissions::from_mode(0o750)).unwrap();
        copy(&machine, &["a"], "x/b").await.unwrap();
        copy(&machine, &["a"], "x").await.unwrap();
        copy(&machine, &["a"], "y/").await.unwrap();
        for path in ["x/b", "x/a", "y/a"] {
            assert_eq!(machine.read(path), "one");
            let mode = fs::metadata(machine.path(path)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o750);
        }
    }

    #[tokio::test]
    async fn folders_and_patterns_keep_what_is_below() {
        let machine = Machine::new();
        machine.write("d/a/x.js", "x").write("d/y.js", "y").write("d/z.css", "z");
        copy(&machine, &["d"], "whole").await.unwrap();
        assert_eq!(machine.read("whole/a/x.js"), "x");
        copy(&machine, &["d/**/*.js"], "some").await.unwrap();
        assert_eq!(machine.read("some/a/x.js"), "x");
        assert_eq!(machine.read("some/y.js"), "y");
        assert!(!machine.path("some/z.css").exists());
        copy(&machine, &["d/y.js", "d/z.css"], "two").await.unwrap();
        assert_eq!(machine.read("two/z.css"), "z");
    }

    #[tokio::test]
    async fn into_itself_it_does_not_grow() {
        let machine = Machine::new();
        machine.write("a", "x");
        for _ in 0..2 {
            copy(&machine, &["."], "out").await.unwrap();
        }
        assert_eq!(machine.read("out/a"), "x");
        assert!(!machine.path("out/out").exists());
        copy(&machine, &["a"], "a").await.unwrap();
        assert_eq!(machine.read("a"), "x");
    }

    #[tokio::test]
    async fn links_stay_links() {
        let machine = Machine::new();
        machine.write("d/a", "x");
        std::os::unix::fs::symlink("a", machine.path("d/l")).unwrap();
        copy(&machine, &["d"], "e").await.unwrap();
        copy(&machine, &["d"], "e").await.unwrap();
        assert_eq!(fs::read_link(machine.path("e/l")).unwrap().to_str(), Some("a"));
        copy(&machine, &["d/l"], "f").await.unwrap();
        assert!(fs::symlink_metadata(machine.path("f")).unwrap().is_file());
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let machine = Machine::new();
        let message = |outcome: Outcome| outcome.unwrap_err().message;
        assert_eq!(message(copy(&machine, &["no"], "x").await), "`no` does not exist");
        assert_eq!(message(copy(&machine, &["*.no"], "x").await), "nothing matches `*.no`");
        machine.write("a", "");
        assert_eq!(message(copy(&machine, &["a"], "../x").await), "`../x` leaves the repository");
        assert_eq!(
            message(copy(&machine, &["a"], "a/b").await),
            "`a/b` can't be written: not a directory"
        );
    }
}
