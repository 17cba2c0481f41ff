//! `artifact.load(names)`

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use pipe_grammar::{
    Code,
    diagnostic::{count, did_you_mean},
};

use super::store::Store;
use crate::core::{Arguments, Call, Failure, Glob, Outcome, Value, builtin, copy, link, written};

builtin! {
    step artifact.load, load;
    "
    # Puts files back that a stage has kept.
    #
    # Existing files are replaced. Two artifacts with the same path are an error, unless each gets a
    # folder of its name.
    (
      # The name of the artifact, which may have `*`, or a list of them.
      names: texts,
      # The folder that the paths start in.
      into: path = \".\",
      # Whether each artifact gets a folder of its name.
      separate: bool = false,
      # Whether there may be no artifact that a pattern means.
      allow_empty: bool = false,
    ) -> list<path>
    "
    examples: [
        r#"artifact.load("build")"#,
        r#"artifact.load("test-*", into: "reports", separate: true)"#,
    ]
}

async fn load(call: Call<'_>, arguments: Arguments) -> Outcome {
    let (patterns, shown): (Vec<String>, String) =
        (arguments.get("names")?, arguments.get("into")?);
    let (separate, allow_empty): (bool, bool) =
        (arguments.get("separate")?, arguments.get("allow_empty")?);
    let into = call.world.path(call.dir, &shown).map_err(|f| f.at_argument("into"))?;
    let store = Store::of(call.run_folder);
    let prefix =
        if shown == "." { String::new() } else { format!("{}/", shown.trim_end_matches('/')) };
    let files = call
        .blocking(move |stop| {
            let names = names(&store, &patterns, allow_empty)?;
            let files = files(&store, &names, separate)?;
            for (path, (from, name)) in &files {
                if stop.is_cancelled() {
                    return Err(Failure::cancelled());
                }
                let shown = format!("{prefix}{path}");
                written(put(from, &into.join(path)), &shown, "into")
                    .map_err(|failure| failure.label(format!("from the artifact `{name}`")))?;
            }
            Ok(files.into_keys().map(|path| format!("{prefix}{path}")).collect::<Vec<_>>())
        })
        .await?;
    call.report.say(&format!("put {} back", count("file", files.len())));
    Ok(Value::list(files.into_iter().map(|path| Value::Path(path.into()))))
}

/// The artifacts that are meant, each once.
fn names(store: &Store, patterns: &[String], allow_empty: bool) -> Result<Vec<String>, Failure> {
    let all = store.names().map_err(|error| unread(&error))?;
    let mut names: Vec<String> = Vec::new();
    for pattern in patterns {
        let bad = |why: String| {
            Failure::new(Code::NO_ARTIFACT, format!("`{pattern}` is no pattern: {why}"))
                .at_argument("names")
        };
        let glob = Glob::new(pattern).map_err(bad)?;
        let found: Vec<&String> = all.iter().filter(|name| glob.matches(name)).collect();
        if found.is_empty() && !allow_empty {
            return Err(none(pattern, &all));
        }
        names.extend(found.into_iter().cloned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The files of these artifacts by the path that they get: where each lies and of which it is.
fn files(
    store: &Store,
    names: &[String],
    separate: bool,
) -> Result<BTreeMap<String, (PathBuf, String)>, Failure> {
    let mut files: BTreeMap<String, (PathBuf, String)> = BTreeMap::new();
    for name in names {
        let artifact = store.artifact(name).map_err(|error| unread(&error))?.unwrap_or_default();
        for path in artifact.files.into_keys() {
            let from = store.files(name).join(&path);
            let to = if separate { format!("{name}/{path}") } else { path.clone() };
            if let Some((_, other)) = files.insert(to, (from, name.clone())) {
                let what = format!("the artifacts `{other}` and `{name}` both hold `{path}`");
                return Err(Failure::new(Code::NO_ARTIFACT, what)
                    .at_argument("names")
                    .help("give each a folder of its own: `separate: true`"));
            }
        }
    }
    Ok(files)
}

fn put(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_symlink() {
        return link(&fs::read_link(from)?, to);
    }
    copy(from, to)
}

fn none(pattern: &str, all: &[String]) -> Failure {
    let failure = Failure::new(Code::NO_ARTIFACT, format!("the run has no artifact `{pattern}`"))
        .at_argument("names");
    let names = all.iter().map(String::as_str);
    let failure = did_you_mean(pattern, names).into_iter().fold(failure, Failure::help);
    if all.is_empty() {
        failure.help("no stage has saved one: `artifact.save(…)`")
    } else {
        failure.help(format!("it has: {}", all.join(", ")))
    }
}

fn unread(error: &io::Error) -> Failure {
    let why = pipe_oci::plain(error);
    Failure::infrastructure(Code::BAD_FILE, format!("the run's artifacts can't be read: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    async fn kept() -> Machine {
        let machine = Machine::new();
        machine.write("d/a", "one").write("d/b", "two");
        std::os::unix::fs::symlink("a", machine.path("d/l")).unwrap();
        for (files, name) in [("d", "whole"), ("d/a", "test-1"), ("d/b", "test-2")] {
            let given = [("files", Value::Path(files.into())), ("name", name.into())];
            machine.step("artifact.save", &given).await.unwrap();
        }
        fs::remove_dir_all(machine.path("d")).unwrap();
        machine
    }

    async fn load(machine: &Machine, names: &[&str], given: &[(&str, Value)]) -> Outcome {
        let mut all = vec![("names", Value::strings(names.iter().copied()))];
        all.extend(given.iter().cloned());
        machine.step("artifact.load", &all).await
    }

    fn paths(paths: &[&str]) -> Outcome {
        Ok(Value::list(paths.iter().map(|path| Value::Path((*path).into()))))
    }

    #[tokio::test]
    async fn files_come_back() {
        let machine = kept().await;
        assert_eq!(load(&machine, &["whole"], &[]).await, paths(&["d/a", "d/b", "d/l"]));
        assert_eq!(machine.read("d/l"), "one");
        assert_eq!(fs::read_link(machine.path("d/l")).unwrap().to_str(), Some("a"));
        let into = ("into", Value::Path("out/".into()));
        let found = load(&machine, &["test-*"], std::slice::from_ref(&into)).await;
        assert_eq!(found, paths(&["out/d/a", "out/d/b"]));
        assert_eq!(machine.read("out/d/b"), "two");
        let found = load(&machine, &["test-2", "whole"], &[into, ("separate", true.into())]).await;
        assert_eq!(
            found,
            paths(&["out/test-2/d/b", "out/whole/d/a", "out/whole/d/b", "out/whole/d/l"])
        );
    }

    #[tokio::test]
    async fn what_is_not_there_or_twice_is_told() {
        let machine = kept().await;
        let failure = load(&machine, &["whol"], &[]).await.unwrap_err();
        assert_eq!(failure.message, "the run has no artifact `whol`");
        assert_eq!(failure.help, ["did you mean `whole`?", "it has: test-1, test-2, whole"]);
        let failure = load(&machine, &["*"], &[]).await.unwrap_err();
        assert_eq!(failure.message, "the artifacts `test-1` and `whole` both hold `d/a`");
        assert_eq!(load(&machine, &["x*"], &[("allow_empty", true.into())]).await, paths(&[]));
        let failure = load(&Machine::new(), &["x"], &[]).await.unwrap_err();
        assert_eq!(failure.help, ["no stage has saved one: `artifact.save(…)`"]);
    }
}
