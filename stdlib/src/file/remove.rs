//! `file.remove(path)`

use std::{fs, io, path::Path};

use pipe_grammar::Code;

use crate::core::{Arguments, Call, Failure, Outcome, Value, World, builtin, find, find_some};

builtin! {
    step file.remove, remove;
    "
    # Removes files and folders, with all that is in them.
    #
    # Never outside the repository, nor the folder of the Pipelinefile itself. A symbolic link goes,
    # not what it points to.
    (
      # A file, a folder, a pattern, or a list of them.
      path: globs,
      # Whether there may be nothing to remove.
      missing_ok: bool = true,
    )
    "
    examples: [r#"file.remove("dist")"#, r#"file.remove(["**/*.o", "core"])"#]
}

async fn remove(call: Call<'_>, arguments: Arguments) -> Outcome {
    let patterns: Vec<String> = arguments.get("path")?;
    let found = if arguments.get("missing_ok")? {
        find(call.world, call.dir, &patterns).map_err(|failure| failure.at_argument("path"))?
    } else {
        find_some(call.world, call.dir, &patterns, "path")?
    };
    for found in &found {
        allowed(call.world, &found.path, &found.written)?;
    }
    call.blocking(move |stop| {
        for found in &found {
            if stop.is_cancelled() {
                return Err(Failure::cancelled());
            }
            match removed(&found.path) {
                // It went with a folder that was removed before.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(stays(&found.written, &pipe_oci::plain(&error))),
                Ok(()) => {}
            }
        }
        Ok(())
    })
    .await?;
    Ok(Value::Null)
}

fn removed(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Whether a path may go: it lies in the repository, also behind all symbolic links, and nothing
/// that `pipe` stands on is in it.
fn allowed(world: &World, path: &Path, written: &str) -> Result<(), Failure> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let repository = real(world.repository());
    let place = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => path.to_path_buf(),
    };
    if !place.starts_with(&repository) {
        return Err(stays(written, "it lies outside the repository"));
    }
    if real(world.root()).starts_with(&place) {
        return Err(stays(written, "the Pipelinefile is in it"));
    }
    if repository.join(".git").starts_with(&place) {
        return Err(stays(written, "the repository itself is in it"));
    }
    Ok(())
}

fn stays(written: &str, why: &str) -> Failure {
    let what = format!("`{written}` can't be removed: {why}");
    Failure::new(Code::UNWRITABLE_FILE, what).at_argument("path")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn remove(machine: &Machine, path: &str) -> Outcome {
        machine.step("file.remove", &[("path", Value::Path(path.into()))]).await
    }

    #[tokio::test]
    async fn files_folders_and_patterns_go() {
        let machine = Machine::new();
        machine.write("a", "").write("d/e/f", "").write("x.o", "").write("d2/y.o", "");
        for path in ["a", "d", "**/*.o", "no", "no*", "d2/**"] {
            remove(&machine, path).await.unwrap();
        }
        for path in ["a", "d", "x.o", "d2/y.o"] {
            assert!(!machine.path(path).exists(), "{path}");
        }
        let given = [("path", Value::Path("no".into())), ("missing_ok", false.into())];
        let failure = machine.step("file.remove", &given).await.unwrap_err();
        assert_eq!(failure.message, "`no` does not exist");
    }

    #[tokio::test]
    async fn a_link_goes_and_not_what_it_points_to() {
        let machine = Machine::new();
        let outside = Machine::new();
        outside.write("keep", "x");
        symlink(outside.folder.path(), machine.path("l")).unwrap();
        let failure = remove(&machine, "l/keep").await.unwrap_err();
        assert_eq!(failure.message, "`l/keep` can't be removed: it lies outside the repository");
        remove(&machine, "l").await.unwrap();
        assert_eq!(outside.read("keep"), "x");
    }

    #[tokio::test]
    async fn what_pipe_stands_on_stays() {
        let machine = Machine::new();
        machine.write(".git/HEAD", "").write(".pipe/runs/x", "").write("a", "");
        let outside = Machine::new();
        outside.write("x", "");
        let outside = outside.path("x").display().to_string();
        for path in [".", "../*", "/", ".git", ".pipe", ".pipe/runs", &outside] {
            assert!(remove(&machine, path).await.is_err(), "{path}");
        }
        remove(&machine, "**").await.unwrap();
        assert!(machine.path(".git/HEAD").exists() && machine.path(".pipe/runs/x").exists());
        assert!(!machine.path("a").exists());
    }
}
