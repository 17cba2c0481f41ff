//! `artifact.save(files)`

use std::{io, time::Duration};

use pipe_grammar::{Code, diagnostic::count, size_text};

use super::store::{Artifact, Store, is_name};
use crate::core::{
    Arguments, Call, Entry, Failure, Outcome, Value, builtin, copy, entries, find, find_some, link,
    make_folder, unreadable,
};

builtin! {
    step artifact.save, save;
    "
    # Keeps files with the run.
    #
    # With their paths, as they are seen from the folder of the Pipelinefile; `artifact.load` puts
    # them back. Saving under the same name again adds to it, and replaces files with the same path.
    (
      # A file, a folder, a pattern, or a list of them.
      files: globs,
      # Letters, digits, `.`, `_` and `-`; without it the stage's name, of an instance with its
      # number.
      name: string?,
      # How long to keep it; without it as long as the run.
      keep: duration?,
      # Whether there may be no file.
      allow_empty: bool = false,
    )
    "
    examples: [r#"artifact.save("dist")"#, r#"artifact.save("*.log", name: "logs", keep: 7d)"#]
}

async fn save(call: Call<'_>, arguments: Arguments) -> Outcome {
    let patterns: Vec<String> = arguments.get("files")?;
    let name = name(&call, &arguments)?;
    let keep: Option<Duration> = arguments.get("keep")?;
    let brought = call.bring(&patterns).await?;
    let found = if arguments.get("allow_empty")? {
        find(&brought.world, &brought.dir, &patterns).map_err(|failure| failure.at_argument("files"))?
    } else {
        find_some(&brought.world, &brought.dir, &patterns, "files")
            .map_err(|failure| failure.help("if that is fine: `allow_empty: true`"))?
    };
    let store = Store::of(call.run_folder);
    let (root, stage) = (brought.world.root().to_path_buf(), call.stage.to_owned());
    let saved = call.world.now().to_string();
    let shown = name.clone();
    let (files, bytes) = call
        .blocking(move |stop| {
            let old = store.artifact(&name).map_err(|error| unkept(&name, &error))?;
            let mut artifact = Artifact { stage, saved, ..old.unwrap_or_default() };
            artifact.keep = keep.map(|time| time.as_secs()).or(artifact.keep);
            let (mut files, mut bytes) = (0, 0);
            for found in &found {
                for entry in entries(found).map_err(|failure| failure.at_argument("files"))? {
                    if stop.is_cancelled() {
                        return Err(Failure::cancelled());
                    }
                    let below = entry.path.strip_prefix(&root).ok().and_then(|path| path.to_str());
                    let below = below.ok_or_else(|| elsewhere(&found.written))?.to_owned();
                    let size = keep_one(&entry, &store.files(&name).join(&below))
                        .map_err(|error| broken(&entry, &name, &error))?;
                    if !entry.kind.is_dir() {
                        files += 1;
                        bytes += size;
                        artifact.files.insert(below, size);
                    }
                }
            }
            store.set(&name, &artifact).map_err(|error| unkept(&name, &error))?;
            Ok((files, bytes))
        })
        .await?;
    let size = size_text(bytes);
    call.report.say(&format!("kept {} as `{shown}`, {size}", count("file", files)));
    Ok(Value::Null)
}

/// The name that is given, else that of the stage.
fn name(call: &Call<'_>, arguments: &Arguments) -> Result<String, Failure> {
    let given: Option<String> = arguments.get("name")?;
    let stage = if call.stage.is_empty() { "handlers" } else { call.stage };
    let name = given.unwrap_or_else(|| stage.to_owned());
    if is_name(&name) {
        return Ok(name);
    }
    Err(Failure::new(Code::NO_ARTIFACT, format!("no artifact can be called `{name}`"))
        .at_argument("name")
        .help("letters, digits, `.`, `_` and `-`; `.slug()` makes such a name of any text"))
}

/// Copies one, and gives its size.
fn keep_one(entry: &Entry, to: &std::path::Path) -> io::Result<u64> {
    if entry.kind.is_dir() {
        make_folder(to)?;
        return Ok(0);
    }
    if entry.kind.is_symlink() {
        link(&std::fs::read_link(&entry.path)?, to)?;
        return Ok(0);
    }
    copy(&entry.path, to)?;
    Ok(to.metadata()?.len())
}

fn elsewhere(written: &str) -> Failure {
    let what = format!("`{written}` does not lie in the folder of the Pipelinefile");
    Failure::new(Code::BAD_PATH, what)
        .at_argument("files")
        .help("copy it there first: `file.copy(…)`")
}

fn broken(entry: &Entry, name: &str, error: &io::Error) -> Failure {
    match std::fs::File::open(&entry.path) {
        Err(error) if !entry.kind.is_symlink() => {
            unreadable(&entry.below, &error).at_argument("files")
        }
        _ => unkept(name, error),
    }
}

fn unkept(name: &str, error: &io::Error) -> Failure {
    let why = pipe_oci::plain(error);
    Failure::infrastructure(
        Code::UNWRITABLE_FILE,
        format!("the artifact `{name}` can't be kept with the run: {why}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn save(machine: &Machine, files: &str, given: &[(&str, Value)]) -> Outcome {
        let mut all = vec![("files", Value::Path(files.into()))];
        all.extend(given.iter().cloned());
        machine.step("artifact.save", &all).await
    }

    #[tokio::test]
    async fn files_are_kept_with_their_paths() {
        let machine = Machine::new();
        machine.write("d/a", "one").write("d/sub/b", "three").write("x.log", "");
        save(&machine, "d", &[]).await.unwrap();
        let keep = Value::Duration(Duration::from_secs(60));
        save(&machine, "*.log", &[("name", "logs".into()), ("keep", keep)]).await.unwrap();
        let kept = |path: &str| machine.read(&format!(".pipe/runs/test/artifacts/{path}"));
        assert_eq!(kept("test/d/sub/b"), "three");
        assert!(kept("test.json").contains(r#""files":{"d/a":3,"d/sub/b":5}"#));
        assert!(kept("logs.json").contains(r#""keep":60"#));
        assert_eq!(machine.said.lines()[0], "kept 2 files as `test`, 8B");
    }

    #[tokio::test]
    async fn the_same_name_adds() {
        let machine = Machine::new();
        machine.write("a", "1").write("b", "2");
        save(&machine, "a", &[]).await.unwrap();
        machine.write("a", "new");
        save(&machine, "[ab]", &[]).await.unwrap();
        assert_eq!(machine.read(".pipe/runs/test/artifacts/test/a"), "new");
        assert!(machine.read(".pipe/runs/test/artifacts/test.json").contains(r#"{"a":3,"b":1}"#));
    }

    #[tokio::test]
    async fn what_can_t_be_kept_is_told() {
        let machine = Machine::new();
        machine.write("a", "");
        let message = |outcome: Outcome| outcome.unwrap_err().message;
        assert_eq!(message(save(&machine, "no*", &[]).await), "nothing matches `no*`");
        save(&machine, "no*", &[("allow_empty", true.into())]).await.unwrap();
        assert_eq!(
            message(save(&machine, "a", &[("name", "a/b".into())]).await),
            "no artifact can be called `a/b`"
        );
        let outside = Machine::new();
        outside.write("x", "");
        let outside = outside.path("x").display().to_string();
        assert!(
            message(save(&machine, &outside, &[]).await)
                .ends_with("the folder of the Pipelinefile")
        );
    }
}
